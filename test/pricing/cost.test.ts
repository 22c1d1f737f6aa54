import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { computeCost } from '../../src/pricing/cost.ts';
import type { Price } from '../../src/pricing/price.ts';
import type { LlmUsage } from '../../src/usage.ts';

const cost = (usage: LlmUsage, price: Price) => computeCost('m', usage, { prices: { m: price } });

describe('computeCost', () => {
  it('is exact', () => {
    expect(cost({ input: 10, output: 5 }, { input: 2.5, output: 10 })).toEqual({
      inputUsd: 0.000025,
      outputUsd: 0.00005,
      totalUsd: 0.000075,
    });
  });

  it('is unknown without a price or a count, and 0 where the price is', () => {
    expect(computeCost('n', { input: 1 }, { prices: { m: { input: 1 } } })).toBeUndefined();
    expect(cost({}, { input: 1 })).toBeUndefined();
    expect(cost({ input: undefined }, { input: 1 })).toBeUndefined();
    expect(cost({ input: 5, output: 5 }, { input: 0, output: 0 })?.totalUsd).toBe(0);
    expect(cost({ input: 0 }, { input: 1 })?.totalUsd).toBe(0);
  });

  it.each<[string, LlmUsage, Partial<Price>, number]>([
    ['cache reads apart', { input: 100, cacheRead: 60 }, { cacheRead: 1 }, 40 * 10 + 60],
    ['cache reads as input without a rate', { input: 100, cacheRead: 60 }, {}, 1000],
    [
      'cache writes by how long they live',
      { input: 100, cacheWrite: 60, cacheWrite1h: 20 },
      { cacheWrite: 12, cacheWrite1h: 20 },
      40 * 10 + 40 * 12 + 20 * 20,
    ],
    [
      'long cache writes as short ones without a rate',
      { input: 100, cacheWrite: 60, cacheWrite1h: 20 },
      { cacheWrite: 12 },
      40 * 10 + 60 * 12,
    ],
    [
      'no more long cache writes than cache writes',
      { input: 100, cacheWrite: 0, cacheWrite1h: 20 },
      { cacheWrite: 12, cacheWrite1h: 20 },
      1000,
    ],
    [
      'cache counts above the input',
      { input: 100, cacheRead: 90, cacheWrite: 90 },
      { cacheRead: 1, cacheWrite: 2 },
      90 + 180,
    ],
    [
      'audio apart',
      { input: 100, audioInput: 30, output: 10, audioOutput: 4 },
      { audioInput: 100, audioOutput: 200 },
      70 * 10 + 30 * 100 + 6 * 50 + 4 * 200,
    ],
    ['reasoning as output without a rate', { output: 10, reasoning: 11 }, {}, 500],
    ['reasoning apart', { output: 10, reasoning: 4 }, { reasoning: 5 }, 6 * 50 + 4 * 5],
    [
      'requests and searches',
      { input: 1, webSearches: 3 },
      { perRequest: 0.001, perWebSearch: 0.01 },
      10 + 1000 + 30_000,
    ],
  ])('%s', (_, usage, price, microUsd) => {
    expect(cost(usage, { input: 10, output: 50, ...price })?.totalUsd).toBe(microUsd / 1e6);
  });

  it('prices the whole call by the highest tier that its input exceeds', () => {
    const price: Price = {
      input: 1,
      output: 10,
      cacheRead: 0.1,
      tiers: [
        { above: 200, input: 4, output: 40 },
        { above: 100, input: 2, output: 20, cacheRead: 0.2 },
      ],
    };
    expect(cost({ input: 100, output: 1 }, price)?.totalUsd).toBe(110 / 1e6);
    expect(cost({ input: 101, output: 1 }, price)?.totalUsd).toBe(222 / 1e6);
    expect(cost({ input: 110, cacheRead: 100, output: 1 }, price)?.totalUsd).toBe(60 / 1e6);
    expect(cost({ input: 300, output: 1 }, price)?.totalUsd).toBe(1240 / 1e6);
  });

  describe('by service tier', () => {
    const price: Price = {
      input: 10,
      output: 50,
      cacheRead: 1,
      perRequest: 0.001,
      perWebSearch: 0.01,
      tiers: [{ above: 1000, input: 20, output: 100 }],
      serviceTiers: { flex: 0.5, priority: 2, fast: 3, us: 1.1, free: 0 },
    };
    const usage: LlmUsage = { input: 100, cacheRead: 60, output: 10, webSearches: 2 };
    const total = (serviceTier?: string, over: LlmUsage = {}) =>
      computeCost('m', { ...usage, ...over }, { prices: { m: price }, serviceTier })!.totalUsd * 1e6;

    it('scales all rates of tokens, whatever the length of the input, and neither requests nor searches', () => {
      expect(total('flex')).toBeCloseTo((40 * 10 + 60 + 10 * 50) / 2 + 1000 + 20_000, 6);
      expect(total('priority')).toBeCloseTo((40 * 10 + 60 + 10 * 50) * 2 + 1000 + 20_000, 6);
      expect(total('priority', { input: 1060 })).toBeCloseTo((1000 * 20 + 60 + 10 * 100) * 2 + 1000 + 20_000, 6);
      expect(total('free')).toBeCloseTo(21_000, 6);
      const parts = computeCost('m', usage, { prices: { m: price }, serviceTier: 'flex' });
      expect([parts?.inputUsd, parts?.outputUsd]).toEqual([230 / 1e6, 250 / 1e6]);
    });

    it('counts each of several', () => {
      expect(total('fast+us')).toBeCloseTo((40 * 10 + 60 + 10 * 50) * 3.3 + 1000 + 20_000, 6);
      expect(total('us+unheard-of')).toBe(total('us'));
    });

    it.each(['default', 'standard', 'on_demand', 'auto', 'scale', '', 'constructor', '__proto__', undefined])(
      'is the list price for %j',
      (tier) => {
        expect(total(tier)).toBeCloseTo(40 * 10 + 60 + 10 * 50 + 1000 + 20_000, 6);
      },
    );

    it('is the list price where the price has no tiers', () => {
      const usd = computeCost('m', usage, { prices: { m: { input: 1 } }, serviceTier: 'priority' })?.totalUsd;
      expect(usd).toBe(100 / 1e6);
    });
  });

  it('is never negative', () => {
    const count = fc.option(fc.nat(), { nil: undefined });
    const usage = fc.record({
      input: count,
      cacheRead: count,
      cacheWrite: count,
      cacheWrite1h: count,
      output: count,
      reasoning: count,
    });
    const price = { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75, cacheWrite1h: 6, reasoning: 20 };
    fc.assert(
      fc.property(usage, (counts) => {
        const { inputUsd = 0, outputUsd = 0, totalUsd = 0 } = cost(counts, price) ?? {};
        expect(Math.min(inputUsd, outputUsd, totalUsd)).toBeGreaterThanOrEqual(0);
        expect(totalUsd).toBeCloseTo(inputUsd + outputUsd, 9);
      }),
    );
  });
});
