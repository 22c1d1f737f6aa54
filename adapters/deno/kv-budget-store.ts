import { checkKey, checkStoreOptions, checkWindow } from '../../src/budget/check.ts';
import { readFrom, releaseIn, reserveIn, settleIn } from '../../src/budget/ledger.ts';
import type { BudgetStore } from '../../src/budget/store.ts';
import {
  type KvEntry,
  type KvKey,
  type KvPort,
  kvPort,
  maxChecks,
  prefixCheck,
  strong,
  toKv,
  untilCommitted,
} from './kv.ts';
import { type Act, createWindowCount, isBlank, readLedger, runActs, windowBounds, writeLedger } from './kv-ledger.ts';
import { createQueues } from './kv-queues.ts';

export interface DenoKvBudgetStoreOptions {
  /** First part of all keys, `edgespan`: stores of other names know nothing of each other. */
  prefix?: string;
  /** Windows of keys at a time, 100,000; more are refused by name until others are over. */
  maxKeys?: number;
}

/**
 * Budgets that hold for all that share a Deno KV: the isolates of Deno Deploy, or processes with one file.
 *
 * Each window of a key is one value, which Deno KV writes only if nobody else has meanwhile. What one process asks for at
 * a time becomes one commit. A window bears some 400 to 900 calls under way, more are refused as `too_many_keys`; it
 * goes an hour after its end.
 *
 * @param kv What `await Deno.openKv()` gives.
 * @throws TelemetryError `invalid_option` for anything else. Calls reject with `store_failed` where others never stop to
 * write, or Deno KV fails.
 * @example
 * createTelemetry({ budget: { store: createDenoKvBudgetStore(await Deno.openKv()), limits: { usd: 50, window: 'day' } } });
 */
/* @__NO_SIDE_EFFECTS__ */
export function createDenoKvBudgetStore(kv: unknown, options: DenoKvBudgetStoreOptions = {}): BudgetStore {
  return createStore(kv, options, kvPort);
}

export function createStore(given: unknown, options: DenoKvBudgetStoreOptions, port: KvPort): BudgetStore {
  checkStoreOptions(options, { prefix: prefixCheck });
  const { prefix = 'edgespan', maxKeys = 100_000 } = options;
  const kv = toKv(given);
  const windows = createWindowCount(kv, prefix, maxKeys);
  const keyOf = (key: string, windowEnd: number): KvKey => [prefix, 'budget', key, windowEnd];

  /** All of them in one commit, or none where none of them changed anything. */
  async function attempt(key: string, windowEnd: number, acts: readonly Act[]) {
    const entry = await kv.get(keyOf(key, windowEnd), strong);
    const now = port.now();
    const { ledger, text, changed, answers } = runActs(entry, key, acts, now);
    if (!changed || (!entry.value && isBlank(ledger))) return { value: answers };
    const commit = kv.atomic().check(entry);
    if (!entry.value) await windows.add(commit, key, windowEnd, now);
    writeLedger(commit, entry.key, text, ledger, now);
    return (await commit.commit()).ok ? { value: answers } : undefined;
  }

  const ask = createQueues(async (key, windowEnd, acts: readonly Act[]) => {
    return untilCommitted(port, () => attempt(key, windowEnd, acts));
  });

  /** Deletes at most as much as a commit may check; answers whether that was all. */
  async function forget(key: string): Promise<{ value: boolean } | undefined> {
    const entries: KvEntry[] = [];
    for await (const entry of kv.list({ prefix: [prefix, 'budget', key] }, strong)) {
      entries.push(entry);
      if (entries.length === maxChecks) break;
    }
    if (entries.length === 0) return { value: true };
    const commit = kv.atomic().check(...entries);
    for (const entry of entries) {
      commit.delete(entry.key);
      windows.remove(commit, Number(entry.key[3]));
    }
    return (await commit.commit()).ok ? { value: entries.length < maxChecks } : undefined;
  }

  return {
    async reserve(request) {
      return ask(request, (ledger, now) => reserveIn(ledger, request, now, windowBounds)) as ReturnType<
        BudgetStore['reserve']
      >;
    },
    async settle(ref, actual) {
      await ask(ref, (ledger, now) => settleIn(ledger, ref, actual, now, windowBounds));
    },
    async release(ref) {
      await ask(ref, (ledger, now) => releaseIn(ledger, ref, now, windowBounds));
    },
    async read(key, windowEnd) {
      checkKey(key);
      checkWindow(windowEnd);
      const read = async () => ({ value: await kv.get(keyOf(key, windowEnd), strong) });
      return readFrom(readLedger(await untilCommitted(port, read)), windowEnd, port.now());
    },
    async reset(key) {
      checkKey(key);
      while (!(await untilCommitted(port, () => forget(key))));
    },
  };
}
