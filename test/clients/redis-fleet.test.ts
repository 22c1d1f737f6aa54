import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createRedisBudgetStore, createRedisMetricStore } from '../../adapters/redis/index.ts';
import { createMemoryBudgetStore } from '../../src/budget/memory-store.ts';
import type { BudgetStore, ReserveRequest } from '../../src/budget/store.ts';
import { createTelemetry } from '../../src/index.ts';
import { root } from '../support/build.ts';
import { type Child, startChild } from '../support/child.ts';
import type { RedisServer } from '../support/redis.ts';
import { nanoUsdOf, prices, url, usageOf } from './redis-fleet-calls.ts';
import { needs, ready, startWithClient } from './redis-servers.ts';

const processes = 8;
/** Ten seconds where nothing else runs. */
const timeout = 240_000;

describe.skipIf(!ready)(`eight processes on one Redis (${needs})`, { timeout }, () => {
  let server: RedisServer;
  let client: Redis;
  let program: string;
  const started: Child[] = [];

  beforeAll(async () => {
    // Beside the package that it loads.
    const folder = join(root, 'test/clients/node_modules/.cache');
    mkdirSync(folder, { recursive: true });
    program = join(folder, `redis-fleet-${process.pid}.mjs`);
    await build({
      entryPoints: [join(root, 'test/clients/redis-fleet-program.ts')],
      outfile: program,
      bundle: true,
      format: 'esm',
      target: 'es2022',
      platform: 'node',
      packages: 'external',
      logLevel: 'error',
    });
  });
  afterAll(() => {
    if (program) rmSync(program, { force: true });
  });
  beforeAll(async () => {
    const redis = await startWithClient();
    ({ server, client } = redis);
    return redis.stop;
  });
  beforeEach(() => client.flushall());
  afterEach(() => {
    for (const child of started.splice(0)) child.process.kill('SIGKILL');
  });

  function start(role: string, calls: readonly number[], env: Record<string, string> = {}): Child[] {
    const children = calls.map((count, me) =>
      startChild('node', program, { PORT: `${server.port}`, ROLE: role, ME: `${me}`, CALLS: `${count}`, ...env }),
    );
    started.push(...children);
    return children;
  }

  /** Once all are there, all go on. */
  async function open(barrier: string, children: readonly Child[]): Promise<void> {
    await Promise.all(children.map((child) => child.line(barrier)));
    await client.rpush(`barrier ${barrier}`, ...children.map(() => 'go'));
  }

  function tell(word: string, children: readonly Child[]): Promise<unknown[]> {
    return Promise.all(
      children.map(async (child) => JSON.parse((await child.line(`${word} `)).slice(word.length + 1)) as unknown),
    );
  }

  async function sum(word: string, children: readonly Child[]): Promise<number> {
    return ((await tell(word, children)) as number[]).reduce((a, b) => a + b, 0);
  }

  async function expectEnds(children: readonly Child[]): Promise<void> {
    for (const { ended } of children) expect(await ended).toEqual({ code: 0, signal: null, stderr: '' });
  }

  it('counts 20,000 calls to the unit and the nano-dollar, whichever of them is asked', async () => {
    const calls = Array.from({ length: processes }, () => 2500);
    const children = start('count', calls);
    await open('ready', children);
    await open('counted', children);
    const usages = Array.from({ length: 20_000 }, (_, number) => usageOf(number));
    const input = usages.reduce((total, usage) => total + usage.input, 0);
    const output = usages.reduce((total, usage) => total + usage.output, 0);
    for (const page of (await tell('url', children)) as string[]) {
      const response = await fetch(page, { headers: { authorization: 'Bearer token' } });
      const text = await response.text();
      expect(response.status, text).toBe(200);
      expect(sample(text, 'llm_requests_total')).toBe(20_000);
      expect(sample(text, 'llm_request_duration_seconds_count')).toBe(20_000);
      expect(sample(text, 'llm_request_duration_seconds_bucket', 'le="+Inf"')).toBe(20_000);
      expect(sample(text, 'llm_tokens_total', 'token_type="input"')).toBe(input);
      expect(sample(text, 'llm_tokens_total', 'token_type="output"')).toBe(output);
      const cost = sample(text, 'llm_cost_usd_total');
      expect(Math.round(cost * 1e9)).toBe(nanoUsdOf({ input, output }));
    }
    const { metrics } = await createRedisMetricStore(client).collect();
    expect(metrics.find(({ name }) => name === 'llm_requests_total')?.points).toHaveLength(1);
    await open('scraped', children);
    await expectEnds(children);
  });

  const shares = [63, 63, 63, 63, 62, 62, 62, 62];

  it('lets exactly 100 of 500 parallel reservations pass, and has spent what they settled', async () => {
    const children = start('reserve', shares, { LIMIT: `${100 * 1_000_003 + 1_000_002}` });
    await open('ready', children);
    expect(await sum('passed', children)).toBe(100);
    const store = createRedisBudgetStore(client);
    const reserved = await store.read('k', Number.POSITIVE_INFINITY);
    expect(reserved.reserved).toEqual({ nanoUsd: 100 * 1_000_003, tokens: 1000 });
    await open('reserved', children);
    const settled = await sum('settled', children);
    await expectEnds(children);
    const { spent, reserved: left } = await store.read('k', Number.POSITIVE_INFINITY);
    expect([spent.nanoUsd, left]).toEqual([settled, { nanoUsd: 0, tokens: 0 }]);
    expect(spent.nanoUsd).toBeGreaterThan(50 * 1_000_000);
  });

  it('gives back after the expiry what a killed process had reserved', async () => {
    const store = createRedisBudgetStore(client);
    const windowEnd = Number.POSITIVE_INFINITY;
    const amount = { nanoUsd: 1, tokens: 1 };
    const limit = { nanoUsd: 10 * 1_000_003, tokens: 1000 };
    const ask = (reservationId: string) =>
      store.reserve({ key: 'k', windowEnd, reservationId, limit, amount, expiresAt: Date.now() + 600_000 });
    const [child] = start('reserve', [12], { LIMIT: `${limit.nanoUsd}`, TTL_MS: '3000' });
    await open('ready', [child!]);
    expect(await tell('passed', [child!])).toEqual([10]);
    child!.process.kill('SIGKILL');
    expect((await child!.ended).signal).toBe('SIGKILL');
    const held = { ok: false, spent: { nanoUsd: 0, tokens: 0 }, reserved: { nanoUsd: 10 * 1_000_003, tokens: 100 } };
    expect(await ask('before')).toEqual(held);
    while ((await store.read('k', windowEnd)).reserved.nanoUsd > 0) await new Promise(setImmediate);
    expect(await ask('after')).toEqual({ ok: true });
  });

  it('lets exactly 100 of 500 parallel calls pass, and has spent what streams, cancels and failures came to', async () => {
    const children = start('call', shares, { LIMIT: `${100 * (await estimate())}` });
    await open('ready', children);
    expect(await sum('passed', children)).toBe(100);
    await open('reserved', children);
    const settled = await sum('settled', children);
    // Whatever cancels and failures cost: what was answered whole has cost what its usage says.
    for (const [whole, exact] of (await tell('exact', children)) as [number, number][]) expect(exact).toBe(whole);
    await expectEnds(children);
    const [name] = await client.keys('*:windows:*');
    const fields = await client.hgetall(name!);
    const [packed] = Object.values(fields);
    const [nanoUsd, , reserved] = packed!.split(' ').map(Number);
    expect([nanoUsd, reserved]).toEqual([settled, 0]);
  });

  /** Nano-dollars that a call of the fleet reserves. */
  async function estimate(): Promise<number> {
    const requests: ReserveRequest[] = [];
    const store = createMemoryBudgetStore();
    const noting: BudgetStore = {
      reserve(request) {
        requests.push(request);
        return store.reserve(request);
      },
      settle: store.settle,
      release: store.release,
      read: store.read,
      reset: store.reset,
    };
    const budget = { limits: { usd: 1 }, store: noting };
    const telemetry = createTelemetry({ fetch: async () => Response.json({}), prices, budget, runtime: { env: {} } });
    const body = JSON.stringify({ model: 'acme-1', max_tokens: 100, stream: false, messages: [] });
    await telemetry.fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    return requests[0]!.amount.nanoUsd;
  }
});

/** The sum of a family's samples that have the label. */
function sample(page: string, name: string, label = ''): number {
  const lines = page.split('\n').filter((line) => line.startsWith(`${name}{`) && line.includes(label));
  return lines.reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
