import { createWire } from './compatible-wire.ts';

/** Perplexity's wire format: https://docs.perplexity.ai/api-reference/chat-completions-post */

export const model = 'sonar-pro';
export const agentModel = 'openai/gpt-5';
export const embeddingModel = 'pplx-embed-v1-0.6b';
const cost = { input_tokens_cost: 0.003, output_tokens_cost: 0.0075, request_cost: 0.006, total_cost: 0.0165 };
const usage = { prompt_tokens: 1000, completion_tokens: 500, total_tokens: 1500, search_context_size: 'low' };
const soFar = { ...usage, completion_tokens: 1, total_tokens: 1001 };

export const wire = createWire({
  model,
  head: { usage: soFar, citations: ['https://example.com'], search_results: [] },
  tail: { usage: { ...usage, num_search_queries: 2, cost }, object: 'chat.completion' },
});

/** Usage in every chunk, a last object of its own, and no terminator. */
export function chunks(): string[] {
  return wire
    .chunks()
    .slice(0, -1)
    .map((frame, i, { length }) =>
      i === length - 1 ? frame.replace('"chat.completion"', '"chat.completion.done"') : frame,
    );
}

const agentUsage = {
  input_tokens: 1000,
  output_tokens: 500,
  total_tokens: 1500,
  input_tokens_details: { cache_read_input_tokens: 400 },
  tool_calls_details: { search_web: { invocation: 2 } },
  cost: { currency: 'USD', input_cost: 0.01, output_cost: 0.02, tool_calls_cost: 0.01, total_cost: 0.04 },
};

/** https://docs.perplexity.ai/api-reference/ */
export function response() {
  const content = [{ type: 'output_text', text: 'Hello.', annotations: [] }];
  return {
    id: 'resp_1',
    object: 'response',
    created_at: 1_763_700_000,
    status: 'completed',
    model: agentModel,
    output: [{ id: 'msg_1', type: 'message', status: 'completed', role: 'assistant', content }],
    usage: agentUsage,
  };
}

export function responseEvents(): string[] {
  const started = { ...response(), status: 'in_progress', output: [], usage: undefined };
  return [
    { type: 'response.created', response: started },
    { type: 'response.reasoning.started', thought: 'Searching.' },
    { type: 'response.output_text.delta', item_id: 'msg_1', output_index: 0, content_index: 0, delta: 'Hello.' },
    { type: 'response.completed', response: response() },
  ].map((event, sequence_number) => `event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number })}\n\n`);
}

export function embeddings() {
  return {
    object: 'list',
    model: embeddingModel,
    data: [{ object: 'embedding', index: 0, embedding: 'AQI=' }],
    usage: { prompt_tokens: 1000, total_tokens: 1000, cost: { input_cost: 0.004, total_cost: 0.004, currency: 'USD' } },
  };
}

/** What is answered later, and asked for by other requests. */
export function submitted() {
  return { id: 'async-1', model, status: 'CREATED', created_at: 1_763_700_000 };
}

export const notFound = { error: { message: 'Invalid model.', type: 'invalid_model', code: 404 } };
