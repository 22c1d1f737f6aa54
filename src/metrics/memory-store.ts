import { fn } from '../checks.ts';
import { familyKey } from './merge.ts';
import { batchMemoryMs, type MetricStore, maxStoredSeries } from './store.ts';
import { checkAgainst, checkStoreOptions, defaultExpireAfterMs, joinFamilies, toSnapshot } from './stored-family.ts';
import { isExpired, mergeSeries, type StoredFamily, type StoredSeries } from './stored-series.ts';

/** Batches of the last hour whose ids are remembered; of more the oldest is forgotten. */
export const maxRememberedBatches = 100_000;

const sweepEveryMs = 60_000;

export interface MemoryMetricStoreOptions {
  /** Milliseconds after which a series that no batch has had begins anew, a day. */
  expireAfterMs?: number;
  /** Series of a family, 10,000; what comes beyond counts in one of its own. */
  maxSeries?: number;
  /** Epoch milliseconds; `Date.now` by default. */
  now?: () => number;
}

/**
 * A store in the memory of one process: for several telemetries of a program, for workers that reach it by a channel of
 * their own, and for tests. Throws a `TelemetryError` for options that are no integers from 1.
 *
 * @example
 * const store = createMemoryMetricStore();
 * const telemetry = createTelemetry({ metrics: { store } });
 */
/* @__NO_SIDE_EFFECTS__ */
export function createMemoryMetricStore(options: MemoryMetricStoreOptions = {}): MetricStore {
  checkStoreOptions(options, { now: fn });
  const { expireAfterMs = defaultExpireAfterMs, maxSeries = maxStoredSeries, now = () => Date.now() } = options;
  const families = new Map<string, { family: StoredFamily; series: Map<string, StoredSeries> }>();
  const batches = createBatchMemory();

  /** A series that expired begins anew at once; that its place and its family are free again may take a minute. */
  let swept = Number.NEGATIVE_INFINITY;
  function sweep(time: number): void {
    if (Math.abs(time - swept) < Math.min(sweepEveryMs, expireAfterMs)) return;
    swept = time;
    for (const [key, { series }] of families) {
      for (const [id, one] of series) if (isExpired(one, time, expireAfterMs)) series.delete(id);
      if (series.size === 0) families.delete(key);
    }
  }

  return {
    async merge(batch) {
      const time = now();
      if (batches.has(batch?.batchId, time)) return;
      sweep(time);
      checkAgainst(batch, (key) => families.get(key)?.family, families.size);
      batches.add(batch.batchId, time);
      for (const given of batch.families) {
        const key = familyKey(given);
        const known = families.get(key);
        const series = known?.series ?? new Map<string, StoredSeries>();
        mergeSeries(series, given, time, { maxSeries, expireAfterMs });
        if (series.size > 0) families.set(key, { family: joinFamilies(known?.family, given), series });
      }
    },
    async collect() {
      const time = now();
      const all = Array.from(families.values(), ({ family, series }) => [family, series] as const);
      return toSnapshot(all, time, expireAfterMs);
    },
  };
}

/** Ids of batches by when they came, oldest first. */
function createBatchMemory() {
  const seen = new Map<string, number>();
  return {
    has: (id: string, time: number) => time - (seen.get(id) ?? Number.NEGATIVE_INFINITY) <= batchMemoryMs,
    add(id: string, time: number): void {
      seen.delete(id);
      seen.set(id, time);
      for (const [oldest, at] of seen) {
        if (seen.size <= maxRememberedBatches && time - at <= batchMemoryMs) break;
        seen.delete(oldest);
      }
    },
  };
}
