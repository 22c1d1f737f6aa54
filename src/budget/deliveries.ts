import { type Clock, inTime, withTimeout } from '../clock.ts';
import { messageOf, TelemetryError } from '../errors.ts';
import { endedMemoryMs } from './ledger.ts';
import type { Amount, BudgetStore, ReservationRef } from './store.ts';

/** Ends of calls that wait for their store. */
export const maxDeliveries = 10_000;
/** How long a store may take before calls go on, or are refused, without it. */
export const storeTimeoutMs = 2000;

interface Delivery {
  readonly ref: ReservationRef;
  /** Absent where the call was never made. */
  readonly actual: Amount | undefined;
  readonly since: number;
  /** When it was sent; `undefined` where that has failed. */
  sentAt: number | undefined;
}

export type KeepAlive = ((promise: Promise<unknown>) => void) | undefined;

/**
 * Brings ends of calls to a store. One that does not come through waits for the next flush; since a store applies each
 * once, nothing is lost or counted twice. Plain data: a request that dies takes none of it along.
 */
export interface Deliveries {
  readonly pending: number;
  end(ref: ReservationRef, actual: Amount | undefined, keepAlive?: KeepAlive): void;
  flush(deadline: number): Promise<void>;
}

export interface DeliveriesOptions {
  readonly store: BudgetStore;
  readonly clock: Clock;
  /** Another request's promises are not awaited. */
  readonly ephemeral: boolean;
  /** Told once a store has taken an end. */
  readonly delivered: (ref: ReservationRef, actual: Amount | undefined) => Promise<void> | void;
  readonly dropped: (reason: 'buffer_full' | 'expired' | 'rejected', count: number) => void;
  readonly report: (error: unknown) => void;
}

export function createDeliveries(options: DeliveriesOptions): Deliveries {
  const { store, clock, report } = options;
  const waiting = new Set<Delivery>();
  const underway = new Set<Promise<void>>();

  function drop(delivery: Delivery, reason: 'buffer_full' | 'expired' | 'rejected'): void {
    if (waiting.delete(delivery)) options.dropped(reason, 1);
  }

  async function send(delivery: Delivery): Promise<void> {
    const { ref, actual } = delivery;
    delivery.sentAt = clock.monotonic();
    try {
      await (actual ? store.settle(ref, actual) : store.release(ref));
      waiting.delete(delivery);
    } catch (error) {
      delivery.sentAt = undefined;
      // What a store refuses it will refuse again.
      if (error instanceof TelemetryError && error.code === 'invalid_value') drop(delivery, 'rejected');
      report(storeFailed(error));
      return;
    }
    await options.delivered(ref, actual);
  }

  function start(delivery: Delivery): Promise<void> {
    const sending: Promise<void> = send(delivery).catch(report);
    if (options.ephemeral) return sending;
    underway.add(sending);
    return sending.finally(() => underway.delete(sending));
  }

  /** Failed, or not answered for so long that whoever sent it may be gone. */
  function isDue({ sentAt }: Delivery, now: number): boolean {
    return sentAt === undefined || now - sentAt >= storeTimeoutMs;
  }

  return {
    get pending() {
      return waiting.size;
    },
    end(ref, actual, keepAlive) {
      const delivery: Delivery = { ref, actual, since: clock.monotonic(), sentAt: undefined };
      waiting.add(delivery);
      if (waiting.size > maxDeliveries) for (const oldest of [...waiting].slice(0, 1)) drop(oldest, 'buffer_full');
      const sending = start(delivery);
      try {
        keepAlive?.(sending);
      } catch (error) {
        // Where the request is over nobody waits; the next flush does.
        report(error);
      }
    },
    async flush(deadline) {
      const now = clock.monotonic();
      for (const delivery of [...waiting]) {
        // The store no longer remembers whether it has had it.
        if (now - delivery.since >= endedMemoryMs) drop(delivery, 'expired');
      }
      const due = [...waiting].filter((delivery) => isDue(delivery, now)).map(start);
      await withTimeout(Promise.all([...due, ...underway]), Math.max(0, deadline - now));
    },
  };
}

export function storeFailed(error: unknown): TelemetryError {
  if (error instanceof TelemetryError) return error;
  return new TelemetryError('store_failed', `the store of budgets: ${messageOf(error)}`, { cause: error });
}

/** What a store answers, or the failure that it does not in time. */
export function askStore<T>(ask: () => Promise<T>): Promise<T> {
  const message = `the store of budgets took over ${storeTimeoutMs} ms`;
  return inTime(ask, storeTimeoutMs, () => new TelemetryError('store_failed', message));
}
