import { partsOf, type TablePart } from './lazy-table.ts';
import { listIds } from './model-id.ts';
import type { Price, PriceTable } from './price.ts';

/** Models that run elsewhere, for a subscription: `provider/*` says nothing about them. */
const remote = /[:-]cloud$/;

/**
 * The price of a model, `undefined` where no table has it. Earlier tables win; in a table a price of the provider wins
 * over one of the model alone. A model is found by its own id or by what is left of it without a date, never by a mere
 * prefix: `gpt-4` says nothing about `gpt-4o`.
 *
 * Built-in tables that stand together are searched as one. There the price of a model alone is an answer for its own
 * vendor and for providers without a table; who has a table and not the model in it has no price for it. Without a
 * provider a model is also found at a host, where all hosts agree.
 *
 * @example
 * findPrice('gpt-4o-2024-08-06', 'openai', { 'gpt-4o': { input: 2.5, output: 10 } })?.input; // 2.5
 */
export function findPrice(
  model: string,
  provider: string | undefined,
  prices: PriceTable | readonly PriceTable[],
): Price | undefined {
  const ids = [...listIds(model), ...listIds(withoutProvider(model, provider))];
  const tables = isList(prices) ? prices : [prices];
  for (let at = 0; at < tables.length && ids.length > 0; at++) {
    const table = tables[at]!;
    let parts = partsOf(table);
    if (!parts) {
      const price = findGiven(table, ids, provider);
      if (price) return price;
      continue;
    }
    for (let next = tables[at + 1]; next && partsOf(next); next = tables[++at + 1])
      parts = [...parts, ...partsOf(next)!];
    const price = findBuiltIn(parts, ids, provider);
    if (price) return price;
  }
  return undefined;
}

/** Proxies put the vendor before its model: `openai/gpt-4o`. */
function withoutProvider(model: string, provider: string | undefined): string {
  return provider && model.startsWith(`${provider}/`) ? model.slice(provider.length + 1) : '';
}

function findGiven(table: PriceTable, ids: readonly string[], provider: string | undefined): Price | undefined {
  const own = provider && (pick(table, ids, `${provider}/`) ?? pickAny(table, ids[0]!, provider));
  return own || pick(table, ids, '');
}

function findBuiltIn(
  parts: readonly TablePart[],
  ids: readonly string[],
  provider: string | undefined,
): Price | undefined {
  const own = parts.filter(({ owner }) => owner === provider);
  for (const { prefix, read } of own) {
    const price = pick(read(), ids, prefix) ?? pickAny(read(), ids[0]!, provider!);
    if (price) return price;
  }
  if (own.length > 0) return undefined;
  for (const { read } of parts) {
    const price = pick(read(), ids, '');
    if (price) return price;
  }
  return provider === undefined ? findUnnamed(parts, ids) : undefined;
}

/** Of `owner/id`, else of a model that hosts have at one price. */
function findUnnamed(parts: readonly TablePart[], ids: readonly string[]): Price | undefined {
  const [owner, ...rest] = ids[0]!.split('/');
  if (rest.length > 0) {
    const price = findBuiltIn(
      parts.filter((part) => part.owner === owner),
      listIds(rest.join('/')),
      owner,
    );
    if (price) return price;
  }
  const found = parts.flatMap(({ read, prefix }) => pick(read(), ids, prefix) ?? []);
  const lists = found.map((price) => JSON.stringify({ ...price, serviceTiers: undefined }));
  return new Set(lists).size === 1 ? found[0] : undefined;
}

function pick(table: PriceTable, ids: readonly string[], prefix: string): Price | undefined {
  for (const id of ids) if (Object.hasOwn(table, prefix + id)) return table[prefix + id];
  return undefined;
}

/** The price of all other models of a provider. */
function pickAny(table: PriceTable, id: string, provider: string): Price | undefined {
  if (remote.test(id)) return undefined;
  const [, tag] = id.split(':');
  return pick(table, tag === undefined ? ['*'] : [`*:${tag}`, '*'], `${provider}/`);
}

function isList(prices: PriceTable | readonly PriceTable[]): prices is readonly PriceTable[] {
  return Array.isArray(prices);
}
