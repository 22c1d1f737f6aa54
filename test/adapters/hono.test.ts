import { createRequire } from 'node:module';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { describe, expect, it } from 'vitest';
import { metricsRoute, telemetryMiddleware } from '../../adapters/hono/index.ts';
import { createTelemetry, instrument } from '../../adapters/node/index.ts';
import { createMetricRegistry, type ReadableSpan, type Telemetry, type TelemetryOptions } from '../../src/index.ts';
import { createClock, type TestClock } from '../suites/suite.ts';
import { chatCompletion, createSource, post } from '../suites/upstream.ts';

function setUp(options: TelemetryOptions = {}, clock: TestClock = createClock()) {
  const { now, monotonic } = clock;
  return createTelemetry({ inMemory: true, ...options, runtime: { env: {}, now, monotonic, ...options.runtime } });
}

function servers(telemetry: Telemetry): ReadableSpan[] {
  return telemetry.spans.filter(({ kind }) => kind === 1);
}

function only(telemetry: Telemetry): ReadableSpan {
  expect(servers(telemetry)).toHaveLength(1);
  return servers(telemetry)[0]!;
}

describe('telemetryMiddleware', () => {
  it('names the SERVER span by the route, not by the path', async () => {
    const telemetry = setUp();
    const app = new Hono();
    app.use(telemetryMiddleware(telemetry));
    app.get('/users/:id', (c) => c.text(`user ${c.req.param('id')}`));
    const response = await app.request('https://shop.test:8443/users/7?secret=1', {
      headers: { 'user-agent': 'curl' },
    });
    expect(await response.text()).toBe('user 7');
    const span = only(telemetry);
    expect(span.name).toBe('GET /users/:id');
    expect(span.attributes).toMatchObject({
      'http.request.method': 'GET',
      'http.route': '/users/:id',
      'http.response.status_code': 200,
      'url.path': '/users/7',
      'url.scheme': 'https',
      'server.address': 'shop.test',
      'server.port': 8443,
      'user_agent.original': 'curl',
    });
    expect(JSON.stringify(span.attributes)).not.toContain('secret');
  });

  it('serves an app of another copy of Hono, such as that which CommonJS requires', async () => {
    const telemetry = setUp();
    const { Hono: Other } = createRequire(import.meta.url)('hono') as { Hono: typeof Hono };
    expect(Other).not.toBe(Hono);
    const app = new Other();
    app.use(telemetryMiddleware(telemetry));
    app.get('/users/:id', (c) => c.text(`user ${c.req.param('id')}`));
    expect(await (await app.request('/users/7')).text()).toBe('user 7');
    expect(only(telemetry).name).toBe('GET /users/:id');
  });

  it.each([
    ['a middleware of the same path', (app: Hono) => app.use('/users/:id', (_, next) => next())],
    ['a middleware of all paths', (app: Hono) => app.use('*', (_, next) => next())],
    ['one behind it', (app: Hono) => app.use('/users/*', (_, next) => next())],
  ])('names the route, whatever other middleware there is: %s', async (_, add) => {
    const telemetry = setUp();
    const app = new Hono();
    app.use(telemetryMiddleware(telemetry));
    add(app);
    app.get('/users/:id', (c) => c.text('ok'));
    add(app);
    await (await app.request('/users/7')).text();
    expect(only(telemetry).name).toBe('GET /users/:id');
  });

  it('names the route of a mounted app', async () => {
    const telemetry = setUp();
    const users = new Hono();
    users.get('/:id/books/:book', (c) => c.text('ok'));
    const app = new Hono().basePath('/api');
    app.use(telemetryMiddleware(telemetry));
    app.route('/users', users);
    await (await app.request('/api/users/7/books/8')).text();
    expect(only(telemetry).name).toBe('GET /api/users/:id/books/:book');
  });

  it('names the route that answered when another one before it matches, too', async () => {
    const telemetry = setUp();
    const app = new Hono();
    app.use(telemetryMiddleware(telemetry));
    app.get('/users/me', (c) => c.text('me'));
    app.get('/users/:id', (c) => c.text('one'));
    app.get('/users/*', (c) => c.text('all'));
    expect(await (await app.request('/users/me')).text()).toBe('me');
    expect(await (await app.request('/users/7')).text()).toBe('one');
    expect(servers(telemetry).map(({ name }) => name)).toEqual(['GET /users/me', 'GET /users/:id']);
  });

  it('names a middleware that answers itself by its own path', async () => {
    const telemetry = setUp();
    const app = new Hono();
    app.use(telemetryMiddleware(telemetry));
    app.use('/admin/*', async (c) => c.text('who are you', 401));
    app.get('/admin/users', (c) => c.text('ok'));
    await (await app.request('/admin/users')).text();
    expect(only(telemetry)).toMatchObject({ name: 'GET /admin/*', attributes: { 'http.response.status_code': 401 } });
  });

  it('gives what no route answers the method alone as its name', async () => {
    const telemetry = setUp();
    const app = new Hono();
    app.use(telemetryMiddleware(telemetry));
    app.get('/users/:id', (c) => c.text('ok'));
    const response = await app.request('/nowhere/7');
    expect([response.status, await response.text()]).toEqual([404, '404 Not Found']);
    const span = only(telemetry);
    expect(span.name).toBe('GET');
    expect(span.attributes['http.route']).toBeUndefined();
    expect(span.status.code).toBe(0);
  });

  it('makes what a route throws an error, answered as without us', async () => {
    const telemetry = setUp();
    const app = new Hono();
    app.use(telemetryMiddleware(telemetry));
    app.get('/fails/:id', () => {
      throw new RangeError('broken');
    });
    app.onError((error, c) => c.text(`sorry: ${error.message}`, 500));
    const response = await app.request('/fails/1');
    expect([response.status, await response.text()]).toEqual([500, 'sorry: broken']);
    const span = only(telemetry);
    expect([span.name, span.status.code]).toEqual(['GET /fails/:id', 2]);
    expect(span.attributes['error.type']).toBe('RangeError');
    expect(span.events[0]?.attributes?.['exception.message']).toBe('broken');
    expect(servers(telemetry)).toHaveLength(1);
  });

  it('names the route of what throws no Error, which Hono hands on', async () => {
    const telemetry = setUp();
    const app = new Hono();
    app.use(telemetryMiddleware(telemetry));
    app.get('/fails/:id', () => {
      throw 'text';
    });
    await expect(Promise.resolve(app.request('/fails/1'))).rejects.toBe('text');
    expect(only(telemetry)).toMatchObject({ name: 'GET /fails/:id', status: { code: 2, message: 'text' } });
  });

  it('tells of no answer where a handler forgot it, which Hono makes an error of', async () => {
    const telemetry = setUp();
    const app = new Hono();
    app.use(telemetryMiddleware(telemetry));
    app.onError((_, c) => c.text('sorry', 500));
    app.get('/forgets', (() => undefined) as never);
    expect((await app.request('/forgets')).status).toBe(500);
    expect(only(telemetry).attributes).not.toHaveProperty('http.response.status_code');
  });

  it('makes an answer of 400 no error, thrown or not', async () => {
    const telemetry = setUp();
    const app = new Hono();
    app.use(telemetryMiddleware(telemetry));
    app.get('/thrown', () => {
      throw new HTTPException(403, { message: 'no' });
    });
    app.get('/given', (c) => c.text('no', 422));
    for (const path of ['/thrown', '/given']) await (await app.request(path)).text();
    expect(servers(telemetry).map(({ attributes }) => attributes['http.response.status_code'])).toEqual([403, 422]);
    expect(servers(telemetry).map(({ status }) => status.code)).toEqual([0, 0]);
  });

  it('measures to the headers and to the last byte', async () => {
    const clock = createClock();
    const telemetry = setUp({}, clock);
    const app = new Hono();
    app.use(telemetryMiddleware(telemetry));
    app.get('/stream', async () => {
      clock.advance(200);
      return new Response(createSource(['a', 'b', 'c'], () => clock.advance(1000)).body);
    });
    const response = await app.request('/stream');
    expect(telemetry.spans).toHaveLength(0);
    expect(await response.text()).toBe('abc');
    const span = only(telemetry);
    expect(span.duration).toEqual([4, 200_000_000]);
    expect(span.attributes['edgespan.http.time_to_headers']).toBe(0.2);
    const { metrics } = await telemetry.metrics.collect();
    const [total] = metrics.find(({ name }) => name === 'http.server.request.duration')!.points;
    const [headers] = metrics.find(({ name }) => name === 'http.server.time_to_headers')!.points;
    expect([total?.sum, total?.count, headers?.sum]).toEqual([4.2, 1, 0.2]);
    expect(total?.labels).toEqual({
      'http.request.method': 'GET',
      'http.response.status_code': '200',
      'http.route': '/stream',
      'url.scheme': 'http',
    });
  });

  it('ends the span of a stream that its reader leaves, and lets go of the source', async () => {
    const telemetry = setUp();
    const source = createSource(['a', 'b', 'c']);
    const app = new Hono();
    app.use(telemetryMiddleware(telemetry));
    app.get('/stream', () => new Response(source.body));
    const reader = (await app.request('/stream')).body!.getReader();
    await reader.read();
    await reader.cancel('enough');
    expect(only(telemetry).attributes['edgespan.aborted']).toBe(true);
    expect(source.cancelled).toBe('enough');
  });

  it('ends the span of a stream whose client has gone by the request’s signal, where hosts do not cancel', async () => {
    const telemetry = setUp({ runtime: { ephemeral: true } });
    const source = createSource(['a', 'b', 'c']);
    const client = new AbortController();
    const app = new Hono();
    app.use(telemetryMiddleware(telemetry));
    app.get('/stream', () => new Response(source.body));
    const reader = (await app.request('/stream', { signal: client.signal })).body!.getReader();
    await reader.read();
    client.abort('gone');
    await expect(reader.read()).rejects.toBe('gone');
    expect(only(telemetry).attributes['edgespan.aborted']).toBe(true);
    expect(source.cancelled).toBe('gone');
  });

  it('leaves headers, cookies and bodies as they are', async () => {
    const telemetry = setUp();
    const build = (watched: boolean) => {
      const app = new Hono();
      if (watched) app.use(telemetryMiddleware(telemetry));
      app.use(async (c, next) => {
        c.header('vary', 'Origin');
        await next();
        c.header('x-after', 'yes');
      });
      app.get('/', (c) => {
        c.header('set-cookie', 'a=1', { append: true });
        c.header('set-cookie', 'b=2', { append: true });
        c.header('vary', 'Accept', { append: true });
        return c.html('<p>hello</p>');
      });
      app.get('/empty', (c) => c.body(null, 204));
      app.get('/redirect', (c) => c.redirect('/', 307));
      return app;
    };
    for (const path of ['/', '/empty', '/redirect', '/missing']) {
      const [plain, watched] = [await build(false).request(path), await build(true).request(path)];
      expect([...watched.headers]).toEqual([...plain.headers]);
      expect([watched.status, await watched.text()]).toEqual([plain.status, await plain.text()]);
    }
    const { headers } = await build(true).request('/');
    expect(headers.getSetCookie()).toEqual(['a=1', 'b=2']);
  });

  it('ignores what it is told to, and adds attributes', async () => {
    const telemetry = setUp();
    const app = new Hono();
    app.use(
      telemetryMiddleware(telemetry, {
        ignore: (c) => c.req.path === '/health',
        attributes: (c) => ({ tenant: c.req.header('x-tenant') ?? 'none' }),
      }),
    );
    app.get('/health', (c) => c.text(typeof c.get('telemetry' as never)));
    app.get('/', (c) => c.text('ok'));
    expect(await (await app.request('/health')).text()).toBe('object');
    await (await app.request('/', { headers: { 'x-tenant': 'acme' } })).text();
    expect(only(telemetry).attributes).toMatchObject({ tenant: 'acme', 'url.path': '/' });
  });

  it.each(['ignore', 'attributes'])('answers although the option %s throws', async (option) => {
    const telemetry = setUp();
    const app = new Hono();
    const broken = () => {
      throw new Error('in the option');
    };
    app.use(telemetryMiddleware(telemetry, { [option]: broken }));
    app.get('/', (c) => c.text('ok'));
    expect(await (await app.request('/')).text()).toBe('ok');
    expect(servers(telemetry)).toHaveLength(1);
    expect(telemetry.health().ok).toBe(false);
  });

  it('hands the telemetry on, whose spans are children of the request', async () => {
    const telemetry = setUp({ fetch: async () => Response.json(chatCompletion) });
    const app = new Hono<{ Variables: { telemetry: Telemetry } }>();
    app.use(telemetryMiddleware(telemetry));
    app.get('/ask', async (c) => {
      const answer = await c.var.telemetry.fetch(
        'https://api.openai.com/v1/chat/completions',
        post({ model: 'gpt-4o-mini' }),
      );
      await answer.text();
      return c.text(c.var.telemetry.activeSpan() ? 'active' : 'none');
    });
    expect(await (await app.request('/ask')).text()).toBe('active');
    const call = telemetry.spans.find(({ name }) => name === 'chat gpt-4o-mini');
    expect(call?.parentSpanContext?.spanId).toBe(only(telemetry).spanContext().spanId);
  });

  it('keeps one SERVER span inside instrument(), renamed to the route', async () => {
    const telemetry = setUp();
    const app = new Hono();
    app.use(telemetryMiddleware(telemetry, { attributes: () => ({ tenant: 'acme' }) }));
    app.get('/users/:id', (c) => c.text('ok'));
    app.get('/fails', () => {
      throw new RangeError('broken');
    });
    const handler = instrument((request: Request) => app.fetch(request), telemetry);
    await (await handler(new Request('http://localhost/users/7'))).text();
    expect(only(telemetry)).toMatchObject({ name: 'GET /users/:id', attributes: { tenant: 'acme' } });
    telemetry.clearSpans();
    await (await handler(new Request('http://localhost/fails'))).text();
    expect(only(telemetry)).toMatchObject({
      name: 'GET /fails',
      status: { code: 2 },
      attributes: { 'error.type': 'RangeError' },
    });
  });

  it('flushes through the host’s waitUntil, once the response has been read', async () => {
    const sent: string[] = [];
    const exporters = [(spans: readonly ReadableSpan[]) => void sent.push(...spans.map(({ name }) => name))];
    const telemetry = setUp({ exporters, runtime: { ephemeral: true } });
    const app = new Hono();
    app.use(telemetryMiddleware(telemetry));
    app.get('/', () => new Response(createSource(['a', 'b']).body));
    const work: Promise<unknown>[] = [];
    const ctx = {
      waitUntil: (promise: Promise<unknown>) => void work.push(promise),
      passThroughOnException() {},
      props: {},
    };
    const response = await app.request('/', {}, {}, ctx);
    expect(work).toHaveLength(1);
    expect(sent).toEqual([]);
    await response.text();
    await Promise.all(work);
    expect(sent).toEqual(['GET /']);
  });

  it('has a SERVER span, attributes, metrics and a flush for each of two telemetries', async () => {
    const sent: string[][] = [[], []];
    const telemetries = sent.map((names) =>
      setUp({
        exporters: [(spans) => void names.push(...spans.map(({ name }) => name))],
        runtime: { ephemeral: true },
      }),
    );
    const [first, second] = telemetries;
    const app = new Hono();
    app.use(telemetryMiddleware(first!, { attributes: () => ({ whose: 'first' }) }));
    app.use(telemetryMiddleware(second!, { attributes: () => ({ whose: 'second' }) }));
    app.get('/users/:id', (c) => c.text('ok'));
    const work: Promise<unknown>[] = [];
    const waitUntil = (promise: Promise<unknown>) => void work.push(promise);
    const response = await app.request('/users/7', {}, {}, { waitUntil, passThroughOnException() {}, props: {} });
    expect(await response.text()).toBe('ok');
    await Promise.all(work);
    expect(telemetries.map((telemetry) => only(telemetry).attributes.whose)).toEqual(['first', 'second']);
    expect(only(second!).parentSpanContext?.spanId).toBe(only(first!).spanContext().spanId);
    expect(sent).toEqual([['GET /users/:id'], ['GET /users/:id']]);
    for (const { metrics } of telemetries) {
      const families = (await metrics.collect()).metrics.filter(({ name }) => name === 'http.server.request.duration');
      expect(families[0]?.points).toMatchObject([{ count: 1, labels: { 'http.route': '/users/:id' } }]);
    }
  });

  it('passes everything through where telemetry is turned off', async () => {
    const telemetry = setUp({ enabled: false });
    const app = new Hono();
    app.use(telemetryMiddleware(telemetry));
    app.get('/', (c) => c.text('ok'));
    expect(await (await app.request('/')).text()).toBe('ok');
    expect(telemetry.spans).toHaveLength(0);
  });

  it('works on @hono/node-server: cookies, HEAD, not found, and the flush at the end', async () => {
    const sent: string[] = [];
    const exporters = [(spans: readonly ReadableSpan[]) => void sent.push(...spans.map(({ name }) => name))];
    const telemetry = setUp({ exporters });
    const app = new Hono();
    app.use(telemetryMiddleware(telemetry));
    app.get('/users/:id', (c) => {
      c.header('set-cookie', 'a=1', { append: true });
      c.header('set-cookie', 'b=2', { append: true });
      return c.text(`user ${c.req.param('id')}`);
    });
    const { server, url } = await new Promise<{ server: ReturnType<typeof serve>; url: string }>((resolve) => {
      const started = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) =>
        resolve({ server: started, url: `http://127.0.0.1:${port}` }),
      );
    });
    try {
      const response = await fetch(`${url}/users/7`);
      expect([response.headers.getSetCookie(), await response.text()]).toEqual([['a=1', 'b=2'], 'user 7']);
      expect((await fetch(`${url}/users/7`, { method: 'HEAD' })).status).toBe(200);
      expect((await fetch(`${url}/nowhere`)).status).toBe(404);
      await telemetry.flush();
      const names = servers(telemetry).map(({ name }) => name);
      expect(names.sort()).toEqual(['GET', 'GET /users/:id', 'HEAD /users/:id']);
      expect(sent.sort()).toEqual(names);
    } finally {
      await telemetry.shutdown();
      await new Promise((resolve) => server.close(resolve));
    }
  });
});

