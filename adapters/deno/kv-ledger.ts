import { showKey } from '../../src/budget/check.ts';
import {
  endedMemoryMs,
  type Ledger,
  type LedgerBounds,
  overAt,
  packLedger,
  unpackLedger,
} from '../../src/budget/ledger.ts';
import { TelemetryError } from '../../src/errors.ts';
import { type Kv, type KvAtomic, type KvEntry, type KvKey, strong } from './kv.ts';
import type { Answer } from './kv-queues.ts';

/** Bytes of a window's ledger as a value; Deno KV takes 64 KiB. Some 400 to 900 calls under way, by the length of their ids. */
const maxLedgerBytes = 60_000;
/** Ids of ended calls that are kept where calls under way need the room. */
const leastEnded = 64;
/** What was forgotten at once by then is never asked for again. */
const leastMemoryMs = 60_000;
const longestMemoryMs = 10 * 365 * 86_400_000;

/** A value has one window, and its bytes are the bound. */
export const windowBounds: LedgerBounds = { maxWindows: 1, maxOpen: 1_000, maxEnded: 1_000 };

/** What a call does to the ledger of its window. */
export type Act = (ledger: Ledger, now: number) => unknown;

/** Each after the other; one that throws has changed nothing. */
export function runActs(entry: KvEntry, key: string, acts: readonly Act[], now: number) {
  let ledger = readLedger(entry);
  const before = packLedger(ledger);
  let text = before;
  const answers = acts.map((act): Answer => {
    try {
      const value = act(ledger, now);
      text = packWithin(ledger, key);
      return { value };
    } catch (error) {
      ledger = unpackLedger(text);
      return { error };
    }
  });
  return { ledger, text, changed: text !== before, answers };
}

/** A ledger of one window as text, small enough for a value: the oldest ids of ended calls make room. */
function packWithin(ledger: Ledger, key: string): string {
  for (;;) {
    const text = packLedger(ledger);
    if (text.length * 3 <= maxLedgerBytes || encode(text).length <= maxLedgerBytes) return text;
    let forgotten = 0;
    for (const { ended } of ledger.values()) {
      const excess = Math.ceil((ended.size - leastEnded) / 4);
      for (const id of [...ended.keys()].slice(0, Math.max(0, excess))) {
        ended.delete(id);
        forgotten++;
      }
    }
    if (forgotten === 0) {
      throw new TelemetryError('too_many_keys', `budget: too many calls are under way for ${showKey(key)}`);
    }
  }
}

export function readLedger({ value }: KvEntry): Ledger {
  return value ? unpackLedger(new TextDecoder().decode(value as Uint8Array)) : new Map();
}

export function writeLedger(commit: KvAtomic, key: KvKey, text: string, ledger: Ledger, now: number): void {
  const over = overAt(ledger);
  const options = Number.isFinite(over)
    ? { expireIn: Math.min(longestMemoryMs, Math.max(leastMemoryMs, over - now)) }
    : {};
  commit.set(key, encode(text), options);
}

/** Whether nothing has come of it: what was only asked for needs no place. */
export function isBlank(ledger: Ledger): boolean {
  for (const { spent, open, ended } of ledger.values()) {
    if (spent.nanoUsd > 0 || spent.tokens > 0 || open.size > 0 || ended.size > 0) return false;
  }
  return true;
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

const hourMs = 3_600_000;
/** A 64-bit sum wraps around. */
const minusOne = 18_446_744_073_709_551_615n;
const maxStale = 10;

/**
 * How many windows of keys there are, counted by the hour in which Deno KV lets them expire: sums that nobody has to
 * check, and that go away by themselves.
 */
export function createWindowCount(kv: Kv, root: string, maxKeys: number) {
  const hourKey = (windowEnd: number): KvKey => [root, 'budget-keys', Math.floor((windowEnd + endedMemoryMs) / hourMs)];

  return {
    /** Throws where there is no room for one more. */
    async add(commit: KvAtomic, key: string, windowEnd: number, now: number): Promise<void> {
      let count = 0n;
      let stale = 0;
      for await (const { key: hour, value } of kv.list({ prefix: [root, 'budget-keys'] }, strong)) {
        if (Number(hour[2]) >= Math.floor(now / hourMs)) count += BigInt.asIntN(64, (value as { value: bigint }).value);
        else if (stale++ < maxStale) commit.delete(hour);
      }
      if (count >= BigInt(maxKeys)) {
        throw new TelemetryError('too_many_keys', `budget: ${showKey(key)} would be more than ${maxKeys} keys`);
      }
      commit.sum(hourKey(windowEnd), 1n);
    },
    remove(commit: KvAtomic, windowEnd: number): void {
      commit.sum(hourKey(windowEnd), minusOne);
    },
  };
}
