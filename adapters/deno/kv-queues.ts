import { checkRef } from '../../src/budget/check.ts';
import type { ReservationRef } from '../../src/budget/store.ts';
import { maxWaiting, tooBusy } from './kv.ts';

/** What came of one call. */
export type Answer = { readonly value: unknown } | { readonly error: unknown };

interface Call<Act> {
  readonly act: Act;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Calls of one window that become one commit. */
const maxCallsPerCommit = 500;

/**
 * Collects what is asked of a window while its last commit is under way, and has all of it served at once: a process
 * competes only with other processes, and a burst of calls needs no commit each.
 */
export function createQueues<Act>(
  serve: (key: string, windowEnd: number, acts: readonly Act[]) => Promise<readonly Answer[]>,
) {
  const queues = new Map<string, Call<Act>[]>();
  let waiting = 0;

  async function drain(id: string, { key, windowEnd }: ReservationRef, queue: Call<Act>[]): Promise<void> {
    while (queue.length > 0) {
      const calls = queue.splice(0, maxCallsPerCommit);
      const acts = calls.map(({ act }) => act);
      try {
        const answers = await serve(key, windowEnd, acts);
        for (const [i, { resolve, reject }] of calls.entries()) {
          const answer = answers[i]!;
          if ('error' in answer) reject(answer.error);
          else resolve(answer.value);
        }
      } catch (error) {
        for (const { reject } of calls) reject(error);
      }
      waiting -= calls.length;
    }
    queues.delete(id);
  }

  return function ask(ref: ReservationRef, act: Act): Promise<unknown> {
    return new Promise((resolve, reject) => {
      checkRef(ref);
      if (waiting >= maxWaiting) throw tooBusy();
      waiting++;
      const call = { act, resolve, reject };
      const id = JSON.stringify([ref.key, String(ref.windowEnd)]);
      const known = queues.get(id);
      if (known) known.push(call);
      else {
        const queue = [call];
        queues.set(id, queue);
        void drain(id, ref, queue);
      }
    });
  };
}
