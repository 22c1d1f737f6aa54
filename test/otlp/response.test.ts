import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseResponse } from '../../src/otlp/response.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const field = (tag: number, content: Uint8Array) => Uint8Array.of(tag, content.length, ...content);

describe('JSON', () => {
  it.each([
    ['', { rejected: 0 }],
    ['{}', { rejected: 0 }],
    ['{"partialSuccess":{}}', { rejected: 0 }],
    ['{"partialSuccess":{"rejectedSpans":"3","errorMessage":"x"}}', { rejected: 3, message: 'x' }],
    ['{"partialSuccess":{"rejectedDataPoints":4}}', { rejected: 4 }],
    ['{"partialSuccess":{"rejectedSpans":"-1","errorMessage":"careful"}}', { rejected: 0, message: 'careful' }],
    ['{"code":3,"message":"bad attribute"}', { rejected: 0, message: 'bad attribute' }],
    ['<html>', { rejected: 0 }],
    ['[1]', { rejected: 0 }],
  ])('%s', (body, expected) => {
    expect(parseResponse(bytes(body), 'application/json')).toEqual(expected);
  });
});

describe('protobuf', () => {
  const type = 'application/x-protobuf';
  const message = field(0x12, bytes('é'));

  it('of a partial success', () => {
    expect(parseResponse(field(0x0a, Uint8Array.of(0x08, 0xac, 0x02, ...message)), type)).toEqual({
      rejected: 300,
      message: 'é',
    });
    expect(parseResponse(field(0x0a, message), type)).toEqual({ rejected: 0, message: 'é' });
    expect(parseResponse(field(0x0a, new Uint8Array()), type)).toEqual({ rejected: 0 });
  });

  it('of a Status', () => {
    expect(parseResponse(Uint8Array.of(0x08, 0x03, ...message), type)).toEqual({ rejected: 0, message: 'é' });
  });

  it('cut off or of random bytes says nothing wrong and never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (body) => {
        expect(parseResponse(body, type).rejected).toBeGreaterThanOrEqual(0);
      }),
    );
    expect(parseResponse(Uint8Array.of(0x0a, 0x05, 0x08), type)).toEqual({ rejected: 0 });
    expect(parseResponse(Uint8Array.of(0x12, 0x05, 0x61), type)).toEqual({ rejected: 0 });
    expect(parseResponse(Uint8Array.of(0x0a, 0x02, 0x08, 0xff), type)).toEqual({ rejected: 0 });
  });
});
