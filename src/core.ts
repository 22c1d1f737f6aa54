import { checkValues, list, object } from './checks.ts';
import { assembleTelemetry } from './create.ts';
import { type Feature, joinFeatures } from './features/feature.ts';
import type { TelemetryOptions } from './options.ts';
import type { Telemetry } from './telemetry.ts';

export * from './api.ts';
export { budgets } from './features/budgets.ts';
export { content } from './features/content.ts';
export { evaluations } from './features/evaluations.ts';
export type { Feature } from './features/feature.ts';
export { foreignSpans } from './features/foreign-spans.ts';
export { openTelemetry } from './features/open-telemetry.ts';
export { presets } from './features/presets.ts';
export { redaction } from './features/redaction.ts';
export { sessions } from './features/sessions.ts';
export { sharedMetrics } from './features/shared-metrics.ts';
export { streamUsage } from './features/stream-usage.ts';
export { wrapping } from './features/wrapping.ts';
export { anthropic } from './llm/providers/anthropic.ts';
export { azure } from './llm/providers/azure.ts';
export { bedrock } from './llm/providers/bedrock.ts';
export { cerebras } from './llm/providers/cerebras.ts';
export { cloudflare } from './llm/providers/cloudflare.ts';
export { cohere } from './llm/providers/cohere.ts';
export { deepseek } from './llm/providers/deepseek.ts';
export { fireworks } from './llm/providers/fireworks.ts';
export { google } from './llm/providers/google.ts';
export { groq } from './llm/providers/groq.ts';
export { mistral } from './llm/providers/mistral.ts';
export { ollama } from './llm/providers/ollama.ts';
export { openai } from './llm/providers/openai.ts';
export { openrouter } from './llm/providers/openrouter.ts';
export { perplexity } from './llm/providers/perplexity.ts';
export { together } from './llm/providers/together.ts';
export { vertex } from './llm/providers/vertex.ts';
export { xai } from './llm/providers/xai.ts';
export { aiSdkValues } from './llm/shapes/ai-sdk.ts';
export { langchainValues } from './llm/shapes/langchain.ts';
export { langgraphValues } from './llm/shapes/langgraph.ts';
export { llamaIndexValues } from './llm/shapes/llama-index.ts';
export { computeCost } from './pricing/cost.ts';
export { anthropicPrices } from './pricing/table/anthropic.ts';
export { azurePrices } from './pricing/table/azure.ts';
export { bedrockPrices } from './pricing/table/bedrock.ts';
export { cerebrasPrices } from './pricing/table/cerebras.ts';
export { cloudflarePrices } from './pricing/table/cloudflare.ts';
export { coherePrices } from './pricing/table/cohere.ts';
export { deepseekPrices } from './pricing/table/deepseek.ts';
export { fireworksPrices } from './pricing/table/fireworks.ts';
export { googlePrices } from './pricing/table/google.ts';
export { groqPrices } from './pricing/table/groq.ts';
export { mistralPrices } from './pricing/table/mistral.ts';
export { ollamaPrices } from './pricing/table/ollama.ts';
export { openaiPrices } from './pricing/table/openai.ts';
export { openrouterPrices } from './pricing/table/openrouter.ts';
export { perplexityPrices } from './pricing/table/perplexity.ts';
export { togetherPrices } from './pricing/table/together.ts';
export { vertexPrices } from './pricing/table/vertex.ts';
export { xaiPrices } from './pricing/table/xai.ts';

export interface CoreOptions extends TelemetryOptions {
  /** The parts beyond the core that are used; an option or method whose part is missing says which to import. */
  features?: readonly Feature[];
}

/**
 * A telemetry with no provider, no price and no feature of its own: a bundle has only those that are named.
 *
 * @example
 * createTelemetry({ runtime, providers: [openai], prices: openaiPrices, features: [budgets, content] });
 */
export function createTelemetry(options: CoreOptions | (() => CoreOptions) = {}): Telemetry {
  const { features = [], ...given } = typeof options === 'function' ? options() : options;
  checkValues({ features }, { features: list(object) });
  return assembleTelemetry(given, { providers: [], prices: [], features: joinFeatures(features) });
}
