/** OpenAI's wire format, spoken by the stand-in: https://platform.openai.com/docs/api-reference */

const model = 'gpt-4o-mini-2024-07-18';
const usage = { prompt_tokens: 1000, completion_tokens: 500, total_tokens: 1500 };
export const toolCall = {
  id: 'call_1',
  type: 'function',
  function: { name: 'get_weather', arguments: '{"city":"Lisbon"}' },
};

export function chatCompletion(content: string | null = 'Hello there.', tool_calls?: unknown[]) {
  const message = { role: 'assistant', content, refusal: null, ...(tool_calls && { tool_calls }) };
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1_763_700_000,
    model,
    choices: [{ index: 0, message, logprobs: null, finish_reason: tool_calls ? 'tool_calls' : 'stop' }],
    usage,
  };
}

function frame(data: unknown): string {
  return `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;
}

function chunk(choices: unknown[], rest: object = {}): string {
  const common = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1_763_700_000, model };
  return frame({ ...common, choices, ...rest });
}

function delta(delta: unknown, finish_reason: string | null = null): unknown[] {
  return [{ index: 0, delta, logprobs: null, finish_reason }];
}

/** A streamed chat completion, one frame an entry; usage comes where `include_usage` was asked for. */
export function chatChunks(words: readonly string[] = ['Hello', ' there', '.'], withUsage = true): string[] {
  return [
    chunk(delta({ role: 'assistant', content: '', refusal: null })),
    ...words.map((content) => chunk(delta({ content }))),
    chunk(delta({}, 'stop')),
    ...(withUsage ? [chunk([], { usage })] : []),
    frame('[DONE]'),
  ];
}

export function toolChunks(): string[] {
  const call = (fields: object) => chunk(delta({ tool_calls: [{ index: 0, ...fields }] }));
  return [
    chunk(delta({ role: 'assistant', content: null })),
    call({ id: 'call_1', type: 'function', function: { name: 'get_weather', arguments: '' } }),
    call({ function: { arguments: '{"city":' } }),
    call({ function: { arguments: '"Lisbon"}' } }),
    chunk(delta({}, 'tool_calls')),
    chunk([], { usage }),
    frame('[DONE]'),
  ];
}

/** An error inside a stream of status 200. */
export function errorChunks(): string[] {
  const error = { message: 'The server had an error.', type: 'server_error', param: null, code: null };
  return [chunk(delta({ role: 'assistant', content: '' })), chunk(delta({ content: 'Hel' })), frame({ error })];
}

export function response(text = 'Hello there.', more: readonly unknown[] = []) {
  const content = [{ type: 'output_text', text, annotations: [], logprobs: [] }];
  return {
    id: 'resp_1',
    object: 'response',
    created_at: 1_763_700_000,
    status: 'completed',
    error: null,
    incomplete_details: null,
    instructions: null,
    model,
    output: [{ id: 'msg_1', type: 'message', status: 'completed', role: 'assistant', content }, ...more],
    parallel_tool_calls: true,
    tools: [],
    usage: {
      input_tokens: 1000,
      input_tokens_details: { cached_tokens: 400 },
      output_tokens: 500,
      output_tokens_details: { reasoning_tokens: 100 },
      total_tokens: 1500,
    },
  };
}

export const functionCall = {
  id: 'fc_1',
  type: 'function_call',
  status: 'completed',
  call_id: 'call_1',
  name: 'get_weather',
  arguments: '{"city":"Lisbon"}',
};

export function responseEvents(): string[] {
  let sequence_number = 0;
  const event = (type: string, fields: object) =>
    `event: ${type}\n${frame({ type, sequence_number: sequence_number++, ...fields })}`;
  const whole = response();
  const started = { ...whole, status: 'in_progress', output: [], usage: null };
  const at = { item_id: 'msg_1', output_index: 0, content_index: 0 };
  const [item] = whole.output as [object];
  const part = { type: 'output_text', text: '', annotations: [] };
  return [
    event('response.created', { response: started }),
    event('response.in_progress', { response: started }),
    event('response.output_item.added', { output_index: 0, item: { ...item, status: 'in_progress', content: [] } }),
    event('response.content_part.added', { ...at, part }),
    event('response.output_text.delta', { ...at, delta: 'Hello ', logprobs: [] }),
    event('response.output_text.delta', { ...at, delta: 'there.', logprobs: [] }),
    event('response.output_text.done', { ...at, text: 'Hello there.', logprobs: [] }),
    event('response.content_part.done', { ...at, part: { ...part, text: 'Hello there.' } }),
    event('response.output_item.done', { output_index: 0, item }),
    event('response.completed', { response: whole }),
  ];
}

export function embeddings() {
  return {
    object: 'list',
    data: [{ object: 'embedding', index: 0, embedding: [0.25, -0.5, 1] }],
    model: 'text-embedding-3-small',
    usage: { prompt_tokens: 1000, total_tokens: 1000 },
  };
}

export function openaiError(type: string, code: string | null, message: string) {
  return { error: { message, type, param: null, code } };
}
