import { createServer, type IncomingHttpHeaders, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { chatCompletion } from '../suites/upstream.ts';
import { bundleFile } from '../support/bundle.ts';
import { type ServerRuntime, startChild } from '../support/child.ts';
import { type OtlpServer, startOtlpServer } from '../support/otlp-server.ts';

const runtimes: readonly ServerRuntime[] = ['node', 'deno', 'bun'];

function program(runtime: ServerRuntime, body: string): Promise<string> {
  return bundleFile(
    `servers-${runtime}`,
    `import * as entry from 'edgespan/${runtime}';
     import * as tries from './test/adapters/servers.program.ts';
     import process from 'node:process';
     ${body}`,
  );
}

async function withReceiver<T>(use: (otlp: OtlpServer, env: Record<string, string>) => Promise<T>): Promise<T> {
  const otlp = await startOtlpServer();
  try {
    return await use(otlp, { OTEL_EXPORTER_OTLP_ENDPOINT: otlp.url, OTEL_SERVICE_NAME: 'child' });
  } finally {
    await otlp.stop();
  }
}

/** Serves `handler` and says at which port. */
const serve: Readonly<Record<ServerRuntime, (handler: string) => string>> = {
  node: (handler) => `const { serve } = await import('@hono/node-server');
    serve({ fetch: ${handler}, port: 0, hostname: '127.0.0.1' }, ({ port }) => console.log('port ' + port));`,
  deno: (handler) => `
    Deno.serve({ port: 0, hostname: '127.0.0.1', onListen: ({ port }) => console.log('port ' + port),
      onError: () => new Response('Internal Server Error', { status: 500 }) }, ${handler});`,
  bun: (handler) => `
    console.log('port ' + Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: ${handler}, development: false }).port);`,
};

async function startZipped(): Promise<{ url: string; stop(): Promise<void> }> {
  const server = createServer((_, answer) => {
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
    answer.writeHead(200, headers).end(gzipSync(JSON.stringify(chatCompletion)));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, stop: () => new Promise((stopped) => server.close(() => stopped())) };
}

/** What is on the wire, undecoded. */
function get(url: string): Promise<{ status: number | undefined; headers: IncomingHttpHeaders; body: string }> {
  return new Promise((resolve, reject) => {
    request(url, { agent: false }, async (answer) => {
      const parts: Buffer[] = await answer.toArray();
      resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(parts).toString('latin1') });
    })
      .on('error', reject)
      .end();
  });
}

