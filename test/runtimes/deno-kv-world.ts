import type { Kv, KvAtomic, KvEntry, KvKey, KvPort } from '../../adapters/deno/kv.ts';

/** What holds of stores in Deno KV alone: sizes, lost answers, contention. `kv` is empty and real. */
export interface KvCase {
  readonly name: string;
  run(kv: Kv): Promise<void>;
}

export const startMs = 1_800_000_000_000;

/** A clock that a case advances, and pauses that take no time. */
export function createPort() {
  const pauses: number[] = [];
  const clock = { ms: startMs };
  const port: KvPort = {
    now: () => clock.ms,
    random: () => 0.5,
    async pause(ms) {
      pauses.push(ms);
    },
  };
  return { port, pauses, clock };
}

/** The same KV, whose commits go another way. */
export function withCommit(kv: Kv, commit: (real: () => Promise<{ ok: boolean }>) => Promise<{ ok: boolean }>): Kv {
  const wrap = (atomic: KvAtomic): KvAtomic => ({
    check: (...entries) => wrap(atomic.check(...entries)),
    set: (...args) => wrap(atomic.set(...args)),
    delete: (key) => wrap(atomic.delete(key)),
    sum: (key, n) => wrap(atomic.sum(key, n)),
    commit: () => commit(() => atomic.commit()),
  });
  return {
    get: (key, options) => kv.get(key, options),
    getMany: (keys, options) => kv.getMany(keys, options),
    list: (selector, options) => kv.list(selector, options),
    atomic: () => wrap(kv.atomic()),
  };
}

export async function entries(kv: Kv, prefix: KvKey): Promise<KvEntry[]> {
  const found: KvEntry[] = [];
  for await (const entry of kv.list({ prefix }, { consistency: 'strong' })) found.push(entry);
  return found;
}

/** The same KV, of which every other commit is made without its answer. */
export function withLostAnswers(kv: Kv): Kv {
  let commits = 0;
  return withCommit(kv, async (real) => {
    const answer = await real();
    if (commits++ % 2 === 0) throw new Error('connection reset');
    return answer;
  });
}

/** A KV that never answers. */
export function withoutAnswer(kv: Kv): Kv {
  return { ...withCommit(kv, (real) => real()), get: () => new Promise(() => {}) };
}
