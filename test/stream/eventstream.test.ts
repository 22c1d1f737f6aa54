import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createEventStreamDecoder } from '../../src/stream/eventstream.ts';
import { anyCuts, anyText, cutAt, decode, utf8 } from './decoding.ts';

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** A header of type 7, a string. */
function header(name: string, value: string): Uint8Array {
  const [key, text] = [utf8(name), utf8(value)];
  return concat([Uint8Array.of(key.length), key, Uint8Array.of(7, text.length >> 8, text.length & 255), text]);
}

/** A frame whose checksums are left 0. */
function frame(headers: readonly Uint8Array[], payload: string): Uint8Array {
  const [head, body] = [concat(headers), utf8(payload)];
  const prelude = new DataView(new ArrayBuffer(12));
  prelude.setUint32(0, 16 + head.length + body.length);
  prelude.setUint32(4, head.length);
  return concat([new Uint8Array(prelude.buffer), head, body, new Uint8Array(4)]);
}

const event = (type: string, payload: string) =>
  frame([header(':message-type', 'event'), header(':event-type', type)], payload);

describe('eventstream', () => {
  it('reads events, exceptions and errors', () => {
    const bytes = concat([
      event('messageStart', '{"role":"assistant"}'),
      frame(
        [header(':message-type', 'exception'), header(':exception-type', 'throttlingException')],
        '{"message":"slow"}',
      ),
      frame(
        [header(':message-type', 'error'), header(':error-code', 'InternalError'), header(':error-message', 'no')],
        '',
      ),
    ]);
    expect(decode(createEventStreamDecoder, [bytes]).events).toEqual([
      ['{"role":"assistant"}', 'messageStart'],
      ['{"message":"slow"}', 'throttlingException'],
      ['{"message":"no"}', 'InternalError'],
    ]);
  });

  it('skips headers of every other type', () => {
    const widths = [0, 0, 1, 2, 4, 8, 5, 0, 8, 16];
    const others = [0, 1, 2, 3, 4, 5, 6, 8, 9].map((type) => {
      const length = type === 6 ? [0, 5] : [];
      return concat([Uint8Array.of(1, 65, type, ...length), new Uint8Array(widths[type]!)]);
    });
    const bytes = frame([...others, header(':event-type', 'chunk')], '{}');
    expect(decode(createEventStreamDecoder, [bytes])).toEqual({ events: [['{}', 'chunk']], errors: [] });
  });

  it('gives back what was framed, however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(anyText, anyText)), anyCuts, (pairs, cuts) => {
        const bytes = concat(pairs.map(([type, data]) => event(`t${type}`, data)));
        const { events, errors } = decode(createEventStreamDecoder, cutAt(bytes, cuts));
        expect(events).toEqual(pairs.map(([type, data]) => [data.replace(/^\ufeff/, ''), `t${type}`]));
        expect(errors).toEqual([]);
      }),
    );
  });

  it('says once that a frame is broken, and stops', () => {
    const broken = frame([Uint8Array.of(200, 1, 2)], '{}');
    const bytes = concat([event('a', '{}'), broken, event('b', '{}')]);
    for (const chunks of [[bytes, bytes], cutAt(bytes, [...bytes.keys()])]) {
      const { events, errors } = decode(createEventStreamDecoder, chunks);
      expect(events).toEqual([['{}', 'a']]);
      expect(errors).toEqual(['malformed']);
    }
    expect(decode(createEventStreamDecoder, [new Uint8Array(64)]).errors).toEqual(['malformed']);
  });

  it('stops at a frame above the bound', () => {
    const { events, errors } = decode(createEventStreamDecoder, [event('a', '{}'), event('b', 'x'.repeat(300))], 200);
    expect(events).toEqual([['{}', 'a']]);
    expect(errors).toEqual(['event_too_long']);
  });

  it('never throws over any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void decode(createEventStreamDecoder, [bytes], 128)),
    );
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 40 }),
        (head) => void decode(createEventStreamDecoder, [frame([head], '{}')]),
      ),
    );
  });
});
