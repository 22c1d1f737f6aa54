/**
 * USD per million tokens. Absent: `cacheRead`, `cacheWrite` and `audioInput` cost as `input`, `cacheWrite1h` as
 * `cacheWrite`, `reasoning` and `audioOutput` as `output`; no `output` means that there is none to pay, as with
 * embeddings.
 */
export interface Rates {
  input: number;
  output?: number;
  cacheRead?: number;
  cacheWrite?: number;
  cacheWrite1h?: number;
  reasoning?: number;
  audioInput?: number;
  audioOutput?: number;
}

/**
 * What a model costs. `perRequest` and `perWebSearch` are USD each. A tier's rates hold for the whole call once its
 * input exceeds `above` tokens; what a tier leaves out stays as it is.
 *
 * @example
 * const price: Price = { input: 2.5, cacheRead: 1.25, output: 10, perWebSearch: 0.01 };
 */
export interface Price extends Rates {
  perRequest?: number;
  perWebSearch?: number;
  maxOutputTokens?: number;
  tiers?: readonly (Rates & { above: number })[];
}

/**
 * Prices by `model`, or by `provider/model`, which wins.
 *
 * @example
 * const prices: PriceTable = { 'acme-1': { input: 1, output: 4 }, 'azure/gpt-4o': { input: 2.75, output: 11 } };
 */
export type PriceTable = Readonly<Record<string, Price>>;

/** USD. `totalUsd` also has what is paid by the request or by the search. */
export interface Cost {
  inputUsd: number;
  outputUsd: number;
  totalUsd: number;
}

export interface CostOptions {
  /** Short name of the provider, for prices that differ by it. */
  provider?: string;
  /** Earlier tables win. */
  prices: PriceTable | readonly PriceTable[];
}

/** A longer id is no model's, and is not searched for. */
const maxIdLength = 256;

/** What names a snapshot and not another model: tuned-for, API version, date, `latest`. Other suffixes may cost more. */
const suffixes = [
  /(?<=^ft:[^:]+):.*$/,
  /-v\d{1,2}(:\d{1,2})?$/,
  /[-@](20\d{2}-\d{2}-\d{2}|20\d{6})$/,
  /[-@:](latest|default)$/,
] as const;

/** The id, then what is left of it as suffixes that name a snapshot go. */
function listCandidates(model: string): string[] {
  const candidates = [model];
  let id = model;
  for (const suffix of suffixes) {
    const shorter = id.replace(suffix, '');
    if (shorter !== id && shorter !== '') candidates.push(shorter);
    id = shorter;
  }
  return candidates;
}

/**
 * The price of a model, `undefined` where no table has it. A model is found by its own id or by what is left without a
 * date, never by a mere prefix: `gpt-4` says nothing about `gpt-4o`.
 *
 * @example
 * findPrice('gpt-4o-2024-08-06', 'openai', { 'gpt-4o': { input: 2.5, output: 10 } })?.input; // 2.5
 */
export function findPrice(
  model: string,
  provider: string | undefined,
  prices: PriceTable | readonly PriceTable[],
): Price | undefined {
  if (model.length > maxIdLength) return undefined;
  const ids = listCandidates(model);
  const keys = provider ? [...ids.map((id) => `${provider}/${id}`), ...ids] : ids;
  for (const table of isList(prices) ? prices : [prices]) {
    const key = keys.find((candidate) => Object.hasOwn(table, candidate));
    if (key !== undefined) return table[key];
  }
  return undefined;
}

function isList(prices: PriceTable | readonly PriceTable[]): prices is readonly PriceTable[] {
  return Array.isArray(prices);
}
