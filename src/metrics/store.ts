import { TelemetryError } from '../errors.ts';
import type { MetricFamily, MetricsSnapshot } from './snapshot.ts';

/** Deltas of one family in integers, whose sums are exact in any order. */
export interface BatchFamily extends MetricFamily {
  /**
   * How many of what `value` and `sum` count make one of the family's unit: 1e9 nano-dollars a dollar, 1e6 microseconds
   * a second; 1 where it is absent. Gauges have their value as it is.
   */
  readonly scale?: number;
}

/** What one isolate or process has counted since its last batch. */
export interface MetricBatch {
  /** Random, at most 64 characters. A store applies a batch once, however often it comes. */
  readonly batchId: string;
  /**
   * Counters, histograms and up-down counters by how much they changed; gauges by their value, as of the time they were
   * set. None at all changes nothing: it asks whether the store is there.
   */
  readonly families: readonly BatchFamily[];
}

/**
 * One truth for the metrics of many isolates or processes, which `/metrics` then shows.
 *
 * Counters, up-down counters and histograms add up, of a gauge the newest value stays (of two of one time the greater, so
 * that no order of arrival matters). Sums of one family in several scales add up too. `merge` applies a batch whole or not at
 * all, atomically with the check of its `batchId`, and rejects with a `StoreRefusal` what can never be merged, with any
 * other error what may be sent again. `collect` answers cumulative families in their own units, monotonic, with a start
 * time that stays as long as the series does: when the store first heard of it. Clocks of senders that are ahead by more
 * than a minute count as that minute.
 *
 * @example
 * const metrics = { store: createRedisMetricStore(new Redis()) };
 */
export interface MetricStore {
  merge(batch: MetricBatch): Promise<void>;
  collect(): Promise<MetricsSnapshot>;
}

/** How long a store remembers the ids of batches; a sender gives up on a batch before that. */
export const batchMemoryMs = 3_600_000;
/** A family's series in a store; what comes beyond goes to one series, as in a registry. */
export const maxStoredSeries = 10_000;

/** Families of a batch that a store can't take: other bounds, type or unit than it has, or no integers. Nothing of the batch was applied. */
export class StoreRefusal extends TelemetryError {
  override readonly name: string = 'StoreRefusal';
  readonly families: readonly string[];

  constructor(families: readonly string[], message: string) {
    super('store_refused', message);
    this.families = families;
  }
}
