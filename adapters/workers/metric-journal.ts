import { familyKey } from '../../src/metrics/merge.ts';
import type { MetricBatch } from '../../src/metrics/store.ts';
import {
  decodeBlock,
  encodeBlock,
  expireState,
  hasSeries,
  mergeBatch,
  type StoredBlock,
  type StoredState,
} from '../../src/metrics/stored-blocks.ts';
import type { StoreBounds, StoredFamily } from '../../src/metrics/stored-series.ts';
import type { SeriesTouch } from '../../src/metrics/stored-shards.ts';
import { createJournal } from './journal.ts';

/** What came and when (epoch milliseconds), so that it can be done again after a restart. */
type MetricChange =
  | readonly ['merge', now: number, batch: MetricBatch, bounds: StoreBounds]
  | readonly ['touch', touches: readonly SeriesTouch[]];

/** A row: some series of a family, at most 48 KiB of JSON. */
interface Row {
  readonly key: string;
  readonly place: number;
  readonly family: StoredFamily;
  readonly block: Uint8Array;
}

/** Families by their key. */
export type StoredMetrics = Map<string, StoredState>;

/** The metrics of one object in its storage: blocks of series, and the batches since those were written. */
export function createMetricJournal(storage: DurableObjectStorage) {
  const { kv } = storage;
  const journal = createJournal<MetricChange>(storage);
  /** What each row holds, and of which family. */
  let written = new Map<string, readonly [StoredBlock, StoredFamily]>();

  function writeRows(metrics: StoredMetrics): void {
    const gone = new Set(written.keys());
    for (const [key, { family, blocks }] of metrics) {
      blocks.forEach((block, place) => {
        const row = `block:${place}:${key}`;
        gone.delete(row);
        const known = written.get(row);
        if (known?.[0] === block && known[1] === family) return;
        kv.put<Row>(row, { key, place, family, block: encodeBlock(block) });
        written.set(row, [block, family]);
      });
    }
    for (const row of gone) {
      kv.delete(row);
      written.delete(row);
    }
  }

  return {
    load(): StoredMetrics {
      const metrics: StoredMetrics = new Map();
      written = new Map();
      for (const [row, { key, place, family, block }] of kv.list<Row>({ prefix: 'block:' })) {
        const { blocks = [] } = metrics.get(key) ?? {};
        const places = [...blocks];
        places[place] = decodeBlock(block);
        metrics.set(key, { family, blocks: places });
        written.set(row, [places[place], family]);
      }
      for (const change of journal.read()) apply(metrics, change);
      return metrics;
    },

    /** Inside a transaction. Throws a `StoreRefusal` for what can't be merged. */
    write(metrics: StoredMetrics, change: MetricChange): void {
      apply(metrics, change);
      journal.write(change, () => writeRows(metrics));
    },

    /** Inside a transaction. */
    expire(metrics: StoredMetrics, now: number, expireAfterMs: number): void {
      let changed = false;
      for (const [key, state] of metrics) {
        const alive = expireState(state, now, expireAfterMs);
        if (alive === state) continue;
        changed = true;
        if (hasSeries(alive)) metrics.set(key, alive);
        else metrics.delete(key);
      }
      if (changed) journal.close(() => writeRows(metrics));
    },
  };
}

function apply(metrics: StoredMetrics, change: MetricChange): void {
  if (change[0] === 'touch') touchSeries(metrics, change[1]);
  else applyBatch(metrics, change[2], change[1], change[3]);
}

/** All of the batch or, where it is refused, nothing. */
function applyBatch(metrics: StoredMetrics, batch: MetricBatch, now: number, bounds: StoreBounds): void {
  const states = new Map<string, StoredState>();
  for (const family of batch.families) {
    const key = familyKey(family);
    const state = metrics.get(key);
    if (state) states.set(key, state);
  }
  const merged = mergeBatch(states, batch, now, { ...bounds, count: metrics.size });
  for (const [key, state] of merged) if (hasSeries(state)) metrics.set(key, state);
}

function touchSeries(metrics: StoredMetrics, touches: readonly SeriesTouch[]): void {
  for (const [key, series, touched] of touches) {
    const state = metrics.get(key);
    const place = state?.blocks.findIndex((block) => block.series.has(series)) ?? -1;
    if (!state || place < 0) continue;
    const { series: known, size } = state.blocks[place]!;
    const own = known.get(series)!;
    const block = { size, series: new Map(known).set(series, { ...own, touched: Math.max(own.touched, touched) }) };
    metrics.set(key, { ...state, blocks: state.blocks.with(place, block) });
  }
}
