import { calcPrice } from '@pydantic/genai-prices';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { listSourceIds, moment, recipes } from '../../scripts/prices.ts';
import { computeCost, defaultPrices } from '../../src/pricing/default.ts';
import { findPrice } from '../../src/pricing/find.ts';
import type { LlmUsage } from '../../src/usage.ts';
import { differences } from './differences.ts';

const seed = 20_261_121;
const calls = 5000;

const models = recipes.flatMap((recipe) =>
  listSourceIds(recipe)
    .filter(({ key }) => !Object.hasOwn(differences, `${recipe.name}/${key}`))
    .map(({ id, key }) => ({ provider: recipe.name, source: recipe.source!.id, id, key })),
);

/** By vendor first: OpenRouter has more models than all others together. */
const model = fc
  .constantFrom(...new Set(models.map(({ provider }) => provider)))
  .chain((provider) => fc.constantFrom(...models.filter((one) => one.provider === provider)));

/** The total at an edge of the model's tiers, or anywhere. */
function total(edges: readonly number[]): fc.Arbitrary<number> {
  const near = edges.flatMap((edge) => [edge - 1, edge, edge + 1]);
  return near.length > 0 ? fc.oneof(fc.constantFrom(...near), fc.nat(500_000)) : fc.nat(500_000);
}

const share = fc.double({ min: 0, max: 1, noNaN: true });

/** Parts that fit into their totals; the source throws for others. */
const call = model.chain((one) => {
  const tiers = findPrice(one.key, one.provider, defaultPrices)?.tiers ?? [];
  return fc
    .tuple(total(tiers.map(({ above }) => above)), fc.nat(100_000), fc.array(share, { minLength: 7, maxLength: 7 }))
    .chain(([input, output, [a, b, c, d, e, f, g]]) => {
      const part = (of: number, by = 0) => Math.floor(of * by);
      const cacheWrite = part(input, a);
      const cacheRead = part(input - cacheWrite, b);
      const audioCacheRead = part(cacheRead, c);
      const reasoning = part(output, d);
      const usage = {
        input,
        cacheRead,
        cacheWrite,
        cacheWrite1h: part(cacheWrite, e),
        audioCacheRead,
        audioInput: audioCacheRead + part(input - cacheWrite - cacheRead, f),
        output,
        reasoning,
        audioOutput: part(output - reasoning, g),
      } satisfies LlmUsage;
      return fc.record({ one: fc.constant(one), usage: fc.constant(usage), webSearches: fc.nat(5) });
    });
});

it(`${calls} calls cost what @pydantic/genai-prices says (seed ${seed})`, () => {
  const compared = new Map<string, number>();
  fc.assert(
    fc.property(call, ({ one, usage, webSearches }) => {
      const theirs = calcPrice(
        {
          input_tokens: usage.input,
          cache_read_tokens: usage.cacheRead,
          cache_write_tokens: usage.cacheWrite,
          cache_write_1h_tokens: usage.cacheWrite1h,
          input_audio_tokens: usage.audioInput,
          cache_audio_read_tokens: usage.audioCacheRead,
          output_tokens: usage.output,
          output_reasoning_tokens: usage.reasoning,
          output_audio_tokens: usage.audioOutput,
          web_searches: webSearches,
        },
        one.id,
        { providerId: one.source, timestamp: moment },
      );
      const ours = computeCost(one.key, { ...usage, webSearches }, { provider: one.provider });
      expect(Math.abs(ours!.totalUsd - theirs!.total_price)).toBeLessThan(1e-9);
      compared.set(one.provider, (compared.get(one.provider) ?? 0) + 1);
    }),
    { numRuns: calls, seed },
  );
  console.info(`parity: ${[...compared].map(([provider, count]) => `${provider} ${count}`).join(', ')}`);
  expect([...compared.values()].reduce((sum, count) => sum + count)).toBe(calls);
  expect(compared.size).toBe(recipes.filter(({ source }) => source).length);
});
