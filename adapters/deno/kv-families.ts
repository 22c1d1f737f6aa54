import { sha256, toBase64 } from '../../src/digest.ts';
import { familyKey } from '../../src/metrics/merge.ts';
import type { BatchFamily } from '../../src/metrics/store.ts';
import { decodeBlock, encodeBlock, type StoredBlock, type StoredState } from '../../src/metrics/stored-blocks.ts';
import type { StoredFamily } from '../../src/metrics/stored-series.ts';
import { getAll, type Kv, type KvAtomic, type KvEntry, type KvKey, strong } from './kv.ts';

/** A family's first block lies with the family itself, since most families need no other. */
interface Head {
  readonly family: StoredFamily;
  readonly block: Uint8Array;
  /** Numbers of its other blocks, and the one that the next will have: none is used twice. */
  readonly more: readonly number[];
  readonly next: number;
  /** Epoch milliseconds. */
  readonly written: number;
}

/** What was read of one family, as it was then. */
export interface LoadedFamily {
  readonly id: string;
  readonly head: KvEntry;
  /** In the order of the blocks, after the first. */
  readonly blocks: readonly KvEntry[];
  readonly state: StoredState | undefined;
}

/** Entries that a change of one family must find as they were read, and what it writes; bytes are estimated. */
export interface FamilyChange {
  readonly checks: readonly KvEntry[];
  readonly writes: readonly ((commit: KvAtomic) => void)[];
  readonly bytes: number;
}

export interface FamilyRoom {
  load(families: readonly BatchFamily[]): Promise<Map<string, LoadedFamily>>;
  change(loaded: LoadedFamily, after: StoredState, now: number): FamilyChange;
  /** How many families there are. */
  count(): Promise<number>;
  list(): Promise<StoredState[]>;
}

const empty: StoredBlock = { series: new Map(), size: 2 };
/** Key, description and what encodings add, of one value. */
const overheadBytes = 4096;
const batchSize = 50;

/** Families in a Deno KV: `[root, 'metrics', id]` and `[root, 'metric-blocks', id, number]`. */
export function createFamilyRoom(kv: Kv, root: string, expireAfterMs: number): FamilyRoom {
  const headKey = (id: string): KvKey => [root, 'metrics', id];
  const blockKey = (id: string, number: number): KvKey => [root, 'metric-blocks', id, number];
  const moreOf = (head: KvEntry) => (head.value as Head | null)?.more ?? [];

  /** By `familyKey`. */
  async function load(families: readonly BatchFamily[]): Promise<Map<string, LoadedFamily>> {
    const keys = [...new Set(families.map(familyKey))];
    const ids = await Promise.all(keys.map(toId));
    const heads = await getAll(kv, ids.map(headKey));
    const blockKeys = heads.flatMap((head, i) => moreOf(head).map((number) => blockKey(ids[i]!, number)));
    const entries = await getAll(kv, blockKeys);
    let at = 0;
    return new Map(
      heads.map((head, i) => {
        const blocks = entries.slice(at, at + moreOf(head).length);
        at += blocks.length;
        return [keys[i]!, { id: ids[i]!, head, blocks, state: toState(head, blocks) }];
      }),
    );
  }

  function change({ id, head, blocks, state }: LoadedFamily, after: StoredState, now: number): FamilyChange {
    const old = head.value as Head | null;
    const before = state?.blocks ?? [];
    const checks: KvEntry[] = [head];
    const writes: FamilyChange['writes'][number][] = [];
    let bytes = 0;
    const more: number[] = [];
    let next = old?.next ?? 1;
    // Who adds or moves a series must have seen all blocks, and others must see that: it rewrites the head.
    let rewritesHead = state?.family !== after.family || now - old!.written > expireAfterMs / 2;
    for (const [i, block] of after.blocks.entries()) {
      const changed = block !== before[i];
      if (changed && !(before[i] && hasSameSeries(before[i], block))) rewritesHead = true;
      if (i === 0) {
        rewritesHead ||= changed;
        continue;
      }
      const number = old?.more[i - 1] ?? next++;
      const key = blockKey(id, number);
      if (block.series.size > 0) more.push(number);
      if (!changed) continue;
      const known = blocks[i - 1];
      if (known) checks.push(known);
      bytes += block.size + overheadBytes;
      // It may expire by itself once all of its series have.
      const options = { expireIn: expireAfterMs + 60_000 };
      writes.push((commit) =>
        block.series.size > 0 ? commit.set(key, encodeBlock(block), options) : commit.delete(key),
      );
    }
    if (rewritesHead) {
      const first = after.blocks[0] ?? empty;
      const value: Head = { family: after.family, block: encodeBlock(first), more, next, written: now };
      bytes += first.size + JSON.stringify(after.family).length * 3 + overheadBytes;
      writes.push((commit) => commit.set(headKey(id), value, { expireIn: expireAfterMs * 2 + 60_000 }));
    }
    return { checks, writes, bytes };
  }

  async function count(): Promise<number> {
    let found = 0;
    for await (const _ of kv.list({ prefix: [root, 'metrics'] }, { ...strong, batchSize })) found++;
    return found;
  }

  /**
   * Heads first and then blocks by their numbers, the order in which a series may move meanwhile: it may be seen twice,
   * and then as it was later, but is never missed.
   */
  async function list(): Promise<StoredState[]> {
    const heads: KvEntry[] = [];
    for await (const head of kv.list({ prefix: [root, 'metrics'] }, { ...strong, batchSize })) heads.push(head);
    const blocks = new Map<string, KvEntry[]>();
    for await (const entry of kv.list({ prefix: [root, 'metric-blocks'] }, { ...strong, batchSize })) {
      const id = String(entry.key[2]);
      blocks.set(id, [...(blocks.get(id) ?? []), entry]);
    }
    return heads.flatMap((head) => toState(head, blocks.get(String(head.key[2])) ?? []) ?? []);
  }

  return { load, change, count, list };
}

/** As blocks in their order; what Deno KV let expire is empty. */
function toState({ value }: KvEntry, blocks: readonly KvEntry[]): StoredState | undefined {
  if (!value) return undefined;
  const { family, block } = value as Head;
  const others = blocks.map((entry) => (entry.value ? decodeBlock(entry.value as Uint8Array) : empty));
  return { family, blocks: [decodeBlock(block), ...others] };
}

function hasSameSeries(a: StoredBlock, b: StoredBlock): boolean {
  if (a.series.size !== b.series.size) return false;
  for (const key of a.series.keys()) if (!b.series.has(key)) return false;
  return true;
}

/** A key of Deno KV has 2 KiB at most, and a family's scope may have more. */
async function toId(key: string): Promise<string> {
  return toBase64(await sha256(key));
}
