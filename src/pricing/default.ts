import type { LlmUsage } from '../usage.ts';
import { computeCost as computeCostBy } from './cost.ts';
import { joinTables } from './lazy-table.ts';
import type { Cost, CostOptions, PriceTable } from './price.ts';
import { anthropicPrices } from './table/anthropic.ts';
import { azurePrices } from './table/azure.ts';
import { bedrockPrices } from './table/bedrock.ts';
import { cerebrasPrices } from './table/cerebras.ts';
import { cloudflarePrices } from './table/cloudflare.ts';
import { coherePrices } from './table/cohere.ts';
import { deepseekPrices } from './table/deepseek.ts';
import { fireworksPrices } from './table/fireworks.ts';
import { googlePrices } from './table/google.ts';
import { groqPrices } from './table/groq.ts';
import { mistralPrices } from './table/mistral.ts';
import { ollamaPrices } from './table/ollama.ts';
import { openaiPrices } from './table/openai.ts';
import { openrouterPrices } from './table/openrouter.ts';
import { perplexityPrices } from './table/perplexity.ts';
import { togetherPrices } from './table/together.ts';
import { vertexPrices } from './table/vertex.ts';
import { xaiPrices } from './table/xai.ts';

/**
 * The built-in prices, USD per million tokens, of the day their tables were generated: the models of OpenAI, Anthropic,
 * Google, Mistral, Cohere, xAI, DeepSeek and Perplexity by their id, those of hosts by `host/id`. Nothing is decoded
 * before it is looked at.
 *
 * @example
 * defaultPrices['gpt-4o']; // { input: 2.5, output: 10, cacheRead: 1.25, perWebSearch: 0.01, serviceTiers: { … } }
 */
export const defaultPrices: PriceTable = /* @__PURE__ */ joinTables([
  openaiPrices,
  anthropicPrices,
  googlePrices,
  mistralPrices,
  coherePrices,
  xaiPrices,
  deepseekPrices,
  perplexityPrices,
  vertexPrices,
  azurePrices,
  bedrockPrices,
  groqPrices,
  togetherPrices,
  fireworksPrices,
  cerebrasPrices,
  openrouterPrices,
  ollamaPrices,
  cloudflarePrices,
]);

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
