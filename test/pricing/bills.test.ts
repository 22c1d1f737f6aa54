import { describe, expect, it } from 'vitest';
import { computeCost } from '../../src/pricing/default.ts';
import { pages } from './bills.ts';
import { tierPages } from './tier-bills.ts';

describe.each([...pages, ...tierPages])('bills by $url of $date', ({ bills }) => {
  for (const [provider, model, usage, microUsd, serviceTier] of bills) {
    it(`${provider}, ${model}${serviceTier ? `, ${serviceTier}` : ''}`, () => {
      expect(computeCost(model, usage, { provider, serviceTier })?.totalUsd).toBeCloseTo(microUsd / 1e6, 12);
    });
  }
});

it('are at least 40', () => {
  expect(pages.filter(({ quoted }) => !quoted).flatMap(({ bills }) => bills).length).toBeGreaterThanOrEqual(40);
});
