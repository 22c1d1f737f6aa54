import {
  checkAmount,
  checkKey,
  checkRef,
  checkReserve,
  checkStoreOptions,
  checkWindow,
  showKey,
} from '../../src/budget/check.ts';
import { ledgerBounds } from '../../src/budget/ledger.ts';
import type { Amount, BudgetStore, ReservationRef } from '../../src/budget/store.ts';
import { TelemetryError } from '../../src/errors.ts';
import { readScript, releaseScript, reserveScript, resetScript, settleScript } from './budget-scripts.ts';
import { connect, prefixCheck, type RedisClient, unexpected } from './client.ts';

const { maxOpen } = ledgerBounds;

export interface RedisBudgetStoreOptions {
  /** Of all its keys, `edgespan`; at most 128 characters, no braces. */
  prefix?: string;
  /** Keys at a time, 100,000. Those whose windows are over make room; more are refused by name. */
  maxKeys?: number;
}

/**
 * Budgets that all processes and isolates before one Redis share, each call one script. Reservations expire by Redis's own
 * clock. What was spent lasts as long as Redis keeps it: append-only persistence brings it through a restart, and under
 * an eviction policy other than `noeviction` it may be lost.
 *
 * The client is the application's, connected, with the time-outs it wants. Where it fails, calls reject with a
 * `TelemetryError` (`store_failed`), whose `cause` is the client's error.
 *
 * @example
 * createTelemetry({ budget: { limits: { usd: 5, window: 'day' }, store: createRedisBudgetStore(new Redis()) } });
 */
/* @__NO_SIDE_EFFECTS__ */
export function createRedisBudgetStore(client: RedisClient, options: RedisBudgetStoreOptions = {}): BudgetStore {
  checkStoreOptions(options, { prefix: prefixCheck });
  const { prefix, maxKeys = 100_000 } = options;
  const { evaluate, keyName } = connect(client, prefix);

  async function run(script: string, key: string, end: number, id: string, rest: readonly number[]): Promise<string> {
    // JSON keeps keys apart that UTF-8 does not, halves of surrogate pairs.
    const quoted = JSON.stringify(key);
    const names = ['windows', 'open', 'due', 'ended'].map((part) => keyName('budget', part, quoted));
    const args = [quoted, end, id, maxKeys, ...rest].map(String);
    const reply = await evaluate(script, [...names, keyName('budget', 'keys')], args);
    if (reply === 'too many keys') throw tooMany(`${showKey(key)} would be more than ${maxKeys} keys`);
    if (reply === 'too many calls') throw tooMany(`more than ${maxOpen} calls are under way for ${showKey(key)}`);
    return reply;
  }

  async function change(script: string, ref: ReservationRef, amount?: Amount): Promise<void> {
    const rest = amount ? [amount.nanoUsd, amount.tokens] : [];
    expectDone(await run(script, ref.key, ref.windowEnd, ref.reservationId, rest));
  }

  return {
    async reserve(request) {
      checkReserve(request);
      const { key, windowEnd, reservationId, amount, limit, expiresAt } = request;
      const limits = [limit.nanoUsd, limit.tokens].map((most) => Math.min(most, Number.MAX_SAFE_INTEGER));
      const rest = [amount.nanoUsd, amount.tokens, ...limits, expiresAt];
      const reply = await run(reserveScript, key, windowEnd, reservationId, rest);
      return reply === 'done' ? { ok: true } : { ok: false, ...readState(reply, 'refused') };
    },
    async settle(reservation, actual) {
      checkRef(reservation);
      checkAmount(actual);
      await change(settleScript, reservation, actual);
    },
    async release(reservation) {
      checkRef(reservation);
      await change(releaseScript, reservation);
    },
    async read(key, windowEnd) {
      checkKey(key);
      checkWindow(windowEnd);
      return readState(await run(readScript, key, windowEnd, '', []), 'holds');
    },
    async reset(key) {
      checkKey(key);
      expectDone(await run(resetScript, key, 0, '', []));
    },
  };
}

function expectDone(reply: string): void {
  if (reply !== 'done') throw unexpected();
}

function readState(reply: string, word: string): { spent: Amount; reserved: Amount } {
  const [first, ...numbers] = reply.split(' ');
  const [usd, tokens, reservedUsd, reservedTokens] = numbers.map(Number);
  if (first !== word || usd === undefined || tokens === undefined) throw unexpected();
  if (reservedUsd === undefined || reservedTokens === undefined) throw unexpected();
  return { spent: { nanoUsd: usd, tokens }, reserved: { nanoUsd: reservedUsd, tokens: reservedTokens } };
}

function tooMany(what: string): TelemetryError {
  return new TelemetryError('too_many_keys', `budget: ${what}`);
}
