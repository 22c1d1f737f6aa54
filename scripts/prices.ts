/**
 * Writes `src/pricing/table/*.ts` from the data of @pydantic/genai-prices (MIT): `node scripts/prices.ts`.
 *
 * The tables hold what a text model costs at `date`. Ids that `findPrice` reaches by leaving out a date are left out.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { calcPrice, findProvider, type MatchLogic, type ModelInfo, type ModelPrice } from '@pydantic/genai-prices';
import { letters } from '../src/pricing/compact.ts';
import { findPrice } from '../src/pricing/find.ts';
import { listIds } from '../src/pricing/model-id.ts';
import type { Price, PriceTable } from '../src/pricing/price.ts';
import { type Recipe, recipes } from './price-recipes.ts';
import type { Factors } from './published-tiers.ts';

export { recipes };

export const date = '2026-11-21';
/** Where prices change by the hour: when no vendor has its peak. */
export const moment = new Date(`${date}T12:00:00Z`);
const source = '@pydantic/genai-prices';
const folder = new URL('../src/pricing/table/', import.meta.url);

const rates: Readonly<Record<string, keyof Price>> = {
  input_mtok: 'input',
  output_mtok: 'output',
  cache_read_mtok: 'cacheRead',
  cache_write_mtok: 'cacheWrite',
  cache_write_1h_mtok: 'cacheWrite1h',
  output_reasoning_mtok: 'reasoning',
  input_audio_mtok: 'audioInput',
  output_audio_mtok: 'audioOutput',
  cache_audio_read_mtok: 'audioCacheRead',
};

/** Our price, `undefined` where the model is not priced by the token. */
function convertPrice(wire: ModelPrice): Price | undefined {
  const base: Partial<Record<keyof Price, unknown>> = {};
  const tiers = new Map<number, Record<string, number>>();
  for (const [key, name] of Object.entries(rates)) {
    const rate = wire[key];
    if (rate === undefined) continue;
    if (typeof rate === 'number') base[name] = rate;
    else {
      base[name] = rate.base;
      for (const { start, price } of rate.tiers) tiers.set(start, { ...tiers.get(start), [name]: price });
    }
  }
  if (base.input === undefined) return undefined;
  const { requests_kcount: requests, web_searches_kcount: searches } = wire;
  if (typeof requests === 'number') base.perRequest = requests / 1000;
  if (typeof searches === 'number') base.perWebSearch = searches / 1000;
  if (tiers.size > 0) {
    const sorted = [...tiers].sort(([a], [b]) => a - b);
    base.tiers = sorted.map(([above, tier]) => ({ above, input: base.input, ...tier }));
  }
  return base as unknown as Price;
}

/**
 * Ids that a rule names. A part of an id counts as one, `gpt-5-nano-` as `gpt-5-nano`: what follows it is then a date,
 * or the id is another model's and stays unpriced.
 */
function listNames(match: MatchLogic): string[] {
  if ('or' in match) return match.or.flatMap(listNames);
  if ('and' in match) return match.and.flatMap(listNames);
  if ('regex' in match) return [];
  return [Object.values(match)[0] as string];
}

function listModels({ id, also = [], only }: NonNullable<Recipe['source']>): ModelInfo[] {
  const models = [id, ...also].flatMap((providerId) => findProvider({ providerId })?.models ?? []);
  return models.filter((model) => only?.test(model.id) ?? true);
}

/** What the source says that an id costs at the moment. */
export function findSourcePrice(name: string, providerId: string): Price | undefined {
  const found = calcPrice({}, name, { providerId, timestamp: moment });
  return found ? convertPrice(found.model_price) : undefined;
}

/** Every id that the source prices, as it has it and as we do. */
export function listSourceIds({ source, skip, rename = (id) => id }: Recipe): { id: string; key: string }[] {
  const prefixes = (source ? listModels(source) : []).flatMap((model) => [model.id, ...listNames(model.match)]);
  return prefixes.flatMap((prefix) => {
    const name = prefix.replace(/[-@]$/, '');
    if (skip?.test(name)) return [];
    const id = [name, prefix].find((candidate) => findSourcePrice(candidate, source!.id));
    return id === undefined ? [] : { id, key: rename(name) };
  });
}

