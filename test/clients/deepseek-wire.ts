/** DeepSeek's wire format: OpenAI's, with the reasoning beside the text. https://api-docs.deepseek.com */

const head = { id: '33be18fc', created: 1_763_700_000, model: 'deepseek-reasoner', system_fingerprint: 'fp_1' };
const usage = {
  prompt_tokens: 1000,
  completion_tokens: 500,
  total_tokens: 1500,
  prompt_tokens_details: { cached_tokens: 400 },
  completion_tokens_details: { reasoning_tokens: 100 },
  prompt_cache_hit_tokens: 400,
  prompt_cache_miss_tokens: 600,
};
const toolCall = {
  index: 0,
  id: 'call_1',
  type: 'function',
  function: { name: 'get_weather', arguments: '{"city":"Lisbon"}' },
};

export function completion(withTool = false) {
  const message = {
    role: 'assistant',
    content: withTool ? '' : 'Hello.',
    reasoning_content: 'A greeting.',
    ...(withTool && { tool_calls: [toolCall] }),
  };
  const choices = [{ index: 0, message, logprobs: null, finish_reason: withTool ? 'tool_calls' : 'stop' }];
  return { ...head, object: 'chat.completion', choices, usage };
}

function frame(delta: object, finish_reason: string | null = null, usage: unknown = null): string {
  const choices = [{ index: 0, delta, logprobs: null, finish_reason }];
  return `data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', choices, usage })}\n\n`;
}

const start = frame({ role: 'assistant', content: null, reasoning_content: '' });

/** Usage comes in the last chunk of the content, where it was asked for. While it thinks, it keeps the line alive. */
export function chunks(): string[] {
  return [
    ': keep-alive\n\n',
    start,
    frame({ content: null, reasoning_content: 'A greeting.' }),
    frame({ content: 'Hello', reasoning_content: null }),
    frame({ content: '.', reasoning_content: null }),
    frame({ content: '', reasoning_content: null }, 'stop', usage),
    'data: [DONE]\n\n',
  ];
}

export function toolChunks(): string[] {
  return [start, frame({ tool_calls: [toolCall] }), frame({ content: '' }, 'tool_calls', usage), 'data: [DONE]\n\n'];
}

/** Of Anthropic's API. */
export const message = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'deepseek-reasoner',
  content: [{ type: 'text', text: 'Hello.' }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 600, cache_read_input_tokens: 400, output_tokens: 500 },
};

export const broke = {
  error: { message: 'Insufficient Balance', type: 'unknown_error', param: null, code: 'invalid_request_error' },
};
