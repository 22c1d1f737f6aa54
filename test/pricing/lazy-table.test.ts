import { describe, expect, it, vi } from 'vitest';
import { decodePrice } from '../../src/pricing/compact.ts';
import { computeCost, defaultPrices } from '../../src/pricing/default.ts';
import { findPrice } from '../../src/pricing/find.ts';
import { hostPrices, joinTables, vendorPrices } from '../../src/pricing/lazy-table.ts';
import { openaiPrices } from '../../src/pricing/table/openai.ts';

describe('decodePrice', () => {
  it.each([
    ['.02', { input: 0.02 }],
    [
      '2.5,10r1.25w3W4t5a6A7R8q.012s.01',
      {
        input: 2.5,
        output: 10,
        cacheRead: 1.25,
        cacheWrite: 3,
        cacheWrite1h: 4,
        reasoning: 5,
        audioInput: 6,
        audioOutput: 7,
        audioCacheRead: 8,
        perRequest: 0.012,
        perWebSearch: 0.01,
      },
    ],
    [
      '1,2>100:3,4>200:5r.5',
      {
        input: 1,
        output: 2,
        tiers: [
          { above: 100, input: 3, output: 4 },
          { above: 200, input: 5, cacheRead: 0.5 },
        ],
      },
    ],
    ['0q.002', { input: 0, perRequest: 0.002 }],
    [
      '1,2>100:3*flex.5ON_DEMAND2',
      { input: 1, output: 2, tiers: [{ above: 100, input: 3 }], serviceTiers: { flex: 0.5, ON_DEMAND: 2 } },
    ],
  ])('%s', (text, price) => {
    expect(decodePrice(text)).toEqual(price);
  });
});

describe('a built-in table', () => {
  const table = () => vendorPrices('acme', '1,2 one two\n3 three');
  const expected = { one: { input: 1, output: 2 }, two: { input: 1, output: 2 }, three: { input: 3 } };

  it('looks like any table, whatever is asked of it first', () => {
    expect(Object.keys(table())).toEqual(['one', 'two', 'three']);
    expect(Object.entries(table())).toEqual(Object.entries(expected));
    expect({ ...table() }).toEqual(expected);
    expect('two' in table()).toBe(true);
    expect('four' in table()).toBe(false);
    expect(table().three).toEqual({ input: 3 });
    expect(table().four).toBeUndefined();
    expect(JSON.parse(JSON.stringify(table()))).toEqual(expected);
    expect(Object.hasOwn(table(), 'one')).toBe(true);
    expect(Object.hasOwn(table(), 'toString')).toBe(false);
    expect(Object.assign({}, table())).toEqual(expected);
    const keys: string[] = [];
    for (const key in table()) keys.push(key);
    expect(keys).toEqual(['one', 'two', 'three']);
    expect(Object.keys(Object.freeze(table()))).toHaveLength(3);
    expect(table()).toEqual(expected);
  });

  it('has factors of service tiers, those of a line before those of all', () => {
    const { one, two } = vendorPrices('acme', '1 one\n2*priority3 two', 'flex.5priority2');
    expect(one).toEqual({ input: 1, serviceTiers: { flex: 0.5, priority: 2 } });
    expect(two).toEqual({ input: 2, serviceTiers: { flex: 0.5, priority: 3 } });
  });

  it('is the same for everybody and nobody’s to change', () => {
    const prices = table() as Record<string, { input: number }>;
    expect(() => {
      prices.one = { input: 9 };
    }).toThrow(TypeError);
    expect(() => {
      prices.one!.input = 9;
    }).toThrow(TypeError);
    expect(() => delete prices.one).toThrow(TypeError);
    expect(prices).toEqual(expected);
  });

  it('is extended by spreading', () => {
    const own = { ...defaultPrices, 'gpt-4o': { input: 1 } };
    expect(findPrice('gpt-4o', 'openai', own)?.input).toBe(1);
    expect(findPrice('gpt-4o-mini', 'openai', own)?.input).toBe(0.15);
  });

  it('joins others, the first of which wins', () => {
    const joined = joinTables([table(), hostPrices('acme', '9 x'), vendorPrices('b', '7 one four')]);
    expect(Object.keys(joined).sort()).toEqual(['acme/x', 'four', 'one', 'three', 'two']);
    expect(joined.one).toEqual({ input: 1, output: 2 });
  });

  it('is decoded when it is looked at, and neither by an import nor by createTelemetry', async () => {
    const parse = vi.spyOn(String.prototype, 'split');
    vi.resetModules();
    const { createTelemetry, defaultPrices: fresh } = await import('../../src/index.ts');
    createTelemetry({ prices: fresh });
    expect(parse.mock.contexts.filter((text) => String(text).includes('gpt-4o'))).toEqual([]);
    expect(fresh['gpt-4o']).toBeDefined();
    expect(parse.mock.contexts.filter((text) => String(text).includes('gpt-4o')).length).toBeGreaterThan(0);
    parse.mockRestore();
  });
});

describe('defaultPrices', () => {
  it('has the vendors’ models by their ids and those of hosts by provider', () => {
    expect(defaultPrices['gpt-4o']).toEqual(openaiPrices['gpt-4o']);
    expect(defaultPrices['groq/llama-3.3-70b-versatile']).toMatchObject({ input: 0.59 });
    expect(Object.keys(defaultPrices).length).toBeGreaterThan(1000);
  });

  it('is where computeCost looks last', () => {
    const usage = { input: 1e6 };
    expect(computeCost('gpt-4o', usage)?.totalUsd).toBe(2.5);
    expect(computeCost('gpt-4o', usage, { prices: { 'gpt-4o': { input: 1 } } })?.totalUsd).toBe(1);
    expect(computeCost('gpt-4o', usage, { prices: [{}, { acme: { input: 1 } }] })?.totalUsd).toBe(2.5);
    expect(computeCost('acme-unknown', usage)).toBeUndefined();
    expect(computeCost('llama3.2', usage, { provider: 'ollama' })?.totalUsd).toBe(0);
  });
});
