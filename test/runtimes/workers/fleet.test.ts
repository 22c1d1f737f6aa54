import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { Miniflare, type WorkerOptions } from 'miniflare';
import { afterEach, describe, expect, it } from 'vitest';
import { bundle } from '../../support/bundle.ts';
import { endingOf, maxTokens } from './fleet-calls.ts';

const platform = { modules: true, compatibilityDate: '2026-08-03', compatibilityFlags: ['nodejs_als'] } as const;
const noPromtool = !process.env.CI && spawnSync('promtool', ['--version']).status !== 0;
const classes = { METRICS: 'MetricsAggregator', BUDGETS: 'BudgetLedger', BARRIER: 'Barrier' };

/** Isolates of one program that share the objects of another Worker. */
async function startFleet(isolates: number, bindings: Record<string, number> = {}) {
  const [app, objects] = await Promise.all(
    ['fleet', 'objects'].map((name) => {
      const path = `./test/runtimes/workers/${name}.worker.ts`;
      return bundle(
        name === 'fleet'
          ? `export { default } from '${path}';`
          : `export * from '${path}'; export { default } from '${path}';`,
        'workerd',
      );
    }),
  );
  const objectsOf = (scriptName?: string) =>
    Object.fromEntries(
      Object.entries(classes).map(([binding, className]) => [
        binding,
        { className, useSQLite: true, ...(scriptName && { scriptName }) },
      ]),
    );
  const workers: WorkerOptions[] = Array.from({ length: isolates }, (_, i) => ({
    ...platform,
    name: `isolate-${i}`,
    script: app!,
    bindings: { ISOLATE: i, ...bindings },
    durableObjects: objectsOf('objects'),
  }));
  workers.push({ ...platform, name: 'objects', script: objects!, bindings, durableObjects: objectsOf() });
  const miniflare = new Miniflare({ host: '127.0.0.1', port: 0, workers });
  await miniflare.ready;
  const fetchers = await Promise.all(workers.slice(0, isolates).map(({ name }) => miniflare.getWorker(name!)));
  async function ask(isolate: number, path: string): Promise<string> {
    const response = await fetchers[isolate]!.fetch(`http://isolate${path}`);
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
    return text;
  }
  return { ask, stop: () => miniflare.dispose() };
}

type Fleet = Awaited<ReturnType<typeof startFleet>>;

const usageOf = (call: number) => ({ input: 1 + (call % 97), output: 1 + (call % 89) });

