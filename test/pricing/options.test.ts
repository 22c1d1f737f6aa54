import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { runtime } from '../../adapters/node/runtime.ts';
import { builtIn } from '../../src/built-in.ts';
import { assembleLate } from '../../src/create.ts';
import type { TelemetryError } from '../../src/errors.ts';
import type { TelemetryOptions } from '../../src/options.ts';
import { getParts } from '../../src/parts.ts';
import type { PriceTable } from '../../src/pricing/price.ts';
import { chatCompletion, chatRequest, chatUrl, createAlsTelemetry, settle } from '../support/telemetry.ts';

const model = 'gpt-4o-2024-08-06';
const priceUrl = new URL('https://prices.example.com/table.json?key=secret');
/** Of the 10 tokens that a completion has for input. */
const perCall = (input: number) => (10 * input) / 1e6;
const table = (input: number): PriceTable => ({ 'gpt-4o': { input, output: 0 } });

function create(options: TelemetryOptions = {}, answer: () => Response | Promise<Response> = () => new Response()) {
  const errors: TelemetryError[] = [];
  const fetched: string[] = [];
  const telemetry = createAlsTelemetry({
    fetch: async (input, init) => {
      if (String(input) !== priceUrl.href) return Response.json(chatCompletion());
      fetched.push(String(new Headers(init?.headers).get('accept')));
      return answer();
    },
    onError: (error) => errors.push(error),
    ...options,
  });
  async function ask(): Promise<number> {
    const before = telemetry.metrics.value('llm_cost_usd_total', { model }) ?? 0;
    await (await telemetry.fetch(chatUrl, chatRequest())).text();
    return telemetry.metrics.value('llm_cost_usd_total', { model })! - before;
  }
  return { telemetry, errors, fetched, ask };
}

const env = (variables: Record<string, string>, readFile?: (path: string) => string) => ({
  runtime: { env: variables, ...(readFile && { readFile }) },
});

describe('prices of the environment', () => {
  const variable = { EDGESPAN_PRICES: JSON.stringify(table(3)) };
  const file = { EDGESPAN_PRICES_FILE: '/etc/prices.json' };
  const readFile = vi.fn(() => JSON.stringify(table(2)));

  it.each([
    ['built-in ones last', {}, perCall(2.5) + 50 / 1e6],
    ['of a variable', env(variable), perCall(3)],
    ['of a file before those of a variable', env({ ...variable, ...file }, readFile), perCall(2)],
    ['of code first', { ...env({ ...variable, ...file }, readFile), prices: table(1) }, perCall(1)],
    ['of code in their order', { prices: [{ other: { input: 1 } }, table(5), table(6)] }, perCall(5)],
  ])('%s', async (_, options, expected) => {
    const { ask, errors } = create(options);
    expect(await ask()).toBeCloseTo(expected, 12);
    expect(errors).toEqual([]);
  });

  it('names the file that is read', () => {
    readFile.mockClear();
    create(env(file, readFile));
    expect(readFile.mock.calls).toEqual([['/etc/prices.json']]);
  });

  it.each([
    ['no JSON', { EDGESPAN_PRICES: '{"secret' }, 'no JSON'],
    ['no table', { EDGESPAN_PRICES: '[1]' }, 'a table of prices'],
    ['a wrong price', { EDGESPAN_PRICES: '{"gpt-4o":{"input":"1"}}' }, 'prices.gpt-4o.input is of type string'],
    ['a file where there are none', file, 'EDGESPAN_PRICES'],
  ])('reports and ignores %s', async (_, variables, message) => {
    const { ask, errors } = create(env(variables));
    expect(errors.map(({ code, option }) => [code, option])).toEqual([
      ['invalid_environment', Object.keys(variables)[0]],
    ]);
    expect(errors[0]!.message).toContain(message);
    expect(errors[0]!.message).not.toContain('secret');
    expect(await ask()).toBeCloseTo(perCall(2.5) + 50 / 1e6, 12);
  });

  it('come from a real file on Node', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'prices-')), 'prices.json');
    writeFileSync(path, JSON.stringify(table(4)));
    const { ask } = create({ runtime: { ...runtime, env: { EDGESPAN_PRICES_FILE: path } } });
    expect(await ask()).toBeCloseTo(perCall(4), 12);
  });

  it('reports a file that is not to be read', () => {
    const { errors } = create(
      env(file, () => {
        throw new Error('no such file');
      }),
    );
    expect(errors[0]).toMatchObject({ code: 'invalid_environment', option: 'EDGESPAN_PRICES_FILE' });
    expect(errors[0]!.message).toContain('no such file');
  });

  it('are left alone where telemetry is off', () => {
    readFile.mockClear();
    create({ ...env({ ...variable, ...file }, readFile), enabled: false });
    expect(readFile).not.toHaveBeenCalled();
  });
});

