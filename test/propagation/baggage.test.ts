import { baggageEntryMetadataFromString, propagation, ROOT_CONTEXT } from '@opentelemetry/api';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { baggage } from '../../src/propagation/baggage.ts';
import { getter, setter } from '../../src/propagation/carrier.ts';

type Entry = { value: string; metadata?: string };

function extract(header: unknown): Record<string, Entry> {
  const found = propagation.getBaggage(baggage.extract(ROOT_CONTEXT, { baggage: header }, getter));
  const entries = found?.getAllEntries() ?? [];
  return Object.fromEntries(
    entries.map(([key, { value, metadata }]) => [key, metadata ? { value, metadata: metadata.toString() } : { value }]),
  );
}

function inject(entries: Record<string, Entry>): string | undefined {
  const built = propagation.createBaggage(
    Object.fromEntries(
      Object.entries(entries).map(([key, { value, metadata }]) => [
        key,
        metadata === undefined ? { value } : { value, metadata: baggageEntryMetadataFromString(metadata) },
      ]),
    ),
  );
  const carrier: Record<string, string> = {};
  baggage.inject(propagation.setBaggage(ROOT_CONTEXT, built), carrier, setter);
  return carrier.baggage;
}

describe('extracting', () => {
  it('decodes values and keeps properties', () => {
    expect(extract('userId=Am%C3%A9lie; p=1 , k = v==1')).toEqual({
      userId: { value: 'Amélie', metadata: 'p=1' },
      k: { value: 'v==1' },
    });
  });

  it.each([
    ['k=%FF', '\ufffd'],
    ['k=a%E9b%20c', 'a\ufffdb c'],
    ['k=100%', '100%'],
    ['k=', ''],
  ])('decodes %s to %j', (header, value) => {
    expect(extract(header)).toEqual({ k: { value } });
  });

  it.each(['noequals', '=v', 'a b=v', 'k=a b', 'k="v"', 'k=é', 'k(=v', ''])(
    'leaves out %j and keeps the rest',
    (member) => {
      expect(extract(`first=1,${member},last=2`)).toEqual({ first: { value: '1' }, last: { value: '2' } });
    },
  );

  it('joins several headers', () => {
    expect(extract(['a=1', 'b=2'])).toEqual({ a: { value: '1' }, b: { value: '2' } });
  });

  it('takes no key for a prototype', () => {
    expect(Object.keys(extract('__proto__=1,constructor=2'))).toEqual(['__proto__', 'constructor']);
  });

  it.each([42, null, {}, undefined, '', ' , ', 'x'])('finds nothing in %j', (header) => {
    const context = baggage.extract(ROOT_CONTEXT, { baggage: header }, getter);
    expect(context).toBe(ROOT_CONTEXT);
  });

  it('keeps 64 members', () => {
    const members = Array.from({ length: 65 }, (_, i) => `k${i}=${i}`);
    expect(Object.keys(extract(members.join()))).toEqual(members.slice(0, 64).map((member) => member.split('=')[0]));
  });

  it('keeps 8,192 bytes of whole members', () => {
    const value = (length: number) => 'v'.repeat(length);
    expect(Object.keys(extract(`k=${value(8190)}`))).toEqual(['k']);
    expect(Object.keys(extract(`k=${value(8191)}`))).toEqual([]);
    expect(Object.keys(extract(`a=1,big=${value(8186)},b=2`))).toEqual(['a', 'b']);
  });

  it('reads hostile headers no further than 65,536 characters', () => {
    expect(extract(`${','.repeat(65_535)}k=v`)).toEqual({});
    expect(extract(`${','.repeat(65_533)}k=v`)).toEqual({ k: { value: 'v' } });
    expect(extract(`k=${' '.repeat(60_000)}x`)).toEqual({});
  });
});

describe('injecting', () => {
  it('encodes values and keeps properties', () => {
    expect(inject({ userId: { value: 'Amélie, 100%', metadata: 'p=1;q' } })).toBe(
      'userId=Am%C3%A9lie%2C%20100%25;p=1;q',
    );
  });

  it('leaves out what the format cannot carry', () => {
    expect(inject({ 'a b': { value: '1' }, half: { value: '\ud800' }, ok: { value: '2' } })).toBe('ok=2');
    expect(inject({ ok: { value: '1', metadata: 'x\r\nset-cookie: a' } })).toBe('ok=1');
    expect(inject({ '': { value: '1' } })).toBeUndefined();
    expect(inject({})).toBeUndefined();
  });

  it('sends 64 members and 8,192 bytes at most', () => {
    const many = Object.fromEntries(Array.from({ length: 70 }, (_, i) => [`k${i}`, { value: '1' }]));
    expect(inject(many)!.split(',')).toHaveLength(64);
    expect(inject({ a: { value: 'v'.repeat(8000) }, b: { value: 'v'.repeat(500) }, c: { value: '1' } })).toMatch(
      /^a=v+,c=1$/,
    );
  });

  it('brings back any value', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[\w!#$%&'*+\-.^`|~]{1,20}$/), fc.string({ unit: 'grapheme' }), (key, value) => {
        expect(extract(inject({ [key]: { value } }))).toEqual({ [key]: { value } });
      }),
    );
  });
});
