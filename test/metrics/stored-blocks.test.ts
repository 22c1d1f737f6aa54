import { describe, expect, it } from 'vitest';
import { maxLabelBytes, maxStoredBounds } from '../../src/metrics/batch-check.ts';
import type { Point } from '../../src/metrics/snapshot.ts';
import type { BatchFamily } from '../../src/metrics/store.ts';
import { decodeBlock, maxBlockBytes } from '../../src/metrics/stored-blocks.ts';
import { createBlockStore } from './block-store.ts';

const at = { startUnixNano: 1_700_000_000_000_000_000n, timeUnixNano: 1_700_000_001_000_000_000n };

function calls(values: Record<string, number>): BatchFamily {
  const points = Object.entries(values).map(([id, value]): Point => ({ ...at, labels: { id }, value }));
  return { name: 'calls_total', type: 'counter', points };
}

function blocksOf(store: ReturnType<typeof createBlockStore>): readonly Uint8Array[] {
  return [...store.rows.values()].flatMap(({ blocks }) => blocks);
}

/** Where each series is. */
function placesOf(store: ReturnType<typeof createBlockStore>): Record<string, number> {
  return Object.fromEntries(
    blocksOf(store).flatMap((block, i) => [...decodeBlock(block).series.keys()].map((key) => [key, i])),
  );
}

async function fill(store: ReturnType<typeof createBlockStore>, from: number, to: number): Promise<void> {
  for (let i = from; i < to; i += 100) {
    const values = Array.from({ length: 100 }, (_, k) => [`series ${i + k} ${'é'.repeat(40)}`, 1] as const);
    await store.merge({ batchId: `${from} ${i}`, families: [calls(Object.fromEntries(values))] });
  }
}

describe('blocks of series', () => {
  it('have 48 KiB at most, in bytes', async () => {
    const store = createBlockStore();
    await fill(store, 0, 1000);
    const sizes = blocksOf(store).map(({ length }) => length);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(maxBlockBytes);
    expect(sizes.length).toBe(Math.ceil(sizes.reduce((a, b) => a + b, 0) / maxBlockBytes));
    expect((await store.collect()).metrics[0]!.points).toHaveLength(1000);
  });

  it('keep their series, and only those are written that a batch has a series in', async () => {
    const store = createBlockStore();
    await fill(store, 0, 1000);
    const before = placesOf(store);
    const [ids, written] = [Object.keys(before), store.written];
    const first = JSON.parse(ids[0]!)[0][1] as string;
    await store.merge({ batchId: 'one', families: [calls({ [first]: 5 })] });
    expect(store.written - written).toBe(1);
    expect(placesOf(store)).toEqual(before);
    await fill(store, 1000, 1100);
    expect(placesOf(store)).toMatchObject(before);
  });

  it('give a series away that has outgrown them', async () => {
    const store = createBlockStore();
    await fill(store, 0, 500);
    for (let round = 0; round < 3; round++) {
      const values = Object.keys(placesOf(store)).map((key) => [JSON.parse(key)[0][1], 2 ** 50] as const);
      await store.merge({ batchId: `grow ${round}`, families: [calls(Object.fromEntries(values))] });
      expect(Math.max(...blocksOf(store).map(({ length }) => length))).toBeLessThanOrEqual(maxBlockBytes);
    }
    const { points } = (await store.collect()).metrics[0]!;
    expect(points).toHaveLength(500);
    expect(points.every(({ value }) => value === 1 + 3 * 2 ** 50)).toBe(true);
  });

  it('take new series where others have expired, so that their number does not grow for ever', async () => {
    let now = 1_700_000_000_000;
    const store = createBlockStore({ now: () => now, expireAfterMs: 1000 });
    for (let round = 1; round <= 10; round++) {
      await fill(store, round * 500, round * 500 + 500);
      now += 2000;
    }
    const one = createBlockStore();
    await fill(one, 500, 1000);
    expect(blocksOf(store).length).toBe(blocksOf(one).length);
  });

  it('have room for the largest series that a batch may have', async () => {
    const store = createBlockStore();
    const bounds = Array.from({ length: maxStoredBounds }, (_, i) => i + 0.123456789012345);
    const counts = new Array<number>(maxStoredBounds + 1).fill(2 ** 45);
    const count = counts.reduce((a, b) => a + b);
    const exemplars = [...bounds, 1e9].map((value) => ({
      value: value - 1e-10,
      traceId: 'f'.repeat(32),
      spanId: 'f'.repeat(32),
      timeUnixNano: at.timeUnixNano,
    }));
    for (const character of ['\u0000', '"', '日', 'x']) {
      // So many that their JSON is as long as it may be.
      const length =
        (maxLabelBytes - 20) / (character === '\u0000' ? 6 : character === '"' ? 2 : character === 'x' ? 1 : 3);
      const labels = { id: character.repeat(Math.floor(length)) };
      const point = { ...at, labels, counts, count, sum: 2 ** 52, exemplars };
      const family = (scale: number): BatchFamily => ({ name: 'h', type: 'histogram', bounds, scale, points: [point] });
      for (const scale of [1, 10, 1e6, 1e9]) {
        await store.merge({ batchId: `${character} ${scale}`, families: [family(scale)] });
      }
    }
    const sizes = blocksOf(store).map(({ length }) => length);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(maxBlockBytes);
    expect((await store.collect()).metrics[0]!.points).toHaveLength(4);
  });
});
