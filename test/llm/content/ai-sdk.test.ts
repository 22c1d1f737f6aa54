import { describe, expect, it } from 'vitest';
import { aiSdkContent } from '../../../src/llm/content/ai-sdk.ts';

const call = { type: 'tool-call', toolCallId: 'c1', toolName: 'get_weather' };
const called = { type: 'tool_call', id: 'c1', name: 'get_weather', arguments: { city: 'Lisbon' } };

function fold(...items: unknown[]) {
  const reader = aiSdkContent.stream(100);
  for (const json of items) reader.event({ json });
  return reader.result();
}

describe('what goes into the AI SDK', () => {
  it('is a conversation with tools, pictures and files', () => {
    const url = new URL('https://example.com/a.png');
    const content = aiSdkContent.request({
      system: 'Be brief.',
      tools: { get_weather: { description: 'long' } },
      messages: [
        { role: 'user', content: 'Hi' },
        {
          role: 'user',
          content: [
            { type: 'image', image: url },
            { type: 'file', data: { type: 'url', url }, mediaType: 'application/pdf' },
          ],
        },
        {
          role: 'assistant',
          content: [
            { type: 'reasoning', text: 'Hm' },
            { ...call, input: { city: 'Lisbon' } },
          ],
        },
        {
          role: 'tool',
          content: [
            { type: 'tool-result', toolCallId: 'c1', toolName: 'x', output: { type: 'json', value: { t: 21 } } },
          ],
        },
      ],
    });
    expect(content).toEqual({
      system: [{ type: 'text', content: 'Be brief.' }],
      tools: [{ type: 'function', name: 'get_weather' }],
      messages: [
        { role: 'user', parts: [{ type: 'text', content: 'Hi' }] },
        {
          role: 'user',
          parts: [
            { type: 'uri', modality: 'image', uri: url.href },
            { type: 'uri', modality: 'document', mime_type: 'application/pdf', uri: url.href },
          ],
        },
        { role: 'assistant', parts: [{ type: 'reasoning', content: 'Hm' }, called] },
        { role: 'tool', parts: [{ type: 'tool_call_response', id: 'c1', response: { t: 21 } }] },
      ],
    });
  });

  it('has older names for the same', () => {
    const { messages } = aiSdkContent.request({
      prompt: [
        { role: 'assistant', content: [{ ...call, args: { city: 'Lisbon' } }] },
        { role: 'tool', content: [{ type: 'tool-result', toolCallId: 'c1', toolName: 'x', result: 'rain' }] },
      ],
    });
    expect(messages?.map(({ parts }) => parts)).toEqual([
      [called],
      [{ type: 'tool_call_response', id: 'c1', response: 'rain' }],
    ]);
  });

  it.each([
    { messages: [{ role: 'user', content: 'Hi' }] },
    { messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'base64', data: 'x' } }] }] },
    { messages: [{ role: 'user', content: [{ type: 'file', file: { file_id: 'f' } }] }] },
    { prompt: 'Hi' },
    undefined,
    7,
  ])('is told from what others take: %j', (body) => {
    expect(aiSdkContent.request(body)).toEqual({});
  });
});

describe('what comes out of the AI SDK', () => {
  it('is a message a step', () => {
    const steps = [
      { finishReason: 'tool-calls', content: [{ ...call, input: { city: 'Lisbon' } }] },
      { finishReason: { unified: 'stop', raw: 'end_turn' }, content: [{ type: 'text', text: 'Rain.' }] },
    ];
    expect(aiSdkContent.response({ steps })).toEqual([
      { role: 'assistant', parts: [called], finish_reason: 'tool-calls' },
      { role: 'assistant', parts: [{ type: 'text', content: 'Rain.' }], finish_reason: 'stop' },
    ]);
  });

  it('may be a text with calls beside it, or an object', () => {
    const { type: _type, ...bare } = call;
    const older = { text: 'Hm', toolCalls: [{ ...bare, args: { city: 'Lisbon' } }], finishReason: 'tool-calls' };
    expect(aiSdkContent.response(older)[0]?.parts).toEqual([{ type: 'text', content: 'Hm' }, called]);
    expect(aiSdkContent.response({ object: { a: 1 }, finishReason: 'stop' })[0]?.parts).toEqual([
      { type: 'text', content: '{"a":1}' },
    ]);
  });

  it('is the same where it is streamed', () => {
    const parts = [
      { type: 'reasoning-delta', id: 'r', text: 'H' },
      { type: 'reasoning-delta', id: 'r', text: 'm' },
      { type: 'text-delta', id: 't', text: 'Ra' },
      { type: 'text-delta', id: 't', delta: 'in.' },
      { ...call, input: { city: 'Lisbon' } },
      { type: 'finish-step', finishReason: 'stop' },
      { type: 'finish', finishReason: 'stop' },
    ];
    const expected = [
      {
        role: 'assistant',
        parts: [{ type: 'reasoning', content: 'Hm' }, { type: 'text', content: 'Rain.' }, called],
        finish_reason: 'stop',
      },
    ];
    expect(fold(...parts)).toEqual(expected);
    expect(fold(...parts.map((part) => ({ part })))).toEqual(expected);
  });

  it('says of a stream that was cut that it was', () => {
    expect(fold({ type: 'text-delta', id: 't', text: 'x'.repeat(200) })).toEqual([
      { role: 'assistant', parts: [{ type: 'text', content: 'x'.repeat(100) }], finish_reason: 'error' },
    ]);
    expect(fold({ type: 'start' }, null, 7, { part: 'x' })).toEqual([]);
  });
});
