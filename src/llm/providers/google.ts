import { createProvider } from './format.ts';
import { createGeminiContent } from './gemini-content.ts';
import { geminiInteractions } from './gemini-interactions.ts';
import { googleOpenai } from './google-dialect.ts';

/**
 * The Gemini API: content, embeddings, token counts, interactions and OpenAI's API, streamed or not, on
 * `generativelanguage.googleapis.com`; content, embeddings and token counts also wherever else a path ends as
 * `/models/{model}:generateContent` does.
 *
 * @example
 * createTelemetry({ providers: [google], prices: googlePrices });
 */
export const google = createProvider({
  name: 'google',
  semconvName: 'gcp.gemini',
  hosts: ['generativelanguage.googleapis.com'],
  formats: [createGeminiContent(false), geminiInteractions, googleOpenai],
});
