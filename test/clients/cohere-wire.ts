/** Cohere's wire format, spoken by the stand-in: https://docs.cohere.com/reference/chat */

export const model = 'command-a-03-2025';

const usage = {
  billed_units: { input_tokens: 1000, output_tokens: 500 },
  tokens: { input_tokens: 1062, output_tokens: 502 },
  cached_tokens: 0,
};
export const toolCall = {
  id: 'get_weather_1',
  type: 'function',
  function: { name: 'get_weather', arguments: '{"city":"Lisbon"}' },
};

export function chat(tool_calls?: readonly unknown[]) {
  const message = tool_calls
    ? { role: 'assistant', tool_plan: 'I will look it up.', tool_calls }
    : { role: 'assistant', content: [{ type: 'text', text: 'Hello there.' }] };
  return { id: 'c-1', finish_reason: tool_calls ? 'TOOL_CALL' : 'COMPLETE', message, usage };
}

function event(type: string, fields: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
}

const start = event('message-start', {
  id: 'c-1',
  delta: { message: { role: 'assistant', content: [], tool_plan: '', tool_calls: [], citations: [] } },
});
const end = (finish_reason: string) => [event('message-end', { delta: { finish_reason, usage } }), 'data: [DONE]\n\n'];

/** https://docs.cohere.com/docs/streaming */
export function chatEvents(words: readonly string[] = ['Hello', ' there', '.']): string[] {
  return [
    start,
    event('content-start', { index: 0, delta: { message: { content: { type: 'text', text: '' } } } }),
    ...words.map((text) => event('content-delta', { index: 0, delta: { message: { content: { text } } } })),
    event('content-end', { index: 0 }),
    ...end('COMPLETE'),
  ];
}

/** https://docs.cohere.com/docs/tool-use-streaming */
export function toolEvents(): string[] {
  const fragment = (text: string) =>
    event('tool-call-delta', { index: 0, delta: { message: { tool_calls: { function: { arguments: text } } } } });
  const { id, type } = toolCall;
  const started = { id, type, function: { name: 'get_weather', arguments: '' } };
  return [
    start,
    event('tool-plan-delta', { delta: { message: { tool_plan: 'I will look it up.' } } }),
    event('tool-call-start', { index: 0, delta: { message: { tool_calls: started } } }),
    fragment('{"city":'),
    fragment('"Lisbon"}'),
    event('tool-call-end', { index: 0 }),
    ...end('TOOL_CALL'),
  ];
}

/** https://docs.cohere.com/reference/embed */
export const embeddings = {
  id: 'e-1',
  texts: ['Hi'],
  embeddings: { float: [[0.1, 0.2, 0.3, 0.4]] },
  meta: { api_version: { version: '2' }, billed_units: { input_tokens: 1000 } },
  response_type: 'embeddings_by_type',
};

/** https://docs.cohere.com/reference/rerank */
export const ranking = {
  id: 'r-1',
  results: [{ index: 1, relevance_score: 0.9 }],
  meta: { api_version: { version: '2' }, billed_units: { search_units: 2 } },
};

/** https://docs.cohere.com/reference/errors */
export const limited = { id: 'x-1', message: 'You are using a Trial key, which is limited.' };
