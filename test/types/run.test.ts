import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import process from 'node:process';
import { build } from 'esbuild';
import { Response as WorkerResponse } from 'miniflare';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { messageEvents } from '../clients/anthropic-wire.ts';
import { isInstalled, remedy } from '../clients/installed.ts';
import { response } from '../clients/openai-wire.ts';
import { ensureBuilt, root } from '../support/build.ts';
import { listen, type OtlpServer, type SentSpan, startOtlpServer } from '../support/otlp-server.ts';
import { startWorker } from '../support/worker.ts';
import { type Consumer, createConsumer, runNode } from './consumer.ts';

const installed = isInstalled('openai');
const shared = join(root, '..', 'shared', 'api');

/** Our program and, where it is at hand, the one it is the equal of. */
function programs(own: string, original: string): [name: string, text: () => string][] {
  const paths = [join(root, 'test', 'types', 'programs', own)];
  if (existsSync(shared)) paths.push(join(shared, original));
  return paths.map((path) => [path.slice(path.lastIndexOf('/') + 1), () => readFileSync(path, 'utf8')]);
}

const consumers: Consumer[] = [];
function consumer(files: Record<string, string>): string {
  const made = createConsumer(files);
  consumers.push(made);
  return made.folder;
}
beforeAll(() => ensureBuilt());
afterAll(() => {
  for (const made of consumers) made.remove();
});

describe.skipIf(!installed)(`a user's test (${remedy})`, () => {
  it.each(programs('priced-call.ts', 'e-test.ts'))('%s passes under vitest', async (_name, text) => {
    const folder = consumer({ 'user.test.ts': text() });
    const { code, output } = await runNode('vitest/vitest.mjs', ['run', '--globals', '--root', folder], folder);
    expect(output).toMatch(/Tests +1 passed \(1\)/);
    expect(code).toBe(0);
  });

  it('fails where the price is another', async () => {
    const [[, text]] = programs('priced-call.ts', 'e-test.ts') as [[string, () => string]];
    const folder = consumer({ 'user.test.ts': text().replaceAll('0.000075', '0.000076') });
    const { code, output } = await runNode('vitest/vitest.mjs', ['run', '--globals', '--root', folder], folder);
    expect(output).toMatch(/Tests +1 failed \(1\)/);
    expect(code).toBe(1);
  });
});

/** Runs before the program: a free port, and the vendor's host on loopback. */
const denoBootstrap = `
  const { fetch } = globalThis;
  globalThis.fetch = (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const stands = url.host === 'api.anthropic.com' && Deno.env.get('VENDOR');
    return stands ? fetch(stands + url.pathname, init) : fetch(input, init);
  };
  const serve = Deno.serve;
  Object.defineProperty(Deno, 'serve', {
    value: (handler) => serve({ port: 0, hostname: '127.0.0.1', onListen: ({ port }) => console.log(port) }, handler),
  });
  await import('./program.ts');
`;

describe('a Deno server', () => {
  let otlp: OtlpServer;
  let vendor: Server;
  let vendorUrl: string;
  const asked: { key: unknown; traceparent: unknown; body: { messages: unknown } }[] = [];

  beforeAll(async () => {
    otlp = await startOtlpServer();
    vendor = createServer(async (request, answer) => {
      let text = '';
      for await (const chunk of request.setEncoding('utf8')) text += chunk;
      const { 'x-api-key': key, traceparent } = request.headers;
      asked.push({ key, traceparent, body: JSON.parse(text) });
      answer.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const event of messageEvents()) answer.write(event);
      answer.end();
    });
    vendorUrl = await listen(vendor);
  });
  afterAll(async () => {
    await otlp.stop();
    vendor.closeAllConnections();
    vendor.close();
  });

  it.each(programs('deno-messages.ts', 'b-deno-anthropic.ts'))(
    '%s streams, and tells its trace',
    async (_name, text) => {
      otlp.clear();
      asked.length = 0;
      const folder = consumer({ 'program.ts': text(), 'main.js': denoBootstrap });
      const flags = ['--node-modules-dir=manual', '--cached-only', '--no-remote', '--no-lock', '--allow-all'];
      const { PATH = '', HOME = '' } = process.env;
      const deno = spawn(join(root, 'node_modules', '.bin', 'deno'), ['run', ...flags, 'main.js'], {
        cwd: folder,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          PATH,
          HOME,
          NO_COLOR: '1',
          VENDOR: vendorUrl,
          ANTHROPIC_API_KEY: 'sk-ant-test',
          OTEL_SERVICE_NAME: 'deno-chat',
          OTEL_EXPORTER_OTLP_ENDPOINT: otlp.url,
          OTEL_BSP_SCHEDULE_DELAY: '100',
        },
      });
      try {
        const port = await new Promise<string>((resolve, reject) => {
          deno.stdout.once('data', (line) => resolve(String(line).trim()));
          deno.once('exit', (code) => reject(new Error(`deno ended with ${code}: ${warnings}`)));
        });
        const body = JSON.stringify({ question: 'Why?' });
        const answer = await fetch(`http://127.0.0.1:${port}/ask`, { method: 'POST', body });
        expect(answer.headers.get('content-type')).toBe('text/event-stream');
        expect(await answer.text()).toBe(messageEvents().join(''));
        expect(asked).toMatchObject([
          { key: 'sk-ant-test', traceparent: undefined, body: { messages: [{ role: 'user', content: 'Why?' }] } },
        ]);

        const chat = await otlp.span('chat claude-sonnet-4-6');
        const server = await otlp.until(() => otlp.spans.find(({ kind }) => kind === 2));
        expect(server.parentSpanId ?? '').toBe('');
        expect(server.attributes).toMatchObject({ 'http.request.method': 'POST', 'http.response.status_code': 200 });
        expect(chat).toMatchObject({ traceId: server.traceId, parentSpanId: server.spanId, kind: 3 });
        expect(chat.resource).toMatchObject({ 'service.name': 'deno-chat', 'process.runtime.name': 'deno' });
        expect(chat.attributes).toMatchObject({
          'gen_ai.provider.name': 'anthropic',
          'gen_ai.usage.input_tokens': 1000,
          'gen_ai.usage.output_tokens': 500,
          'gen_ai.response.finish_reasons': ['end_turn'],
          'gen_ai.response.time_to_first_chunk': expect.any(Number),
          'llm.cost_usd': 0.009765,
        });
        const of = { provider: 'anthropic', model: 'claude-sonnet-4-6' };
        await otlp.until(() => otlp.total('llm_cost_usd_total', of) > 0);
        expect(otlp.total('llm_cost_usd_total', of)).toBeCloseTo(0.009765, 9);
        expect(otlp.total('llm_requests_total', { ...of, status: 'ok', operation: 'stream' })).toBe(1);
        expect(warnings).toBe('');
      } finally {
        deno.removeAllListeners('exit');
        deno.kill('SIGKILL');
      }
    },
  );
});

