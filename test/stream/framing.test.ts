import { describe, expect, it } from 'vitest';
import { createFraming } from '../../src/stream/framing.ts';
import { decode, utf8 } from './decoding.ts';

const body = 'data: 1\n\n';

function frame(contentType: string | null, streamed: boolean, text: string) {
  const firstByte = utf8(text.trimStart())[0]!;
  let plain = false;
  const { events } = decode(
    (onEvent, options) => {
      const decoder = createFraming(contentType, streamed, onEvent, { ...options, firstByte });
      plain = decoder === undefined;
      return decoder ?? { feed: () => {}, end: () => {} };
    },
    [utf8(text)],
  );
  return plain ? undefined : events.map(([data]) => data);
}

describe('framing', () => {
  it.each([
    ['text/event-stream; charset=utf-8', false, body, ['1']],
    ['Text/Event-Stream', true, body, ['1']],
    ['application/x-ndjson', false, '{"a":1}\n{"b":2}\n', ['{"a":1}', '{"b":2}']],
    // Cohere's first API.
    ['application/stream+json', true, '{"a":1}\n{"b":2}\n', ['{"a":1}', '{"b":2}']],
    ['application/jsonl; charset=utf-8', true, '{"a":1}\n', ['{"a":1}']],
    ['application/vnd.amazon.eventstream', false, '\0\0\0', []],
    ['application/json; charset=UTF-8', true, ' [{"a":1},\r\n{"b":2}]', ['{"a":1}', '{"b":2}']],
    ['application/json', true, '{"error":{}}', undefined],
    ['application/json', false, '[{"a":1}]', undefined],
    [null, true, body, ['1']],
    [null, true, '\0\0\0', []],
    [null, false, '\0\0\0', undefined],
    ['application/octet-stream', true, '\0\0\0', []],
    [null, true, '{"error":{}}', undefined],
    [null, false, body, undefined],
    ['text/html', true, '<html>', undefined],
    ['application/json', true, body, ['1']],
    ['text/plain', true, `: keep-alive\n\n${body}`, ['1']],
    ['text/plain', true, `event: a\n${body}`, ['1']],
    ['application/json', false, body, undefined],
    ['text/event-stream', true, '{"error":{}}', undefined],
    ['text/event-stream', true, '[{"a":1}]', ['{"a":1}']],
    ['text/event-stream', false, '[{"a":1}]', undefined],
  ] as const)('%s, streamed %s', (contentType, streamed, text, expected) => {
    expect(frame(contentType, streamed, text)).toEqual(expected);
  });
});
