import { createWire } from './compatible-wire.ts';

/** Together's wire format: https://docs.together.ai/reference/chat-completions */

export const model = 'Qwen/Qwen2.5-72B-Instruct-Turbo';
export const embeddingModel = 'BAAI/bge-base-en-v1.5';
const usage = { prompt_tokens: 1000, completion_tokens: 500, total_tokens: 1500 };

export const wire = createWire({ model, head: { prompt: [], usage: null }, tail: { usage }, finish: 'eos' });

export function legacyCompletion() {
  const choices = [{ text: 'Hello.', finish_reason: 'stop', seed: 7 }];
  return { id: 'cmpl-1', object: 'text.completion', created: 1_763_700_000, model, prompt: [], choices, usage };
}

export function completionChunks(): string[] {
  const frame = (text: string, finish_reason: string | null, more: object = { usage: null }) => {
    const choices = [{ index: 0, text, delta: { role: 'assistant', content: text }, finish_reason, seed: null }];
    return `data: ${JSON.stringify({ id: 'cmpl-1', object: 'completion.chunk', model, choices, ...more })}\n\n`;
  };
  return [frame('Hello', null), frame('.', 'stop', { usage }), 'data: [DONE]\n\n'];
}

export function embeddings() {
  return { object: 'list', model: embeddingModel, data: [{ object: 'embedding', index: 0, embedding: [0.5, 1] }] };
}

export const notFound = {
  id: 'req-1',
  error: { message: 'No such model.', type: 'invalid_request_error', param: null, code: 'model_not_available' },
};
