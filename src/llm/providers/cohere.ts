import { cohereChat } from './cohere-chat.ts';
import { createProvider } from './format.ts';
import { createOpenaiFormat } from './openai-format.ts';

/**
 * Cohere: chat, streamed or not, embeddings and rankings, by its own API and by that in OpenAI's format. Tokens are the
 * billed ones; `edgespan.usage.consumed_input_tokens` and `…_output_tokens` have what was consumed.
 *
 * @example
 * createTelemetry({ providers: [cohere] });
 */
export const cohere = createProvider({
  name: 'cohere',
  hosts: ['api.cohere.com', 'api.cohere.ai'],
  formats: [cohereChat, createOpenaiFormat({ usageOnRequest: true })],
});
