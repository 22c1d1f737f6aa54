import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { buildTable, encodePrice, findSourcePrice, listSourceIds, recipes, renderTable } from '../../scripts/prices.ts';
import { computeCost, defaultPrices } from '../../src/pricing/default.ts';
import { findPrice } from '../../src/pricing/find.ts';
import { differences } from './differences.ts';

describe.each(recipes)('prices of $name', (recipe) => {
  it('are what the script writes', () => {
    const file = new URL(`../../src/pricing/table/${recipe.name}.ts`, import.meta.url);
    expect(readFileSync(file, 'utf8')).toBe(renderTable(recipe));
  });

  it('are found as the script has read them, through text and lookup', () => {
    for (const [key, price] of Object.entries(buildTable(recipe))) {
      if (key.includes('*')) continue;
      expect(findPrice(key, recipe.name, defaultPrices), key).toEqual(price);
    }
  });

  it('have sane ids', () => {
    for (const key of Object.keys(buildTable(recipe))) expect(key).toMatch(/^[\w@./:*-]+$/);
  });

  it('differ from the source only where a page says so', () => {
    const published = Object.keys(recipe.extra ?? {}).map((key) => ({ id: key, key }));
    const differing = [...listSourceIds(recipe), ...published].flatMap(({ id, key }) => {
      const ours = findPrice(key, recipe.name, defaultPrices);
      const theirs = recipe.source && findSourcePrice(id, recipe.source.id);
      return !ours || !theirs || encodePrice(ours) === encodePrice(theirs) ? [] : `${recipe.name}/${key}`;
    });
    expect([...new Set(differing)].sort()).toEqual(
      Object.keys(differences)
        .filter((key) => key.startsWith(`${recipe.name}/`))
        .sort(),
    );
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
    ['gemini-2.0-flash', 0.1, 0.4],
    ['gemini-2.0-flash-lite', 0.075, 0.3],
    ['gemini-2.5-pro', 1.25, 10],
    ['gemini-2.5-flash', 0.3, 2.5],
    ['gemini-1.5-pro', 1.25, 5],
    ['gemini-1.5-flash', 0.075, 0.3],
    ['gemini-1.5-flash-8b', 0.0375, 0.15],
    ['gemini-1.0-pro', 0.5, 1.5],
    ['deepseek-chat', 0.27, 1.1],
    ['deepseek-reasoner', 0.55, 2.19],
    ['llama-3.3-70b-versatile', 0.59, 0.79],
    ['mixtral-8x7b', 0.7, 0.7],
    ['mixtral-8x7b-32768', 0.24, 0.24],
  ])('%s: %d and %d', (model, input, output) => {
    expect(computeCost(model, { input: 1e6 / 10, output: 0 })?.totalUsd).toBeCloseTo(input / 10, 9);
    expect(computeCost(model, { input: 0, output: 1e6 })?.totalUsd).toBeCloseTo(output, 9);
  });
});

it('Claude costs on Vertex AI what it costs at its vendor, unless Google says otherwise', () => {
  const cost = (model: string) =>
    computeCost(model, { input: 1e6 / 10, output: 1e6 / 10 }, { provider: 'vertex' })?.totalUsd;
  expect(cost('claude-haiku-4-5@20251001')).toBeCloseTo(0.6, 9);
  expect(cost('claude-opus-4-5@20251101')).toBeCloseTo(3, 9);
  expect(cost('claude-3-5-sonnet-v2@20241022')).toBeCloseTo(1.8, 9);
});
