/** xAI's wire formats: OpenAI's, with the cost in ticks of 1e-10 dollars. https://docs.x.ai/docs/api-reference */

const head = { id: '7327b9f5', created: 1_763_700_000, model: 'grok-4', system_fingerprint: 'fp_1' };
/** Completion tokens without the reasoning. */
const usage = {
  prompt_tokens: 1000,
  completion_tokens: 400,
  total_tokens: 1500,
  prompt_tokens_details: { text_tokens: 1000, audio_tokens: 0, image_tokens: 0, cached_tokens: 300 },
  completion_tokens_details: { reasoning_tokens: 100, audio_tokens: 0 },
  num_sources_used: 0,
  cost_in_usd_ticks: 25_000_000,
};
const toolCall = { id: 'call_1', type: 'function', function: { name: 'get_weather', arguments: '{"city":"Lisbon"}' } };

export function completion(withTool = false) {
  const message = {
    role: 'assistant',
    content: withTool ? '' : 'Hello.',
    reasoning_content: 'A greeting.',
    refusal: null,
    ...(withTool && { tool_calls: [toolCall] }),
  };
  const choices = [{ index: 0, message, finish_reason: withTool ? 'tool_calls' : 'stop' }];
  return { ...head, object: 'chat.completion', choices, usage };
}

function frame(choices: unknown[], more: object = {}): string {
  return `data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', choices, ...more })}\n\n`;
}

/** Usage comes unasked, in a chunk of its own. */
export function chunks(): string[] {
  return [
    frame([{ index: 0, delta: { reasoning_content: 'A', role: 'assistant' } }]),
    frame([{ index: 0, delta: { content: 'Hello' } }]),
    frame([{ index: 0, delta: { content: '.' } }]),
    frame([{ index: 0, delta: {}, finish_reason: 'stop' }]),
    frame([], { usage }),
    'data: [DONE]\n\n',
  ];
}

/** Its output has the reasoning. */
export function response() {
  const content = [{ type: 'output_text', text: 'Hello.', annotations: [], logprobs: [] }];
  const call = {
    type: 'function_call',
    id: 'fc_1',
    call_id: 'call_1',
    name: 'get_weather',
    arguments: '{}',
    status: 'completed',
  };
  return {
    id: 'r1',
    object: 'response',
    created_at: 1_763_700_000,
    model: 'grok-4',
    status: 'completed',
    output: [{ id: 'msg_1', type: 'message', status: 'completed', role: 'assistant', content }, call],
    usage: {
      input_tokens: 1000,
      input_tokens_details: { cached_tokens: 300 },
      output_tokens: 500,
      output_tokens_details: { reasoning_tokens: 100 },
      total_tokens: 1500,
      num_sources_used: 0,
      num_server_side_tools_used: 0,
      cost_in_usd_ticks: 25_000_000,
    },
  };
}

export function responseEvents(): string[] {
  const whole = response();
  const [item, call] = whole.output;
  const started = { ...whole, status: 'in_progress', output: [], usage: null };
  let sequence_number = 0;
  const event = (type: string, fields: object) =>
    `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: sequence_number++, ...fields })}\n\n`;
  const at = { item_id: 'msg_1', output_index: 0, content_index: 0 };
  return [
    event('response.created', { response: started }),
    event('response.output_item.added', { output_index: 0, item: { ...item, content: [] } }),
    event('response.output_text.delta', { ...at, delta: 'Hello.' }),
    event('response.output_item.done', { output_index: 0, item }),
    event('response.output_item.added', { output_index: 1, item: call }),
    event('response.output_item.done', { output_index: 1, item: call }),
    event('response.completed', { response: whole }),
  ];
}

export const denied = { code: 'permission-denied', error: 'The team has used all of its credits.' };