/** Looks samples up by name and labels, in whatever order those are. */
function readPage(page: string) {
  const lines = page.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const samples = new Map<string, number>();
  for (const line of lines) {
    const [, name, labels = '', value] = /^([^{ ]+)(?:\{(.*)\})? (\S+)/.exec(line) ?? [];
    samples.set(`${name} ${labels.split(',').sort()}`, Number(value));
  }
  return (name: string, labels: Record<string, string>) => {
    const pairs = Object.entries({ agent: '', ...labels }).map(([key, value]) => `${key}="${value}"`);
    return samples.get(`${name} ${pairs.sort()}`);
  };
}

describe('a fleet of Workers', () => {
  let fleet: Fleet | undefined;
  afterEach(() => fleet?.stop());

  it('renders from any isolate what all of them have called, to the unit and the nano-dollar', async () => {
    const [isolates, rounds, each] = [32, 8, 40];
    fleet = await startFleet(isolates);
    const { ask } = fleet;
    const all = Array.from({ length: isolates }, (_, i) => i);
    for (let round = 0; round < rounds; round++) {
      const firstOf = (isolate: number) => (round * isolates + isolate) * each;
      await Promise.all(all.map((i) => ask(i, `/calls?first=${firstOf(i)}&count=${each}`)));
    }
    // What waits for an answer that was lost is sent again.
    const flush = async (i: number) => {
      while ((JSON.parse(await ask(i, '/flush')) as { pending: number }).pending > 0);
    };
    await Promise.all(all.map(flush));

    const calls = isolates * rounds * each;
    const expected = {
      'gpt-4o': { calls: 0, input: 0, output: 0, nanoUsd: 0 },
      'gpt-4o-mini': { calls: 0, input: 0, output: 0, nanoUsd: 0 },
    };
    for (let call = 0; call < calls; call++) {
      const [of, price] =
        call % 3 ? ([expected['gpt-4o-mini'], [150, 600]] as const) : ([expected['gpt-4o'], [2500, 10_000]] as const);
      const { input, output } = usageOf(call);
      of.calls++;
      of.input += input;
      of.output += output;
      of.nanoUsd += input * price[0] + output * price[1];
    }
    const pages = await Promise.all([0, 13, 31].map((i) => ask(i, '/metrics')));
    for (const sample of pages.map(readPage)) {
      for (const [model, { calls, input, output, nanoUsd }] of Object.entries(expected)) {
        const of = { provider: 'openai', model };
        const found = {
          calls: sample('llm_requests_total', { ...of, operation: 'chat', status: 'ok' }),
          timed: sample('llm_request_duration_seconds_count', { ...of, operation: 'chat' }),
          input: sample('llm_tokens_total', { ...of, token_type: 'input' }),
          output: sample('llm_tokens_total', { ...of, token_type: 'output' }),
          tokens: sample('llm_tokens_per_request_sum', of),
          usd: sample('llm_cost_usd_total', of),
          usdOfCalls: sample('llm_cost_per_request_usd_sum', { model }),
          priced: sample('llm_cost_per_request_usd_count', { model }),
        };
        const usd = nanoUsd / 1e9;
        const tokens = input + output;
        expect(found).toEqual({ calls, timed: calls, input, output, tokens, usd, usdOfCalls: usd, priced: calls });
      }
    }
    if (noPromtool) return;
    const { status, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: pages[0], encoding: 'utf8' });
    expect([status, stderr.replace(/^.*no help text.*\n/gm, '')]).toEqual([0, '']);
  }, 300_000);

  async function spend(bindings: Record<string, number>) {
    const [isolates, calls] = [8, 500];
    // At 10,000 nano-dollars a token of output a call costs 0.001 USD at most.
    fleet = await startFleet(isolates, { LIMIT_USD: 0.1, CALLS: calls, ...bindings });
    const { ask } = fleet;
    const firsts = Array.from({ length: isolates }, (_, i) => Math.ceil((i * calls) / isolates));
    const countOf = (i: number) => (firsts[i + 1] ?? calls) - firsts[i]!;
    const answered = await Promise.all(firsts.map((first, i) => ask(i, `/spend?first=${first}&count=${countOf(i)}`)));
    const statuses = answered.flatMap((text) => JSON.parse(text) as number[]);
    const passed = statuses.flatMap((status, call) => (status === 402 ? [] : [call]));
    const nanoUsd = passed.reduce((sum, call) => {
      const ending = endingOf(call);
      // Unknown is what was estimated.
      const tokens = ending === 'cancelled' ? maxTokens : ending === 'failed' ? 0 : usageOf(call).output;
      return sum + tokens * 10_000;
    }, 0);
    const stood = await Promise.all([0, 7].map((i) => ask(i, '/budget')));
    expect(statuses.length).toBe(calls);
    expect(new Set(passed.map(endingOf)).size).toBe(4);
    expect(stood.map((text) => JSON.parse(text) as unknown)).toEqual(
      [0, 7].map(() => ({ spent: nanoUsd / 1e9, reserved: 0 })),
    );
    return passed.length;
  }

  it('lets exactly as many calls pass as the budget holds, and knows what they came to', async () => {
    expect(await spend({})).toBe(100);
  }, 300_000);

  it('with leases lets no more pass, and has what is left of them back', async () => {
    const passed = await spend({ LEASE_USD: 0.01 });
    expect(passed).toBeGreaterThan(0);
    expect(passed).toBeLessThanOrEqual(100);
  }, 300_000);
});