describe('metricsRoute', () => {
  type Route = Parameters<typeof metricsRoute>;
  function page(options?: Route[1], sources?: Route[0]) {
    const telemetry = setUp();
    telemetry.metrics.counter('jobs_total').inc();
    const app = new Hono();
    app.use(telemetryMiddleware(telemetry));
    app.get('/metrics', metricsRoute(sources ?? telemetry, options));
    return (headers: Record<string, string> = {}) => app.request('/metrics', { headers });
  }

  it('serves the page', async () => {
    const response = await page()();
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(await response.text()).toContain('\njobs_total 1\n');
  });

  it('takes a token as text', async () => {
    const get = page({ token: 'secret' });
    expect((await get()).status).toBe(401);
    expect((await get({ authorization: 'Bearer other' })).status).toBe(401);
    expect((await get({ authorization: 'Bearer secret' })).status).toBe(200);
  });

  it('takes a token from the environment of the request', async () => {
    const app = new Hono<{ Bindings: { TOKEN?: string } }>();
    app.get('/metrics', metricsRoute(setUp(), { token: (c) => c.env.TOKEN }));
    const get = (headers: Record<string, string>, env: { TOKEN?: string }) => app.request('/metrics', { headers }, env);
    expect((await get({ authorization: 'Bearer secret' }, { TOKEN: 'secret' })).status).toBe(200);
    expect((await get({ authorization: 'Bearer secret' }, { TOKEN: 'other' })).status).toBe(401);
  });

  it.each([
    ['empty', { token: '' }],
    ['undefined', { token: undefined }],
    ['a function that finds none', { token: () => undefined }],
  ])('answers 503 when the token is given and %s', async (_, options) => {
    const get = page(options as Route[1]);
    expect((await get({ authorization: 'Bearer ' })).status).toBe(503);
    expect((await get()).status).toBe(503);
  });

  it('serves several sources on one page, filtered', async () => {
    const registry = createMetricRegistry({ namespace: 'shop' });
    registry.counter('orders_total').inc(3);
    const other = setUp();
    other.metrics.counter('jobs_total').inc(4);
    const text = await (await page({ filter: (name) => /^(shop|jobs)/.test(name) }, [other, registry])()).text();
    expect(text.split('\n').filter((line) => line && !line.startsWith('#'))).toEqual([
      'jobs_total 4',
      'shop_orders_total 3',
    ]);
  });
});
