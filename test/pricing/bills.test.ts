import { describe, expect, it } from 'vitest';
import { computeCost } from '../../src/pricing/default.ts';
import { pages } from './bills.ts';

describe.each(pages)('bills by $url of $date', ({ bills }) => {
  it.each(bills)('%s, %s', (provider, model, usage, microUsd) => {
    expect(computeCost(model, usage, { provider })?.totalUsd).toBeCloseTo(microUsd / 1e6, 12);
  });
});

it('are at least 40', () => {
  expect(pages.filter(({ quoted }) => !quoted).flatMap(({ bills }) => bills).length).toBeGreaterThanOrEqual(40);
});
