import type { Price, PriceTable } from '../src/pricing/price.ts';

/**
 * Prices that vendors have published and the source lacks, or has otherwise: each with the vendor's page. They win over
 * the source, and `test/pricing/table.test.ts` lists which of them differ from it.
 */

const free: Price = { input: 0, output: 0 };

// https://platform.claude.com/docs/en/about-claude/pricing, 2026-10-24.
const sonnet55: Price = { input: 2, output: 10, cacheRead: 0.1, cacheWrite: 2.5, cacheWrite1h: 4 };
const haiku55: Price = {
  input: 0.1,
  output: 0.5,
  cacheRead: 0.01,
  cacheWrite: 0.125,
  cacheWrite1h: 0.2,
  tiers: [{ above: 100_000, input: 0.5, output: 2.5, cacheRead: 0.05, cacheWrite: 0.625, cacheWrite1h: 1 }],
};
const mythos: Price = { input: 10, output: 50, cacheRead: 1, cacheWrite: 12.5, cacheWrite1h: 20 };
const search = { perWebSearch: 0.01 };

// https://ai.google.dev/pricing, 2024: Gemini 1.0 Pro and 1.5 Flash-8B, both shut down since. Vertex AI billed the former by
// the character, four of which make about a token.
const gemini10: Price = { input: 0.5, output: 1.5 };
const gemini15Flash8b: Price = {
  input: 0.0375,
  output: 0.15,
  cacheRead: 0.01,
  tiers: [{ above: 128_000, input: 0.075, output: 0.3, cacheRead: 0.02 }],
};
const gemini25Pro: Price = {
  input: 1.25,
  output: 10,
  cacheRead: 0.125,
  tiers: [{ above: 200_000, input: 2.5, output: 15, cacheRead: 0.25 }],
};
const gemini: PriceTable = {
  'gemini-1.0-pro': gemini10,
  'gemini-pro': gemini10,
  'gemini-1.5-flash-8b': gemini15Flash8b,
  'gemini-2.5-pro-preview': gemini25Pro,
};

/** A search unit is a query with up to 100 documents; `requests` counts them. */
const rerank = (perRequest: number): Price => ({ input: 0, perRequest });

function versions(model: string, price: Price): PriceTable {
  return Object.fromEntries(['2506', '2507', '2509'].map((version) => [`${model}-${version}`, price]));
}

