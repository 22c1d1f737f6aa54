import { presetSpans } from './llm/preset-spans.ts';
import { metricDialect } from './llm/presets.ts';

/** Metrics and spans that speak like another system: the option `metrics.preset`. */
export const presets = { presets: { metrics: metricDialect, spans: presetSpans } };
