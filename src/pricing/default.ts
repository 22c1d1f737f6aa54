import type { LlmUsage } from '../usage.ts';
import { computeCost as computeCostBy } from './cost.ts';
import type { Cost, CostOptions, PriceTable } from './price.ts';
import { anthropicPrices } from './table/anthropic.ts';
import { openaiPrices } from './table/openai.ts';

/** The built-in prices, USD per million tokens, of the day their table was generated. */
export const defaultPrices: PriceTable = /* @__PURE__ */ Object.assign({}, openaiPrices, anthropicPrices);

/**
 * What a call costs in US dollars, `undefined` where the model or its usage is unknown.
 *
 * @example
 * computeCost('gpt-4o', { input: 10, output: 5 })?.totalUsd; // 0.000075
 */
export function computeCost(
  model: string,
  usage: LlmUsage,
  { prices = [], ...options }: Partial<CostOptions> = {},
): Cost | undefined {
  return computeCostBy(model, usage, { ...options, prices: [...[prices].flat(), defaultPrices] as PriceTable[] });
}