describe('prices that are wrong in code', () => {
  it.each<[unknown, string, string]>([
    [{ acme: { output: 1 } }, 'prices.acme.input', 'undefined'],
    [{ acme: { input: 1, ouput: 2 } }, 'prices.acme.ouput', 'output'],
    [{ acme: { input: Number.NaN } }, 'prices.acme.input', 'NaN'],
    [{ acme: { input: 1, output: null } }, 'prices.acme.output', 'number'],
    [{ acme: 5 }, 'prices.acme', 'price'],
    [{ acme: { input: 1, tiers: {} } }, 'prices.acme.tiers', 'list'],
    [{ acme: { input: 1, tiers: [{ input: 2 }] } }, 'prices.acme.tiers.0.above', 'number'],
    [{ acme: { input: 1, tiers: [{ above: 5 }] } }, 'prices.acme.tiers.0.input', 'number'],
    [{ acme: { input: 1, tiers: [null] } }, 'prices.acme.tiers.0', 'price'],
    [{ acme: { input: 1, serviceTiers: ['flex'] } }, 'prices.acme.serviceTiers', 'factors'],
    [{ acme: { input: 1, serviceTiers: { flex: -0.5 } } }, 'prices.acme.serviceTiers.flex', '-0.5'],
    [{ acme: { input: 1, serviceTiers: { flex: '0.5' } } }, 'prices.acme.serviceTiers.flex', 'number'],
    [
      { acme: { input: 1, tiers: [{ above: 5, input: 1, serviceTiers: {} }] } },
      'prices.acme.tiers.0.serviceTiers',
      'absent',
    ],
    [[{}, { acme: { input: -1 } }], 'prices[1].acme.input', '-1'],
  ])('%j', (prices, option, part) => {
    const make = () => create({ prices: prices as PriceTable });
    expect(make).toThrow(expect.objectContaining({ code: 'invalid_option', option }));
    expect(make).toThrow(part);
  });
});

