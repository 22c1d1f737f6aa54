import { describe, expect, it } from 'vitest';
import { findPrice, type PriceTable } from '../../src/pricing/price.ts';

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
