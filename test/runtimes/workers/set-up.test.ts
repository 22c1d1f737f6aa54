import { afterEach, describe, expect, it } from 'vitest';
import { chatStream } from '../../suites/upstream.ts';
import { startModelServer } from '../../support/model-server.ts';
import { startOtlpServer } from '../../support/otlp-server.ts';
import { startWorker } from '../../support/worker.ts';
import { startWorld } from './world.ts';

describe('setting up telemetry on Workers', () => {
  const running: { stop(): Promise<unknown> }[] = [];
  afterEach(async () => {
    await Promise.all(running.splice(0).map((each) => each.stop()));
  });
  function keep<T extends { stop(): Promise<unknown> }>(started: T): T {
    running.push(started);
    return started;
  }

  it('needs no options: the environment says it all', async () => {
    const otlp = keep(await startOtlpServer());
    const worker = keep(
      await startWorker(
        `import { createTelemetry, instrument } from 'edgespan/workers';
         export default instrument({ fetch: () => new Response('ok') }, createTelemetry());`,
        {
          bindings: {
            OTEL_SERVICE_NAME: 'shop',
            OTEL_RESOURCE_ATTRIBUTES: 'team=blue,region=eu%20west',
            OTEL_EXPORTER_OTLP_ENDPOINT: otlp.url,
            OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20abc',
            OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
          },
        },
      ),
    );
    expect(await (await fetch(worker.url)).text()).toBe('ok');
    const { resource } = await otlp.span('GET');
    expect(resource).toMatchObject({
      'service.name': 'shop',
      team: 'blue',
      region: 'eu west',
      'process.runtime.name': 'workerd',
    });
    expect(otlp.requests[0]?.headers).toMatchObject({ authorization: 'Bearer abc', 'content-encoding': 'gzip' });
  });

  it.each([
    ['{ otlp: { timeoutMs: -1 } }', 'otlp.timeoutMs'],
    ["{ servicename: 'x' }", 'did you mean serviceName?'],
    ['(env) => ({ otlp: { endpoint: env.OTEL_SERVICE_NAME } })', 'otlp.endpoint'],
  ])('a wrong option fails at module evaluation: %s', async (options, message) => {
    const program = `import { createTelemetry, instrument } from 'edgespan/workers';
      export default instrument({ fetch: () => new Response('ok') }, createTelemetry(${options}));`;
    const started = startWorker(program, { bindings: { OTEL_SERVICE_NAME: 'no url' } }).then(keep);
    await expect(started).rejects.toThrow(message);
  });

  it('wraps a handler that is frozen, and keeps its `this`', async () => {
    const otlp = keep(await startOtlpServer());
    const program = `import { createTelemetry, instrument } from 'edgespan/workers';
      class App { #word = 'frozen'; fetch = () => new Response(this.#word); }
      export default instrument(Object.freeze(new App()), createTelemetry());`;
    const worker = keep(await startWorker(program, { bindings: { OTEL_EXPORTER_OTLP_ENDPOINT: otlp.url } }));
    expect(await (await fetch(worker.url)).text()).toBe('frozen');
    expect(await otlp.span('GET')).toBeDefined();
  });

  it('names the telemetry that `instrument` was not given', async () => {
    const program = `import { instrument } from 'edgespan/workers';
      export default instrument({ fetch: () => new Response('ok') });`;
    await expect(startWorker(program, {}).then(keep)).rejects.toThrow('telemetry must be what createTelemetry answers');
  });

  const lateFlags = ['nodejs_als', 'enable_request_signal', 'disallow_importable_env'];

  it('takes the handler’s env where none can be imported, for what was wrapped before too', async () => {
    const otlp = keep(await startOtlpServer());
    const program = `import { createTelemetry, instrument } from 'edgespan/workers';
      const telemetry = createTelemetry((env) => ({ serviceName: env.NAME, metrics: { local: true } }));
      const jobs = telemetry.metrics.counter('jobs_total');
      const work = telemetry.tool({ name: 'work' }, async () => { jobs.inc(); return 'done'; });
      const early = await work();
      export default instrument({
        async fetch(request) {
          if (new URL(request.url).pathname === '/metrics') return telemetry.metricsHandler(request);
          return new Response(early + ' ' + await work());
        },
      }, telemetry);`;
    const bindings = { NAME: 'late', OTEL_EXPORTER_OTLP_ENDPOINT: otlp.url };
    const worker = keep(await startWorker(program, { bindings, compatibilityFlags: lateFlags }));
    expect(await (await fetch(worker.url)).text()).toBe('done done');
    const tool = await otlp.span('execute_tool work');
    expect(tool.resource).toMatchObject({ 'service.name': 'late' });
    const page = await (await fetch(new URL('/metrics', worker.url))).text();
    expect(page).toContain('\njobs_total 2\n');
    expect(page).toContain('edgespan_dropped_total{signal="traces",reason="unbound"} 1\n');
  });

  it('passes everything through, with one report, where options that waited for env are wrong', async () => {
    const program = `import { createTelemetry, instrument } from 'edgespan/workers';
      const errors = [];
      const telemetry = createTelemetry((env) => ({ servicename: env.NAME, onError: (error) => errors.push(error.message) }));
      export default instrument({ fetch: () => Response.json(errors) }, telemetry);`;
    const worker = keep(await startWorker(program, { bindings: { NAME: 'x' }, compatibilityFlags: lateFlags }));
    for (const _ of [1, 2]) {
      expect(await (await fetch(worker.url)).json()).toEqual([
        'there is no option servicename: did you mean serviceName?',
      ]);
    }
  });

  it('pushes metrics as deltas under an id of this instance', async () => {
    const world = keep(await startWorld());
    for (const calls of [1, 2, 3]) {
      await (await world.get('/json')).text();
      await world.otlp.until(() => world.otlp.total('llm_requests_total') >= calls);
    }
    const points = world.otlp.points.filter(({ name }) => name === 'llm_requests_total');
    expect(points.map(({ value, temporality }) => [value, temporality])).toEqual([
      [1, 1],
      [1, 1],
      [1, 1],
    ]);
    const ids = new Set(world.otlp.points.map(({ resource }) => resource['service.instance.id']));
    expect([...ids]).toEqual([
      expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
    ]);
    const other = keep(await startWorld());
    await (await other.get('/plain')).text();
    const { resource } = await other.otlp.span('GET');
    expect(ids.has(resource['service.instance.id'])).toBe(false);
  });

  it('leaves bodies alone where JavaScript can make no streams: a date before 2022-11-30', async () => {
    const model = keep(await startModelServer());
    const program = `import { createTelemetry, instrument } from 'edgespan/workers';
      const telemetry = createTelemetry({ onError() {} });
      export default instrument({
        async fetch(request, env) {
          if (new URL(request.url).pathname === '/plain') return new Response('plain');
          return telemetry.fetch(env.UPSTREAM + '/v1/chat/completions', {
            method: 'POST', body: JSON.stringify({ model: 'gpt-4o-mini', stream: true }),
          });
        },
      }, telemetry);`;
    const options = { compatibilityDate: '2022-11-29', compatibilityFlags: ['nodejs_als'] };
    const worker = keep(await startWorker(program, { ...options, bindings: { UPSTREAM: model.url } }));
    expect(await (await fetch(new URL('/plain', worker.url))).text()).toBe('plain');
    expect(await (await fetch(worker.url)).text()).toBe(chatStream.join(''));
  });

  it('instruments a Hono app, whose methods still work, with one SERVER span named by the route', async () => {
    const otlp = keep(await startOtlpServer());
    const model = keep(await startModelServer());
    const worker = keep(
      await startWorker(
        `import { Hono } from 'hono';
         import { telemetryMiddleware, metricsRoute } from 'edgespan/hono';
         import { createTelemetry, instrument } from 'edgespan/workers';
         const telemetry = createTelemetry({ metrics: { local: true } });
         const app = instrument(new Hono(), telemetry);
         app.use(telemetryMiddleware(telemetry, { attributes: () => ({ tenant: 'acme' }) }));
         app.get('/users/:id', (c) => c.text('user ' + c.req.param('id')));
         app.get('/chat', async (c) => {
           const answer = await c.var.telemetry.fetch(c.env.UPSTREAM + '/v1/chat/completions', {
             method: 'POST', body: JSON.stringify({ model: 'gpt-4o-mini', stream: true }),
           });
           return new Response(answer.body, answer);
         });
         app.get('/inside', async (c) => app.request('/users/2'));
         app.get('/metrics', metricsRoute(telemetry));
         export default app;`,
        { bindings: { OTEL_EXPORTER_OTLP_ENDPOINT: otlp.url, UPSTREAM: model.url } },
      ),
    );
    expect(await (await fetch(new URL('/users/7', worker.url))).text()).toBe('user 7');
    const span = await otlp.span('GET /users/:id');
    expect(span.attributes).toMatchObject({ 'http.route': '/users/:id', 'url.path': '/users/7', tenant: 'acme' });
    expect(otlp.spans.filter(({ kind }) => kind === 2)).toHaveLength(1);
    expect(await (await fetch(new URL('/chat', worker.url))).text()).toBe(chatStream.join(''));
    const call = await otlp.span('chat gpt-4o-mini');
    expect(call.parentSpanId).toBe((await otlp.span('GET /chat')).spanId);
    const page = await fetch(new URL('/metrics', worker.url), { headers: { 'accept-encoding': 'gzip' } });
    expect(await page.text()).toMatch(/http_server_request_duration_seconds_count\{.*http_route="\/chat".*\} 1/);
  });

  it('instruments the middleware alone: a Hono app needs no instrument()', async () => {
    const otlp = keep(await startOtlpServer());
    const worker = keep(
      await startWorker(
        `import { Hono } from 'hono';
         import { telemetryMiddleware } from 'edgespan/hono';
         import { createTelemetry } from 'edgespan/workers';
         const app = new Hono();
         app.use(telemetryMiddleware(createTelemetry()));
         app.get('/users/:id', (c) => c.text('user ' + c.req.param('id')));
         app.get('/fails', () => { throw new Error('broken'); });
         export default app;`,
        { bindings: { OTEL_EXPORTER_OTLP_ENDPOINT: otlp.url } },
      ),
    );
    expect(await (await fetch(new URL('/users/7', worker.url))).text()).toBe('user 7');
    await otlp.span('GET /users/:id');
    expect((await fetch(new URL('/fails', worker.url))).status).toBe(500);
    expect((await otlp.span('GET /fails')).status.code).toBe(2);
  });

  it('instruments fetch as an arrow property, and of a class instance with private fields', async () => {
    const otlp = keep(await startOtlpServer());
    const worker = keep(
      await startWorker(
        `import { createTelemetry, instrument } from 'edgespan/workers';
         class App {
           #greeting = 'hello';
           fetch = async () => new Response(this.#greeting + ' ' + this.where());
           where() { return this.#greeting.length; }
         }
         const telemetry = createTelemetry();
         const app = instrument(new App(), telemetry);
         export default { fetch: (request, env, ctx) => {
           if (new URL(request.url).pathname === '/where') return new Response(String(app.where()));
           // As a unit test may call it.
           if (new URL(request.url).pathname === '/bare') return app.fetch(request);
           return app.fetch(request, env, ctx);
         } };`,
        { bindings: { OTEL_EXPORTER_OTLP_ENDPOINT: otlp.url } },
      ),
    );
    expect(await (await fetch(worker.url)).text()).toBe('hello 5');
    expect(await (await fetch(new URL('/where', worker.url))).text()).toBe('5');
    expect(await (await fetch(new URL('/bare', worker.url))).text()).toBe('hello 5');
    await otlp.span('GET');
  });

  it('runs without AsyncLocalStorage: edgespan alone, with the telemetry that is handed over', async () => {
    const otlp = keep(await startOtlpServer());
    const worker = keep(
      await startWorker(
        `import { Hono } from 'hono';
         import { createTelemetry } from 'edgespan';
         import { telemetryMiddleware } from 'edgespan/hono';
         const telemetry = createTelemetry({ runtime: { ephemeral: true }, otlp: { endpoint: '${otlp.url}' } });
         const app = new Hono();
         app.use(telemetryMiddleware(telemetry));
         app.get('/users/:id', async (c) => {
           await Promise.resolve();
           return c.var.telemetry.span('work', () => c.text('done'));
         });
         export default app;`,
        { compatibilityFlags: [] },
      ),
    );
    expect(await (await fetch(new URL('/users/7', worker.url))).text()).toBe('done');
    const [work, server] = [await otlp.span('work'), await otlp.span('GET /users/:id')];
    expect(work.parentSpanId).toBe(server.spanId);
  });

  it('passes everything through where it is turned off', async () => {
    const worker = keep(
      await startWorker(
        `import { createTelemetry, instrument } from 'edgespan/workers';
         let mails = 0;
         export default instrument({
           fetch: async (request, env, ctx) => new Response('plain ' + mails),
           email() { mails++; },
         }, createTelemetry({ enabled: false }));`,
        {},
      ),
    );
    const body = 'From: a@example.com\r\nTo: b@example.com\r\nMessage-ID: <1@example.com>\r\n\r\nhello';
    await fetch(new URL('/cdn-cgi/handler/email?from=a@example.com&to=b@example.com', worker.url), {
      method: 'POST',
      body,
    });
    expect(await (await fetch(worker.url)).text()).toBe('plain 1');
  });
});
