import type { Clock } from '../clock.ts';
import { TelemetryError, tell } from '../errors.ts';
import type { Registry } from '../metrics/registry.ts';
import type { PriceBook } from '../pricing/book.ts';
import { type Account, createAccount } from './account.ts';
import { type Books, createBooks, type Known, storeKeyOf } from './books.ts';
import { type Circuits, createCircuits } from './circuit.ts';
import { type KeepAlive, storeTimeoutMs } from './deliveries.ts';
import type { Place } from './entry.ts';
import { createLeases, type Leases } from './leases.ts';
import { createMemoryBudgetStore } from './memory-store.ts';
import { type BudgetMetrics, createBudgetMetrics } from './metrics.ts';
import { type ResolvedBudget, toUsd } from './options.ts';
import type { Amount, ReservationRef } from './store.ts';

export interface VaultOptions {
  readonly options: ResolvedBudget;
  readonly clock: Clock;
  readonly registry: Registry;
  /** Prefix of the metrics. */
  readonly namespace: string;
  readonly prices: PriceBook;
  readonly newId: () => string;
  readonly ephemeral: boolean;
  readonly waitUntil: KeepAlive;
  readonly report: (error: unknown) => void;
}

/** The state of a telemetry's budgets: the store, what was leased from it, and what is known without asking it. */
export interface Vault extends VaultOptions {
  readonly account: Account;
  readonly leases: Leases;
  readonly circuits: Circuits;
  readonly books: Books;
  readonly metrics: BudgetMetrics;
  /** The book of a place, opened where there is none. */
  known(place: Place): Known;
  /** What the store says was spent; tells of thresholds. */
  learn(known: Known, spent: Amount): void;
}

export function createVault(given: VaultOptions): Vault {
  const { options, clock, newId, report } = given;
  const { cooldownMs, reservationTtlMs: ttlMs, leaseNanoUsd: blockNanoUsd, calendar } = options;
  const books = createBooks();
  const metrics = createBudgetMetrics(given.registry, given.namespace, options.limits, (limit) => {
    const windowEnd = calendar.end(limit.limit.window, clock.now());
    const storeKey = storeKeyOf(limit, '');
    if (account.sync) return account.sync.read(storeKey, windowEnd).spent.nanoUsd;
    // What this isolate has counted itself is less than what others see in the store.
    const book = books.find(storeKey, windowEnd);
    if (!book?.isNews) return undefined;
    book.isNews = false;
    return book.spent.nanoUsd;
  });
  const account = createAccount({
    store: options.store ?? createMemoryBudgetStore({ now: clock.now }),
    clock,
    newId,
    ephemeral: given.ephemeral,
    delivered,
    dropped: metrics.dropped,
    report,
  });

  function known({ limit, key, windowEnd, storeKey }: Place): Known {
    const book = books.open(limit, key, windowEnd);
    if (!book.first && account.sync) {
      const { spent } = account.sync.read(storeKey, windowEnd);
      book.first = { at: clock.now(), spent };
      book.spent = spent;
    }
    return book;
  }

  function learn(book: Known, spent: Amount): void {
    book.first ??= { at: clock.now(), spent };
    book.spent = spent;
    book.isNews = true;
    const { amount } = book.limit;
    const share = Math.max(shareOf(spent.nanoUsd, amount.nanoUsd), shareOf(spent.tokens, amount.tokens));
    while (book.warned < options.warnAt.length && share >= options.warnAt[book.warned]!) {
      warn(book, options.warnAt[book.warned++]!);
    }
  }

  function warn({ limit, key, windowEnd, spent }: Known, at: number): void {
    metrics.alert(limit, at);
    const resetsAt = Number.isFinite(windowEnd) ? new Date(windowEnd) : undefined;
    const { name } = limit.limit;
    tell(() => options.onWarn?.({ limit: limit.limit, key, at, spent: toUsd(spent), resetsAt }), report);
    report(
      new TelemetryError(
        'budget_warning',
        `budget ${JSON.stringify(name)} has reached ${Number((at * 100).toFixed(9))}% of its limit`,
      ),
    );
  }

  /** A store that must be waited for is asked only where somebody wants to be warned. */
  async function look(ref: ReservationRef, book: Known): Promise<void> {
    learn(book, (await account.read(ref.key, ref.windowEnd)).spent);
  }

  function delivered(ref: ReservationRef, actual: Amount | undefined): Promise<void> | void {
    const book = books.find(ref.key, ref.windowEnd);
    if (!book || !actual) return;
    if (account.sync) return learn(book, account.sync.read(ref.key, ref.windowEnd).spent);
    if (options.warnAt.length > 0) return look(ref, book);
    const { nanoUsd, tokens } = book.spent;
    book.spent = { nanoUsd: nanoUsd + actual.nanoUsd, tokens: tokens + actual.tokens };
  }

  return {
    ...given,
    account,
    leases: createLeases({ account, blockNanoUsd, ttlMs, now: clock.now, newId }),
    circuits: createCircuits({ cooldownMs, probeMs: 2 * storeTimeoutMs, monotonic: clock.monotonic }),
    books,
    metrics,
    known,
    learn,
  };
}

/** Of a limit of 0 anything is all of it. */
function shareOf(spent: number, limit: number): number {
  return limit === 0 ? 1 : spent / limit;
}
