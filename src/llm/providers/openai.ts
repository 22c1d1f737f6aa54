import { createProvider, extend, matchHosts } from './format.ts';
import { createOpenaiFormat } from './openai-format.ts';

/**
 * OpenAI: chat completions, Responses, embeddings and legacy completions, streamed or not, on `api.openai.com`, its
 * regions, and wherever else a path is OpenAI's. Asked after all others, since many vendors have such paths.
 *
 * @example
 * createTelemetry({ providers: [openai], prices: openaiPrices });
 */
export const openai = extend(
  createProvider({ name: 'openai', formats: [createOpenaiFormat({ usageOnRequest: true })] }),
  { owns: matchHosts(['api.openai.com', '*.api.openai.com']) },
);
