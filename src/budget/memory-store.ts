import { fn } from '../checks.ts';
import { TelemetryError } from '../errors.ts';
import { checkKey, checkStoreOptions, checkWindow, showKey } from './check.ts';
import { type Ledger, overAt, readFrom, releaseIn, reserveIn, settleIn } from './ledger.ts';
import type { Amount, BudgetStore, ReservationRef, Reserved, ReserveRequest } from './store.ts';

export interface MemoryBudgetStoreOptions {
  /** Keys at a time, 10,000. Those whose windows are over make room; more are refused by name. */
  maxKeys?: number;
  /** Epoch milliseconds; the system's clock by default. */
  now?: () => number;
}

/** A store whose answers are there at once, so that who asks it need not wait. */
export interface SyncBudgetStore {
  reserve(request: ReserveRequest): Reserved;
  settle(reservation: ReservationRef, actual: Amount): void;
  release(reservation: ReservationRef): void;
  read(key: string, windowEnd: number): { spent: Amount; reserved: Amount };
  reset(key: string): void;
}

/** Where the store behind the promises is found. */
const syncKey = /* @__PURE__ */ Symbol('edgespan sync budget store');

/**
 * Budgets of one process or isolate. It never makes a call wait, and forgets everything with its process.
 *
 * @example
 * createTelemetry({ budget: { store: createMemoryBudgetStore({ maxKeys: 100_000 }), limits: { usd: 1, key } } });
 */
/* @__NO_SIDE_EFFECTS__ */
export function createMemoryBudgetStore(options: MemoryBudgetStoreOptions = {}): BudgetStore {
  const sync = createLedgers(options);
  return {
    [syncKey]: sync,
    reserve: async (request) => sync.reserve(request),
    settle: async (reservation, actual) => sync.settle(reservation, actual),
    release: async (reservation) => sync.release(reservation),
    read: async (key, windowEnd) => sync.read(key, windowEnd),
    reset: async (key) => sync.reset(key),
  } as BudgetStore;
}

/** Of a store of this file; `undefined` for any other, which has to be waited for. */
export function syncStoreOf(store: BudgetStore): SyncBudgetStore | undefined {
  return (store as { [syncKey]?: SyncBudgetStore })[syncKey];
}

/** Between two looks for keys whose windows are over. */
const sweepMs = 1000;

function createLedgers(options: MemoryBudgetStoreOptions): SyncBudgetStore {
  checkStoreOptions(options, { now: fn });
  const { maxKeys = 10_000, now = () => Date.now() } = options;
  const ledgers = new Map<string, Ledger>();
  let sweptAt = Number.NEGATIVE_INFINITY;

  function sweep(time: number): void {
    if (Math.abs(time - sweptAt) < sweepMs) return;
    sweptAt = time;
    for (const [key, ledger] of ledgers) if (overAt(ledger) <= time) ledgers.delete(key);
  }

  /** The key has a place only once `write` went well. */
  function write<T>(key: string, write: (ledger: Ledger, time: number) => T): T {
    const time = now();
    const known = ledgers.get(key);
    if (known) return write(known, time);
    if (ledgers.size >= maxKeys) sweep(time);
    const ledger: Ledger = new Map();
    const result = write(ledger, time);
    if (ledgers.size >= maxKeys) throw tooMany(key, maxKeys);
    ledgers.set(key, ledger);
    return result;
  }

  return {
    reserve: (request) => write(request.key, (ledger, time) => reserveIn(ledger, request, time)),
    settle: (ref, actual) => write(ref.key, (ledger, time) => settleIn(ledger, ref, actual, time)),
    release(ref) {
      releaseIn(ledgers.get(ref.key) ?? new Map(), ref, now());
    },
    read(key, windowEnd) {
      checkKey(key);
      checkWindow(windowEnd);
      return readFrom(ledgers.get(key), windowEnd, now());
    },
    reset(key) {
      checkKey(key);
      ledgers.delete(key);
    },
  };
}

function tooMany(key: string, maxKeys: number): TelemetryError {
  return new TelemetryError('too_many_keys', `budget: ${showKey(key)} would be more than ${maxKeys} keys`);
}
