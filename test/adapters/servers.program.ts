import process from 'node:process';
import { Hono } from 'hono';
import { telemetryMiddleware } from '../../adapters/hono/index.ts';
import type * as Server from '../../adapters/node/index.ts';

/** What a server's adapter exports; those of Node, Deno and Bun are alike. */
export type ServerEntry = Pick<
  typeof Server,
  'createMetricsServer' | 'createTelemetry' | 'installShutdownHooks' | 'instrument'
>;

/** The facts of a metrics server as one runtime gives them, to be compared with what is expected. */
export async function tryMetricsServer({ createMetricsServer, createTelemetry }: ServerEntry) {
  const telemetry = createTelemetry({ serviceName: 'tried' });
  telemetry.metrics.counter('jobs_total').inc(2);
  const server = createMetricsServer(telemetry, { port: 0, host: '127.0.0.1', token: 'secret' });
  const facts: Record<string, unknown> = { before: [server.isRunning, server.url] };
  await server.stop();
  facts.stoppedBeforeStart = server.isRunning;

  await Promise.all([server.start(), server.start()]);
  await server.start();
  const { url } = server;
  facts.running = [server.isRunning, /^http:\/\/127\.0\.0\.1:[1-9]\d*\/metrics$/.test(url)];
  const get = async (path: string, init?: RequestInit) => {
    const response = await fetch(new URL(path, url), init);
    return { status: response.status, type: response.headers.get('content-type'), text: await response.text() };
  };
  const headers = { authorization: 'Bearer secret' };
  const page = await get('/metrics?x=1', { headers });
  facts.page = [page.status, page.type, page.text.includes('\njobs_total 2\n')];
  facts.openMetrics = (
    await get('/metrics', { headers: { ...headers, accept: 'application/openmetrics-text' } })
  ).text.endsWith('# EOF\n');
  facts.statuses = [
    (await get('/metrics')).status,
    (await get('/')).status,
    (await get('/metrics', { method: 'POST', headers, body: 'x' })).status,
    (await get('/metrics', { method: 'HEAD', headers })).status,
  ];

  const second = createMetricsServer(telemetry, { port: Number(new URL(url).port), host: '127.0.0.1' });
  facts.portInUse = await second.start().then(
    () => 'started',
    () => 'rejected',
  );
  facts.notRunning = second.isRunning;
  await second.stop();

  await server.stop();
  await server.stop();
  facts.stopped = server.isRunning;
  facts.refused = await fetch(url).then(
    () => 'answered',
    () => 'refused',
  );
  await server.start();
  facts.again = (await fetch(server.url, { headers })).status;
  await server.stop();
  await telemetry.shutdown();
  return facts;
}

/** Starts a program that ends as `MODE` asks. Lines on standard output say how far it is. */
export function tryShutdown(
  { createTelemetry, installShutdownHooks }: ServerEntry,
  env: Record<string, string | undefined>,
  count: () => number,
): void {
  const telemetry = createTelemetry({ flush: { intervalMs: 3_600_000 } });
  const before = count();
  const remove = installShutdownHooks(telemetry);
  const during = count();
  telemetry.span('last words', () => {});
  if (env.MODE === 'removed') {
    remove();
    remove();
    console.log(`listeners ${before} ${during > before} ${count()}`);
  } else if (env.MODE === 'drains') {
    const open = setInterval(() => {}, 1000);
    let signals = 0;
    process.once('SIGTERM', () => console.log('told once'));
    process.on('SIGTERM', () => {
      if (++signals > 1) process.exit(1);
      // Until the flush has come and gone.
      setTimeout(() => {
        telemetry.span('drained', () => {});
        clearInterval(open);
      }, 200);
    });
    console.log('ready');
  } else if (env.MODE === 'signal') {
    // Keeps the process alive until the signal.
    setInterval(() => {}, 1000);
    console.log('ready');
  }
}

/** Serves one streamed answer through `instrument`, on the runtime's own server. */
export function createStreamHandler({ createTelemetry, instrument }: ServerEntry) {
  const telemetry = createTelemetry();
  const encoder = new TextEncoder();
  const handler = instrument((request: Request) => {
    if (new URL(request.url).pathname === '/throw') throw new RangeError('thrown by the handler');
    let sent = 0;
    return new Response(
      new ReadableStream({
        async pull(controller) {
          await telemetry.span(`chunk ${sent}`, async () => {});
          controller.enqueue(encoder.encode(`${sent}`));
          if (++sent === 3) controller.close();
        },
      }),
      { headers: { 'x-answer': 'streamed' } },
    );
  }, telemetry);
  return { handler, telemetry };
}

/** The same answers without us, by `telemetry.fetch` alone, and through `instrument` and the middleware. */
export function createAnswerHandlers({ createTelemetry, instrument }: ServerEntry, upstream: string) {
  const telemetry = createTelemetry({ inMemory: true });
  const start = (controller: ReadableStreamDefaultController) =>
    controller.enqueue(new TextEncoder().encode('streamed'));
  const answersOf = (ask: typeof fetch): Readonly<Record<string, () => Response | Promise<Response>>> => ({
    '/text': () => new Response('text'),
    '/bytes': () => new Response(new Uint8Array(3)),
    '/json': () => Response.json({}),
    '/stream': () => new Response(new ReadableStream({ pull: (controller) => controller.close(), start })),
    '/form': () => new Response(new URLSearchParams('a=b')),
    '/added': () => {
      const response = new Response('text');
      response.headers.append('x-added', 'yes');
      return response;
    },
    '/zipped': () => ask(upstream),
    '/model': () =>
      ask(`${upstream}/v1/chat/completions`, { method: 'POST', body: '{"model":"gpt-4o","messages":[]}' }),
  });
  const createHandler = (ask: typeof fetch) => {
    const answers = answersOf(ask);
    return (request: Request) => answers[new URL(request.url).pathname]!();
  };
  const fetched = createHandler(telemetry.fetch);
  const app = new Hono();
  app.use(telemetryMiddleware(telemetry));
  app.get('*', (c) => fetched(c.req.raw));
  return {
    plain: createHandler(fetch),
    fetched,
    instrumented: instrument(fetched, telemetry),
    hono: (request: Request) => app.fetch(request),
  };
}
