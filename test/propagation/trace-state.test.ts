import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTraceState } from '../../src/propagation/trace-state.ts';

function members(count: number) {
  return Array.from({ length: count }, (_, i) => `k${i}=${i}`);
}

function roundTrip(header: string) {
  return parseTraceState(header)?.serialize();
}

describe('parseTraceState', () => {
  it.each([
    ['foo=1,bar=2', 'foo=1,bar=2'],
    ['foo=1,,bar=2', 'foo=1,bar=2'],
    [' foo=1 ,\tbar=2\t', 'foo=1,bar=2'],
    ['foo= 1', 'foo= 1'],
    ['1a@b@c=x', '1a@b@c=x'],
    ['0*_-/=!~', '0*_-/=!~'],
    ['foo=1,foo=2', 'foo=1'],
    ['', ''],
    [' , ', ''],
    [`${'k'.repeat(256)}=${'v'.repeat(256)}`, `${'k'.repeat(256)}=${'v'.repeat(256)}`],
  ])('reads %j', (header, expected) => {
    expect(roundTrip(header)).toBe(expected);
  });

  it.each([
    `${'k'.repeat(257)}=v`,
    `k=${'v'.repeat(257)}`,
    'Foo=1',
    'foo',
    'foo=',
    '=1',
    'foo =1',
    '@foo=1',
    'foo=a=b',
    'foo=a\tb',
    'foo=é',
    'foo=a\nb',
    'foo=1,BAD=2',
  ])('discards the whole of %j', (header) => {
    expect(parseTraceState(header)).toBeUndefined();
  });

  it('holds 32 members and discards 33', () => {
    expect(roundTrip(members(32).join())).toBe(members(32).join());
    expect(parseTraceState(members(33).join())).toBeUndefined();
  });

  it('reads hostile headers fast and without throwing', () => {
    expect(parseTraceState('a=b,'.repeat(1_000_000))).toBeUndefined();
    expect(parseTraceState(`a=${' '.repeat(32_000)}b`)).toBeUndefined();
    fc.assert(
      fc.property(fc.string(), (header) => {
        const state = roundTrip(header);
        if (state !== undefined) expect(roundTrip(state)).toBe(state);
      }),
    );
  });
});

describe('a trace state', () => {
  const state = parseTraceState('a=1,b=2,c=3')!;

  it('answers values by key', () => {
    expect([state.get('b'), state.get('x')]).toEqual(['2', undefined]);
  });

  it('moves a changed key to the front, once', () => {
    expect(state.set('b', '9').serialize()).toBe('b=9,a=1,c=3');
    expect(state.set('x', '0').serialize()).toBe('x=0,a=1,b=2,c=3');
  });

  it('is never changed', () => {
    state.set('z', '1');
    state.unset('a');
    expect(state.serialize()).toBe('a=1,b=2,c=3');
  });

  it('forgets a key', () => {
    expect(state.unset('b').serialize()).toBe('a=1,c=3');
    expect(state.unset('x').serialize()).toBe('a=1,b=2,c=3');
  });

  it.each([
    ['BAD', '1'],
    ['a', 'x,y'],
    ['a', ''],
    ['a', 'x '],
  ])('ignores %j=%j', (key, value) => {
    expect(state.set(key, value).serialize()).toBe('a=1,b=2,c=3');
  });

  it('drops the right-most member when a 33rd is added', () => {
    expect(parseTraceState(members(32).join())!.set('own', '1').serialize()).toBe(['own=1', ...members(31)].join());
  });

  it('sends 8,192 characters of whole members, leaving out long ones first', () => {
    const long = (i: number) => `l${i}=${'v'.repeat(254)}`;
    const all = Array.from({ length: 32 }, (_, i) => (i === 31 ? 'short=1' : long(i + 10)));
    const sent = roundTrip(all.join())!;
    expect(sent.length).toBeLessThanOrEqual(8192);
    expect(sent.split(',')).toEqual([...all.slice(0, 31), 'short=1']);
    const longer = all.map((member) => (member === 'short=1' ? member : `longer-key-${member}`));
    expect(roundTrip(longer.join())!.split(',')).toEqual([...longer.slice(0, 30), 'short=1']);
  });
});
