import { type Check, string } from '../../src/checks.ts';
import { messageOf, TelemetryError } from '../../src/errors.ts';

/** The little of `Deno.Kv` that the stores call. https://docs.deno.com/api/deno/~/Deno.Kv */
export interface Kv {
  get(key: KvKey, options: typeof strong): Promise<KvEntry>;
  getMany(keys: readonly KvKey[], options: typeof strong): Promise<readonly KvEntry[]>;
  list(selector: { prefix: KvKey }, options: typeof strong & { batchSize?: number }): AsyncIterable<KvEntry>;
  atomic(): KvAtomic;
}

export type KvKey = readonly (string | number)[];

export interface KvEntry {
  readonly key: KvKey;
  readonly value: unknown;
  readonly versionstamp: string | null;
}

export interface KvAtomic {
  check(...entries: readonly Pick<KvEntry, 'key' | 'versionstamp'>[]): KvAtomic;
  set(key: KvKey, value: unknown, options?: { expireIn?: number }): KvAtomic;
  delete(key: KvKey): KvAtomic;
  sum(key: KvKey, n: bigint): KvAtomic;
  commit(): Promise<{ readonly ok: boolean }>;
}

export const strong = { consistency: 'strong' } as const;

/** Checks and bytes of a commit; Deno KV takes 100 and 819,200. https://docs.deno.com/deploy/kv/transactions/ */
export const maxChecks = 90;
export const maxCommitBytes = 700 * 1024;
/** Keys that one `getMany` takes. */
const maxKeysPerRead = 10;

/** A part of every key, of which Deno KV takes 2 KiB in all. */
const maxPrefixLength = 128;

export const prefixCheck: Check = {
  allowed: `a text of 1 to ${maxPrefixLength} characters`,
  test: (v) => string.test(v) && (v as string).length <= maxPrefixLength,
};

/** Checks what a store is made of. */
export function toKv(kv: unknown): Kv {
  const given = kv as Partial<Record<keyof Kv, unknown>> | null | undefined;
  if (['get', 'getMany', 'list', 'atomic'].every((name) => typeof given?.[name as keyof Kv] === 'function')) {
    return kv as Kv;
  }
  throw new TelemetryError('invalid_option', 'the store needs what `await Deno.openKv()` gives', { option: 'kv' });
}

/** Any number of keys, in their order. Each entry is as new as can be; together they are of one time only when a commit says so. */
export async function getAll(kv: Kv, keys: readonly KvKey[]): Promise<KvEntry[]> {
  const parts: Promise<readonly KvEntry[]>[] = [];
  for (let i = 0; i < keys.length; i += maxKeysPerRead) {
    parts.push(kv.getMany(keys.slice(i, i + maxKeysPerRead), strong));
  }
  return (await Promise.all(parts)).flat();
}

/** Where time and chance come from. */
export interface KvPort {
  now(): number;
  /** From 0 to 1. */
  random(): number;
  pause(ms: number): Promise<void>;
}

export const kvPort: KvPort = {
  now: () => Date.now(),
  random: () => Math.random(),
  pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

/** How often a commit is tried while others write first, and between tries the longest pause: some 15 seconds in all. */
const maxAttempts = 60;
const firstPauseMs = 5;
const maxPauseMs = 500;
/** How often one is tried that fails by itself. */
const maxFailures = 4;

/**
 * Tries until an attempt has committed; one that did not answers nothing, and the next reads anew. What the application
 * did wrong is thrown at once, the rest as `store_failed`. A commit whose answer was lost is tried again too, so attempts
 * must know their own work.
 */
export async function untilCommitted<T>(
  { random, pause }: KvPort,
  attempt: () => Promise<{ readonly value: T } | undefined>,
): Promise<T> {
  let failures = 0;
  let cause: unknown;
  for (let i = 0; i < maxAttempts; i++) {
    if (i > 0) await pause(random() * Math.min(maxPauseMs, firstPauseMs * 2 ** i));
    try {
      const committed = await attempt();
      if (committed) return committed.value;
      cause = undefined;
    } catch (error) {
      if (error instanceof TelemetryError) throw error;
      cause = error;
      if (!isLocked(error) && ++failures >= maxFailures) break;
    }
  }
  const why = cause === undefined ? `others wrote first, ${maxAttempts} times` : messageOf(cause);
  throw new TelemetryError('store_failed', `Deno KV: ${why}`, cause === undefined ? {} : { cause });
}

/** Another process writes to the same file. */
function isLocked(error: unknown): boolean {
  return /database is (locked|busy)/.test(messageOf(error));
}

/** Calls that wait for their turn. */
export const maxWaiting = 10_000;

/** One after the other what this process asks for, so that it competes with other processes only. */
export function createLane(): <T>(run: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  return async (run) => {
    if (waiting >= maxWaiting) throw tooBusy();
    waiting++;
    const result = last.then(run);
    last = result.catch(() => {});
    try {
      return await result;
    } finally {
      waiting--;
    }
  };
}

export function tooBusy(): TelemetryError {
  return new TelemetryError('store_failed', `Deno KV: more than ${maxWaiting} calls wait for their turn`);
}
