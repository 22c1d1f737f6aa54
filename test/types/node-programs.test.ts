import { join } from 'node:path';
import { build } from 'esbuild';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { ensureBuilt } from '../support/build.ts';
import { createConsumer, readProgram } from './consumer.ts';

beforeAll(() => ensureBuilt({ types: false }));

/** Imports a program of `test/types/programs` as its user's bundler would hand it to Node. */
async function load<T>(name: string): Promise<T> {
  const folder = createConsumer({ 'program.ts': readProgram(name) });
  const outfile = join(folder, 'program.mjs');
  await build({
    entryPoints: [join(folder, 'program.ts')],
    outfile,
    bundle: true,
    packages: 'external',
    format: 'esm',
    target: 'es2022',
    logLevel: 'error',
  });
  return import(outfile);
}

describe('a program with a vendor, exporters and metrics of its own', () => {
  it('has its calls read, priced, exported and counted', async () => {
    const print = vi.spyOn(console, 'dir').mockImplementation(() => {});
    const { telemetry, ask, exported, elapsed } =
      await load<typeof import('./programs/custom-provider.ts')>('custom-provider.ts');
    await ask();
    expect(telemetry.spans.map(({ name, attributes }) => [name, attributes['llm.cost_usd']])).toEqual([
      ['chat one', 0.002],
    ]);
    const { traces } = await telemetry.flush();
    // The console and the function took the span, the third exporter refused it.
    expect(traces).toMatchObject({ sent: 2, dropped: 1, pending: 0, lastError: { code: 'exporter_failed' } });
    expect(exported).toEqual(['chat one']);
    expect(print).toHaveBeenCalledTimes(1);
    print.mockRestore();
    const lines = (await telemetry.prometheus()).split('\n');
    expect(lines).toContain('jobs_total{queue="mail",result="ok"} 1');
    expect(lines).toContain('queue_depth 3');
    expect(lines).toContain('free_slots{pool="a"} 2');
    expect(lines).toContain('job_seconds_count{queue="mail"} 1');
    expect(lines.some((line) => line.startsWith('otel_style_total{') && line.endsWith(' 1'))).toBe(true);
    expect(lines.some((line) => line.startsWith('llm_cost_usd_total{provider="acme",model="one"'))).toBe(true);
    expect(elapsed).toBeGreaterThanOrEqual(0);
  });
});

describe('a program with budgets', () => {
  it('is refused by its store, and told until when', async () => {
    const { answer, hourly, until, show } = await load<typeof import('./programs/budgets.ts')>('budgets.ts');
    expect(await answer).toBe('ok');
    const dear = { provider: 'acme', model: 'in-house', estimate: { usd: 2 } };
    const resetsAt = await until(() => hourly.budget.guard(dear, async () => 'never'));
    expect(resetsAt?.getTime()).toBeGreaterThan(Date.now());
    expect(await show('ann')).toMatchObject([{ key: 'ann', spent: { usd: 0 }, circuit: 'closed' }]);
  });
});

describe('a program of decorators', () => {
  it('has its methods and functions traced as what they are', async () => {
    const { telemetry, Research, rerank, count, words } =
      await load<typeof import('./programs/decorators.ts')>('decorators.ts');
    telemetry.clearSpans();
    const research = new Research({ search: async (query) => [query, 'more'] });
    expect(await research.answer('why')).toBe('why,more: WHY');
    const [retrieval, chat, agent] = telemetry.spans;
    expect(agent?.name).toBe('invoke_agent research');
    for (const child of [retrieval, chat]) {
      expect(child?.parentSpanContext?.spanId).toBe(agent?.spanContext().spanId);
    }
    expect(chat?.attributes).toMatchObject({
      'llm.provider': 'acme',
      'llm.model': 'in-house',
      'gen_ai.usage.input_tokens': 1000,
      'llm.cost_usd': 0.001006,
    });
    const cost = telemetry.metrics.value('llm_cost_usd_total', { agent: 'research', model: 'in-house' });
    expect(cost).toBeCloseTo(0.001006, 9);
    expect(telemetry.metrics.value('llm_retrievals_total', { agent: 'research' })).toBe(1);

    expect(research.add(1, 2)).toBe(3);
    expect(telemetry.metrics.value('llm_tool_executions_total', { tool_name: 'add', status: 'ok' })).toBe(1);
    expect(rerank(['b', 'a'])).toEqual(['a', 'b']);
    expect(telemetry.metrics.value('rerank_calls_total')).toBe(2);
    expect(await count('x')).toEqual(['x', 'x']);
    expect(await Array.fromAsync(words('a b'))).toEqual(['a', 'b']);
    expect(telemetry.spans.at(-1)?.attributes).toMatchObject({ 'llm.model': 'in-house', 'llm.operation': 'stream' });
  });
});
