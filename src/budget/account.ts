import type { Clock } from '../clock.ts';
import { readReserved, readStanding, type Standing } from './answers.ts';
import {
  askStore,
  createDeliveries,
  type Deliveries,
  type DeliveriesOptions,
  type KeepAlive,
  storeFailed,
} from './deliveries.ts';
import { type SyncBudgetStore, syncStoreOf } from './memory-store.ts';
import type { Amount, ReservationRef } from './store.ts';

/** What is held for a call. Only the first of the two counts. */
export interface Hold {
  settle(actual: Amount): void;
  release(): void;
}

/** What to hold, of whom, and where the answer's way back may be kept alive. */
export interface HoldRequest {
  readonly key: string;
  readonly windowEnd: number;
  readonly limit: Amount;
  readonly amount: Amount;
  readonly keepAlive: KeepAlive;
  /** Random where it is absent. */
  readonly ref?: ReservationRef;
}

export type Held =
  | { readonly hold: Hold }
  | Standing
  /** The store gave no answer. If the call is made all the same, `unsure` counts it, whatever the store had done. */
  | { readonly failed: unknown; readonly unsure: Hold };

/** A store as the guard speaks to it: at once where it can answer so, else by a deadline, ends delivered later. */
export interface Account {
  readonly sync: SyncBudgetStore | undefined;
  reserve(request: HoldRequest, ttlMs: number): Held | Promise<Held>;
  /** For what was spent without a reservation. */
  unreserved(request: HoldRequest): Hold;
  settle(ref: ReservationRef, actual: Amount, keepAlive?: KeepAlive): void;
  /** Rejects with a `TelemetryError`, as `reset` does. */
  read(key: string, windowEnd: number): Promise<Standing>;
  reset(key: string): Promise<void>;
  flush: Deliveries['flush'];
}

export interface AccountOptions extends DeliveriesOptions {
  readonly newId: () => string;
  readonly clock: Clock;
}

export function createAccount(options: AccountOptions): Account {
  const { store, clock, newId, report } = options;
  const sync = syncStoreOf(store);
  const deliveries = createDeliveries(options);

  /** At once, or on its way. */
  function finish(ref: ReservationRef, actual: Amount | undefined, keepAlive: KeepAlive): void {
    if (!sync) {
      deliveries.end(ref, actual, keepAlive);
      return;
    }
    try {
      if (actual) sync.settle(ref, actual);
      else sync.release(ref);
      void options.delivered(ref, actual);
    } catch (error) {
      options.dropped('rejected', 1);
      report(error);
    }
  }

  function holdOf(ref: ReservationRef, keepAlive: KeepAlive): Hold {
    let ended = false;
    const end = (actual: Amount | undefined) => {
      if (ended) return;
      ended = true;
      finish(ref, actual, keepAlive);
    };
    return { settle: end, release: () => end(undefined) };
  }

  function refOf({ ref, key, windowEnd }: HoldRequest): ReservationRef {
    return ref ?? { key, windowEnd, reservationId: newId() };
  }

  function reserve(request: HoldRequest, ttlMs: number): Held | Promise<Held> {
    const ref = refOf(request);
    const { limit, amount, keepAlive } = request;
    const asked = { ...ref, limit, amount, expiresAt: Math.floor(clock.now() + ttlMs) };
    const hold = holdOf(ref, keepAlive);
    const answered = (answer: unknown): Held => readReserved(answer) ?? { hold };
    const failed = (error: unknown): Held => ({ failed: storeFailed(error), unsure: hold });
    if (!sync)
      return askStore(async () => store.reserve(asked))
        .then(answered)
        .catch(failed);
    try {
      return answered(sync.reserve(asked));
    } catch (error) {
      return failed(error);
    }
  }

  /** What the application asked for itself. */
  async function ask<T>(fn: () => Promise<T>): Promise<T> {
    try {
      return await askStore(fn);
    } catch (error) {
      throw storeFailed(error);
    }
  }

  return {
    sync,
    reserve,
    unreserved: (request) => holdOf(refOf(request), request.keepAlive),
    settle: finish,
    async read(key, windowEnd) {
      return sync ? sync.read(key, windowEnd) : ask(async () => readStanding(await store.read(key, windowEnd)));
    },
    reset: async (key) => (sync ? sync.reset(key) : ask(() => store.reset(key))),
    flush: deliveries.flush,
  };
}
