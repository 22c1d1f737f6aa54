import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fnv1a, sha256, toBase64, toHex } from '../src/digest.ts';

describe('sha256', () => {
  it('is what Node reckons, in hex', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme' }), async (text) => {
        expect(toHex(await sha256(text))).toBe(createHash('sha256').update(text).digest('hex'));
      }),
    );
  });
});

describe('toHex', () => {
  it('has two digits for each byte there is', () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    expect(toHex(bytes)).toBe(Buffer.from(bytes).toString('hex'));
    expect(toHex(new Uint8Array())).toBe('');
  });
});

describe('fnv1a', () => {
  // https://datatracker.ietf.org/doc/html/draft-eastlake-fnv
  it.each([
    ['', 0x811c9dc5],
    ['a', 0xe40c292c],
    ['foobar', 0xbf9cf968],
  ])('of %j is the published one', (text, hash) => {
    expect(fnv1a(text)).toBe(hash);
  });

  it('takes a unit of UTF-16 whole', () => {
    expect(fnv1a('€')).toBe(Math.imul(0x811c9dc5 ^ 0x20ac, 0x01000193) >>> 0);
  });
});

it('writes bytes in base64, with padding, however many there are', () => {
  const bytes = Uint8Array.from({ length: 200_000 }, (_, i) => i % 251);
  for (const length of [0, 1, 2, 3, 200_000]) {
    expect(toBase64(bytes.subarray(0, length))).toBe(Buffer.from(bytes.subarray(0, length)).toString('base64'));
  }
});
