import { describe, expect, it } from 'vitest';
import { type Carrier, getter, setter } from '../../src/propagation/carrier.ts';

describe('getter', () => {
  it.each<[string, Carrier, string | string[] | undefined]>([
    ['Headers', new Headers({ TraceParent: 'x' }), 'x'],
    ['a plain object', { traceparent: 'x' }, 'x'],
    ['another case', { 'Trace-Id': 'y', TraceParent: 'x' }, 'x'],
    ['an array of values', { traceparent: ['x', 'y'] }, ['x', 'y']],
    ['an array of one value', { traceparent: ['x'] }, 'x'],
    ['two cases of one name', { traceparent: 'x', Traceparent: 'y' }, ['x', 'y']],
    ['a Map', new Map([['Traceparent', 'x']]), 'x'],
    [
      'entries',
      [
        ['traceparent', 'x'],
        ['traceparent', 'y'],
      ],
      ['x', 'y'],
    ],
    ['a number', { traceparent: 42 }, undefined],
    ['null', { traceparent: null }, undefined],
    ['an object', { traceparent: { a: 1 } }, undefined],
    ['an array with other things', { traceparent: [1, 'x', null] }, 'x'],
    ['an inherited property', Object.create({ traceparent: 'x' }) as Carrier, undefined],
    ['no carrier', null, undefined],
    ['no carrier at all', undefined, undefined],
    ['a string', 'traceparent' as unknown as Carrier, undefined],
    ['entries that are none', [1, 'ab', null] as unknown as Carrier, undefined],
  ])('reads %s', (_, carrier, expected) => {
    expect(getter.get(carrier, 'traceparent')).toEqual(expected);
  });

  it('lists the names', () => {
    expect(getter.keys({ a: '1', B: '2' })).toEqual(['a', 'B']);
    expect(getter.keys(new Headers({ A: '1' }))).toEqual(['a']);
    expect(getter.keys(null)).toEqual([]);
  });

  it('survives carriers that throw', () => {
    const hostile = new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error('no');
        },
      },
    );
    expect(getter.get(hostile, 'traceparent')).toBeUndefined();
    expect(
      getter.get(
        {
          get traceparent() {
            throw new Error('no');
          },
        },
        'traceparent',
      ),
    ).toBeUndefined();
  });

  it('stops after 1,000 fields', () => {
    const entries = Array.from({ length: 1000 }, (_, i) => [`h${i}`, 'v'] as const);
    expect(getter.get([...entries, ['traceparent', 'x']], 'traceparent')).toBeUndefined();
    expect(getter.get([...entries.slice(1), ['traceparent', 'x']], 'traceparent')).toBe('x');
  });
});

describe('setter', () => {
  it('writes into Headers, objects and maps', () => {
    const headers = new Headers({ traceparent: 'old' });
    const object: Record<string, unknown> = { TraceParent: 'old', other: 1 };
    const map = new Map<string, string>();
    for (const carrier of [headers, object, map]) setter.set(carrier, 'traceparent', 'new');
    expect(headers.get('traceparent')).toBe('new');
    expect(object).toEqual({ traceparent: 'new', other: 1 });
    expect(map.get('traceparent')).toBe('new');
  });

  it.each<[string, Carrier]>([
    ['null', null],
    ['undefined', undefined],
    ['a frozen object', Object.freeze({})],
    ['immutable headers', Response.redirect('https://x.test/').headers],
    ['a string', 'x' as unknown as Carrier],
  ])('does nothing to %s', (_, carrier) => {
    expect(() => setter.set(carrier, 'traceparent', 'x')).not.toThrow();
  });
});
