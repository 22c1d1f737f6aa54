import { expect, it } from 'vitest';
import { createPriceBook } from '../../src/pricing/book.ts';
import type { PriceTable } from '../../src/pricing/price.ts';

function create() {
  const lookups: string[] = [];
  const table = new Proxy<PriceTable>({ acme: { input: 1 } } as PriceTable, {
    getOwnPropertyDescriptor(target, key) {
      lookups.push(String(key));
      return Reflect.getOwnPropertyDescriptor(target, key);
    },
  });
  const book = createPriceBook({
    sources: [table],
    background: true,
    fetch: () => fetch,
    monotonic: () => 0,
    timeoutMs: 1000,
    report: () => {},
  });
  return { book, lookups };
}

it('searches for a model of a provider once, found or not', () => {
  const { book, lookups } = create();
  expect(book.find('acme', 'x')).toEqual({ input: 1 });
  expect(book.find('nothing', undefined)).toBeUndefined();
  const searched = lookups.length;
  expect(searched).toBeGreaterThan(0);
  expect(book.find('acme', 'x')).toEqual({ input: 1 });
  expect(book.find('nothing', undefined)).toBeUndefined();
  expect(lookups).toHaveLength(searched);
  book.find('acme', 'y');
  expect(lookups.length).toBeGreaterThan(searched);
});

it('remembers at most 500 pairs', () => {
  const { book, lookups } = create();
  for (let i = 0; i < 500; i++) book.find(`m${i}`, undefined);
  const searched = lookups.length;
  book.find('m0', undefined);
  expect(lookups).toHaveLength(searched);
  book.find('m500', undefined);
  book.find('m0', undefined);
  expect(lookups.length).toBeGreaterThan(searched + 1);
});
