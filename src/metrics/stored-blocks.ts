import { utf8Length } from './batch-check.ts';
import { familyKey } from './merge.ts';
import type { BatchFamily, MetricBatch } from './store.ts';
import { checkAgainst, joinFamilies } from './stored-family.ts';
import {
  isExpired,
  mergeSeries,
  type SeriesSpace,
  type StoreBounds,
  type StoredFamily,
  type StoredSeries,
} from './stored-series.ts';

/** Bytes of a block, encoded: Deno KV takes 64 KiB a value, a Durable Object bills by rows. */
export const maxBlockBytes = 48 * 1024;

/** Some series of a family, as one value or row. Never changed: another block stands for a change. */
export interface StoredBlock {
  readonly series: ReadonlyMap<string, StoredSeries>;
  /** Bytes of it, encoded. */
  readonly size: number;
}

/** A family in blocks. Which block a series is in says nothing; it stays where it is as long as there is room. */
export interface StoredState {
  readonly family: StoredFamily;
  readonly blocks: readonly StoredBlock[];
}

const emptyBlock: StoredBlock = { series: new Map(), size: 2 };

export function encodeBlock({ series }: StoredBlock): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(Object.fromEntries(series)));
}

export function decodeBlock(bytes: Uint8Array): StoredBlock {
  const series = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, StoredSeries>;
  return { series: new Map(Object.entries(series)), size: bytes.length };
}

/**
 * What the families of a batch become, by `familyKey`; `states` has those of them that the store knows. Blocks and
 * families that stay as they are are the same objects, the others are to be written, all at once. Throws a
 * `StoreRefusal` where nothing of the batch may be applied.
 *
 * @param count Families that the store has altogether.
 */
export function mergeBatch(
  states: ReadonlyMap<string, StoredState>,
  batch: MetricBatch,
  now: number,
  bounds: StoreBounds & { readonly count: number },
): Map<string, StoredState> {
  const living = new Map<string, StoredState>();
  for (const [key, state] of states) living.set(key, expireState(state, now, bounds.expireAfterMs));
  const known = (key: string) => {
    const state = living.get(key);
    return state && hasSeries(state) ? state.family : undefined;
  };
  checkAgainst(batch, known, bounds.count);
  const merged = new Map<string, StoredState>();
  for (const family of batch.families) {
    const key = familyKey(family);
    merged.set(key, mergeFamily(merged.get(key) ?? living.get(key), family, now, bounds));
  }
  return merged;
}

/** Without the series that nobody touches any more; blocks keep their places, and may be empty. */
export function expireState(state: StoredState, now: number, expireAfterMs: number): StoredState {
  const blocks = state.blocks.map((block) => expireBlock(block, now, expireAfterMs));
  return blocks.every((block, i) => block === state.blocks[i]) ? state : { ...state, blocks };
}

/** Whether anything is left to keep the family for. */
export function hasSeries({ blocks }: StoredState): boolean {
  return blocks.some(({ series }) => series.size > 0);
}

function expireBlock(block: StoredBlock, now: number, expireAfterMs: number): StoredBlock {
  const alive = [...block.series].filter(([, series]) => !isExpired(series, now, expireAfterMs));
  return alive.length === block.series.size ? block : createBlock(alive);
}

function mergeFamily(
  state: StoredState | undefined,
  given: BatchFamily,
  now: number,
  bounds: StoreBounds,
): StoredState {
  const stored = state && hasSeries(state) ? state.family : undefined;
  const joined = joinFamilies(stored, given);
  const family = stored && stored.help === joined.help && stored.unit === joined.unit ? stored : joined;
  const space = new BlockSpace(state?.blocks ?? []);
  mergeSeries(space, given, now, bounds);
  return { family, blocks: space.blocks };
}

interface Draft {
  readonly series: Map<string, StoredSeries>;
  size: number;
}

/** Series in blocks as one space. A block that something is set in is copied first; what is new goes where there is room. */
class BlockSpace implements SeriesSpace {
  readonly #blocks: StoredBlock[];
  readonly #drafts = new Map<number, Draft>();
  readonly #places = new Map<string, number>();

  constructor(blocks: readonly StoredBlock[]) {
    this.#blocks = [...blocks];
    for (const [i, { series }] of blocks.entries()) for (const key of series.keys()) this.#places.set(key, i);
  }

  get size(): number {
    return this.#places.size;
  }

  get blocks(): readonly StoredBlock[] {
    return this.#blocks;
  }

  get(key: string): StoredSeries | undefined {
    return this.#blocks[this.#places.get(key) ?? -1]?.series.get(key);
  }

  set(key: string, series: StoredSeries): void {
    const size = entrySize(key, series);
    const place = this.#places.get(key);
    const old = this.get(key);
    if (place !== undefined && old) {
      const draft = this.#draft(place);
      draft.size -= entrySize(key, old);
      if (hasRoom(draft, size)) {
        draft.series.set(key, series);
        draft.size += size;
        return;
      }
      // It has outgrown its block.
      draft.series.delete(key);
    }
    this.#add(key, series, size);
  }

  #add(key: string, series: StoredSeries, size: number): void {
    let place = this.#blocks.findLastIndex((block) => hasRoom(block, size));
    if (place < 0) place = this.#blocks.push(emptyBlock) - 1;
    const draft = this.#draft(place);
    draft.series.set(key, series);
    draft.size += size;
    this.#places.set(key, place);
  }

  #draft(place: number): Draft {
    const known = this.#drafts.get(place);
    if (known) return known;
    const { series, size } = this.#blocks[place]!;
    const draft = { series: new Map(series), size };
    this.#blocks[place] = draft;
    this.#drafts.set(place, draft);
    return draft;
  }
}

function hasRoom(block: StoredBlock, size: number): boolean {
  return block.size + size <= maxBlockBytes;
}

function createBlock(entries: readonly (readonly [string, StoredSeries])[]): StoredBlock {
  const size = entries.reduce((sum, [key, series]) => sum + entrySize(key, series), emptyBlock.size);
  return { series: new Map(entries), size };
}

/** With its colon and comma. */
function entrySize(key: string, series: StoredSeries): number {
  return utf8Length(JSON.stringify(key)) + utf8Length(JSON.stringify(series)) + 2;
}