describe('prices from a URL', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
  afterEach(() => void vi.useRealTimers());
  const json = (value: unknown) => () => Response.json(value);

  it('are fetched once, after the first call, which does not wait for them', async () => {
    const { telemetry, ask, fetched, errors } = create({ prices: [table(1), priceUrl] }, json({ x: { input: 1 } }));
    const early = create({ prices: priceUrl }, json(table(7)));
    await settle();
    expect(early.fetched).toEqual([]);
    expect(await early.ask()).toBeCloseTo(perCall(2.5) + 50 / 1e6, 12);
    await settle(100);
    expect(await early.ask()).toBeCloseTo(perCall(7), 12);
    await early.telemetry.flush();
    expect(early.fetched).toEqual(['application/json']);
    expect(await ask()).toBeCloseTo(perCall(1), 12);
    await telemetry.flush();
    expect(await ask()).toBeCloseTo(perCall(1), 12);
    expect([...fetched, ...errors]).toEqual(['application/json']);
  });

  it('are fetched by flushes alone where a request’s I/O ends with it', async () => {
    const { telemetry, ask, fetched } = create({ prices: priceUrl, runtime: { ephemeral: true } }, json(table(7)));
    await ask();
    await settle(100);
    expect(fetched).toEqual([]);
    await telemetry.flush();
    expect(await ask()).toBeCloseTo(perCall(7), 12);
    await telemetry.flush();
    expect(fetched).toHaveLength(1);
  });

  it.each<[string, () => Response | Promise<Response>, string]>([
    ['an error', () => new Response('secret', { status: 404 }), 'status 404'],
    ['no JSON', () => new Response('<html>secret'), 'no JSON'],
    ['another shape', json({ acme: { price: 1 } }), 'prices.acme'],
    ['too much', () => new Response(`{"a":"${'x'.repeat(1024 * 1024)}"}`), '1048576 bytes'],
    ['a refused connection', () => Promise.reject(new TypeError('refused')), 'refused'],
  ])('that answers %s are reported, and do without', async (_, answer, part) => {
    const { telemetry, ask, errors } = create({ prices: priceUrl }, answer);
    await ask();
    await telemetry.flush();
    await settle(2000);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject({ code: 'prices_unavailable', option: 'prices' });
    expect(errors[0]!.message).toContain('prices.example.com');
    expect(errors[0]!.message).toContain(part);
    expect(errors[0]!.message).not.toMatch(/key=|html/);
    expect(await ask()).toBeCloseTo(perCall(2.5) + 50 / 1e6, 12);
  });

  it('that never answers are given up, at most three times', async () => {
    let now = 0;
    const { telemetry, fetched, errors } = create(
      {
        prices: priceUrl,
        flush: { timeoutMs: 1000 },
        runtime: { ephemeral: true, monotonic: () => now, now: () => now },
      },
      () => new Promise(() => {}),
    );
    for (let flushes = 1; flushes <= 5; flushes++) {
      const done = telemetry.flush();
      await vi.advanceTimersByTimeAsync(1000);
      await done;
      now += 100_000;
      expect(fetched).toHaveLength(Math.min(flushes, 3));
    }
    expect(errors.map(({ message }) => message)).toEqual(Array(3).fill(expect.stringContaining('no answer in time')));
  });

  it('are not asked for twice at a time', async () => {
    const { telemetry, fetched } = create({ prices: priceUrl }, json(table(7)));
    await Promise.all([telemetry.flush(), telemetry.flush()]);
    expect(fetched).toHaveLength(1);
  });
});

describe('pricingProfile', () => {
  it('labels costs and nothing else, where it is given', async () => {
    const { telemetry, ask } = create({ pricingProfile: 'enterprise' });
    await ask();
    const label = { pricing_profile: 'enterprise' };
    expect(telemetry.metrics.value('llm_cost_usd_total', label)).toBeGreaterThan(0);
    expect(await telemetry.prometheus()).toMatch(/llm_cost_per_request_usd_count\{[^}]*pricing_profile="enterprise"/);
    expect(await telemetry.prometheus()).not.toMatch(/llm_tokens_total\{[^}]*pricing_profile/);
    expect(telemetry.spans[0]!.attributes['edgespan.pricing.profile']).toBe('enterprise');
  });

  it('leaves no trace where it is not', async () => {
    const { telemetry, ask } = create();
    await ask();
    expect(await telemetry.prometheus()).not.toContain('pricing_profile');
    expect(telemetry.spans[0]!.attributes).not.toHaveProperty(['edgespan.pricing.profile']);
  });

  it('is no trouble to a telemetry that gets its options with the first request', async () => {
    const answer = async () => Response.json(chatCompletion());
    const errors: TelemetryError[] = [];
    const telemetry = assembleLate(
      {},
      () => ({ pricingProfile: 'late', fetch: answer, onError: (error) => errors.push(error) }),
      builtIn,
    );
    getParts(telemetry).bind?.({});
    await (await telemetry.fetch(chatUrl, chatRequest())).text();
    expect(errors).toEqual([]);
    expect(telemetry.metrics.value('llm_cost_usd_total', { pricing_profile: 'late' })).toBeGreaterThan(0);
  });

  it('has at most 20 values in a registry', async () => {
    const { createMetricRegistry } = await import('../../src/index.ts');
    const registry = createMetricRegistry();
    for (let profile = 0; profile < 21; profile++) {
      await create({ pricingProfile: `p${profile}`, metrics: { registry } })
        .ask()
        .catch(() => {});
    }
    const value = (profile: string) =>
      create({ pricingProfile: 'p0', metrics: { registry } }).telemetry.metrics.value('llm_cost_usd_total', {
        pricing_profile: profile,
      });
    expect(value('p19')).toBeGreaterThan(0);
    expect(value('__cardinality_overflow__')).toBeGreaterThan(0);
  });
});
