import { describe, expect, it } from 'vitest';
import { findPrice } from '../../src/pricing/find.ts';
import { hostPrices, vendorPrices } from '../../src/pricing/lazy-table.ts';
import type { PriceTable } from '../../src/pricing/price.ts';

const table: PriceTable = {
  'gpt-4': { input: 30 },
  'gpt-4o': { input: 2.5 },
  'gpt-4o-2024-05-13': { input: 5 },
  'azure/gpt-4o': { input: 2.75 },
  'claude-sonnet-4': { input: 3 },
  'claude-3-5-haiku': { input: 0.8 },
  'anthropic.claude-3-5-haiku': { input: 0.9 },
  'ft:gpt-4o': { input: 3.75 },
};

const find = (model: string, provider?: string) => findPrice(model, provider, table)?.input;

describe('findPrice', () => {
  it.each([
    ['gpt-4o', 2.5],
    ['gpt-4o-2024-08-06', 2.5],
    ['gpt-4o-2024-05-13', 5],
    ['gpt-4o-latest', 2.5],
    ['claude-sonnet-4-20250514', 3],
    ['claude-sonnet-4@20250514', 3],
    ['claude-3-5-haiku-v2@20241022', 0.8],
    ['claude-3-5-haiku-latest', 0.8],
    ['anthropic.claude-3-5-haiku-20241022-v1:0', 0.9],
    ['ft:gpt-4o-2024-08-06:acme::abc', 3.75],
  ])('%s costs %d', (model, input) => {
    expect(find(model)).toBe(input);
  });

  it.each([
    'gpt-4o-mini',
    'gpt-4-turbo',
    'gpt-4.1',
    'gpt',
    'claude-sonnet-4-5',
    'gpt-4-1106-preview',
    'ft:gpt-4',
    '',
    '__proto__',
    'constructor',
  ])('%j is none of these models', (model) => {
    expect(find(model)).toBeUndefined();
  });

  it('prefers the price of the provider, dated or not', () => {
    expect(find('gpt-4o', 'azure')).toBe(2.75);
    expect(find('gpt-4o-2024-05-13', 'azure')).toBe(2.75);
    expect(find('gpt-4', 'azure')).toBe(30);
    expect(find('gpt-4o', 'openai')).toBe(2.5);
  });

  it('lets an earlier table win, also by a shorter name', () => {
    const own: PriceTable = { 'gpt-4o': { input: 1 } };
    expect(findPrice('gpt-4o-2024-05-13', 'azure', [own, table])?.input).toBe(1);
    expect(findPrice('gpt-4', undefined, [own, table])?.input).toBe(30);
    expect(findPrice('gpt-4', undefined, [])).toBeUndefined();
  });

  it('does not search for an id that is too long', () => {
    const id = 'x'.repeat(256);
    expect(findPrice(id, undefined, { [id]: { input: 1 } })?.input).toBe(1);
    expect(findPrice(`${id}x`, undefined, { [`${id}x`]: { input: 1 } })).toBeUndefined();
  });
});

