import { findPrice } from './find.ts';
import type { Price, PriceSource, PriceTable } from './price.ts';
import { createRemoteTable, type RemoteOptions } from './remote.ts';

/** Pairs of provider and model whose prices are remembered. */
const maxPairs = 500;

export interface PriceBookOptions extends Omit<RemoteOptions, 'url' | 'onLoad'> {
  /** Earlier ones win. */
  readonly sources: readonly PriceSource[];
  /** Whether I/O outlives the call that starts it; else URLs are fetched by flushes alone. */
  readonly background: boolean;
}

/** All prices of a telemetry. */
export interface PriceBook {
  /** What is known now: a table that is still to come has no say. */
  find(model: string, provider: string | undefined): Price | undefined;
  /** Fetches what comes from URLs, once; settles by the deadline, a reading of `monotonic`, and never rejects. */
  flush(deadline: number): Promise<void>;
}

export function createPriceBook(options: PriceBookOptions): PriceBook {
  const known = new Map<string, Price | undefined>();
  let tables: readonly PriceTable[] | undefined;
  let asked = false;

  function forget(): void {
    known.clear();
    tables = undefined;
  }

  const sources = options.sources.map((source) => {
    return source instanceof URL ? createRemoteTable({ ...options, url: source, onLoad: forget }) : { table: source };
  });
  const remotes = sources.flatMap((source) => ('load' in source ? source : []));

  function find(model: string, provider: string | undefined): Price | undefined {
    const pair = `${provider ?? ''} ${model}`;
    if (known.has(pair)) return known.get(pair);
    tables ??= sources.map(({ table }) => table).filter((table) => table !== undefined);
    const price = findPrice(model, provider, tables);
    if (known.size >= maxPairs) known.clear();
    known.set(pair, price);
    return price;
  }

  return {
    find(model, provider) {
      if (!asked && options.background) {
        asked = true;
        for (const remote of remotes) void remote.load();
      }
      return find(model, provider);
    },
    async flush(deadline) {
      await Promise.all(remotes.map((remote) => remote.load(deadline - options.monotonic())));
    },
  };
}
