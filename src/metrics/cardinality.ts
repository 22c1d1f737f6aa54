import { cut } from '../attributes.ts';
import { toLabelText } from './label-value.ts';

/** Stands for every value of a label beyond its cap. */
export const overflowValue = '__cardinality_overflow__';
/** Labels of the one series that takes what exceeds a metric's number of series; a new object for each metric. */
export function overflowLabels(): Readonly<Record<string, string>> {
  return { otel_metric_overflow: 'true' };
}

export const maxLabelLength = 128;
export const defaultSeriesPerMetric = 2000;
/** Distinct values that a label may have, all metrics of a registry together. */
export const defaultCaps: Readonly<Record<string, number>> = {
  model: 50,
  provider: 30,
  tool_name: 200,
  agent: 200,
  guardrail_id: 100,
  evaluation: 100,
  pricing_profile: 20,
};

/** Bounds label values: cut to 128 characters, and the first `cap` values of a label win. */
export interface CardinalityGuard {
  readonly seriesPerMetric: number;
  value(label: string, raw: unknown): string;
  /** Other caps, for values yet to come. */
  limit(caps: Readonly<Record<string, number>>): void;
  /** Whether values may have lost their secrets. */
  redacts(): boolean;
  /** Told each time a measurement goes to a metric's overflow series. */
  overflow(metric: string): void;
}

export function createCardinalityGuard(
  caps: Readonly<Record<string, number>>,
  seriesPerMetric: number,
  overflow: (metric: string) => void,
  redaction: () => ((text: string, label: string) => string) | undefined = () => undefined,
): CardinalityGuard {
  const seen = new Map<string, Set<string>>();
  let limits = caps;
  return {
    seriesPerMetric,
    overflow,
    limit(caps) {
      limits = caps;
    },
    redacts: () => redaction() !== undefined,
    value(label, raw) {
      const text = toLabelValue(raw);
      const value = redaction()?.(text, label) ?? text;
      const cap = limits[label];
      if (cap === undefined || value === '') return value;
      let values = seen.get(label);
      if (!values) {
        values = new Set();
        seen.set(label, values);
      }
      if (values.has(value)) return value;
      if (values.size >= cap) return overflowValue;
      values.add(value);
      return value;
    },
  };
}

function toLabelValue(raw: unknown): string {
  const text = toLabelText(raw);
  return text.length <= maxLabelLength ? text : cut(text, maxLabelLength);
}