describe.each(runtimes)('the adapter of %s', (runtime) => {
  it('sends a request as the runtime does, whole where it was given whole', async () => {
    const seen: unknown[] = [];
    const server = createServer(({ headers }, answer) => {
      seen.push([headers['content-type'], headers['content-length'], headers['transfer-encoding']]);
      answer.setHeader('content-type', 'application/json').end(JSON.stringify(chatCompletion));
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const { port } = server.address() as AddressInfo;
    const body = `
      const telemetry = entry.createTelemetry({ inMemory: true });
      const text = '{"model":"gpt-4o","messages":[]}';
      const headers = { 'content-type': 'application/json' };
      for (const body of [text, new TextEncoder().encode(text)]) for (const ask of [fetch, telemetry.fetch]) {
        const request = new Request('http://127.0.0.1:${port}/v1/chat/completions', { method: 'POST', headers, body });
        await (await ask(request)).text();
      }
      console.log('spans ' + telemetry.spans.length);`;
    const { lines, ended } = startChild(runtime, await program(runtime, body));
    const { code, stderr } = await ended;
    server.close();
    expect([code, lines], stderr).toEqual([0, ['spans 2']]);
    expect(seen).toEqual(Array(4).fill(['application/json', '32', undefined]));
  });

  it('serves metrics: start, stop, token, paths, a port in use', async () => {
    const child = startChild(
      runtime,
      await program(runtime, 'console.log("facts " + JSON.stringify(await tries.tryMetricsServer(entry)));'),
    );
    const { code, stderr } = await child.ended;
    expect(code, stderr).toBe(0);
    const facts = JSON.parse(child.lines.find((line) => line.startsWith('facts '))!.slice('facts '.length)) as unknown;
    expect(facts).toEqual({
      before: [false, 'http://127.0.0.1:0/metrics'],
      stoppedBeforeStart: false,
      running: [true, true],
      page: [200, 'text/plain; version=0.0.4; charset=utf-8', true],
      openMetrics: true,
      statuses: [401, 404, 405, 200],
      portInUse: 'rejected',
      notRunning: false,
      stopped: false,
      refused: 'refused',
      again: 200,
    });
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('flushes on %s and then dies of it', async (signal) => {
    await withReceiver(async (otlp, env) => {
      const file = await program(runtime, 'tries.tryShutdown(entry, process.env, () => 0);');
      const child = startChild(runtime, file, { ...env, MODE: 'signal' });
      await child.line('ready');
      expect(otlp.spans).toHaveLength(0);
      child.process.kill(signal);
      const ended = await child.ended;
      expect([ended.code, ended.signal], ended.stderr).toEqual([null, signal]);
      expect(otlp.spans.map(({ name }) => name)).toEqual(['last words']);
      expect(otlp.spans[0]?.resource).toMatchObject({ 'service.name': 'child', 'telemetry.sdk.name': 'edgespan' });
    });
  });

  it('does not cut off an application that drains by a listener of its own', async () => {
    await withReceiver(async (otlp, env) => {
      const file = await program(runtime, 'tries.tryShutdown(entry, process.env, () => 0);');
      const child = startChild(runtime, file, { ...env, MODE: 'drains' });
      await child.line('ready');
      child.process.kill('SIGTERM');
      const ended = await child.ended;
      expect([ended.code, ended.signal, child.lines], ended.stderr).toEqual([0, null, ['ready', 'told once']]);
      expect(otlp.spans.map(({ name }) => name)).toEqual(['last words', 'drained']);
    });
  });

  it('flushes when it has nothing left to do', async () => {
    await withReceiver(async (otlp, env) => {
      const file = await program(runtime, 'tries.tryShutdown(entry, process.env, () => 0);');
      const { code, stderr } = await startChild(runtime, file, { ...env, MODE: 'natural' }).ended;
      expect(code, stderr).toBe(0);
      expect(otlp.spans.map(({ name }) => name)).toEqual(['last words']);
    });
  });

  it('takes its listeners back, and then ends without a flush', async () => {
    await withReceiver(async (otlp, env) => {
      const count = "() => process.listenerCount('SIGTERM') + process.listenerCount('SIGINT')";
      const file = await program(runtime, `tries.tryShutdown(entry, process.env, ${count});`);
      const child = startChild(runtime, file, { ...env, MODE: 'removed' });
      const { code, stderr } = await child.ended;
      expect(code, stderr).toBe(0);
      // Deno's own listeners are not among those of `process`.
      expect(child.lines).toEqual([runtime === 'deno' ? 'listeners 0 false 0' : 'listeners 0 true 0']);
      expect(otlp.spans).toHaveLength(0);
    });
  });

  it('flushes by interval, and its timer keeps no process alive', async () => {
    await withReceiver(async (otlp, env) => {
      const body = `
        const telemetry = entry.createTelemetry({ flush: { intervalMs: 20 } });
        telemetry.span('at some time', () => {});
        if (process.env.MODE === 'wait') setInterval(() => {}, 1000);
        console.log('ready');`;
      const file = await program(runtime, body);
      const waiting = startChild(runtime, file, { ...env, MODE: 'wait' });
      await otlp.span('at some time');
      waiting.process.kill('SIGKILL');
      await waiting.ended;
      expect((await startChild(runtime, file, env).ended).code).toBe(0);
    });
  });

  it('instruments the runtime’s own server: streams, errors, spans in the order of their ends', async () => {
    await withReceiver(async (otlp, env) => {
      const body = `const { handler, telemetry } = tries.createStreamHandler(entry);
        ${serve[runtime]('handler')}
        entry.installShutdownHooks(telemetry);`;
      const child = startChild(runtime, await program(runtime, body), env);
      const port = (await child.line('port ')).slice('port '.length);
      const response = await fetch(`http://127.0.0.1:${port}/stream`);
      expect([response.headers.get('x-answer'), await response.text()]).toEqual(['streamed', '012']);
      expect((await fetch(`http://127.0.0.1:${port}/throw`)).status).toBe(500);
      child.process.kill('SIGTERM');
      await child.ended;
      const [streamed, thrown] = otlp.spans.filter(({ kind }) => kind === 2);
      expect(streamed?.attributes).toMatchObject({ 'url.path': '/stream', 'http.response.status_code': 200 });
      expect(thrown).toMatchObject({ status: { code: 2, message: 'thrown by the handler' } });
      const names = otlp.spans.map(({ name }) => name);
      expect(names.indexOf('chunk 2')).toBeLessThan(names.indexOf('GET'));
    });
  });

  it.each(['fetched', 'instrumented', 'hono'])('serves what the runtime makes of an answer: %s', async (watched) => {
    const upstream = await startZipped();
    const started = ['plain', watched].map(async (handler) => {
      const body = `const handlers = tries.createAnswerHandlers(entry, '${upstream.url}');
        ${serve[runtime](`handlers.${handler}`)}`;
      const child = startChild(runtime, await program(runtime, body));
      return { child, port: (await child.line('port ')).slice('port '.length) };
    });
    const ask = async (port: string, path: string) => {
      const { status, headers, body } = await get(`http://127.0.0.1:${port}${path}`);
      return {
        status,
        type: headers['content-type'],
        coding: headers['content-encoding'],
        added: headers['x-added'],
        body,
      };
    };
    try {
      const [plain, other] = await Promise.all(started);
      for (const path of ['/text', '/bytes', '/json', '/stream', '/form', '/added', '/zipped', '/model']) {
        expect(await ask(other!.port, path), path).toEqual(await ask(plain!.port, path));
      }
    } finally {
      for (const { child } of await Promise.all(started)) child.process.kill('SIGKILL');
      await upstream.stop();
    }
  });
});
