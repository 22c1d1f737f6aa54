import { type Checks, checkValues, count } from '../checks.ts';
import { TelemetryError } from '../errors.ts';
import type { Amount, ReservationRef, ReserveRequest } from './store.ts';

/** Characters of a key, and of a reservation's id. */
const maxKeyLength = 512;
const maxIdLength = 64;
/** Characters of a key that an error shows. */
const shownKeyLength = 60;

/** Throws a `TelemetryError` (`invalid_value`) for what no store may be asked to reserve. */
export function checkReserve(request: ReserveRequest): void {
  checkRef(request);
  checkAmount(request.amount);
  for (const part of amountParts) {
    const limit = request.limit?.[part];
    if (limit !== Number.POSITIVE_INFINITY && !isCount(limit)) throw invalid(`limit.${part}`, limit, countOrInfinity);
  }
  if (!Number.isFinite(request.expiresAt)) throw invalid('expiresAt', request.expiresAt, 'epoch milliseconds');
}

export function checkRef({ key, windowEnd, reservationId: id }: ReservationRef): void {
  checkKey(key);
  checkWindow(windowEnd);
  if (typeof id !== 'string' || id === '' || id.length > maxIdLength) {
    throw invalid('reservationId', id, `a text of 1 to ${maxIdLength} characters`);
  }
}

export function checkKey(key: string): void {
  if (typeof key === 'string' && key !== '' && key.length <= maxKeyLength) return;
  throw invalid('key', key, `a text of 1 to ${maxKeyLength} characters`);
}

export function checkWindow(windowEnd: number): void {
  if (windowEnd !== Number.POSITIVE_INFINITY && !isCount(windowEnd))
    throw invalid('windowEnd', windowEnd, 'epoch milliseconds or Infinity');
}

export function checkAmount(amount: Amount): void {
  for (const part of amountParts) {
    if (!isCount(amount?.[part])) throw invalid(part, amount?.[part], 'an integer from 0 to 2^53 - 1');
  }
}

/** Throws a `TelemetryError` for options of a store that are unknown or wrong, `more` than its bound among them. */
export function checkStoreOptions(options: object, more: Checks): void {
  checkValues(options, { maxKeys: count, ...more });
}

/** A key that nobody knows the length of, as an error may show it. */
export function showKey(key: unknown): string {
  if (typeof key === 'object' || typeof key === 'function')
    return key === null ? 'null' : `a value of type ${typeof key}`;
  if (typeof key !== 'string') return String(key);
  return JSON.stringify(key.length > shownKeyLength ? `${key.slice(0, shownKeyLength)}…` : key);
}

export function isAmount(value: unknown): value is Amount {
  return amountParts.every((part) => isCount((value as Partial<Amount> | null | undefined)?.[part]));
}

const amountParts = ['nanoUsd', 'tokens'] as const;
const countOrInfinity = 'an integer from 0 to 2^53 - 1 or Infinity';

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function invalid(what: string, value: unknown, allowed: string): TelemetryError {
  return new TelemetryError('invalid_value', `budget: ${what} is ${showKey(value)}: it must be ${allowed}`);
}
