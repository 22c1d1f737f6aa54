import { createWire } from './compatible-wire.ts';

/** OpenRouter's wire format: https://openrouter.ai/docs/api/api-reference */

export const model = 'openai/gpt-5-mini';
export const embeddingModel = 'openai/text-embedding-3-small';
const paid = {
  cost: 0.00125,
  is_byok: false,
  cost_details: {
    upstream_inference_cost: null,
    upstream_inference_prompt_cost: 0.00025,
    upstream_inference_completions_cost: 0.001,
  },
};
const usage = {
  prompt_tokens: 1000,
  completion_tokens: 500,
  total_tokens: 1500,
  prompt_tokens_details: { cached_tokens: 400, cache_write_tokens: 0, audio_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 100 },
  ...paid,
};

export const wire = createWire({ model, head: { provider: 'OpenAI' }, tail: { usage } });

/** With the comments that keep a connection open. */
export function chunks(): string[] {
  return [': OPENROUTER PROCESSING\n\n', ': OPENROUTER PROCESSING\n\n', ...wire.chunks()];
}

/** An error is a chunk like the others, with the usage up to it. */
export function failingChunks(): string[] {
  const error = { code: 502, message: 'Upstream gone.', metadata: { error_type: 'provider_unavailable' } };
  const chunk = {
    id: 'chat-1',
    created: 1_763_700_000,
    model,
    provider: 'OpenAI',
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta: { content: '' }, finish_reason: 'error' }],
    error,
    usage,
  };
  return [...wire.chunks().slice(0, 2), `data: ${JSON.stringify(chunk)}\n\n`, 'data: [DONE]\n\n'];
}

export function response() {
  const content = [{ type: 'output_text', text: 'Hello.', annotations: [] }];
  return {
    id: 'gen-1',
    object: 'response',
    created_at: 1_763_700_000,
    completed_at: 1_763_700_001,
    status: 'completed',
    error: null,
    incomplete_details: null,
    instructions: null,
    metadata: null,
    model,
    output: [{ id: 'msg_1', type: 'message', status: 'completed', role: 'assistant', content }],
    parallel_tool_calls: true,
    frequency_penalty: null,
    presence_penalty: null,
    temperature: null,
    top_p: null,
    tool_choice: 'auto',
    tools: [],
    usage: {
      input_tokens: 1000,
      input_tokens_details: { cached_tokens: 400 },
      output_tokens: 500,
      output_tokens_details: { reasoning_tokens: 100 },
      total_tokens: 1500,
      cost: 0.00125,
      is_byok: false,
    },
  };
}

export function embeddings() {
  return {
    object: 'list',
    model: embeddingModel,
    data: [{ object: 'embedding', index: 0, embedding: [0.5, 1] }],
    usage: { prompt_tokens: 1000, total_tokens: 1000, cost: 0.00002 },
  };
}

export const notFound = { error: { code: 404, message: 'No endpoints found.' } };
