import type { ResolvedLimit } from './options.ts';
import type { Amount } from './store.ts';

/** Keys that are known at a time; those that were used first make room. */
const maxKnown = 10_000;

/** What this isolate knows of one key of a limit. The store knows better. */
export interface Known {
  readonly limit: ResolvedLimit;
  /** As the limit's key function answered, empty for a limit without one. */
  readonly key: string;
  windowEnd: number;
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
  /** Also after its window has ended, which begins it anew. */
  open(limit: ResolvedLimit, key: string, windowEnd: number): Known;
  find(storeKey: string): Known | undefined;
  forget(storeKey: string): void;
  of(limit: ResolvedLimit): readonly Known[];
}

export function createBooks(): Books {
  const books = new Map<string, Known>();
  return {
    open(limit, key, windowEnd) {
      const storeKey = storeKeyOf(limit, key);
      let known = books.get(storeKey);
      if (!known || known.windowEnd !== windowEnd) {
        known = { limit, key, windowEnd, spent: { nanoUsd: 0, tokens: 0 }, first: undefined, isNews: false, warned: 0 };
        books.delete(storeKey);
        books.set(storeKey, known);
        if (books.size > maxKnown) for (const oldest of [...books.keys()].slice(0, 1)) books.delete(oldest);
      }
      return known;
    },
    find: (storeKey) => books.get(storeKey),
    forget: (storeKey) => void books.delete(storeKey),
    of: (limit) => [...books.values()].filter((known) => known.limit === limit),
  };
}

/** Names have no colon, so that no two pairs of limit and key are one. */
export function storeKeyOf({ limit: { name } }: ResolvedLimit, key: string): string {
  return key === '' ? name : `${name}:${key}`;
}
