import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countTokens, estimateCall, toActual } from '../../src/budget/estimate.ts';
import type { LlmRequest } from '../../src/llm/provider.ts';

const price = { input: 1, output: 10, maxOutputTokens: 1000, serviceTiers: { flex: 0.5, priority: 2 } };
const prices = {
  find: (model: string) => (model === 'priced' ? price : model === 'plain' ? { input: 1, output: 10 } : undefined),
};
const request = (over: Partial<LlmRequest> = {}): LlmRequest => ({
  provider: 'p',
  model: 'priced',
  operation: 'chat',
  stream: false,
  ...over,
});
const outputOf = (over: Partial<LlmRequest>) => estimateCall(request(over), undefined, prices, 4096).output.tokens;

describe('an estimate', () => {
  it('has the output that the call allows, else the table, else the option', () => {
    expect(outputOf({ maxTokens: 7 })).toBe(7);
    for (const none of [-1, Number.NaN]) expect(outputOf({ maxTokens: none })).toBe(outputOf({}));
    expect(outputOf({})).toBe(1000);
    expect(outputOf({ model: 'plain' })).toBe(4096);
    expect(outputOf({ maxTokens: 7, parameters: { 'gen_ai.request.choice.count': 3 } })).toBe(21);
    expect(outputOf({ operation: 'embed' })).toBe(0);
  });

  it('prices both, and knows what has no price', () => {
    const estimate = estimateCall(request({ maxTokens: 10 }), ['a'.repeat(300)], prices, 4096);
    expect(estimate).toMatchObject({ tokens: 110, nanoUsd: 100 * 1000 + 10 * 10_000 });
    expect(estimateCall(request({ model: 'none' }), 'hi', prices, 1).nanoUsd).toBeUndefined();
    expect(estimateCall(request({ model: undefined }), 'hi', prices, 1).nanoUsd).toBeUndefined();
  });

  it.each([
    ['priority', 2],
    ['flex', 0.5],
    ['auto', 1],
    ['unheard-of', 1],
  ])('has the price of the tier that is asked for: %s', (tier, factor) => {
    const parameters = { 'openai.request.service_tier': tier };
    const estimate = estimateCall(request({ maxTokens: 10, parameters }), ['a'.repeat(300)], prices, 4096);
    expect(estimate).toMatchObject({ tokens: 110, nanoUsd: (100 * 1000 + 10 * 10_000) * factor });
    expect(estimate.output).toEqual({ tokens: 10, nanoUsd: 10 * 10_000 * factor });
  });

  it('counts a token for every three bytes, and less for what is no text', () => {
    expect(countTokens('hello world!')).toBe(4);
    expect(countTokens('日本語')).toBe(3);
    expect(countTokens('größe')).toBe(Math.ceil(7 / 3));
    expect(countTokens('😀')).toBe(Math.ceil(4 / 3));
    expect(countTokens(`data:image/png;base64,${'A'.repeat(32_000)}`)).toBeLessThan(1100);
    expect(countTokens(new Uint8Array(3200))).toBe(100);
    expect(countTokens([[1, 2, 3], [4]])).toBe(4);
    expect(countTokens(undefined)).toBe(0);
  });

  it('takes nothing for a picture that is a long text without spaces', () => {
    const rows = JSON.stringify(Array.from({ length: 1000 }, (_, id) => ({ id, name: `row-${id}` })));
    for (const text of ['吾輩は猫である。'.repeat(1000), rows]) {
      expect(countTokens(text)).toBe(Math.ceil(new TextEncoder().encode(text).length / 3));
    }
    expect(countTokens(`data:audio/wav;base64,${'_-+/'.repeat(8000)}==`)).toBeLessThan(1100);
  });

  it('measures any text as its UTF-8', () => {
    const bytes = (text: string) => new TextEncoder().encode(text).length;
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) => {
        expect(countTokens(text)).toBe(Math.ceil(bytes(text) / 3));
      }),
    );
  });

  it('bears cycles, getters that throw, and what is too much to look at', () => {
    const cycle: Record<string, unknown> = { a: 'abc' };
    cycle.self = cycle;
    Object.defineProperty(cycle, 'bad', {
      enumerable: true,
      get: () => {
        throw new Error('no');
      },
    });
    expect(countTokens(cycle)).toBe(Math.ceil((1 + 3 + 4 + 3) / 3));
    expect(countTokens(Array.from({ length: 300_000 }, () => 'abc'))).toBeLessThanOrEqual(200_000);
  });
});

describe('what a call is counted for', () => {
  const estimate = { nanoUsd: 500, tokens: 50, output: { nanoUsd: 400, tokens: 40 } };

  it.each([
    ['known', { usage: { input: 3, output: 2 }, costUsd: 1e-9 }, { nanoUsd: 1, tokens: 5 }],
    ['unknown', {}, { nanoUsd: 500, tokens: 50 }],
    ['without its output', { usage: { input: 3 }, costUsd: 1e-9 }, { nanoUsd: 401, tokens: 43 }],
    ['without its input', { usage: { output: 3 }, costUsd: 3e-9 }, { nanoUsd: 103, tokens: 13 }],
    ['only a total', { usage: { total: 9 } }, { nanoUsd: 500, tokens: 9 }],
    ['only a cost', { costUsd: 2e-9 }, { nanoUsd: 2, tokens: 50 }],
    ['nothing', { usage: { input: 0, output: 0 }, costUsd: 0 }, { nanoUsd: 0, tokens: 0 }],
    ['above the estimate', { usage: { input: 900, output: 900 }, costUsd: 1 }, { nanoUsd: 1e9, tokens: 1800 }],
  ])('is what is known of it, else the estimate: %s', (_, spend, expected) => {
    expect(toActual(spend, estimate)).toEqual(expected);
  });
});
