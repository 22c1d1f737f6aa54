import type { BuiltIn } from './engine.ts';
import { anthropic } from './llm/providers/anthropic.ts';
import { openai } from './llm/providers/openai.ts';
import { anthropicPrices } from './pricing/table/anthropic.ts';
import { openaiPrices } from './pricing/table/openai.ts';

/** Every provider, asked in this order. */
const allProviders = [openai, anthropic];
const allPrices = [openaiPrices, anthropicPrices];

/** What every bundle but `edgespan/core` brings. */
export const builtIn: BuiltIn = { providers: allProviders, prices: allPrices };
