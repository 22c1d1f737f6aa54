import type { LlmUsage } from '../usage.ts';
import { findPrice } from './find.ts';
import type { Cost, CostOptions, Price } from './price.ts';

/** Tokens at USD per million cost micro-dollars: summed as such, they are divided once. */
const micro = 1e6;

/** The rates for a call of so much input; the highest tier that it exceeds replaces the base. */
export function selectTier(price: Price, input: number): Price {
  let selected: Price & { above?: number } = price;
  for (const tier of price.tiers ?? []) {
    if (input > tier.above && tier.above >= (selected.above ?? 0)) selected = { ...price, ...tier };
  }
  return selected;
}

/**
 * The cost of a total, of which some parts have a rate of their own. Vendors report parts above their total, so the
 * rest is never below 0.
 */
function priceParts(
  total: number,
  rate: number,
  parts: readonly (readonly [number | undefined, number | undefined])[],
) {
  let rest = total;
  let cost = 0;
  for (const [tokens = 0, own] of parts) {
    if (own === undefined) continue;
    rest -= tokens;
    cost += tokens * own;
  }
  return cost + Math.max(0, rest) * rate;
}

function priceInput(usage: LlmUsage, rates: Price): number {
  const { cacheRead = 0, audioInput = 0 } = usage;
  const cacheWrite = usage.cacheWrite ?? usage.cacheWrite1h ?? 0;
  const cacheWrite1h = Math.min(usage.cacheWrite1h ?? 0, cacheWrite);
  // Cached audio is counted with both: once is enough.
  const both = Math.min(usage.audioCacheRead ?? 0, cacheRead, audioInput);
  return priceParts(usage.input ?? 0, rates.input, [
    [cacheRead - both, rates.cacheRead],
    [cacheWrite - cacheWrite1h, rates.cacheWrite],
    [cacheWrite1h, rates.cacheWrite1h ?? rates.cacheWrite],
    [audioInput - both, rates.audioInput],
    [both, rates.audioCacheRead ?? rates.cacheRead ?? rates.audioInput],
  ]);
}

/** A total alone tells nothing of its parts. */
function isCounted({ total: _total, ...parts }: LlmUsage): boolean {
  return Object.values(parts).some((count) => count !== undefined);
}

/** What tokens cost of the list price where a call is served so. */
function tierFactor({ serviceTiers = {} }: Price, tier = ''): number {
  const known = tier.split('+').filter((name) => Object.hasOwn(serviceTiers, name));
  return known.reduce((factor, name) => factor * serviceTiers[name]!, 1);
}

/**
 * What a usage costs in USD at a price, `undefined` where nothing is counted. Unknown counts cost nothing, so the cost
 * of a partly known usage is what is known of it.
 */
export function priceUsage(usage: LlmUsage, price: Price, serviceTier?: string): Cost | undefined {
  if (!isCounted(usage)) return undefined;
  const rates = selectTier(price, usage.input ?? 0);
  const factor = tierFactor(price, serviceTier);
  const input = factor * priceInput(usage, rates);
  const output =
    factor *
    priceParts(usage.output ?? 0, rates.output ?? 0, [
      [usage.reasoning, rates.reasoning],
      [usage.audioOutput, rates.audioOutput],
    ]);
  const requests = (usage.requests ?? 1) * (price.perRequest ?? 0) * micro;
  const searches = (usage.webSearches ?? 0) * (price.perWebSearch ?? 0) * micro;
  return {
    inputUsd: input / micro,
    outputUsd: output / micro,
    totalUsd: (input + output + requests + searches) / micro,
  };
}

/**
 * What a call cost in USD: `undefined` where the model has no price or the usage no count, 0 for a free model.
 *
 * @example
 * computeCost('gpt-4o', { input: 10, output: 5 }, { prices: { 'gpt-4o': { input: 2.5, output: 10 } } });
 * // { inputUsd: 0.000025, outputUsd: 0.00005, totalUsd: 0.000075 }
 */
export function computeCost(model: string, usage: LlmUsage, options: CostOptions): Cost | undefined {
  const price = findPrice(model, options.provider, options.prices);
  return price && priceUsage(usage, price, options.serviceTier);
}
