import type { ResolvedLimit } from './options.ts';
import type { Amount } from './store.ts';

/** Keys that are known at a time; those that were used first make room. */
const maxKnown = 10_000;

/** What this isolate knows of one key of a limit. The store knows better. */
export interface Known {
  readonly limit: ResolvedLimit;
  /** As the limit's key function answered, empty for a limit without one. */
  readonly key: string;
  readonly windowEnd: number;
  /** The window before: calls that began in it may end later. */
  earlier: Known | undefined;
  spent: Amount;
  /** What was spent when this isolate first looked, and when that was: the burn rate's beginning. */
  first: { readonly at: number; readonly spent: Amount } | undefined;
  /** The store has said what is spent, and metrics do not show it yet. */
  isNews: boolean;
  /** How many of the thresholds have been told of. */
  warned: number;
}

/** What is known of the keys that calls were counted for, by the store's key. */
export interface Books {
  /** Another window begins it anew; of the one before it is still known what was told. */
  open(limit: ResolvedLimit, key: string, windowEnd: number): Known;
  find(storeKey: string, windowEnd: number): Known | undefined;
  /** Nothing is spent and told any more; the key stays known, since its calls that are under way will count. */
  renew(storeKey: string): void;
  of(limit: ResolvedLimit): readonly Known[];
}

export function createBooks(): Books {
  const books = new Map<string, Known>();

  function find(storeKey: string, windowEnd: number): Known | undefined {
    const latest = books.get(storeKey);
    return latest?.windowEnd === windowEnd
      ? latest
      : latest?.earlier?.windowEnd === windowEnd
        ? latest.earlier
        : undefined;
  }

  return {
    find,
    open(limit, key, windowEnd) {
      const storeKey = storeKeyOf(limit, key);
      const known = find(storeKey, windowEnd);
      if (known) return known;
      const latest = books.get(storeKey);
      const fresh = createKnown(limit, key, windowEnd);
      if (latest && windowEnd < latest.windowEnd) {
        latest.earlier = fresh;
        return fresh;
      }
      if (latest) latest.earlier = undefined;
      fresh.earlier = latest;
      books.delete(storeKey);
      books.set(storeKey, fresh);
      if (books.size > maxKnown) for (const oldest of [...books.keys()].slice(0, 1)) books.delete(oldest);
      return fresh;
    },
    renew(storeKey) {
      const latest = books.get(storeKey);
      if (latest) books.set(storeKey, createKnown(latest.limit, latest.key, latest.windowEnd));
    },
    of: (limit) => [...books.values()].filter((known) => known.limit === limit),
  };
}

function createKnown(limit: ResolvedLimit, key: string, windowEnd: number): Known {
  const spent = { nanoUsd: 0, tokens: 0 };
  return { limit, key, windowEnd, earlier: undefined, spent, first: undefined, isNews: false, warned: 0 };
}

/** Names have no colon, so that no two pairs of limit and key are one. */
export function storeKeyOf({ limit: { name } }: ResolvedLimit, key: string): string {
  return key === '' ? name : `${name}:${key}`;
}
