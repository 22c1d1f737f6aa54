import type { Account, Held, Hold, HoldRequest } from './account.ts';
import { storeTimeoutMs } from './deliveries.ts';
import type { Amount, ReservationRef } from './store.ts';

/** Keys that have a block at a time; calls of others ask the store. */
const maxLeases = 1000;

/** A block of money that was reserved in one go, and is spent here. */
interface Lease {
  readonly ref: ReservationRef;
  readonly block: number;
  spent: { nanoUsd: number; tokens: number };
  /** By calls that are under way, and how many they are. */
  reserved: number;
  open: number;
  /** From when on nothing new is held of it: what is held then still has its whole time. */
  readonly usableUntil: number;
  readonly expiresAt: number;
  /** What is left of it went back. */
  closed: boolean;
}

/** Holds out of blocks, where a block can be had. */
export interface Leases {
  hold(request: HoldRequest): Held | Promise<Held>;
  /** Gives back what is left of each block, of those in use once their calls have ended. */
  flush(): void;
  /** A reset has taken the key's block along. */
  forget(key: string): void;
}

export interface LeaseOptions {
  readonly account: Account;
  /** `undefined`: each call asks the store. */
  readonly blockNanoUsd: number | undefined;
  readonly ttlMs: number;
  readonly now: () => number;
  readonly newId: () => string;
}

export function createLeases({ account, blockNanoUsd, ttlMs, now, newId }: LeaseOptions): Leases {
  const leases = new Map<string, Lease>();
  const retired = new Set<Lease>();
  /** Keys whose block is being fetched. Others do not wait for it, since its request may be another's. */
  const fetching = new Map<string, number>();

  /** One that takes too long has died with its request. */
  function isFetching(key: string): boolean {
    const since = fetching.get(key);
    return since !== undefined && Math.abs(now() - since) < 2 * storeTimeoutMs;
  }

  function close(lease: Lease): void {
    if (lease.closed) return;
    lease.closed = true;
    retired.delete(lease);
    account.settle(lease.ref, lease.spent);
  }

  function retire(lease: Lease): void {
    if (leases.get(lease.ref.key) === lease) leases.delete(lease.ref.key);
    if (lease.open === 0 || lease.expiresAt <= now()) close(lease);
    else retired.add(lease);
  }

  /** A part of the block, which must have it. */
  function take(lease: Lease, { amount, keepAlive }: HoldRequest): Hold {
    lease.reserved += amount.nanoUsd;
    lease.open++;
    let ended = false;
    function end(actual: Amount): void {
      if (ended) return;
      ended = true;
      lease.reserved -= amount.nanoUsd;
      lease.open--;
      const { key, windowEnd } = lease.ref;
      // The block has been settled: what comes now is one more.
      if (lease.closed) {
        account.settle({ key, windowEnd, reservationId: newId() }, actual, keepAlive);
        return;
      }
      lease.spent.nanoUsd += actual.nanoUsd;
      lease.spent.tokens += actual.tokens;
      if (retired.has(lease) && lease.open === 0) close(lease);
    }
    return { settle: end, release: () => end({ nanoUsd: 0, tokens: 0 }) };
  }

  function has({ ref, block, spent, reserved, usableUntil }: Lease, { windowEnd, amount }: HoldRequest): boolean {
    if (ref.windowEnd !== windowEnd || now() >= usableUntil) return false;
    return spent.nanoUsd + reserved + amount.nanoUsd <= block;
  }

  function hold(request: HoldRequest): Held | Promise<Held> {
    const { key, limit, amount } = request;
    const lease = leases.get(key);
    if (lease && has(lease, request)) return { hold: take(lease, request) };
    const leasable = blockNanoUsd !== undefined && limit.tokens === Number.POSITIVE_INFINITY;
    if (!leasable || amount.nanoUsd > blockNanoUsd || isFetching(key)) return account.reserve(request, ttlMs);
    if (lease) retire(lease);
    if (leases.size + fetching.size >= maxLeases) return account.reserve(request, ttlMs);
    return fetchBlock(request, blockNanoUsd);
  }

  function fetchBlock(request: HoldRequest, block: number): Held | Promise<Held> {
    const { key, windowEnd } = request;
    const startedAt = now();
    const ref = { key, windowEnd, reservationId: newId() };

    function got(answer: Held): Held | Promise<Held> {
      fetching.delete(key);
      // Too little is left for a block: perhaps enough for this call.
      if ('spent' in answer) return account.reserve(request, ttlMs);
      if ('failed' in answer) return answer;
      const times = { usableUntil: startedAt + ttlMs, expiresAt: startedAt + 2 * ttlMs };
      const lease: Lease = {
        ref,
        block,
        spent: { nanoUsd: 0, tokens: 0 },
        reserved: 0,
        open: 0,
        closed: false,
        ...times,
      };
      leases.set(key, lease);
      return { hold: take(lease, request) };
    }

    const wanted = { ...request, ref, amount: { nanoUsd: block, tokens: 0 } };
    const answer = account.reserve(wanted, 2 * ttlMs);
    if (!(answer instanceof Promise)) return got(answer);
    fetching.set(key, startedAt);
    return answer.then(got);
  }

  return {
    hold,
    flush() {
      for (const lease of [...leases.values(), ...retired]) retire(lease);
    },
    forget(key) {
      for (const lease of [...leases.values(), ...retired]) {
        if (lease.ref.key !== key) continue;
        // What is spent goes to the store before the reset; calls under way count after it.
        if (lease.open > 0) {
          account.settle({ ...lease.ref, reservationId: newId() }, lease.spent);
          lease.spent = { nanoUsd: 0, tokens: 0 };
        }
        retire(lease);
      }
    },
  };
}
