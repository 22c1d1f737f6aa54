import type { BatchFamily, MetricBatch, MetricStore } from '../../src/metrics/store.ts';

const start = 1_700_000_000_000_000_000n;

/** Deltas of one counter, by label. */
export function callsBatch(
  batchId: string,
  byModel: Readonly<Record<string, number>>,
  name = 'calls_total',
): MetricBatch {
  const points = Object.entries(byModel).map(([model, value]) => ({
    labels: { model },
    startUnixNano: start,
    timeUnixNano: start,
    value,
  }));
  return { batchId, families: [{ name, type: 'counter', points }] };
}

/** Observations of one histogram, its sum in microseconds. */
export function secondsBatch(batchId: string, counts: readonly number[], sum: number, bounds = [1, 10]): MetricBatch {
  const count = counts.reduce((a, b) => a + b, 0);
  const point = { labels: {}, startUnixNano: start, timeUnixNano: start, counts, count, sum };
  const family: BatchFamily = { name: 'seconds', type: 'histogram', unit: 's', bounds, scale: 1e6, points: [point] };
  return { batchId, families: [family] };
}

/** What a store has counted, by label. */
export async function readCalls(store: MetricStore, name = 'calls_total'): Promise<Record<string, number | undefined>> {
  const { metrics } = await store.collect();
  const points = metrics.filter((family) => family.name === name).flatMap((family) => family.points);
  return Object.fromEntries(points.map(({ labels, value }) => [labels.model, value]));
}
