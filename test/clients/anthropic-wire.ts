/** Anthropic's wire format, spoken by the stand-in: https://docs.anthropic.com/en/api/messages */

const model = 'claude-sonnet-4-6';
export const toolUse = { type: 'tool_use', id: 'toolu_1', name: 'get_weather', input: { city: 'Lisbon' } };

export function message(content: readonly unknown[] = [{ type: 'text', text: 'Hello there.', citations: null }]) {
  const stop_reason = content.some((block) => (block as { type: string }).type === 'tool_use')
    ? 'tool_use'
    : 'end_turn';
  return {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model,
    content,
    stop_reason,
    stop_sequence: null,
    usage: { input_tokens: 600, cache_creation_input_tokens: 100, cache_read_input_tokens: 300, output_tokens: 500 },
  };
}

function event(type: string, fields: object = {}): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
}

function start(): string {
  const usage = { input_tokens: 600, cache_creation_input_tokens: 100, cache_read_input_tokens: 300, output_tokens: 1 };
  return event('message_start', { message: { ...message([]), stop_reason: null, usage } });
}

function end(stop_reason: string): string[] {
  return [
    event('message_delta', { delta: { stop_reason, stop_sequence: null }, usage: { output_tokens: 500 } }),
    event('message_stop'),
  ];
}

/** A streamed message, one frame an entry. */
export function messageEvents(words: readonly string[] = ['Hello ', 'there.']): string[] {
  return [
    start(),
    event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
    event('ping'),
    ...words.map((text) => event('content_block_delta', { index: 0, delta: { type: 'text_delta', text } })),
    event('content_block_stop', { index: 0 }),
    ...end('end_turn'),
  ];
}

export function toolEvents(): string[] {
  const delta = (partial_json: string) =>
    event('content_block_delta', { index: 0, delta: { type: 'input_json_delta', partial_json } });
  return [
    start(),
    event('content_block_start', { index: 0, content_block: { ...toolUse, input: {} } }),
    delta('{"city":'),
    delta('"Lisbon"}'),
    event('content_block_stop', { index: 0 }),
    ...end('tool_use'),
  ];
}

/** An error inside a stream of status 200. */
export function errorEvents(): string[] {
  return [
    ...messageEvents().slice(0, 4),
    event('error', { error: { type: 'overloaded_error', message: 'Overloaded' }, request_id: 'req_1' }),
  ];
}

export function anthropicError(type: string, text: string) {
  return { type: 'error', error: { type, message: text }, request_id: 'req_1' };
}
