import { deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type CollectorOptions, createCollector, createMemoryTraceStore } from '../../src/collector/index.ts';
import { TelemetryError } from '../../src/errors.ts';
import { chatSpan, getJson, getMetrics, post, sendSpans, workSpan } from './support.ts';

type Errors = { error: { code: string; message: string; field?: string } };

function send(collector: ReturnType<typeof createCollector>, body: BodyInit, headers: Record<string, string> = {}) {
  return collector.request('/v1/traces', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });
}

describe('bad requests', () => {
  it.each([
    ['no JSON', '{"resourceSpans":', 400, undefined],
    ['another envelope', '{"resourceSpans":{}}', 400, 'resourceSpans'],
    ['deep nesting', '['.repeat(100_000), 400, undefined],
    [
      'an id that is none',
      '{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"zz","spanId":"1111111111111111"}]}]}]}',
      400,
      'resourceSpans[0].scopeSpans[0].spans[0].traceId',
    ],
  ])('%s is told by its field', async (_, body, status, field) => {
    const response = await send(createCollector(), body);
    expect(response.status).toBe(status);
    const { error } = (await response.json()) as Errors;
    expect(error).toMatchObject({ code: 'bad_request', message: expect.any(String) });
    expect(error.field).toBe(field);
  });

  it('that are truncated protobuf are told as protobuf', async () => {
    const body = new Uint8Array([10, 200, 1, 2, 3]);
    const response = await send(createCollector(), body, { 'content-type': 'application/x-protobuf' });
    expect(response.status).toBe(400);
    expect(response.headers.get('content-type')).toBe('application/x-protobuf');
    // google.rpc.Status: code 3, INVALID_ARGUMENT.
    expect([...new Uint8Array(await response.arrayBuffer())].slice(0, 3)).toEqual([8, 3, 18]);
  });

  it.each([
    ['text/plain', undefined, 'content-type'],
    ['application/json', 'br', 'content-encoding'],
    ['application/json', 'gzip, gzip', 'content-encoding'],
    ['application/json', 'constructor', 'content-encoding'],
  ])('of the type %s, encoded as %s, are 415', async (type, encoding, field) => {
    const response = await send(createCollector(), '{}', {
      'content-type': type,
      ...(encoding && { 'content-encoding': encoding }),
    });
    expect(response.status).toBe(415);
    expect(((await response.json()) as Errors).error.field).toBe(field);
  });

  it('from Rastir of another type are 415, and of none are read', async () => {
    const ask = (headers: Record<string, string>) =>
      createCollector().request('/v1/telemetry', { method: 'POST', headers, body: new TextEncoder().encode('{}') });
    const refused = await ask({ 'content-type': 'application/x-www-form-urlencoded' });
    expect(refused.status).toBe(415);
    expect(((await refused.json()) as Errors).error.field).toBe('content-type');
    expect((await ask({})).status).toBe(400);
  });

  it('that are no gzip although they say so are 400', async () => {
    expect((await send(createCollector(), '{}', { 'content-encoding': 'gzip' })).status).toBe(400);
  });

  it.each([
    ['x-gzip', gzipSync('{}')],
    ['GZIP', gzipSync('{}')],
    ['deflate', deflateSync('{}')],
  ])('packed as %s are read', async (encoding, body) => {
    expect(
      (await send(createCollector(), body as Uint8Array<ArrayBuffer>, { 'content-encoding': encoding })).status,
    ).toBe(200);
  });

  it.each([
    ['too many members', Array.from({ length: 1025 }, () => gzipSync('')), 413],
    ['a member cut off', [gzipSync('{'), gzipSync('}').subarray(0, -1)], 400],
    ['a member whose checksum is wrong', [gzipSync('{'), gzipSync('}').fill(0, 13, 17)], 400],
    ['members that unpack to too much', Array.from({ length: 3 }, () => gzipSync(' '.repeat(40_000))), 413],
    [
      'what only seems to be members',
      [gzipSync('{}'), ...Array.from({ length: 10 }, () => Buffer.from([31, 139, 8, 0]))],
      400,
    ],
  ])('of a gzip with %s are refused', async (_, members, status) => {
    const collector = createCollector({ limits: { inflatedBytes: 100_000 } });
    const body = Buffer.concat(members);
    expect((await send(collector, body, { 'content-encoding': 'gzip' })).status).toBe(status);
  });

  it('of too many bytes are 413, whether they say their length or not', async () => {
    const collector = createCollector({ limits: { bodyBytes: 1000 } });
    expect((await send(collector, ' '.repeat(1001))).status).toBe(413);
    expect((await send(collector, ' '.repeat(1001), { 'content-length': '1001' })).status).toBe(413);
    expect((await send(collector, `${' '.repeat(980)}{}`)).status).toBe(200);
  });

  it('that unpack to too much are 413, and no more is unpacked than that', async () => {
    const collector = createCollector({ limits: { inflatedBytes: 100_000 } });
    const bomb = gzipSync(new Uint8Array(50_000_000));
    expect(bomb.length).toBeLessThan(100_000);
    const before = process.memoryUsage().arrayBuffers;
    const response = await send(collector, bomb as Uint8Array<ArrayBuffer>, { 'content-encoding': 'gzip' });
    expect(response.status).toBe(413);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20_000_000);
  });

  it('of too many spans are 413, so that exporters send less at a time', async () => {
    const collector = createCollector({ limits: { spansPerRequest: 2 } });
    const spans = ['1', '2', '3'].map((id) => chatSpan({ spanId: id.padStart(16, '0') }));
    expect((await sendSpans(collector, spans)).status).toBe(413);
    expect((await sendSpans(collector, spans.slice(1))).status).toBe(200);
  });

  it.each([
    ['/v1/traces?limit=x', 'limit'],
    ['/v1/traces?status=bad', 'status'],
    ['/v1/traces?min_cost_usd=-1', 'min_cost_usd'],
    ['/v1/traces?trace_id=%27%20OR%201=1', 'trace_id'],
    ['/v1/traces/..%2f..%2fetc', 'trace_id'],
    ['/v1/stats?by=password', 'by'],
    ['/v1/stats?window=0', 'window'],
  ])('%s names what is wrong', async (path, field) => {
    const response = await createCollector().request(path);
    expect(response.status).toBe(400);
    expect(((await response.json()) as Errors).error.field).toBe(field);
  });

  it('by another method are 405 and say which there are', async () => {
    const collector = createCollector({ adminKey: 'root' });
    const ask = async (method: string, path: string) => {
      const response = await collector.request(path, { method });
      return [response.status, response.headers.get('allow')];
    };
    expect(await ask('PUT', '/v1/traces')).toEqual([405, 'POST, GET, HEAD']);
    expect(await ask('OPTIONS', '/v1/traces')).toEqual([405, 'POST, GET, HEAD']);
    expect(await ask('GET', '/v1/metrics')).toEqual([405, 'POST']);
    expect(await ask('DELETE', `/v1/traces/${'a'.repeat(32)}`)).toEqual([405, 'GET, HEAD']);
    expect(await ask('POST', '/config')).toEqual([405, 'GET, HEAD, PUT']);
    expect(await ask('HEAD', '/health')).toEqual([200, null]);
    const response = await collector.request('/metrics', { method: 'POST' });
    expect(await response.json()).toEqual({
      error: { code: 'method_not_allowed', message: 'the methods are GET, HEAD' },
    });
  });

  it('may end with a slash', async () => {
    const collector = createCollector();
    expect((await post(collector, '/v1/traces/', {})).status).toBe(200);
    expect(await getJson(collector, '/v1/traces/')).toEqual({ traces: [] });
    expect((await collector.request('/health/')).status).toBe(200);
  });

  it('to nowhere are 404 in JSON', async () => {
    const response = await createCollector().request('/v1/nothing');
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({ error: { code: 'not_found', message: 'there is no such page' } });
  });

  it('take times in the future, which reach no further than their trace', async () => {
    const collector = createCollector();
    const startMs = Date.now() + 1e12;
    expect((await sendSpans(collector, [chatSpan({ startMs })])).status).toBe(200);
    expect(await getJson(collector, '/v1/traces')).toMatchObject({ traces: [{ start_ms: startMs }] });
    expect(await getMetrics(collector)).toMatch(/llm_request_duration_seconds_sum\{.*\} 1\.5\n/);
  });

  it('from Rastir that nest without end are taken, and take nothing down', async () => {
    const collector = createCollector();
    const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
    const span = { trace_id: 'c'.repeat(32), span_id: 'd'.repeat(32), name: 'ask', start_time: 1, end_time: 2 };
    const events = [{ name: 'e', attributes: { deep: 0 } }];
    const body = JSON.stringify({ spans: [{ ...span, attributes: { deep: 0 }, events }] }).replaceAll(
      '"deep":0',
      `"deep":${deep}`,
    );
    const headers = { 'content-type': 'application/json' };
    const response = await collector.request('/v1/telemetry', { method: 'POST', headers, body });
    expect(response.status).toBe(202);
    expect((await getJson(collector, '/v1/traces')).traces).toHaveLength(1);
    expect((await getJson(collector, `/v1/traces/${'c'.repeat(32)}`)).spans).toHaveLength(1);
  });

  it('from Rastir without spans are 400', async () => {
    const response = await post(createCollector(), '/v1/telemetry', { service: 's', spans: [] });
    expect(response.status).toBe(400);
    expect(((await response.json()) as Errors).error.field).toBe('spans');
  });
});

