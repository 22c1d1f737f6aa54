import { checkBatch } from '../../src/metrics/batch-check.ts';
import type { MemoryMetricStoreOptions } from '../../src/metrics/memory-store.ts';
import { familyKey } from '../../src/metrics/merge.ts';
import { batchMemoryMs, type MetricStore, maxStoredSeries } from '../../src/metrics/store.ts';
import { decodeBlock, encodeBlock, hasSeries, mergeBatch, type StoredState } from '../../src/metrics/stored-blocks.ts';
import { defaultExpireAfterMs, toSnapshot } from '../../src/metrics/stored-family.ts';
import type { StoredFamily } from '../../src/metrics/stored-series.ts';

/** A family as rows have it. */
interface Row {
  readonly family: StoredFamily;
  readonly blocks: readonly Uint8Array[];
}

/** The least that a store of blocks has to do: read the batch's families, merge, write. Each merge reads the bytes anew. */
export function createBlockStore(
  options: MemoryMetricStoreOptions = {},
): MetricStore & { readonly rows: ReadonlyMap<string, Row>; readonly written: number } {
  const { expireAfterMs = defaultExpireAfterMs, maxSeries = maxStoredSeries, now = Date.now } = options;
  const rows = new Map<string, Row>();
  const batches = new Map<string, number>();
  let written = 0;

  function load({ family, blocks }: Row): StoredState {
    return { family, blocks: blocks.map(decodeBlock) };
  }

  function write(key: string, before: StoredState | undefined, after: StoredState): void {
    const blocks = after.blocks.map((block, i) => {
      if (block === before?.blocks[i]) return rows.get(key)!.blocks[i]!;
      written++;
      return encodeBlock(block);
    });
    rows.set(key, { family: after.family, blocks });
  }

  return {
    rows,
    get written() {
      return written;
    },
    async merge(batch) {
      const time = now();
      if (time - (batches.get(batch.batchId) ?? Number.NEGATIVE_INFINITY) <= batchMemoryMs) return;
      checkBatch(batch);
      const before = new Map<string, StoredState>();
      for (const key of batch.families.map(familyKey)) {
        const row = rows.get(key);
        if (row) before.set(key, load(row));
      }
      const after = mergeBatch(before, batch, time, { maxSeries, expireAfterMs, count: rows.size });
      batches.set(batch.batchId, time);
      for (const [key, state] of after) if (hasSeries(state)) write(key, before.get(key), state);
    },
    async collect() {
      const states = Array.from(rows.values(), load);
      const families = states.map(
        ({ family, blocks }) => [family, blocks.flatMap(({ series }) => [...series])] as const,
      );
      return toSnapshot(families, now(), expireAfterMs);
    },
  };
}