/** Of a snapshot those of its model, where it has none of its own. */
function ownFactors(name: string, { serviceTiers }: Recipe): Factors | undefined {
  return serviceTiers?.some?.find(([pattern]) => listIds(name).some((id) => pattern.test(id)))?.[1];
}

function withTiers(price: Price, name: string, recipe: Recipe): Price {
  const { serviceTiers } = recipe;
  return serviceTiers ? { ...price, serviceTiers: { ...serviceTiers.all, ...ownFactors(name, recipe) } } : price;
}

/** Every id with its price, sorted, without those that the lookup derives from another one. */
export function buildTable(recipe: Recipe): PriceTable {
  const table = new Map<string, Price>();
  for (const { id, key } of listSourceIds(recipe)) {
    if (!table.has(key)) table.set(key, findSourcePrice(id, recipe.source!.id)!);
  }
  for (const [name, price] of Object.entries(recipe.extra ?? {})) table.set(name, price);
  for (const [name, price] of table) table.set(name, withTiers(price, name, recipe));
  for (const [name, price] of [...table].sort(([a], [b]) => b.length - a.length)) {
    table.delete(name);
    const derived = findPrice(name, undefined, Object.fromEntries(table));
    const text = encodePrice(price) + encodeFactors(price.serviceTiers);
    if (!derived || encodePrice(derived) + encodeFactors(derived.serviceTiers) !== text) table.set(name, price);
  }
  return Object.fromEntries([...table].sort(([a], [b]) => (a < b ? -1 : 1)));
}

const short = (value: number) => String(value).replace(/^0\./, '.');

function encodeFactors(factors: Factors = {}): string {
  return Object.entries(factors)
    .map(([tier, factor]) => tier + short(factor))
    .join('');
}

/** What `decodePrice` reads, without what other service tiers cost. */
export function encodePrice({ tiers = [], ...base }: Price): string {
  const encode = (price: Readonly<Record<string, unknown>>, input: string) =>
    Object.entries(letters)
      .filter(([letter, name]) => letter !== ':' && price[name] !== undefined)
      .map(([letter, name]) => (letter || input) + short(price[name] as number))
      .join('');
  const text = tiers.map(({ above, ...tier }) => `>${above}${encode({ ...tier }, ':')}`).join('');
  return encode(base as Readonly<Record<string, unknown>>, '') + text;
}

/** The module; ids that share a price share a line. */
export function renderTable(recipe: Recipe): string {
  const { version } = JSON.parse(
    readFileSync(new URL(`../node_modules/${source}/package.json`, import.meta.url), 'utf8'),
  );
  const lines = new Map<string, string[]>();
  for (const [id, price] of Object.entries(buildTable(recipe))) {
    const own = encodeFactors(ownFactors(id, recipe));
    const text = encodePrice(price) + (own && `*${own}`);
    lines.set(text, [...(lines.get(text) ?? []), id]);
  }
  const make = recipe.bare ? 'vendorPrices' : 'hostPrices';
  const factors = encodeFactors(recipe.serviceTiers?.all);
  return `// Generated by scripts/prices.ts: prices of ${date}, from ${source} ${version} (MIT). Do not edit.
import { ${make} } from '../lazy-table.ts';
import type { PriceTable } from '../price.ts';

export const ${recipe.name}Prices: PriceTable = /* @__PURE__ */ ${make}(
  '${recipe.name}',
  \`
${[...lines].map(([text, ids]) => `${text} ${ids.join(' ')}`).join('\n')}
\`,${factors && `\n  '${factors}',`}
);
`;
}

if (import.meta.main) {
  for (const recipe of recipes) writeFileSync(new URL(`${recipe.name}.ts`, folder), renderTable(recipe));
}
