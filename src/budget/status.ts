import { checkKey } from './check.ts';
import { type Place, placeOf } from './entry.ts';
import { isShown } from './metrics.ts';
import { type BudgetLimit, type CircuitState, type ResolvedLimit, toUsd } from './options.ts';
import type { Amount } from './store.ts';
import type { Vault } from './vault.ts';

/** How one limit stands, for one key. */
export interface BudgetStatus {
  limit: BudgetLimit;
  /** Empty for a limit without keys. */
  key: string;
  spent: { usd: number; tokens: number };
  /** By calls that are under way. */
  reserved: { usd: number; tokens: number };
  resetsAt: Date | undefined;
  circuit: CircuitState;
  /**
   * Until the limit is reached, at the rate of this window up to now, of a session since it was first looked at here;
   * 9,999 at most.
   * `undefined` while nothing is spent, or where no time has passed.
   */
  daysToExhaustion: number | undefined;
}

const dayMs = 86_400_000;
/** So far ahead a rate says nothing. */
const maxDays = 9999;
const nothing: Amount = { nanoUsd: 0, tokens: 0 };

export function createStatus(vault: Vault) {
  const { options, clock, account, circuits, books, leases } = vault;

  function placesOf(limit: ResolvedLimit, key: string | undefined): Place[] {
    const windowEnd = options.calendar.end(limit.limit.window, clock.now());
    if (!limit.limit.key) return [placeOf(limit, '', windowEnd)];
    const keys = key === undefined ? books.of(limit).map((known) => known.key) : [key];
    return keys.map((each) => placeOf(limit, each, windowEnd));
  }

  async function look(place: Place): Promise<BudgetStatus> {
    const { limit, key, storeKey, windowEnd } = place;
    const isCall = limit.limit.window === 'call';
    const { spent, reserved } = isCall
      ? { spent: nothing, reserved: nothing }
      : await account.read(storeKey, windowEnd);
    if (!isCall) vault.learn(vault.known(place), spent);
    return {
      limit: limit.limit,
      key,
      spent: toUsd(spent),
      reserved: toUsd(reserved),
      resetsAt: Number.isFinite(windowEnd) ? new Date(windowEnd) : undefined,
      circuit: circuits.state(storeKey, windowEnd),
      daysToExhaustion: isCall ? undefined : daysLeft(place, spent),
    };
  }

  function daysLeft(place: Place, spent: Amount): number | undefined {
    const now = clock.now();
    const start = options.calendar.span(place.limit.limit.window, now)?.start;
    const first = start === undefined ? vault.known(place).first : { at: start, spent: nothing };
    if (!first || now <= first.at) return undefined;
    const days = (['nanoUsd', 'tokens'] as const).map((part) => {
      const limit = place.limit.amount[part];
      const burnt = (spent[part] - first.spent[part]) / ((now - first.at) / dayMs);
      return burnt > 0 && limit !== Number.POSITIVE_INFINITY ? Math.max(0, limit - spent[part]) / burnt : undefined;
    });
    const known = days.filter((count) => count !== undefined);
    return known.length > 0 ? Math.min(maxDays, ...known) : undefined;
  }

  async function begin({ storeKey }: Place): Promise<void> {
    leases.forget(storeKey);
    circuits.close(storeKey);
    books.renew(storeKey);
    await account.reset(storeKey);
  }

  let refreshedAt = Number.NEGATIVE_INFINITY;

  return {
    /**
     * Asks a store that others share what the metrics are to show; not again before `everyMs`. A failure is reported.
     */
    async refresh(everyMs: number): Promise<void> {
      const time = clock.monotonic();
      if (account.sync || time - refreshedAt < everyMs) return;
      refreshedAt = time;
      const places = options.limits.filter(isShown).flatMap((limit) => placesOf(limit, undefined));
      await Promise.all(places.map((place) => look(place).catch(vault.report)));
    },
    async status(name?: string, key?: string): Promise<readonly BudgetStatus[]> {
      const limits = options.limits.filter(({ limit }) => name === undefined || limit.name === name);
      return Promise.all(limits.flatMap((limit) => placesOf(limit, key)).map(look));
    },
    async reset(key?: string): Promise<void> {
      if (key !== undefined) checkKey(key);
      const limits = options.limits.filter(
        ({ limit }) => limit.window !== 'call' && (key === undefined || limit.key !== undefined),
      );
      await Promise.all(limits.flatMap((limit) => placesOf(limit, key)).map(begin));
    },
  };
}
