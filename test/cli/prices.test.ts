import { describe, expect, it } from 'vitest';
import { computeCost, defaultPrices } from '../../src/index.ts';
import { newPath, runHere as run } from './run.ts';

describe('edgespan prices', () => {
  it('says what a call costs, and by which table', async () => {
    const { code, stdout } = await run(['prices', 'gpt-4o-2024-08-06', '1000', '500']);
    const { totalUsd } = computeCost('gpt-4o', { input: 1000, output: 500 })!;
    expect(code).toBe(0);
    expect(stdout).toContain(`costs $${totalUsd}`);
    expect(stdout).toContain('by built-in prices of openai, gpt-4o');
  });

  it('prices by the provider, and what is read from a cache', async () => {
    const { stdout } = await run('prices gpt-4o 1000 500 --provider azure --cache-read 400 --json'.split(' '));
    const usage = { input: 1000, output: 500, cacheRead: 400 };
    expect(JSON.parse(stdout)).toMatchObject({
      ...computeCost('gpt-4o', usage, { provider: 'azure' }),
      usage,
      table: 'built-in prices of azure',
      key: 'azure/gpt-4o',
    });
  });

  it('asks the given table first, then those of the environment', async () => {
    const given = newPath('given.json', '{"acme-1":{"input":1,"output":2}}');
    const named = newPath('named.json', '{"acme-1":{"input":10,"output":20},"acme-2":{"input":3,"output":4}}');
    const env = {
      EDGESPAN_PRICES_FILE: named,
      EDGESPAN_PRICES: '{"acme-2":{"input":9},"acme-3":{"input":5,"output":6}}',
    };
    const ask = async (model: string) => {
      const { stdout } = await run(['prices', model, '1000000', '1000000', '--prices-file', given, '--json'], env);
      const { totalUsd, table } = JSON.parse(stdout) as { totalUsd: number; table: string };
      return [totalUsd, table];
    };
    expect(await ask('acme-1')).toEqual([3, given]);
    expect(await ask('acme-2')).toEqual([7, named]);
    expect(await ask('acme-3')).toEqual([11, 'EDGESPAN_PRICES']);
  });

  it('shows the rates of the tier that was reached', async () => {
    const [model, price] = Object.entries(defaultPrices).find(([, { tiers }]) => tiers?.length)!;
    const above = price.tiers!.at(-1)!;
    const { stdout } = await run(['prices', model, String(above.above + 1), '0', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ rates: { input: above.input } });
  });

  it('has no price of what it does not know, and says what may be meant', async () => {
    const { code, stderr } = await run(['prices', 'gpt-4o-min', '1', '1']);
    expect(code).toBe(1);
    expect(stderr).toContain('no table has a price of gpt-4o-min: did you mean gpt-4o-mini?');
  });

  it('says what is wrong with a table', async () => {
    const path = newPath('wrong.json', '{"acme-1":{"input":-1}}');
    const { code, stderr } = await run(['prices', 'acme-1', '1', '1', '--prices-file', path]);
    expect(code).toBe(1);
    expect(stderr).toContain('prices.acme-1.input is -1');
  });
});
