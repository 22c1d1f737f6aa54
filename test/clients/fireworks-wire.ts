import { createWire } from './compatible-wire.ts';

/** Fireworks' wire format: https://docs.fireworks.ai/api-reference/post-chatcompletions */

export const model = 'accounts/fireworks/models/deepseek-v3p1';
export const embeddingModel = 'nomic-ai/nomic-embed-text-v1.5';
const usage = {
  prompt_tokens: 1000,
  completion_tokens: 500,
  total_tokens: 1500,
  prompt_tokens_details: { cached_tokens: 400 },
};

export const wire = createWire({ model, head: { usage: null }, tail: { usage } });

/** https://docs.fireworks.ai/guides/prompt-caching */
export const headers = { 'fireworks-prompt-tokens': '1000', 'fireworks-cached-prompt-tokens': '400' };

/** As vendors' older replies, whose cached tokens stand in the headers alone. */
export function withoutDetails() {
  return { ...wire.completion(), usage: { ...usage, prompt_tokens_details: undefined } };
}

/** https://docs.fireworks.ai/api-reference/creates-an-embedding-vector-representing-the-input-text */
export function embeddings() {
  return {
    object: 'list',
    model: embeddingModel,
    data: [{ object: 'embedding', index: 0, embedding: [0.5, 1] }],
    usage: { prompt_tokens: 1000, total_tokens: 1000 },
  };
}

/** https://docs.fireworks.ai/guides/inference-error-codes */
export const notFound = {
  error: { object: 'error', type: 'invalid_request_error', code: 'NOT_FOUND', message: 'Model not found.' },
};
