/** Mistral's wire format. https://docs.mistral.ai/api */

const model = 'mistral-small-latest';
const usage = { prompt_tokens: 1000, total_tokens: 1500, completion_tokens: 500, num_cached_tokens: 400 };
const toolCall = { id: 'D681PevKs', function: { name: 'get_weather', arguments: '{"city":"Lisbon"}' }, index: 0 };
const thought = [{ type: 'thinking', thinking: [{ type: 'text', text: 'A greeting.' }] }];

export function completion(withTool = false) {
  const text = [...thought, { type: 'text', text: 'Hello.' }];
  const message = { role: 'assistant', content: withTool ? '' : text, tool_calls: withTool ? [toolCall] : null };
  return {
    id: 'a1',
    object: 'chat.completion',
    created: 1_763_700_000,
    model,
    choices: [{ index: 0, message, finish_reason: withTool ? 'tool_calls' : 'stop' }],
    usage,
  };
}

function frame(delta: object, finish_reason: string | null = null, more: object = {}): string {
  const choices = [{ index: 0, delta, finish_reason }];
  const chunk = { id: 'a1', object: 'chat.completion.chunk', created: 1_763_700_000, model, choices, ...more };
  return `data: ${JSON.stringify({ ...chunk, p: 'abcdef' })}\n\n`;
}

/** Usage comes unasked, in the last chunk of the content. */
export function chunks(): string[] {
  return [
    frame({ role: 'assistant', content: '' }),
    frame({ content: thought }),
    frame({ content: 'Hello' }),
    frame({ content: '.' }, 'stop', { usage }),
    'data: [DONE]\n\n',
  ];
}

export function toolChunks(): string[] {
  return [
    frame({ role: 'assistant', content: '' }),
    frame({ content: '', tool_calls: [toolCall] }, 'tool_calls', { usage }),
    'data: [DONE]\n\n',
  ];
}

export function embeddings() {
  return {
    id: 'e1',
    object: 'list',
    data: [{ object: 'embedding', index: 0, embedding: [0.5, 1] }],
    model: 'mistral-embed',
    usage: { prompt_tokens: 1000, total_tokens: 1000, completion_tokens: 0 },
  };
}

const at = '2026-11-21T10:00:00Z';
const conversationUsage = { prompt_tokens: 200, completion_tokens: 500, total_tokens: 1500, connector_tokens: 800 };

export function conversation() {
  const entry = { object: 'entry', created_at: at, completed_at: at, agent_id: null, model };
  return {
    object: 'conversation.response',
    conversation_id: 'conv_1',
    outputs: [{ ...entry, type: 'message.output', id: 'msg_1', role: 'assistant', content: 'Hello.' }],
    usage: { ...conversationUsage, connectors: { web_search: 1 } },
  };
}

function event(type: string, fields: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, created_at: at, ...fields })}\n\n`;
}

/** Ends without `[DONE]`. */
export function conversationEvents(): string[] {
  const output = { output_index: 0, id: 'msg_1', content_index: 0, model, agent_id: null, role: 'assistant' };
  return [
    event('conversation.response.started', { conversation_id: 'conv_1' }),
    event('message.output.delta', { ...output, content: '' }),
    event('message.output.delta', { ...output, content: 'Hello.' }),
    event('conversation.response.done', { usage: { ...conversationUsage, connectors: { web_search: 1 } } }),
  ];
}

export const invalid = { detail: [{ type: 'missing', loc: ['body', 'messages'], msg: 'Field required' }] };
export const unauthorized = { message: 'Unauthorized', request_id: 'r1' };
export const limited = {
  object: 'error',
  message: 'Rate limit exceeded',
  type: 'rate_limited',
  param: null,
  code: '1300',
};
