import type { Attributes } from '@opentelemetry/api';
import { atLeast0, type Check, type Checks, checkValues, fn, oneOf, whole } from '../checks.ts';
import { TelemetryError } from '../errors.ts';
import type { Operation } from '../llm/provider.ts';
import type { Amount, BudgetStore } from './store.ts';
import { type BudgetWindow, budgetWindows, type Calendar, createCalendar } from './window.ts';

/** At least one of `usd` and `tokens`; what comes to it exactly still passes. */
export interface BudgetLimit {
  /** Names it in stores, errors and metrics; its window by default. A store keeps what was spent under this name. */
  name?: string;
  /** US dollars in a window. */
  usd?: number;
  /** Tokens in a window, input and output together. */
  tokens?: number;
  /** When spending begins anew: `session`, the default, only by `budget.reset()`, or with the process. */
  window?: BudgetWindow;
  /** Whom the limit counts for, each by itself; where it answers `undefined` the limit does not apply. */
  key?: (call: BudgetCall) => string | undefined;
}

/** A call that is about to be made. */
export interface BudgetCall {
  provider: string;
  model: string;
  operation: Operation;
  /** Of the scope (`telemetry.with`) and of the call itself. */
  attributes: Attributes;
  /** `usd` is `undefined` for a model without a price. */
  estimate: { usd: number | undefined; tokens: number };
}

/** Why a call was refused: the limit itself, its open circuit, no price, no answer of the store, or no key. */
export type RefusalReason = 'limit' | 'circuit' | 'unpriced' | 'store' | 'key';

export type CircuitState = 'closed' | 'open' | 'half_open';

export interface BudgetRefusal {
  limit: BudgetLimit;
  /** Empty for a limit without keys. */
  key: string;
  /** What was spent in the window, as far as it was known. */
  spent: { usd: number; tokens: number };
  /** The estimate of the call. */
  requested: { usd: number; tokens: number };
  /** `undefined` for windows that do not end by themselves. */
  resetsAt: Date | undefined;
  circuit: CircuitState;
  reason: RefusalReason;
}

/** A share of a limit that has been spent. */
export interface BudgetWarning {
  limit: BudgetLimit;
  key: string;
  /** The one of `warnAt` that was reached. */
  at: number;
  spent: { usd: number; tokens: number };
  resetsAt: Date | undefined;
}

export interface BudgetOptions {
  /** One or up to 20, asked in their order. */
  limits: BudgetLimit | readonly BudgetLimit[];
  /** This process's memory by default. */
  store?: BudgetStore;
  /** By whose clocks hours, days and months end, `UTC`. */
  timeZone?: string;
  /** `raise` by default. `warn` and a callback's `allow` let the call go on; what it costs is counted. */
  onExceeded?: 'raise' | 'warn' | ((refusal: BudgetRefusal) => 'allow' | 'refuse');
  /** A refused `fetch` answers 402 by default, since SDKs try again after what `fetch` throws. */
  refuseFetch?: 'response' | 'throw';
  /** What becomes of calls while the store gives no answer; `refuse` by default, since nobody can look the limit up. */
  onStoreError?: 'allow' | 'refuse';
  /** What becomes of models without a price under a limit in USD; `refuse` by default. */
  unpriced?: 'allow' | 'refuse';
  /** Shares of a limit, as 0.8, of which `onWarn` hears once a window and key; none by default. */
  warnAt?: readonly number[];
  /** `onError` and `llm_budget_alerts_total` tell of warnings too. */
  onWarn?: (warning: BudgetWarning) => void;
  /** Milliseconds after a refusal in which the store is not asked again, 60,000. */
  cooldownMs?: number;
  /** Milliseconds that a reservation stands whose call nobody ends, 600,000. */
  reservationTtlMs?: number;
  /**
   * Takes so many US dollars at a time from the store, and spends them here without asking; by default each call asks.
   * Limits in tokens are always asked for.
   */
  lease?: { usd: number };
  /** Tokens of an answer where neither the call nor the price table has a maximum, 4,096. */
  estimateOutputTokens?: number;
}

export interface ResolvedLimit {
  /** As it was given, with name and window. */
  readonly limit: BudgetLimit & { name: string; window: BudgetWindow };
  /** `Infinity` for what is not limited. */
  readonly amount: Amount;
}

