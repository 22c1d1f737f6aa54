import { readFileSync } from 'node:fs';
import { calcPrice } from '@pydantic/genai-prices';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { date, recipes, renderTable } from '../../scripts/prices.ts';
import { computeCost } from '../../src/pricing/cost.ts';
import { findPrice, type PriceTable } from '../../src/pricing/price.ts';
import { anthropicPrices } from '../../src/pricing/table/anthropic.ts';
import { openaiPrices } from '../../src/pricing/table/openai.ts';

const tables: Readonly<Record<string, PriceTable>> = { openai: openaiPrices, anthropic: anthropicPrices };

describe.each(recipes)('prices of $name', (recipe) => {
  it('are what the script writes', () => {
    const file = new URL(`../../src/pricing/table/${recipe.name}.ts`, import.meta.url);
    expect(readFileSync(file, 'utf8')).toBe(renderTable(recipe));
  });

  it('cost what @pydantic/genai-prices says', () => {
    const prices = tables[recipe.name]!;
    const own = new Set(Object.keys(recipe.extra ?? {}));
    const models = Object.keys(prices).filter((model) => !own.has(model));
    const usage = fc.record({
      fresh: fc.nat(400_000),
      read: fc.nat(9999),
      write: fc.nat(9999),
      output: fc.nat(99_999),
    });
    const timestamp = new Date(`${date}T12:00:00Z`);
    let compared = 0;
    fc.assert(
      fc.property(fc.constantFrom(...models), usage, (model, { fresh, read, write, output }) => {
        const input = fresh + read + write;
        // Where the source has no rate for the cache it answers nothing or the price of input; ours is the latter.
        const { cacheRead, cacheWrite } = findPrice(model, undefined, prices)!;
        const cache = { ...(cacheRead && { cacheRead: read }), ...(cacheWrite && { cacheWrite: write }) };
        const wire = {
          input_tokens: input,
          output_tokens: output,
          cache_read_tokens: cache.cacheRead,
          cache_write_tokens: cache.cacheWrite,
        };
        const theirs = calcPrice(wire, model, { providerId: recipe.id, timestamp });
        if (!theirs) return;
        compared++;
        const ours = computeCost(model, { input, output, ...cache }, { prices });
        expect(ours?.totalUsd).toBeCloseTo(theirs.total_price, 9);
      }),
      { numRuns: 500 },
    );
    expect(compared).toBeGreaterThan(450);
  });
});

describe('the models that the reference systems price', () => {
  it.each([
    ['gpt-4o', 2.5, 10],
    ['gpt-4o-2024-11-20', 2.5, 10],
    ['gpt-4o-mini', 0.15, 0.6],
    ['gpt-4-turbo', 10, 30],
    ['gpt-4', 30, 60],
    ['gpt-3.5-turbo', 0.5, 1.5],
    ['gpt-4.1', 2, 8],
    ['gpt-4.1-mini', 0.4, 1.6],
    ['gpt-4.1-nano', 0.1, 0.4],
    ['o1', 15, 60],
    ['o1-mini', 1.1, 4.4],
    ['o3', 2, 8],
    ['o3-mini', 1.1, 4.4],
    ['o4-mini', 1.1, 4.4],
    ['claude-opus-4-6', 5, 25],
    ['claude-sonnet-4-6', 3, 15],
    ['claude-haiku-4-5', 1, 5],
    ['claude-haiku-4-5-20251001', 1, 5],
    ['claude-sonnet-4-5-20250929', 3, 15],
    ['claude-3-5-sonnet-20241022', 3, 15],
    ['claude-3-5-haiku-20241022', 0.8, 4],
    ['claude-3-opus-20240229', 15, 75],
    ['claude-3-haiku-20240307', 0.25, 1.25],
  ])('%s: %d and %d', (model, input, output) => {
    expect(findPrice(model, undefined, [openaiPrices, anthropicPrices])).toMatchObject({ input, output });
  });
});
