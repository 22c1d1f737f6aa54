import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toPlain } from '../../../src/llm/content/plain.ts';

const bomb = () => {
  throw new Error('the application was called');
};

describe('a value as JSON holds it', () => {
  it('names what JSON has no word for', () => {
    class Store {}
    class Named {
      a = 1;
    }
    const value = {
      none: undefined,
      null: null,
      big: 12n,
      nan: Number.NaN,
      call() {},
      symbol: Symbol('s'),
      date: new Date(0),
      wrong: new Date(Number.NaN),
      url: new URL('https://a.example/b'),
      expression: /a/g,
      map: new Map<unknown, unknown>([
        ['k', 1],
        [{}, 2],
      ]),
      set: new Set([1, 'b']),
      promise: Promise.resolve(1),
      store: new Store(),
      named: new Named(),
      error: new TypeError('no'),
      sparse: Object.assign(new Array(2), { 1: 1 }),
    };
    expect(toPlain(value, 5000)).toEqual({
      null: null,
      big: '12',
      nan: 'NaN',
      call: '[function]',
      symbol: '[symbol]',
      date: '1970-01-01T00:00:00.000Z',
      wrong: 'Invalid Date',
      url: 'https://a.example/b',
      expression: '/a/g',
      map: { k: 1, '[object]': 2 },
      set: [1, 'b'],
      promise: '[Promise]',
      store: '[Store]',
      named: { a: 1 },
      error: { name: 'TypeError', message: 'no' },
      sparse: [null, 1],
    });
  });

  it('describes bytes, however they are held', () => {
    const bytes = new TextEncoder().encode('hello world, hello bytes'.repeat(30));
    const base64 = btoa(String.fromCharCode(...bytes));
    const note = { type: 'blob', size: bytes.length, hash: expect.stringMatching(/^fnv1a64:[0-9a-f]{16}$/) };
    const plain = toPlain({ bytes, buffer: bytes.buffer, base64, url: `data:image/png;base64,${base64}` }, 5000);
    expect(plain).toEqual({ bytes: note, buffer: note, base64: note, url: { ...note, mime_type: 'image/png' } });
    expect(new Set(Object.values(plain as Record<string, { hash: string }>).map(({ hash }) => hash)).size).toBe(1);
  });

  it('hashes by FNV-1a', () => {
    const hash = (text: string) => (toPlain(new TextEncoder().encode(text), 500) as { hash: string }).hash;
    expect(hash('')).toBe('fnv1a64:cbf29ce484222325');
    expect(hash('a')).toBe('fnv1a64:af63dc4c8601ec8c');
    expect(hash('foobar')).toBe('fnv1a64:85944171f73967e8');
  });

  it('cuts off what contains itself, what is deep, and what is much', () => {
    const ring: Record<string, unknown> = { a: 1 };
    ring.self = ring;
    ring.list = [ring];
    expect(toPlain(ring, 500)).toEqual({ a: 1, self: '[Circular]', list: ['[Circular]'] });
    let deep: unknown = 'bottom';
    for (let i = 0; i < 10_000; i++) deep = [deep];
    expect(JSON.stringify(toPlain(deep, 500)).length).toBeLessThan(100);
    const many = toPlain(
      Array.from({ length: 100_000 }, () => 1),
      1e9,
    ) as unknown[];
    expect(many.length).toBe(1001);
    expect(many.at(-1)).toBe('…');
    const wide = toPlain(Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`k${i}`, 'v'])), 100);
    expect(JSON.stringify(wide).length).toBeLessThan(400);
    expect(toPlain(['a b'.repeat(300), 'b'], 50)).toEqual([`${'a b'.repeat(17).slice(0, 49)}…`, '…']);
  });

  it('twice at different places is no ring', () => {
    const shared = { a: 1 };
    expect(toPlain([shared, shared], 500)).toEqual([{ a: 1 }, { a: 1 }]);
  });

  it('calls nothing of the application and never throws', () => {
    const hostile = {
      get getter() {
        return bomb();
      },
      toJSON: bomb,
      toString: bomb,
      // biome-ignore lint/suspicious/noThenProperty: what is like a promise is not awaited
      then: bomb,
      [Symbol.toPrimitive]: bomb,
      [Symbol.iterator]: bomb,
      date: Object.assign(new Date(0), { toISOString: bomb, toJSON: bomb }),
      proxy: new Proxy({}, { get: bomb, ownKeys: bomb, getPrototypeOf: bomb, getOwnPropertyDescriptor: bomb }),
      list: new Proxy([], { get: bomb }),
    };
    expect(toPlain(hostile, 5000)).toEqual({
      getter: '[Getter]',
      toJSON: '[function]',
      toString: '[function]',
      // biome-ignore lint/suspicious/noThenProperty: by its name
      then: '[function]',
      date: '1970-01-01T00:00:00.000Z',
      proxy: '[Unreadable]',
      list: '[Unreadable]',
    });
    const { proxy: revoked, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(toPlain(revoked, 50)).toBe('[Unreadable]');
  });

  it('is what JSON makes of it, for JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const json = JSON.stringify(value);
        if (json.includes('__proto__')) return;
        expect(toPlain(JSON.parse(json), 1e9)).toEqual(JSON.parse(json));
      }),
    );
  });

  it('is always something that JSON can be made of', () => {
    fc.assert(
      fc.property(
        fc.anything({
          withBigInt: true,
          withDate: true,
          withMap: true,
          withSet: true,
          withTypedArray: true,
          withNullPrototype: true,
          withSparseArray: true,
        }),
        (value) => {
          expect(() => JSON.stringify(toPlain(value, 200))).not.toThrow();
        },
      ),
    );
  });

  it('has no secrets left, numbers and keys among them', () => {
    const redact = (value: unknown, key: string): unknown => {
      if (key === 'password' && value !== null) return '[REDACTED]';
      return typeof value === 'string' ? value.replace(/secret\d*|4111\d{12}/g, '[REDACTED]') : value;
    };
    const value = {
      a: 'my secret1',
      secret: 1,
      n: 4111111111111111,
      password: { deep: ['x'] },
      list: [4111111111111111],
    };
    expect(toPlain(value, 500, redact)).toEqual({
      a: 'my [REDACTED]',
      '[REDACTED]': 1,
      n: '[REDACTED]',
      password: '[REDACTED]',
      list: ['[REDACTED]'],
    });
  });
});