export const published: Readonly<Record<string, PriceTable>> = {
  // https://platform.openai.com/docs/pricing, where fine-tuned and retired models have tables of their own. Read again in
  // November 2026: audio, GPT-4o as fine-tuned but for its cached input; the others as they were published.
  openai: {
    'babbage-002': { input: 0.4, output: 0.4 },
    'computer-use-preview': { input: 3, output: 12 },
    'davinci-002': { input: 2, output: 2 },
    'ft:babbage-002': { input: 1.6, output: 1.6 },
    'ft:davinci-002': { input: 12, output: 12 },
    'ft:gpt-3.5-turbo-0125': { input: 3, output: 6 },
    'ft:gpt-3.5-turbo-1106': { input: 3, output: 6 },
    'ft:gpt-4-0613': { input: 30, output: 60 },
    'ft:gpt-4.1': { input: 3, output: 12, cacheRead: 0.75 },
    'ft:gpt-4.1-mini': { input: 0.8, output: 3.2, cacheRead: 0.2 },
    'ft:gpt-4.1-nano': { input: 0.2, output: 0.8, cacheRead: 0.05 },
    'ft:gpt-4o': { input: 3.75, output: 15, cacheRead: 1.875 },
    'ft:gpt-4o-mini': { input: 0.3, output: 1.2, cacheRead: 0.15 },
    'gpt-4o-audio-preview': { input: 2.5, output: 10, audioInput: 40, audioOutput: 80 },
    'gpt-4o-mini-audio-preview': { input: 0.15, output: 0.6, audioInput: 10, audioOutput: 20 },
  },
  anthropic: {
    'claude-2.0': { input: 8, output: 24 },
    'claude-2.1': { input: 8, output: 24 },
    'claude-haiku-5-5': { ...haiku55, ...search },
    'claude-sonnet-5-5': { ...sonnet55, ...search },
    'claude-mythos-5': { ...mythos, ...search },
    'claude-mythos-5-1': { ...mythos, cacheRead: 0.25, ...search },
  },
  google: {
    ...gemini,
    // https://ai.google.dev/gemini-api/docs/pricing: Gemma is free of charge there and has no paid tier.
    'gemma-3-1b-it': free,
    'gemma-3-4b-it': free,
    'gemma-3-12b-it': free,
    'gemma-3-27b-it': free,
    'gemma-3n-e2b-it': free,
    'gemma-3n-e4b-it': free,
    'gemma-4-26b-a4b-it': free,
    'gemma-4-31b-it': free,
  },
  vertex: { ...gemini, 'claude-haiku-5-5': haiku55, 'claude-sonnet-5-5': sonnet55 },
  azure: { 'claude-haiku-5-5': haiku55, 'claude-sonnet-5-5': sonnet55 },
  bedrock: {
    // A tenth more than globally where the region matters, as Anthropic's page says.
    'anthropic.claude-haiku-5-5': {
      input: 0.11,
      output: 0.55,
      cacheRead: 0.011,
      cacheWrite: 0.1375,
      cacheWrite1h: 0.22,
      tiers: [{ above: 100_000, input: 0.55, output: 2.75, cacheRead: 0.055, cacheWrite: 0.6875, cacheWrite1h: 1.1 }],
    },
    'anthropic.claude-sonnet-5-5': { input: 2.2, output: 11, cacheRead: 0.11, cacheWrite: 2.75, cacheWrite1h: 4.4 },
    'global.anthropic.claude-haiku-5-5': haiku55,
    'global.anthropic.claude-sonnet-5-5': sonnet55,
    // https://aws.amazon.com/bedrock/pricing/: the second version costs a fifth of the first.
    'amazon.titan-embed-text-v2:0': { input: 0.02 },
  },
  // https://docs.mistral.ai/getting-started/models, https://mistral.ai/pricing: versions of a prefix in the source.
  mistral: {
    ...versions('magistral-medium', { input: 2, output: 5 }),
    ...versions('magistral-small', { input: 0.5, output: 1.5 }),
  },
  // https://cohere.com/pricing, in 2025 for embeddings and searches, which it has no longer by the call.
  cohere: {
    'command-r-03-2024': { input: 0.5, output: 1.5 },
    'command-r-plus-04-2024': { input: 3, output: 15 },
    'embed-english-v3.0': { input: 0.1 },
    'embed-multilingual-v3.0': { input: 0.1 },
    'rerank-english-v3.0': rerank(0.002),
    'rerank-multilingual-v3.0': rerank(0.002),
    'rerank-v3.5': rerank(0.002),
    'rerank-v4.0-fast': rerank(0.002),
    'rerank-v4.0-pro': rerank(0.0025),
  },
  // https://api-docs.deepseek.com/quick_start/pricing, 2026-10: old names of Flash are served and billed as the new one.
  deepseek: {
    'deepseek-flash': { input: 0.15, output: 0.6, cacheRead: 0.003 },
    'deepseek-v4-flash': { input: 0.15, output: 0.6, cacheRead: 0.003 },
    'deepseek-v4-flash-vision-exp': { input: 0.15, output: 0.6, cacheRead: 0.003 },
  },
  // https://docs.together.ai/docs/serverless/models, 2026-09.
  together: { 'openai/gpt-oss-120b': { input: 0.15, output: 0.6 } },
  // Free models of OpenRouter end in `:free`: https://openrouter.ai/docs/api-reference/limits
  openrouter: { '*:free': free },
  // Runs on one's own machine. Models in Ollama's cloud are paid by subscription and have no price by the token.
  ollama: { '*': free },
};
