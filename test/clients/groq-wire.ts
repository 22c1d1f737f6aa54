/** Groq's wire format: OpenAI's, with times and usage of its own. https://console.groq.com/docs/api-reference */

const usage = {
  queue_time: 0.25,
  prompt_tokens: 1000,
  prompt_time: 0.125,
  completion_tokens: 500,
  completion_time: 0.5,
  total_tokens: 1500,
  total_time: 0.625,
  completion_tokens_details: { reasoning_tokens: 100 },
};
const head = { id: 'chatcmpl-1', created: 1_763_700_000, model: 'openai/gpt-oss-120b', system_fingerprint: 'fp_1' };
const toolCall = { id: 'fc_1', type: 'function', function: { name: 'get_weather', arguments: '{"city":"Lisbon"}' } };

export function completion(withTool = false) {
  const message = {
    role: 'assistant',
    reasoning: 'A greeting.',
    ...(withTool ? { tool_calls: [toolCall] } : { content: 'Hello.' }),
  };
  const finish_reason = withTool ? 'tool_calls' : 'stop';
  return {
    ...head,
    object: 'chat.completion',
    choices: [{ index: 0, message, logprobs: null, finish_reason }],
    usage,
    usage_breakdown: null,
    x_groq: { id: 'req_1', seed: 7 },
    service_tier: 'on_demand',
  };
}

function frame(delta: object, finish_reason: string | null = null, more: object = {}): string {
  const choices = [{ index: 0, delta, logprobs: null, finish_reason }];
  return `data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', choices, ...more })}\n\n`;
}

const start = frame({ role: 'assistant', content: '' }, null, { x_groq: { id: 'req_1', seed: 7 } });

/** Usage comes unasked, in one place or in two. */
export function chunks(twice: boolean): string[] {
  return [
    start,
    frame({ reasoning: 'A ', channel: 'analysis' }),
    frame({ content: 'Hello' }),
    frame({ content: '.' }),
    frame({}, 'stop', { x_groq: { id: 'req_1', usage }, ...(twice && { usage }) }),
    'data: [DONE]\n\n',
  ];
}

export function toolChunks(): string[] {
  return [
    start,
    frame({ tool_calls: [{ ...toolCall, index: 0 }] }),
    frame({}, 'tool_calls', { x_groq: { id: 'req_1', usage } }),
    'data: [DONE]\n\n',
  ];
}

/** An error after the status of success. */
export function failingChunks(): string[] {
  const error = {
    message: 'Tool call validation failed.',
    type: 'invalid_request_error',
    code: 'tool_use_failed',
    failed_generation: '{}',
    status_code: 400,
  };
  return [start, frame({ reasoning: 'A' }), `event: error\ndata: ${JSON.stringify({ error })}\n\n`];
}

export function embeddings() {
  return {
    object: 'list',
    data: [{ object: 'embedding', index: 0, embedding: [0.5, 1] }],
    model: 'nomic-embed-text-v1_5',
    usage: { prompt_tokens: 1000, total_tokens: 1000 },
  };
}

export const limited = {
  error: { message: 'Rate limit reached.', type: 'tokens', code: 'rate_limit_exceeded' },
};