export interface ResolvedBudget
  extends Omit<Required<BudgetOptions>, 'limits' | 'store' | 'lease' | 'onWarn' | 'timeZone'> {
  readonly limits: readonly ResolvedLimit[];
  readonly store: BudgetStore | undefined;
  readonly leaseNanoUsd: number | undefined;
  readonly onWarn: BudgetOptions['onWarn'];
  readonly calendar: Calendar;
}

/** Nano-dollars in a dollar. */
export const nano = 1e9;

/** What the table of option checks can't say of budgets. Throws a `TelemetryError` that names the option. */
export function resolveBudget(options: BudgetOptions): ResolvedBudget {
  const { limits, store, timeZone = 'UTC', lease, warnAt = [] } = options;
  const given = Array.isArray(limits) ? (limits as readonly BudgetLimit[]) : [limits as BudgetLimit];
  if (given.length === 0 || given.length > maxLimits) throw invalid('budget.limits', `it must have 1 to ${maxLimits}`);
  return {
    limits: nameLimits(given),
    store,
    calendar: findCalendar(timeZone),
    onExceeded: options.onExceeded ?? 'raise',
    refuseFetch: options.refuseFetch ?? 'response',
    onStoreError: options.onStoreError ?? 'refuse',
    unpriced: options.unpriced ?? 'refuse',
    warnAt: [...new Set(warnAt)].sort((a, b) => a - b),
    onWarn: options.onWarn,
    cooldownMs: options.cooldownMs ?? 60_000,
    reservationTtlMs: options.reservationTtlMs ?? 600_000,
    leaseNanoUsd: lease && toNano(lease.usd),
    estimateOutputTokens: options.estimateOutputTokens ?? 4096,
  };
}

/** Limits of a telemetry: each is a question to the store before a call. */
const maxLimits = 20;
/** Short enough for a store's key to have room for whom it counts. */
const validName = /^[\w .-]{1,64}$/;

function nameLimits(given: readonly BudgetLimit[]): ResolvedLimit[] {
  const names = new Set<string>();
  return given.map((limit, index) => {
    const path = Array.isArray(given) && given.length > 1 ? `budget.limits[${index}]` : 'budget.limits';
    checkLimit(limit, path);
    const { window = 'session', usd, tokens } = limit;
    const name = limit.name ?? freeName(window, names);
    if (names.has(name)) throw invalid(`${path}.name`, `${JSON.stringify(name)} names two limits`);
    names.add(name);
    const nanoUsd = usd === undefined ? Number.POSITIVE_INFINITY : toNano(usd);
    return { limit: { ...limit, name, window }, amount: { nanoUsd, tokens: tokens ?? Number.POSITIVE_INFINITY } };
  });
}

function freeName(window: BudgetWindow, names: ReadonlySet<string>): string {
  let name: string = window;
  for (let count = 2; names.has(name); count++) name = `${window}-${count}`;
  return name;
}

/** Dollars that an account can hold. */
export const dollars: Check = {
  allowed: 'a number from 0 to 9,007,199',
  test: (v) => atLeast0.test(v) && (v as number) * nano <= Number.MAX_SAFE_INTEGER,
};
const limitChecks: Checks = {
  name: {
    allowed: '1 to 64 letters, digits, spaces, _ . or -',
    test: (v) => typeof v === 'string' && validName.test(v),
  },
  usd: dollars,
  tokens: whole,
  window: /* @__PURE__ */ oneOf(budgetWindows),
  key: fn,
};

function checkLimit(limit: BudgetLimit, path: string): void {
  checkValues(limit, limitChecks, `${path}.`);
  if (limit.usd === undefined && limit.tokens === undefined) throw invalid(path, 'it must have usd or tokens');
}

function findCalendar(timeZone: string): Calendar {
  try {
    return createCalendar(timeZone);
  } catch {
    throw invalid('budget.timeZone', `${JSON.stringify(timeZone).slice(0, 60)} is no time zone of this runtime`);
  }
}

export function toNano(usd: number): number {
  return Math.min(Number.MAX_SAFE_INTEGER, Math.round(usd * nano));
}

export function toUsd({ nanoUsd, tokens }: Amount): { usd: number; tokens: number } {
  return { usd: nanoUsd / nano, tokens };
}

function invalid(option: string, why: string): TelemetryError {
  return new TelemetryError('invalid_option', `${option}: ${why}`, { option });
}
