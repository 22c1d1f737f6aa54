/**
 * Writes `src/pricing/table/*.ts` from the data of @pydantic/genai-prices (MIT): `node scripts/prices.ts`.
 *
 * The tables hold what a text model costs at `date`. Ids that `findPrice` reaches by leaving out a date are left out.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { findProvider, type MatchLogic, type ModelInfo, type ModelPrice } from '@pydantic/genai-prices';
import { findPrice, type Price, type PriceTable, type Rates } from '../src/pricing/price.ts';

export const date = '2026-11-21';
const source = '@pydantic/genai-prices';
const folder = new URL('../src/pricing/table/', import.meta.url);

/** A provider's table: its name here, its id in the source, and what the source lacks. */
interface Recipe {
  name: string;
  id: string;
  /** Priced by image, hour or in tokens that our usage does not tell apart, or not reached by `fetch`. */
  skip?: RegExp;
  /** Published prices that the source lacks, and ids that follow from no rule of its own. */
  extra?: PriceTable;
}

export const recipes: readonly Recipe[] = [
  {
    name: 'openai',
    id: 'openai',
    skip: /image|realtime|transcribe|tts|whisper|moderation|^gpt-5-\d|:extended|\.ft|-2024$|^ft:gpt-4-0$/,
    extra: {
      // https://platform.openai.com/docs/pricing
      'computer-use-preview': { input: 3, output: 12 },
      'ft:gpt-3.5-turbo-0125': { input: 3, output: 6 },
      'ft:gpt-3.5-turbo-1106': { input: 3, output: 6 },
      'ft:gpt-4-0613': { input: 30, output: 60 },
      'ft:gpt-4.1': { input: 3, output: 12, cacheRead: 0.75 },
      'ft:gpt-4.1-mini': { input: 0.8, output: 3.2, cacheRead: 0.2 },
      'ft:gpt-4.1-nano': { input: 0.2, output: 0.8, cacheRead: 0.05 },
      'gpt-4o-audio-preview': { input: 2.5, output: 10, audioInput: 40, audioOutput: 80 },
      'gpt-4o-mini-audio-preview': { input: 0.15, output: 0.6, audioInput: 10, audioOutput: 20 },
    },
  },
  {
    name: 'anthropic',
    id: 'anthropic',
    skip: /-2025$/,
    // https://docs.anthropic.com/en/docs/about-claude/pricing: versions of a prefix in the source.
    extra: { 'claude-2.0': { input: 8, output: 24 }, 'claude-2.1': { input: 8, output: 24 } },
  },
];

const rates: readonly (readonly [keyof Rates, string])[] = [
  ['input', 'input_mtok'],
  ['output', 'output_mtok'],
  ['cacheRead', 'cache_read_mtok'],
  ['cacheWrite', 'cache_write_mtok'],
  ['cacheWrite1h', 'cache_write_1h_mtok'],
  ['reasoning', 'output_reasoning_mtok'],
  ['audioInput', 'input_audio_mtok'],
  ['audioOutput', 'output_audio_mtok'],
];

/** The latest prices that hold at `date` at any time of the day. */
function selectPrices(prices: ModelInfo['prices']): ModelPrice {
  if (!Array.isArray(prices)) return prices;
  const valid = prices.filter(({ constraint }) => {
    return constraint === undefined || (constraint.type === 'start_date' && constraint.start_date <= date);
  });
  const start = (entry: (typeof valid)[number]) =>
    entry.constraint?.type === 'start_date' ? entry.constraint.start_date : '';
  return valid.toSorted((a, b) => start(b).localeCompare(start(a)))[0]?.prices ?? {};
}

/** Our price, `undefined` where the model is not priced by the token. */
function convertPrice(wire: ModelPrice): Price | undefined {
  const base: Partial<Price> = {};
  const tiers = new Map<number, Partial<Rates>>();
  for (const [name, key] of rates) {
    const rate = wire[key];
    if (rate === undefined) continue;
    if (typeof rate === 'number') base[name] = rate;
    else {
      base[name] = rate.base;
      for (const { start, price } of rate.tiers) tiers.set(start, { ...tiers.get(start), [name]: price });
    }
  }
  if (base.input === undefined) return undefined;
  const searches = wire.web_searches_kcount;
  if (typeof searches === 'number') base.perWebSearch = searches / 1000;
  if (tiers.size > 0) {
    const sorted = [...tiers].sort(([a], [b]) => a - b);
    base.tiers = sorted.map(([above, tier]) => ({ ...tier, input: tier.input ?? base.input!, above }));
  }
  return base as Price;
}

/**
 * Ids that a rule names in full. A prefix counts as an id, `gpt-5-nano-` as `gpt-5-nano`: what follows it is then a
 * date, or the id is another model's and stays unpriced. `contains` and `regex` name nothing.
 */
function listIds(match: MatchLogic): string[] {
  if ('equals' in match) return [match.equals];
  if ('starts_with' in match) return [match.starts_with];
  return 'or' in match ? match.or.flatMap(listIds) : [];
}

/** Every id with its price, sorted, without those that the lookup derives from another one. */
export function buildTable({ id, skip, extra = {} }: Recipe): PriceTable {
  const table = new Map<string, Price>();
  for (const model of findProvider({ providerId: id })?.models ?? []) {
    const price = convertPrice(selectPrices(model.prices));
    if (!price) continue;
    const names = [model.id, ...listIds(model.match)].map((name) => name.replace(/([-@]|-latest)$/, ''));
    for (const name of names) if (!skip?.test(name)) table.set(name, price);
  }
  for (const [name, price] of Object.entries(extra)) table.set(name, price);
  for (const [name, price] of [...table].sort(([a], [b]) => b.length - a.length)) {
    table.delete(name);
    if (findPrice(name, undefined, Object.fromEntries(table)) !== price) table.set(name, price);
  }
  return Object.fromEntries([...table].sort(([a], [b]) => (a < b ? -1 : 1)));
}

const literal = (value: unknown): string =>
  Array.isArray(value)
    ? `[${value.map(literal).join(', ')}]`
    : typeof value === 'object' && value !== null
      ? `{ ${Object.entries(value)
          .map(([key, field]) => `${key}: ${literal(field)}`)
          .join(', ')} }`
      : String(value);

/** The module; a price that several ids share is written once. */
export function renderTable(recipe: Recipe): string {
  const { version } = JSON.parse(
    readFileSync(new URL(`../node_modules/${source}/package.json`, import.meta.url), 'utf8'),
  );
  const table = buildTable(recipe);
  const texts = Object.values(table).map(literal);
  const shared = [...new Set(texts)].filter((text) => texts.indexOf(text) !== texts.lastIndexOf(text));
  const names = new Map(shared.map((text, index) => [text, `p${index}`]));
  const constants = [...names].map(([text, name]) => `const ${name}: Price = ${text};`);
  const entries = Object.entries(table).map(([id, price]) => {
    const text = literal(price);
    return `  '${id}': ${names.get(text) ?? text},`;
  });
  return `// Generated by scripts/prices.ts: prices of ${date}, from ${source} ${version} (MIT). Do not edit.
import type { Price, PriceTable } from '../price.ts';

${constants.join('\n')}

export const ${recipe.name}Prices: PriceTable = {
${entries.join('\n')}
};
`;
}

if (import.meta.main) {
  for (const recipe of recipes) writeFileSync(new URL(`${recipe.name}.ts`, folder), renderTable(recipe));
}
