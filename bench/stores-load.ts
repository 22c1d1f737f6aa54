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
}

const families = 20;
const flushesOfLoad = 640;
const warmUp = 64;

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
  const start = performance.now();
  await run(warmUp, warmUp + flushesOfLoad);
  const seconds = (performance.now() - start) / 1000;
  return {
    flushes: flushesOfLoad,
    microsecondsPerFlush: (seconds * 1e6) / flushesOfLoad,
    flushesPerSecond: flushesOfLoad / seconds,
  };
}