describe('findPrice in built-in tables', () => {
  const built = [
    vendorPrices('openai', '2.5,10 gpt-4o\n.5,1 llama-x'),
    vendorPrices('google', '1,2 gemini-2.0-flash'),
    hostPrices('groq', '.1,.2 llama-x llama-fast\n.3,.4 openai/oss'),
    hostPrices('together', '.5,.6 llama-x\n.3,.4 openai/oss'),
    hostPrices('bedrock', '5,25 global.anthropic.claude-z\n5.5,27.5 anthropic.claude-z claude-z'),
    hostPrices('vertex', '1.1,2.2 gemini-2.0-flash'),
    hostPrices('fireworks', '.9,.9 kimi'),
    hostPrices('cloudflare', '.2,.3 @cf/meta/llama-x'),
    hostPrices('openrouter', '0,0 *:free\n2,8 openai/gpt-4o'),
    hostPrices('ollama', '0,0 *'),
  ];
  const input = (model: string, provider?: string) => findPrice(model, provider, built)?.input;

  it.each([
    ['openai', 'gpt-4o-2024-08-06', 2.5],
    ['openai', 'openai/gpt-4o-2024-08-06', 2.5],
    ['groq', 'groq/llama-x', 0.1],
    ['google', 'models/gemini-2.0-flash-001', 1],
    ['vertex', 'publishers/google/models/gemini-2.0-flash-001', 1.1],
    ['vertex', 'projects/p/locations/l/publishers/google/models/gemini-2.0-flash', 1.1],
    ['groq', 'llama-x', 0.1],
    ['together', 'llama-x', 0.5],
    ['bedrock', 'global.anthropic.claude-z-20260101-v1:0', 5],
    ['bedrock', 'us.anthropic.claude-z-20260101-v1:0', 5.5],
    ['bedrock', 'anthropic.claude-z-v1:0:200k', 5.5],
    ['bedrock', 'arn:aws:bedrock:us-east-1:1:inference-profile/eu.anthropic.claude-z-20260101-v2:0', 5.5],
    ['bedrock', 'claude-z-20260101', 5.5],
    ['fireworks', 'accounts/fireworks/models/kimi', 0.9],
    ['fireworks', 'accounts/fireworks/routers/kimi', 0.9],
    ['cloudflare', '@cf/meta/llama-x', 0.2],
    ['openrouter', 'openai/gpt-4o', 2],
    ['openrouter', 'who/ever:free', 0],
    ['ollama', 'llama-x', 0],
    ['ollama', 'gpt-4o', 0],
    ['a-gateway', 'gpt-4o', 2.5],
  ])('%s %s costs %d', (provider, model, expected) => {
    expect(input(model, provider)).toBe(expected);
  });

  it.each([
    ['a vendor with a table and not the model in it', 'groq', 'gpt-4o'],
    ['another vendor’s model', 'openai', 'groq/llama-fast'],
    ['a tuned model of one’s own', 'fireworks', 'accounts/me/models/kimi'],
    ['a profile that hides its model', 'bedrock', 'arn:aws:bedrock:us-east-1:1:application-inference-profile/abc'],
    ['a deployment named after a model', 'openai', 'gpt-4o-for-support'],
    ['what Ollama runs in its cloud', 'ollama', 'gpt-oss:120b-cloud'],
    ['what Ollama runs in its cloud by another tag', 'ollama', 'glm-4.6:cloud'],
    ['a paid variant', 'openrouter', 'who/ever:nitro'],
  ])('has no price for %s', (_, provider, model) => {
    expect(input(model, provider)).toBeUndefined();
  });

  it('finds a model without a provider at its vendor, else where all hosts agree', () => {
    expect(input('gpt-4o')).toBe(2.5);
    expect(input('openai/gpt-4o')).toBe(2.5);
    expect(input('groq/llama-x')).toBe(0.1);
    expect(input('llama-fast')).toBe(0.1);
    expect(input('openai/oss')).toBe(0.3);
    expect(input('kimi')).toBe(0.9);
    expect(input('ollama/anything')).toBe(0);
    expect(input('nothing')).toBeUndefined();
    const differing = [hostPrices('a', '1,1 m'), hostPrices('b', '2,2 m')];
    expect(findPrice('m', undefined, differing)).toBeUndefined();
  });

  it('lets tables that are given win over all of them', () => {
    const given: PriceTable = { 'llama-x': { input: 7 }, 'ollama/*': { input: 8 } };
    expect(findPrice('llama-x', 'groq', [given, ...built])?.input).toBe(7);
    expect(findPrice('gemma', 'ollama', [given, ...built])?.input).toBe(8);
    expect(findPrice('gpt-4o', 'groq', [given, ...built])).toBeUndefined();
    expect(findPrice('llama-fast', 'groq', [built[0]!, given, built[2]!])?.input).toBe(0.1);
  });

  it('ignores the case in which a host spells an id', () => {
    expect(input('GPT-4o', 'openai')).toBe(2.5);
  });
});
