import type { MetricBatch, MetricStore } from '../src/metrics/store.ts';

/** Runs in Node and in workerd alike. */
export interface StoreLoad {
  readonly series: number;
  readonly parallel: number;
}

export interface StoreFigures {
  readonly flushes: number;
  readonly microsecondsPerFlush: number;
  readonly flushesPerSecond: number;
  /** Of what the flushes have left: so many series in each shard. */
  readonly microsecondsPerScrape: number;
}

const families = 20;
/** Fewer where a flush has many series. */
const flushesOf = (series: number) => (series > 100 ? 64 : 640);
const warmUp = 64;
const scrapes = 20;

/** Series of counters in at most 20 families, as model calls have them. */
export function batchOf(batchId: string, series: number): MetricBatch {
  const count = Math.min(families, series);
  return {
    batchId,
    families: Array.from({ length: count }, (_, family) => ({
      name: `bench_${family}_total`,
      type: 'counter',
      help: 'Counted for the benchmark.',
      points: Array.from({ length: Math.ceil(series / count) }, (_, i) => ({
        labels: { provider: 'openai', model: `gpt-4o-${i}`, operation: 'chat', status: 'ok' },
        startUnixNano: 1_700_000_000_000_000_000n,
        timeUnixNano: 1_700_000_001_000_000_000n,
        value: 1,
      })),
    })),
  };
}

/** Time from the batch to the store's answer, and how many a second it bears when several come at a time. */
export async function measureFlushes(
  store: MetricStore,
  { series, parallel }: StoreLoad,
  started: () => void = () => {},
): Promise<StoreFigures> {
  const run = (from: number, to: number) => {
    let next = from;
    const lane = async () => {
      while (next < to) await store.merge(batchOf(`batch-${next++}`, series));
    };
    return Promise.all(Array.from({ length: parallel }, lane));
  };
  await run(0, warmUp);
  started();
  const flushes = flushesOf(series);
  const start = performance.now();
  await run(warmUp, warmUp + flushes);
  // In workerd the clock moves with an answer from outside: that of the last flush.
  const flushed = performance.now();
  for (let i = 0; i < scrapes; i++) await store.collect();
  const seconds = (flushed - start) / 1000;
  return {
    flushes,
    microsecondsPerFlush: (seconds * 1e6) / flushes,
    flushesPerSecond: flushes / seconds,
    microsecondsPerScrape: ((performance.now() - flushed) * 1000) / scrapes,
  };
}
