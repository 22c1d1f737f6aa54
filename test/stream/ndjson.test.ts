import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createNdjsonDecoder } from '../../src/stream/ndjson.ts';
import { anyCuts, anyText, cutAt, decode, utf8 } from './decoding.ts';

describe('ndjson', () => {
  it('reads one text a line, skips blank lines and reads a last line without its end', () => {
    const { events } = decode(createNdjsonDecoder, [utf8('{"a":1}\r\n\n  \n{"b":2}')]);
    expect(events).toEqual([
      ['{"a":1}', undefined],
      ['{"b":2}', undefined],
    ]);
  });

  it('gives back what was written, however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(anyText), anyCuts, (texts, cuts) => {
        const lines = texts.map((text) => JSON.stringify({ text }));
        const { events, errors } = decode(createNdjsonDecoder, cutAt(utf8(lines.join('\n')), cuts));
        expect(events.map(([data]) => data)).toEqual(lines);
        expect(errors).toEqual([]);
      }),
    );
  });

  it('drops a line above the bound and reads on', () => {
    const { events, errors } = decode(createNdjsonDecoder, [utf8('1234'), utf8('5678\n1\n')], 5);
    expect(events).toEqual([['1', undefined]]);
    expect(errors).toEqual(['event_too_long']);
  });
});
