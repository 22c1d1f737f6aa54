import { spawn } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { messageEvents } from '../clients/anthropic-wire.ts';
import { ensureBuilt, root } from '../support/build.ts';
import { listen, type OtlpServer, startOtlpServer } from '../support/otlp-server.ts';
import { createConsumer, listPrograms } from './consumer.ts';

/** Runs before the program: a free port, and the vendor's host on loopback. */
const bootstrap = `
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

async function startDeno(folder: string, env: Record<string, string>) {
  const flags = ['--node-modules-dir=manual', '--cached-only', '--no-remote', '--no-lock', '--allow-all'];
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(join(root, 'node_modules', '.bin', 'deno'), ['run', ...flags, 'main.js'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH, HOME, NO_COLOR: '1', ...env },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let warnings = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    warnings += text;
  });
  const port = await new Promise<string>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`deno ended with ${code}: ${warnings}`)));
    child.stdout.setEncoding('utf8').once('data', (line: string) => resolve(line.trim()));
  });
  return { port, warnings: () => warnings };
}

describe('a Deno server', () => {
  let otlp: OtlpServer;
  let vendor: Server;
  let vendorUrl: string;
  const asked: { key: unknown; traceparent: unknown; body: { messages: unknown } }[] = [];

  beforeAll(async () => {
    await ensureBuilt({ types: false });
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

  it.each(listPrograms('deno-messages.ts', 'b-deno-anthropic.ts'))(
    '%s streams, and tells its trace',
    async (_name, text) => {
      otlp.clear();
      asked.length = 0;
      const deno = await startDeno(createConsumer({ 'program.ts': text, 'main.js': bootstrap }), {
        VENDOR: vendorUrl,
        ANTHROPIC_API_KEY: 'sk-ant-test',
        OTEL_SERVICE_NAME: 'deno-chat',
        OTEL_EXPORTER_OTLP_ENDPOINT: otlp.url,
        OTEL_BSP_SCHEDULE_DELAY: '100',
        OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'delta',
      });
      const body = JSON.stringify({ question: 'Why?' });
      const answer = await fetch(`http://127.0.0.1:${deno.port}/ask`, { method: 'POST', body });
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
      expect(deno.warnings()).toBe('');
    },
  );
});