/** A store that takes nothing until it is let. */
function createHeldStore() {
  const store = createMemoryTraceStore();
  const waiting: (() => void)[] = [];
  return {
    traces: {
      ...store,
      async add(...given: Parameters<typeof store.add>) {
        await new Promise<void>((resolve) => waiting.push(resolve));
        await store.add(...given);
      },
    },
    async isAsked() {
      while (waiting.length === 0) await new Promise((resolve) => setTimeout(resolve, 0));
    },
    letGo() {
      for (const resolve of waiting.splice(0)) resolve();
    },
  };
}

describe('the queue', () => {
  const oneSpan = (id: number) => [chatSpan({ traceId: String(id).padStart(32, 'e') })];

  async function fill(queue: NonNullable<CollectorOptions['queue']>) {
    const held = createHeldStore();
    const collector = createCollector({ traces: held.traces, queue });
    const first = sendSpans(collector, oneSpan(1));
    await held.isAsked();
    const second = sendSpans(collector, oneSpan(2));
    const third = sendSpans(collector, oneSpan(3));
    while (!(await getMetrics(collector)).includes('queue_size 3')) await Promise.resolve();
    return { collector, held, first, second, third };
  }

  async function release(held: ReturnType<typeof createHeldStore>, answers: Promise<Response>[]) {
    let done = false;
    const all = Promise.all(answers).then((responses) => {
      done = true;
      return responses.map(({ status }) => status);
    });
    while (!done) {
      held.letGo();
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    return all;
  }

  it('refuses beyond its hard limit, and loses nothing that it has taken', async () => {
    const { collector, held, first, second, third } = await fill({ max: 4, softLimit: 0.5, hardLimit: 0.75 });
    // Three of four: as many as three quarters.
    const refused = await sendSpans(collector, oneSpan(4));
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(((await refused.json()) as Errors).error.code).toBe('queue_full');
    const ready = await collector.request('/ready');
    expect(ready.status).toBe(503);
    expect(await ready.json()).toEqual({
      status: 'not_ready',
      queue_pct: 75,
      reasons: ['the queue is above its soft limit'],
    });
    const text = await getMetrics(collector);
    expect(text).toContain('edgespan_collector_queue_utilization_percent 75');
    expect(text).toMatch(
      /edgespan_collector_ingestion_rejections_total\{service="shop",environment="production"\} 1\n/,
    );
    expect(text).toContain('edgespan_collector_backpressure_warnings_total 1');
    expect(await release(held, [first, second, third])).toEqual([200, 200, 200]);
    expect((await getJson(collector, '/v1/traces')).traces).toHaveLength(3);
    expect((await collector.request('/ready')).status).toBe(200);
  });

  it('answers 413 to what it could never hold, since that may not come again', async () => {
    const collector = createCollector({ queue: { max: 4, hardLimit: 0.5, softLimit: 0.5 } });
    const spans = ['1', '2', '3'].map((id) => chatSpan({ spanId: id.padStart(16, '0') }));
    expect((await sendSpans(collector, spans)).status).toBe(413);
    expect((await sendSpans(collector, spans.slice(1))).status).toBe(200);
  });

  it('drops what has waited longest, if it is told to, and says so to its sender', async () => {
    const { collector, held, first, second, third } = await fill({
      max: 4,
      hardLimit: 0.75,
      softLimit: 0.5,
      whenFull: 'drop_oldest',
    });
    const fourth = sendSpans(collector, oneSpan(4));
    const dropped = await second;
    expect(dropped.status).toBe(503);
    expect(dropped.headers.get('retry-after')).toBe('1');
    expect(await release(held, [first, third, fourth])).toEqual([200, 200, 200]);
    expect(await getMetrics(collector)).toContain('edgespan_collector_spans_dropped_by_backpressure_total 1');
  });

  it('answers 503 where the store fails, and what is sent again counts once', async () => {
    const store = createMemoryTraceStore();
    let fails = true;
    const errors: string[] = [];
    const collector = createCollector({
      telemetry: { onError: ({ code }) => errors.push(code) },
      traces: {
        ...store,
        add: async (...given) => (fails ? Promise.reject(new Error('disk full')) : store.add(...given)),
      },
    });
    const response = await sendSpans(collector, [chatSpan()]);
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('5');
    expect(await response.text()).not.toContain('disk full');
    expect(errors).toEqual(['store_failed']);
    expect(await getJson(collector, '/ready')).toMatchObject({ reasons: ['the trace store does not take spans'] });
    fails = false;
    expect((await sendSpans(collector, [chatSpan()])).status).toBe(200);
    expect(await getMetrics(collector)).toMatch(/llm_requests_total\{.*\} 1\n/);
    expect((await getJson(collector, '/ready')).status).toBe('ready');
  });

  it('waits for no store without end: it takes spans again once the store does, and says what fails', async () => {
    const store = createMemoryTraceStore();
    let hangs = true;
    const never = () => new Promise<never>(() => {});
    const collector = createCollector({
      telemetry: { onError() {}, flush: { timeoutMs: 5 } },
      traces: { add: (...given) => (hangs ? never() : store.add(...given)), get: never, query: never },
      metrics: { merge: async () => {}, collect: never },
    });
    expect((await sendSpans(collector, [chatSpan()])).status).toBe(503);
    for (const path of ['/v1/traces', `/v1/traces/${'1'.repeat(32)}`]) {
      expect((await collector.request(path)).status).toBe(500);
    }
    const page = await collector.request('/metrics');
    expect([page.status, await page.text()]).toEqual([503, 'the metric store does not answer\n']);
    hangs = false;
    expect((await sendSpans(collector, [chatSpan()])).status).toBe(200);
  });

  it('stores what waits before it shuts down, and takes no more', async () => {
    const { collector, held, first, second, third } = await fill({});
    const closing = collector.shutdown();
    expect((await sendSpans(collector, oneSpan(4))).status).toBe(503);
    expect(await release(held, [first, second, third])).toEqual([200, 200, 200]);
    await closing;
    expect((await getJson(collector, '/v1/traces')).traces).toHaveLength(3);
  });

  it('tells who still waits when the time to shut down is over', async () => {
    const { collector, held, second } = await fill({});
    await collector.shutdown(20);
    expect((await second).status).toBe(503);
    held.letGo();
  });
});

describe('rate limits', () => {
  const from = (address: string) => ({ 'x-forwarded-for': `${address}, 10.0.0.1` });

  it('count by address and by service, in windows of a minute', async () => {
    let ms = 0;
    const collector = createCollector({
      telemetry: { runtime: { monotonic: () => ms } },
      rateLimit: { perIp: 2, perService: 3 },
      trustForwardedFor: true,
    });
    const at = async (address: string, service = 'shop') =>
      (await sendSpans(collector, [chatSpan({ service })], from(address))).status;
    expect([await at('1.1.1.1'), await at('1.1.1.1'), await at('1.1.1.1')]).toEqual([200, 200, 429]);
    expect([await at('2.2.2.2'), await at('2.2.2.2'), await at('3.3.3.3', 'other')]).toEqual([200, 429, 200]);
    ms = 30_000;
    const refused = await sendSpans(collector, [chatSpan()], from('1.1.1.1'));
    expect(refused.headers.get('retry-after')).toBe('30');
    const text = await getMetrics(collector);
    expect(text).toContain('edgespan_collector_rate_limited_total{dimension="ip"} 2');
    expect(text).toContain('edgespan_collector_rate_limited_total{dimension="service"} 1');
    ms = 60_000;
    expect(await at('1.1.1.1')).toBe(200);
  });

  it('take the address from the server unless a proxy is trusted', async () => {
    const collector = createCollector({ rateLimit: { perIp: 1 } });
    const at = (remoteAddress: string, claimed: string) =>
      collector.request(
        '/v1/traces',
        { method: 'POST', headers: { 'content-type': 'application/json', ...from(claimed) }, body: '{}' },
        { incoming: { socket: { remoteAddress } } },
      );
    expect((await at('1.1.1.1', '9.9.9.9')).status).toBe(200);
    expect((await at('1.1.1.1', '8.8.8.8')).status).toBe(429);
    expect((await at('2.2.2.2', '9.9.9.9')).status).toBe(200);
  });

  it('ask Cloudflare’s binding, where there is one, and let pass where that fails', async () => {
    const asked: string[] = [];
    const collector = createCollector({
      trustForwardedFor: true,
      rateLimit: {
        perIp: 1,
        binding: {
          async limit({ key }) {
            asked.push(key);
            if (key === '3.3.3.3') throw new Error('away');
            return { success: key !== '1.1.1.1' };
          },
        },
      },
    });
    const statuses: number[] = [];
    for (const address of ['1.1.1.1', '2.2.2.2', '2.2.2.2', '3.3.3.3']) {
      statuses.push((await sendSpans(collector, [chatSpan()], from(address))).status);
    }
    expect(statuses).toEqual([429, 200, 200, 200]);
    expect(asked).toEqual(['1.1.1.1', '2.2.2.2', '2.2.2.2', '3.3.3.3']);
  });

  it('share one count beyond the addresses that are told apart', async () => {
    const collector = createCollector({
      rateLimit: { perIp: 1 },
      trustForwardedFor: true,
      limits: { rateLimitKeys: 2 },
    });
    const statuses: number[] = [];
    for (const address of ['1', '2', '3', '4', '1']) {
      statuses.push((await sendSpans(collector, [chatSpan()], from(address))).status);
    }
    expect(statuses).toEqual([200, 200, 200, 429, 429]);
  });
});

describe('labels', () => {
  it('of more senders than have metrics of their own are one', async () => {
    const collector = createCollector({ limits: { emitters: 1 } });
    for (const service of ['a', 'b', 'c']) {
      await sendSpans(collector, [chatSpan({ service, traceId: service.repeat(32) })]);
    }
    const text = await getMetrics(collector);
    expect(text).toMatch(/llm_requests_total\{.*service="a".*\} 1\n/);
    expect(text).toMatch(/llm_requests_total\{.*service="__cardinality_overflow__".*\} 2\n/);
    expect(text).not.toMatch(/llm_requests_total\{.*service="b"/);
  });

  it('cannot break out of their quotes', async () => {
    const collector = createCollector();
    await sendSpans(collector, [
      workSpan({ service: 'a"} 1\nllm_evil{x="' }),
      chatSpan({ service: 'b"\n', spanId: '2'.padStart(16, '0') }),
    ]);
    const lines = (await getMetrics(collector)).split('\n');
    expect(lines.filter((line) => line.startsWith('llm_evil'))).toEqual([]);
    expect(lines.filter((line) => line.startsWith('llm_requests_total'))).toHaveLength(1);
  });
});

describe('options', () => {
  it.each([
    [{ trace: {} }, 'unknown_option', 'trace'],
    [{ queue: { max: 0 } }, 'invalid_option', 'queue.max'],
    [{ queue: { softLimit: 0.9, hardLimit: 0.5 } }, 'invalid_option', 'queue.softLimit'],
    [{ telemetry: { sampling: { ratio: 3 } } }, 'invalid_option', 'telemetry.sampling.ratio'],
    [{ keys: { k: '../x' } }, 'invalid_option', 'keys'],
    [{ traces: { add() {} } }, 'invalid_option', 'traces'],
    [{ forward: { endpoint: 'nowhere' } }, 'invalid_option', 'forward.endpoint'],
  ])('%j throws', (options, code, option) => {
    let thrown: unknown;
    try {
      createCollector(options as CollectorOptions);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(TelemetryError);
    expect(thrown).toMatchObject({ code, option });
  });
});
