import type { MetricFamily } from '../metrics/snapshot.ts';

/** All families that share an exposed name; they differ by scope or in spelling. */
export interface ExposedFamily {
  /** As the text format has it: counters end in `_total`. */
  readonly name: string;
  readonly type: MetricFamily['type'];
  /** In Prometheus's words, empty for none. */
  readonly unit: string;
  help: string | undefined;
  readonly parts: MetricFamily[];
}
