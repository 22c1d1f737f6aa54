import { presetSpans } from '../llm/preset-spans.ts';
import { metricDialect } from '../llm/presets.ts';
import type { Feature } from './feature.ts';

export const presetPart = { metrics: metricDialect, spans: presetSpans };

/** Metrics and spans that speak like another system: the option `metrics.preset`. */
export const presets: Feature = { presets: presetPart };
