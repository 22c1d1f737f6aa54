import { budgets } from './features/budgets.ts';
import { content } from './features/content.ts';
import { evaluations } from './features/evaluations.ts';
import { type BuiltIn, joinFeatures } from './features/feature.ts';
import { foreignSpans } from './features/foreign-spans.ts';
import { openTelemetry } from './features/open-telemetry.ts';
import { presets } from './features/presets.ts';
import { redaction } from './features/redaction.ts';
import { sessions } from './features/sessions.ts';
import { sharedMetrics } from './features/shared-metrics.ts';
import { streamUsage } from './features/stream-usage.ts';
import { wrapping } from './features/wrapping.ts';
import { anthropic } from './llm/providers/anthropic.ts';
import { azure } from './llm/providers/azure.ts';
import { bedrock } from './llm/providers/bedrock.ts';
import { cerebras } from './llm/providers/cerebras.ts';
import { cloudflare } from './llm/providers/cloudflare.ts';
import { cohere } from './llm/providers/cohere.ts';
import { deepseek } from './llm/providers/deepseek.ts';
import { fireworks } from './llm/providers/fireworks.ts';
import { google } from './llm/providers/google.ts';
import { groq } from './llm/providers/groq.ts';
import { mistral } from './llm/providers/mistral.ts';
import { ollama } from './llm/providers/ollama.ts';
import { openai } from './llm/providers/openai.ts';
import { openrouter } from './llm/providers/openrouter.ts';
import { perplexity } from './llm/providers/perplexity.ts';
import { together } from './llm/providers/together.ts';
import { vertex } from './llm/providers/vertex.ts';
import { xai } from './llm/providers/xai.ts';
import { aiSdkValues } from './llm/shapes/ai-sdk.ts';
import { langchainValues } from './llm/shapes/langchain.ts';
import { langgraphValues } from './llm/shapes/langgraph.ts';
import { llamaIndexValues } from './llm/shapes/llama-index.ts';
import { defaultPrices } from './pricing/default.ts';

/** Every provider, asked in this order among those of one priority. */
const allProviders = [
  langgraphValues,
  langchainValues,
  aiSdkValues,
  llamaIndexValues,
  cloudflare,
  google,
  vertex,
  bedrock,
  azure,
  mistral,
  cohere,
  groq,
  xai,
  deepseek,
  perplexity,
  together,
  fireworks,
  cerebras,
  openrouter,
  ollama,
  anthropic,
  openai,
];

/** What every bundle but `edgespan/core` brings. */
export const builtIn: BuiltIn = {
  providers: allProviders,
  prices: [defaultPrices],
  features: joinFeatures([
    budgets,
    content,
    evaluations,
    foreignSpans,
    openTelemetry,
    presets,
    redaction,
    sessions,
    sharedMetrics,
    streamUsage,
    wrapping,
  ]),
};