describe.skipIf(!installed)(`a Worker of queue, cron and Durable Object (${remedy})`, () => {
  let otlp: OtlpServer;
  beforeAll(async () => {
    otlp = await startOtlpServer();
  });
  afterAll(() => otlp.stop());

  it.each(programs('jobs-worker.ts', 'g-queue-cron-do.ts'))('%s traces across all three', async (_name, text) => {
    otlp.clear();
    const folder = consumer({ 'program.ts': text() });
    const vendor: { url: string; authorization: string | null; body: unknown }[] = [];
    const worker = await startWorker(`export { default, Room } from ${JSON.stringify(join(folder, 'program.ts'))};`, {
      bindings: { OPENAI_API_KEY: 'sk-test', OTLP_ENDPOINT: 'https://otlp.example.com' },
      queueProducers: { JOBS: 'jobs' },
      queueConsumers: { jobs: { maxBatchTimeout: 0 } },
      durableObjects: { ROOM: 'Room' },
      async outboundService(request) {
        const { hostname, pathname } = new URL(request.url);
        const body = await request.text();
        if (hostname === 'otlp.example.com') {
          const { status } = await fetch(otlp.url + pathname, { method: 'POST', body });
          return new WorkerResponse('{}', { status, headers: { 'content-type': 'application/json' } });
        }
        vendor.push({ url: request.url, authorization: request.headers.get('authorization'), body: JSON.parse(body) });
        return WorkerResponse.json(response());
      },
    });
    try {
      const handle = await worker.miniflare.getWorker();
      await handle.scheduled({ cron: '0 7 * * *' });
      const scheduled = await otlp.span('scheduled');
      expect(scheduled.attributes).toMatchObject({ 'faas.trigger': 'timer', 'faas.cron': '0 7 * * *' });

      const batch = await otlp.span('process jobs');
      expect(batch).toMatchObject({ kind: 5, attributes: { 'messaging.batch.message_count': 1 } });
      expect(batch.traceId).not.toBe(scheduled.traceId);
      const job = await otlp.span('process job');
      expect(job).toMatchObject({ traceId: scheduled.traceId, parentSpanId: scheduled.spanId });
      const chat = await otlp.span('chat gpt-4o-mini');
      expect(chat).toMatchObject({ traceId: job.traceId, parentSpanId: job.spanId, kind: 3 });
      expect(chat.resource).toMatchObject({ 'service.name': 'jobs', 'process.runtime.name': 'workerd' });
      expect(chat.attributes).toMatchObject({
        'gen_ai.usage.input_tokens': 1000,
        'gen_ai.usage.output_tokens': 500,
        'llm.cost_usd': 0.00042,
      });
      expect(vendor).toMatchObject([
        {
          url: 'https://api.openai.com/v1/responses',
          authorization: 'Bearer sk-test',
          body: { model: 'gpt-4o-mini', input: 'daily' },
        },
      ]);
      const of = { provider: 'openai', model: chat.attributes['gen_ai.response.model'] };
      await otlp.until(() => otlp.total('llm_cost_usd_total', of) > 0);
      expect(otlp.total('llm_cost_usd_total', of)).toBeCloseTo(0.00042, 9);
      expect(otlp.total('llm_requests_total', { ...of, status: 'ok' })).toBe(1);

      const rooms = await worker.miniflare.getDurableObjectNamespace('ROOM');
      const room = rooms.get(rooms.idFromName('lobby')) as unknown as {
        say(text: string, trace: Record<string, string>): Promise<number>;
      };
      const { traceId, spanId }: SentSpan = scheduled;
      expect(await room.say('hello', { traceparent: `00-${traceId}-${spanId}-01` })).toBe(5);
      expect(await otlp.span('room.say')).toMatchObject({ traceId, parentSpanId: spanId });
    } finally {
      await worker.stop();
    }
  });
});

/** Imports a program of `test/types/programs` as its user's bundler would hand it to Node. */
async function load<T>(name: string): Promise<T> {
  const text = readFileSync(join(root, 'test', 'types', 'programs', name), 'utf8');
  const folder = consumer({ 'program.ts': text });
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
