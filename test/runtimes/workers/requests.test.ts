import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { chatCompletion, chatStream, messageStream } from '../../suites/upstream.ts';
import { leaveAfterFirstChunk, startWorld, type World } from './world.ts';

describe('requests to a Worker', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld({ LOCAL_METRICS: true });
  });
  afterAll(() => world.stop());
  afterEach(() => world.clear());

  it('answers the first request, although telemetry was used in global scope', async () => {
    const response = await world.get('/plain');
    expect([response.status, await response.text()]).toEqual([200, 'hello 42']);
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    const span = await world.otlp.span('GET');
    expect(span.attributes).toMatchObject({ 'url.path': '/plain', 'http.response.status_code': 200 });
    await world.otlp.until(() => world.otlp.total('hits_total', { path: 'global' }) === 1);
  });

  it('streams a model’s answer byte for byte and sends both spans after the last byte', async () => {
    world.model.hold();
    const response = await world.get('/chat');
    const reader = response.body!.getReader();
    let text = new TextDecoder().decode((await reader.read()).value);
    // Another request of the same isolate has come and gone, telemetry and all, while the stream is open.
    await (await world.get('/empty')).arrayBuffer();
    await world.otlp.until(() => world.otlp.spans.some(({ attributes }) => attributes['url.path'] === '/empty'));
    expect(world.otlp.spans.some(({ attributes }) => attributes['url.path'] === '/chat')).toBe(false);
    world.model.release();
    for (let part = await reader.read(); !part.done; part = await reader.read())
      text += new TextDecoder().decode(part.value);
    expect(text).toBe(chatStream.join(''));

    const call = await world.otlp.span('chat gpt-4o-mini');
    const server = await world.otlp.until(() =>
      world.otlp.spans.find(({ attributes }) => attributes['url.path'] === '/chat'),
    );
    expect([call.parentSpanId, call.traceId]).toEqual([server.spanId, server.traceId]);
    expect(call.attributes).toMatchObject({ 'gen_ai.usage.output_tokens': 7, 'gen_ai.request.stream': true });
    expect(call.attributes['edgespan.aborted']).toBeUndefined();
    expect(server.kind).toBe(2);
  });

  it.each(['/chat', '/copied'])('gives the same whole stream for %s', async (path) => {
    expect(await (await world.get(path)).text()).toBe(chatStream.join(''));
    expect((await world.otlp.span('chat gpt-4o-mini')).attributes['gen_ai.usage.output_tokens']).toBe(7);
  });

  it('ends the span of a client that leaves with the usage seen so far, and lets go of the upstream', async () => {
    world.model.hold();
    expect(await leaveAfterFirstChunk(new URL('/message', world.worker.url))).toContain('message_start');
    await world.model.closes(1);
    expect(world.model.closed).toEqual([{ finished: false }]);
    const call = await world.otlp.span('chat claude-sonnet-4-5');
    expect(call.attributes).toMatchObject({
      'edgespan.aborted': true,
      'gen_ai.usage.input_tokens': 100,
      'gen_ai.response.model': 'claude-sonnet-4-5-20250929',
    });
    expect(call.status.code ?? 0).toBe(0);
    const server = await world.otlp.span('GET');
    expect(server.attributes['edgespan.aborted']).toBe(true);
    world.model.release();
    expect(await (await world.get('/message')).text()).toBe(messageStream.join(''));
  });

  it('keeps the flushes of two requests apart, also when the first is answered last', async () => {
    let letFirstGo = () => {};
    const firstMayGo = new Promise<void>((resolve) => {
      letFirstGo = resolve;
    });
    world.otlp.answerAfter((index) => (index === 0 ? firstMayGo : undefined));
    expect(await (await world.get('/json?n=1')).json()).toEqual(chatCompletion);
    await world.otlp.until(() => world.otlp.spans.length >= 2);
    // The second starts, ends and flushes while the first one's flush waits for its answer.
    expect(await (await world.get('/json?n=2')).json()).toEqual(chatCompletion);
    await world.otlp.until(() => world.otlp.spans.length >= 4);
    expect(await (await world.get('/plain')).text()).toBe('hello 42');
    // A cron run waits for its own flush, and for nobody else's.
    const cron = await (await world.worker.miniflare.getWorker()).scheduled({ cron: '* * * * *' });
    expect(cron).toMatchObject({ outcome: 'ok' });
    letFirstGo();
    await world.otlp.until(() => world.otlp.spans.length >= 7);
    const ids = world.otlp.spans.map(({ spanId }) => spanId);
    expect(new Set(ids).size).toBe(7);

    expect(await world.accounting()).toMatchObject({ dropped: 0 });
  });

  it('sends nothing twice and loses nothing with many requests at once', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => world.get('/json').then((r) => r.status)));
    expect(answers).toEqual(new Array(20).fill(200));
    await world.otlp.until(() => world.otlp.spans.length >= 40);
    expect(new Set(world.otlp.spans.map(({ spanId }) => spanId)).size).toBe(40);
    expect(world.otlp.spans.length).toBe(40);
    await world.otlp.until(() => world.otlp.total('llm_requests_total') >= 20);
    expect(world.otlp.total('llm_requests_total')).toBe(20);
  });

  it('flushes what background work records', async () => {
    expect(await (await world.get('/background')).text()).toBe('soon');
    const call = await world.otlp.span('chat gpt-4o-mini');
    const tool = await world.otlp.span('execute_tool look_up');
    const server = await world.otlp.span('GET');
    expect([call.parentSpanId, tool.parentSpanId]).toEqual([server.spanId, server.spanId]);
  });

  it('flushes what background work recorded before it failed', async () => {
    expect(await (await world.get('/background/fails')).text()).toBe('soon');
    await world.otlp.span('chat gpt-4o-mini');
  });

  it('answers 500 for a handler that throws, as without us, with the error on the span', async () => {
    const response = await world.get('/throw');
    expect(response.status).toBe(500);
    expect(await response.text()).toContain('thrown by the handler');
    const span = await world.otlp.span('GET');
    expect(span.status).toEqual({ code: 2, message: 'thrown by the handler' });
    expect(span.attributes['error.type']).toBe('RangeError');
  });

  it('passes redirects, empty answers and other statuses unharmed', async () => {
    const redirect = await world.get('/redirect');
    expect([redirect.status, redirect.headers.get('location')]).toEqual([302, 'https://example.com/there']);
    const empty = await world.get('/empty');
    expect([empty.status, empty.headers.get('x-a'), await empty.text()]).toEqual([204, '1', '']);
    const missing = await world.get('/nowhere');
    expect([missing.status, await missing.text()]).toEqual([404, 'not here']);
    await world.otlp.until(() => world.otlp.spans.length >= 3);
    expect(world.otlp.spans.map(({ attributes }) => attributes['http.response.status_code'])).toEqual([302, 204, 404]);
    expect(world.otlp.spans.map(({ status }) => status.code ?? 0)).toEqual([0, 0, 0]);
  });

  it('passes a WebSocket upgrade unharmed and ends its span', async () => {
    const response = await world.worker.miniflare.dispatchFetch('http://localhost/websocket', {
      headers: { upgrade: 'websocket' },
    });
    expect([response.status, response.headers.get('x-upgraded')]).toEqual([101, 'yes']);
    const socket = response.webSocket!;
    const answer = new Promise((resolve) => socket.addEventListener('message', ({ data }) => resolve(data)));
    socket.accept();
    socket.send('hello');
    expect(await answer).toBe('echo hello');
    expect((await world.otlp.span('GET')).attributes['http.response.status_code']).toBe(101);
    socket.close();
  });

  it('links the caller’s trace, which anybody can send, instead of continuing it', async () => {
    const [traceId, spanId] = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331'];
    await (await world.get('/plain', { headers: { traceparent: `00-${traceId}-${spanId}-01` } })).text();
    const span = await world.otlp.span('GET');
    expect(span.traceId).not.toBe(traceId);
    expect(span.links).toMatchObject([{ traceId, spanId }]);
  });

  it('sends no trace context to the model and none to the receiver', async () => {
    await (await world.get('/json')).text();
    await world.otlp.span('GET');
    for (const { headers } of [...world.model.requests, ...world.otlp.requests])
      expect(headers.traceparent).toBeUndefined();
  });

  it('serves this isolate’s metrics with a note where that was asked for', async () => {
    await (await world.get('/json')).text();
    await world.otlp.span('chat gpt-4o-mini');
    const response = await world.get('/metrics', { headers: { 'accept-encoding': 'gzip' } });
    expect(response.status).toBe(200);
    const text = await response.text();
    expect(text).toMatch(/# HELP edgespan_local_metrics .*one isolate/);
    expect(text).toMatch(/^llm_requests_total\{provider="openai",model="gpt-4o-mini-2024-07-18",.*\} [1-9]/m);
    const openMetrics = await world.get('/metrics', { headers: { accept: 'application/openmetrics-text' } });
    expect((await openMetrics.text()).endsWith('# EOF\n')).toBe(true);
  });
});

describe('a response that nobody reads', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld({ UNREAD_MS: 100 });
  });
  afterAll(() => world.stop());
  afterEach(() => world.clear());

  it('ends the model’s span at the flush deadline when the handler drops the body', async () => {
    world.model.hold();
    expect(await (await world.get('/unread')).text()).toBe('I do not care');
    const call = await world.otlp.span('chat gpt-4o-mini');
    expect(call.attributes['edgespan.aborted']).toBe(true);
    await world.otlp.span('GET');
    world.model.release();
  });

  it('ends both spans of a HEAD request', async () => {
    const response = await world.get('/chat', { method: 'HEAD' });
    expect([response.status, await response.text()]).toEqual([200, '']);
    const server = await world.otlp.span('HEAD');
    const call = await world.otlp.span('chat gpt-4o-mini');
    expect(call.parentSpanId).toBe(server.spanId);
  });

  it('refuses a metrics page of one isolate with the remedy', async () => {
    const response = await world.get('/metrics');
    expect(response.status).toBe(501);
    expect(await response.text()).toContain('metrics: { local: true }');
  });
});
