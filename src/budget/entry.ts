import type { Context } from '@opentelemetry/api';
import { ignore, messageOf, TelemetryError } from '../errors.ts';
import { storeKeyOf } from './books.ts';
import { checkKey } from './check.ts';
import type { KeepAlive } from './deliveries.ts';
import type { BudgetCall, BudgetLimit, ResolvedLimit } from './options.ts';
import type { BudgetPass, Share } from './pass.ts';
import type { Amount } from './store.ts';

/** One call on its way through the limits. */
export interface Entry {
  readonly call: BudgetCall;
  readonly context: Context;
  /** What the limits are asked for. */
  readonly amount: Amount;
  readonly isUnpriced: boolean;
  readonly pass: BudgetPass;
  /** The wrapper around, and what of its shares has found no use yet. */
  readonly outer: BudgetPass | undefined;
  readonly around: Share[];
  readonly keepAlive: KeepAlive;
}

/** One key of a limit in one window. */
export interface Place {
  readonly limit: ResolvedLimit;
  readonly key: string;
  readonly storeKey: string;
  readonly windowEnd: number;
}

export function placeOf(limit: ResolvedLimit, key: string, windowEnd: number): Place {
  return { limit, key, storeKey: storeKeyOf(limit, key), windowEnd };
}

/** Whom the call counts for, `undefined` where the limit does not apply; throws where that can't be told. */
export function keyOf({ limit }: ResolvedLimit, call: BudgetCall): string | undefined {
  if (!limit.key) return '';
  const key = askKey(limit, limit.key, call);
  if (key === undefined) return undefined;
  if (typeof key !== 'string' || key === '') {
    const what = key === '' ? 'an empty text' : typeof key;
    const message = `budget ${limit.name}: key answered ${what}: it must be a text, or undefined`;
    throw new TelemetryError('invalid_value', message);
  }
  checkKey(`${limit.name}:${key}`);
  return key;
}

function askKey({ name }: BudgetLimit, key: NonNullable<BudgetLimit['key']>, call: BudgetCall): unknown {
  try {
    const answer: unknown = key(call);
    // A function that is async by mistake may fail too.
    if (answer instanceof Promise) answer.catch(ignore);
    return answer;
  } catch (error) {
    throw new TelemetryError('invalid_value', `budget ${name}: key threw: ${messageOf(error)}`, { cause: error });
  }
}

export function fits(amount: Amount, limit: Amount): boolean {
  return amount.nanoUsd <= limit.nanoUsd && amount.tokens <= limit.tokens;
}

/** What of an amount is not held yet. */
export function beyond(amount: Amount, held: Amount): Amount {
  return {
    nanoUsd: Math.max(0, amount.nanoUsd - held.nanoUsd),
    tokens: Math.max(0, amount.tokens - held.tokens),
  };
}

/** Takes the share of this place out of those of the wrapper around. */
export function borrow(around: Share[], { storeKey, windowEnd }: Place): Share | undefined {
  const index = around.findIndex((share) => share.storeKey === storeKey && share.windowEnd === windowEnd);
  return index < 0 ? undefined : around.splice(index, 1)[0];
}
