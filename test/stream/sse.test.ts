import { createParser } from 'eventsource-parser';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSseDecoder } from '../../src/stream/sse.ts';
import { anyCuts, anyText, cutAt, decode, utf8 } from './decoding.ts';

const events = (text: string, maxEventBytes?: number) => decode(createSseDecoder, [utf8(text)], maxEventBytes).events;

const anyLine = fc.oneof(
  anyText.map((text) => `data: ${text}`),
  anyText.map((text) => `data:${text}`),
  anyText.map((text) => `event: ${text}`),
  anyText.map((text) => `: ${text}`),
  fc.constantFrom('', '', 'data', 'event', 'id: 1', 'retry: 10', 'dat: x', 'database: x'),
);
const anyBody = fc.array(fc.tuple(anyLine, fc.constantFrom('\n', '\r\n', '\r')), { maxLength: 20 }).map((lines) =>
  // A CR before an empty line ending in LF would be one CRLF; the reference and we agree, the generator need not care.
  lines.map(([line, end]) => line + end).join(''),
);

describe('sse', () => {
  it('reads types, joined data, comments and fields without a space', () => {
    const body = ': hi\nevent: a\ndata: 1\ndata:2\n\ndata\n\nid: 3\n\nevent: none\n\ndata: {"x":"é"}\r\n\r\n';
    expect(events(body)).toEqual([
      ['1\n2', 'a'],
      ['', undefined],
      ['{"x":"é"}', undefined],
    ]);
  });

  it('drops a byte order mark at the start and nowhere else', () => {
    expect(events('\ufeffdata: a\n\n\ufeffdata: b\n\n')).toEqual([['a', undefined]]);
  });

  it('hands out the last event when the stream ends without a blank line', () => {
    expect(events('data: a\n\ndata: b')).toEqual([
      ['a', undefined],
      ['b', undefined],
    ]);
  });

  it('hands out an event as soon as its bytes are there, also after a lone CR', () => {
    const seen: string[] = [];
    const decoder = createSseDecoder((data) => seen.push(data), { maxEventBytes: 100, onError: () => {} });
    decoder.feed(utf8('data: a\r\r'));
    expect(seen).toEqual(['a']);
    decoder.feed(utf8('\ndata: b\r\n\r'));
    expect(seen).toEqual(['a', 'b']);
  });

  it('gives the same events however the bytes are cut', () => {
    fc.assert(
      fc.property(anyBody, anyCuts, fc.constantFrom(1 << 20, 10), (body, cuts, max) => {
        const bytes = utf8(body);
        const whole = decode(createSseDecoder, [bytes], max);
        expect(decode(createSseDecoder, cutAt(bytes, cuts), max)).toEqual(whole);
        expect(decode(createSseDecoder, cutAt(bytes, [...bytes.keys()]), max)).toEqual(whole);
      }),
    );
  });

  it('agrees with eventsource-parser', () => {
    fc.assert(
      fc.property(anyBody, (body) => {
        const expected: (readonly [string, string | undefined])[] = [];
        const parser = createParser({ onEvent: ({ data, event }) => expected.push([data, event]) });
        const text = body.replace(/^\ufeff/, '');
        parser.feed(`${text}\n\n`);
        expect(events(`${body}\n\n`)).toEqual(expected);
      }),
    );
  });

  it('drops an event above the bound, counts it once and reads on', () => {
    const long = 'x'.repeat(50);
    const body = `data: ${long}\ndata: ${long}\n\ndata: ok\n\ndata: 0123456789\ndata: 0123456789\ndata: 01234567\n\ndata: end\n\n`;
    for (const size of [1, 7, body.length]) {
      const chunks = cutAt(
        utf8(body),
        Array.from({ length: Math.floor(body.length / size) }, (_, i) => i * size),
      );
      const { events: seen, errors } = decode(createSseDecoder, chunks, 20);
      expect(seen.map(([data]) => data)).toEqual(['ok', 'end']);
      expect(errors).toEqual(['event_too_long', 'event_too_long']);
    }
  });
});
