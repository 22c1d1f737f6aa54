import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createJsonArrayDecoder } from '../../src/stream/json-array.ts';
import { anyCuts, anyText, cutAt, decode, utf8 } from './decoding.ts';

const anyValue = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    anyText,
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    tie('list'),
    tie('object'),
  ),
  list: fc.array(tie('value'), { maxLength: 4 }),
  object: fc.dictionary(anyText, tie('value'), { maxKeys: 4 }),
})).value;

describe('json-array', () => {
  it('hands out each element as soon as its last byte is there', () => {
    const seen: string[] = [];
    const decoder = createJsonArrayDecoder((data) => seen.push(data), { maxEventBytes: 100, onError: () => {} });
    decoder.feed(utf8('[{"a":[1,"]}"]}'));
    expect(seen).toEqual(['{"a":[1,"]}"]}']);
    decoder.feed(utf8(',\r\n{"b":2}\n]'));
    expect(seen).toEqual(['{"a":[1,"]}"]}', '{"b":2}']);
  });

  it('gives back the elements of any array, however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(anyValue, { maxLength: 6 }), fc.constantFrom(0, 1), anyCuts, (values, indent, cuts) => {
        const body = JSON.stringify(values, null, indent);
        const { events, errors } = decode(createJsonArrayDecoder, cutAt(utf8(body), cuts));
        expect(events.map(([data]) => JSON.parse(data))).toEqual(JSON.parse(body));
        expect(errors).toEqual([]);
      }),
    );
  });

  it('drops an element above the bound and reads on', () => {
    const body = utf8('[{"a":"0123456789"},{"b":1},"0123456789",2]');
    for (const chunks of [[body], cutAt(body, [...body.keys()])]) {
      const { events, errors } = decode(createJsonArrayDecoder, chunks, 8);
      expect(events.map(([data]) => data)).toEqual(['{"b":1}', '2']);
      expect(errors).toEqual(['event_too_long', 'event_too_long']);
    }
  });

  it('says that an element is too long before its end, which may never come', () => {
    const errors: string[] = [];
    const decoder = createJsonArrayDecoder(() => {}, { maxEventBytes: 8, onError: (reason) => errors.push(reason) });
    for (let i = 0; i < 5; i++) decoder.feed(utf8('["0123'));
    expect(errors).toEqual(['event_too_long']);
  });

  it('stops at a body that is no array, and after the array', () => {
    expect(decode(createJsonArrayDecoder, [utf8('{"a":1},[2]'), utf8('[3]')])).toEqual({
      events: [],
      errors: ['malformed'],
    });
    expect(decode(createJsonArrayDecoder, [utf8('[1] [2]')]).events).toEqual([['1', undefined]]);
  });

  it('never throws over any bytes', () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void decode(createJsonArrayDecoder, [utf8('['), bytes], 16)));
  });
});
