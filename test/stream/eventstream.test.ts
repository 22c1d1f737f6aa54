import { crc32 as reference } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32 } from '../../src/stream/crc32.ts';
import { createEventStreamDecoder } from '../../src/stream/eventstream.ts';
import { concat, encodeFrame, encodeHeader, eventFrame } from '../support/event-frames.ts';
import { anyCuts, anyText, cutAt, decode, utf8 } from './decoding.ts';

const event = (type: string, payload: string) => eventFrame({ ':message-type': 'event', ':event-type': type }, payload);

/** A frame with one byte changed. */
function damage(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.map((byte, i) => (i === at ? byte ^ 1 : byte));
}

describe('eventstream', () => {
  it('reads events, exceptions and errors', () => {
    const bytes = concat([
      event('messageStart', '{"role":"assistant"}'),
      eventFrame({ ':message-type': 'exception', ':exception-type': 'throttlingException' }, '{"message":"slow"}'),
      eventFrame({ ':message-type': 'exception', ':exception-type': 'validationException' }, 'no JSON'),
      eventFrame({ ':message-type': 'error', ':error-code': 'InternalError', ':error-message': 'no' }, ''),
    ]);
    const { events, errors } = decode(createEventStreamDecoder, [bytes]);
    expect(events.map(([data, type]) => [JSON.parse(data), type])).toEqual([
      [{ role: 'assistant' }, 'messageStart'],
      [{ __type: 'throttlingException', message: 'slow' }, 'throttlingException'],
      [{ __type: 'validationException', message: 'no JSON' }, 'validationException'],
      [{ __type: 'InternalError', message: 'no' }, 'InternalError'],
    ]);
    expect(errors).toEqual([]);
  });

  it('skips headers of every other type', () => {
    const widths = [0, 0, 1, 2, 4, 8, 5, 0, 8, 16];
    const others = [0, 1, 2, 3, 4, 5, 6, 8, 9].map((type) => {
      const length = type === 6 ? [0, 5] : [];
      return concat([Uint8Array.of(1, 65, type, ...length), new Uint8Array(widths[type]!)]);
    });
    const last = encodeHeader(':event-type', 'chunk');
    const bytes = encodeFrame(concat([...others, last]), utf8('{}'));
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

  it('leaves out a frame whose checksum is wrong, and reads the next one', () => {
    const frame = event('b', '{"n":1}');
    const bytes = concat([event('a', '{}'), damage(frame, frame.length - 6), event('c', '{}')]);
    for (const chunks of [[bytes], cutAt(bytes, [...bytes.keys()])]) {
      const { events, errors } = decode(createEventStreamDecoder, chunks);
      expect(events.map(([, type]) => type)).toEqual(['a', 'c']);
      expect(errors).toEqual(['malformed']);
    }
  });

  it('never hands out what was changed on the way', () => {
    const frame = event('chunk', '{"text":"Hello"}');
    fc.assert(
      fc.property(fc.nat(frame.length - 1), (at) => {
        const { events } = decode(createEventStreamDecoder, [damage(frame, at)]);
        expect(events).toEqual([]);
      }),
    );
  });

  it('leaves out a frame with broken headers', () => {
    const broken = encodeFrame(Uint8Array.of(200, 1, 2), utf8('{}'));
    const { events, errors } = decode(createEventStreamDecoder, [concat([broken, event('a', '{}')])]);
    expect(events).toEqual([['{}', 'a']]);
    expect(errors).toEqual(['malformed']);
  });

  it('says once that lengths are wrong, and stops', () => {
    const bytes = concat([event('a', '{}'), damage(event('b', '{}'), 3), event('c', '{}')]);
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
        (head) => void decode(createEventStreamDecoder, [encodeFrame(head, utf8('{}'))]),
      ),
    );
  });
});

describe('the checksum', () => {
  it('is the one that zlib knows', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(crc32(bytes)).toBe(reference(bytes));
      }),
    );
  });
});
