import { describe, expect, it } from 'vitest';
import { type CollectorOptions, createCollector } from '../../src/collector/index.ts';
import { createTelemetry } from '../../src/index.ts';
import { createMemoryMetricStore } from '../../src/metrics/memory-store.ts';
import { chatSpan, getMetrics, post, sendSpans } from './support.ts';

type Collector = ReturnType<typeof createCollector>;

const nanos = (ms: number) => String(BigInt(1_700_000_000_000 + ms) * 1_000_000n);

interface Pushed {
  name?: string;
  value?: number | string;
  isMonotonic?: boolean;
  label?: string;
  temporality?: 1 | 2;
  start?: number;
  time: number;
  instance?: string;
  service?: string;
}

const attribute = (key: string, stringValue: string) => ({ key, value: { stringValue } });

function push(collector: Collector, pushed: Pushed, headers: Record<string, string> = {}) {
  const {
    name = 'jobs_total',
    value = 1,
    temporality = 1,
    start = 0,
    time,
    instance = 'i1',
    service = 'shop',
    isMonotonic = true,
    label = 'mail',
  } = pushed;
  const point = { asInt: String(value), startTimeUnixNano: nanos(start), timeUnixNano: nanos(time) };
  const dataPoints = [{ ...point, attributes: [attribute('queue', label)] }];
  const sum = { aggregationTemporality: temporality, isMonotonic, dataPoints };
  return pushMetric(collector, { name, sum }, { service, instance }, headers);
}

function pushMetric(
  collector: Collector,
  metric: object,
  { service = 'shop', instance = 'i1' } = {},
  headers: Record<string, string> = {},
) {
  const attributes = [attribute('service.name', service), attribute('service.instance.id', instance)];
  const resourceMetrics = [{ resource: { attributes }, scopeMetrics: [{ metrics: [metric] }] }];
  return post(collector, '/v1/metrics', { resourceMetrics }, headers);
}

const series = (value: number, service = 'shop') =>
  `jobs_total{environment="development",queue="mail",service="${service}"} ${value}\n`;

describe('pushed metrics', () => {
  it('add up deltas of many senders, and take what comes twice once', async () => {
    const collector = createCollector();
    await push(collector, { value: 3, time: 10 });
    await push(collector, { value: 3, time: 10 });
    await push(collector, { value: 4, start: 10, time: 20 });
    await push(collector, { value: 5, time: 15, instance: 'i2' });
    expect(await getMetrics(collector)).toContain(series(12));
  });

  it('make one series of the cumulative ones of many senders, also of those that begin anew', async () => {
    const collector = createCollector();
    const cumulative = (value: number, time: number, more: Partial<Pushed> = {}) =>
      push(collector, { value, time, temporality: 2, ...more });
    await cumulative(10, 10);
    await cumulative(100, 11, { instance: 'i2' });
    await cumulative(14, 20);
    await cumulative(14, 20);
    // Overtaken by the one before.
    await cumulative(12, 15);
    expect(await getMetrics(collector)).toContain(series(114));
    // Started anew, and by now above what it was.
    await cumulative(20, 40, { start: 30 });
    expect(await getMetrics(collector)).toContain(series(134));
    // And again, by a sender that does not say so.
    await cumulative(5, 50, { start: 30 });
    expect(await getMetrics(collector)).toContain(series(139));
  });

  it('of processes that say the same of themselves and take turns add up', async () => {
    const collector = createCollector();
    for (let i = 1; i <= 3; i++) {
      await push(collector, { temporality: 2, value: 100 * i, time: 10 * i });
      await push(collector, { temporality: 2, value: 10 * i, start: 1, time: 10 * i + 5 });
    }
    expect(await getMetrics(collector)).toContain(series(330));
  });

  it('that go up and down leave nothing of a process that has ended', async () => {
    const collector = createCollector();
    const active = (value: number, start: number, instance = 'i1') =>
      push(collector, { name: 'active', value, start, time: start + 5, temporality: 2, isMonotonic: false, instance });
    await active(10, 0);
    await active(3, 20);
    await active(4, 20, 'i2');
    expect(await getMetrics(collector)).toMatch(/^active\{.*\} 7$/m);
  });

  it('take a delta once that comes again after a newer one', async () => {
    const collector = createCollector();
    for (let i = 0; i < 2; i++) {
      await push(collector, { value: 1, start: 0, time: 10 });
      await push(collector, { value: 2, start: 10, time: 20 });
    }
    expect(await getMetrics(collector)).toContain(series(3));
  });

  it.each([
    ['a negative count', { value: -5 }],
    ['what is more than can be counted', { value: '9223372036854775807' }],
    ['a label that is too long', { label: 'x'.repeat(9000) }],
  ])('are refused point by point, and told so, for %s', async (_, wrong) => {
    const collector = createCollector();
    const response = await push(collector, { time: 1, temporality: 2, instance: 'i2', ...wrong });
    expect(await response.json()).toMatchObject({ partialSuccess: { rejectedDataPoints: '1' } });
    await push(collector, { value: 4, time: 1 });
    expect(await getMetrics(collector)).toContain(series(4));
  });

  it('take a gauge that is no number from nobody, and from others what is one', async () => {
    const collector = createCollector();
    const gauge = (asDouble: string | number) =>
      pushMetric(collector, { name: 'heat', gauge: { dataPoints: [{ asDouble, timeUnixNano: nanos(1) }] } });
    expect(await (await gauge('NaN')).json()).toMatchObject({ partialSuccess: { rejectedDataPoints: '1' } });
    expect(await (await gauge(2.5)).json()).toEqual({});
    expect(await getMetrics(collector)).toMatch(/^heat\{.*\} 2.5$/m);
  });

  it('under a name that is known as something else are refused, and those that it belongs to go on', async () => {
    const collector = createCollector({ keys: { a: 'a', b: 'b' }, adminKey: 'root' });
    await push(collector, { time: 1 }, { 'x-api-key': 'a' });
    const response = await push(collector, { time: 1, isMonotonic: false }, { 'x-api-key': 'b' });
    expect(await response.json()).toMatchObject({
      partialSuccess: { rejectedDataPoints: '1', errorMessage: expect.stringContaining('differs in its type') },
    });
    await push(collector, { start: 1, time: 2 }, { 'x-api-key': 'a' });
    expect(await getMetrics(collector, { 'x-api-key': 'root' })).toContain(series(2));
  });

  it('that a shared store has as something else are lost, and nothing of others', async () => {
    const metrics = createMemoryMetricStore();
    await push(createCollector({ metrics }), { name: 'kind', time: 1 });
    const told: string[] = [];
    const collector = createCollector({ metrics, telemetry: { onError: ({ code }) => told.push(code) } });
    await push(collector, { name: 'kind', time: 1, isMonotonic: false });
    expect(told).toEqual(['store_refused']);
    await push(collector, { name: 'kind', time: 1, value: 4, instance: 'i2' });
    expect(await getMetrics(collector)).toMatch(/^kind_total\{.*\} 5$/m);
  });

  it('carry service and environment, and the tenant by option', async () => {
    const collector = createCollector({ keys: { k: 'a' }, tenantLabel: true });
    await push(collector, { time: 1 }, { 'x-api-key': 'k' });
    expect(await getMetrics(collector, { 'x-api-key': 'k' })).toContain(
      'jobs_total{environment="development",queue="mail",service="shop",tenant="a"} 1',
    );
  });

  it('that are health counters of their sender come alone, and are nobody else’s', async () => {
    const name = 'edgespan_parse_errors_total';
    const shared = createMemoryMetricStore();
    for (const collector of [createCollector(), createCollector({ metrics: shared })]) {
      await push(collector, { name, value: 2, time: 1 });
      await push(collector, { name, value: 5, time: 1, service: 'blog' });
      await push(collector, { name, value: 1, start: 1, time: 2 });
      const lines = (await getMetrics(collector)).split('\n').filter((line) => line.startsWith(`${name}{`));
      expect(lines.sort()).toEqual([
        `${name}{environment="development",queue="mail",service="blog"} 5`,
        `${name}{environment="development",queue="mail",service="shop"} 3`,
      ]);
    }
  });

  it('are partly refused where there are too many series', async () => {
    const collector = createCollector({ limits: { pushedSeries: 1 } });
    expect(await (await push(collector, { time: 1 })).json()).toEqual({});
    const response = await push(collector, { time: 1, instance: 'i2' });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      partialSuccess: { rejectedDataPoints: '1', errorMessage: 'there are more series than limits.pushedSeries' },
    });
    expect(await (await push(collector, { time: 2, start: 1 })).json()).toEqual({});
    expect(await getMetrics(collector)).toContain(series(2));
  });

  it('that are cumulative are refused where instances come and go', async () => {
    const collector = createCollector({
      telemetry: { runtime: { ephemeral: true } },
      metrics: createMemoryMetricStore(),
    });
    expect(await (await push(collector, { time: 1, temporality: 2 })).json()).toMatchObject({
      partialSuccess: { rejectedDataPoints: '1', errorMessage: expect.stringContaining('deltas') },
    });
    await push(collector, { time: 1 });
    expect(await getMetrics(collector)).toContain(series(1));
  });

  it('win over what spans come to, for the service that pushes them', async () => {
    const collector = createCollector();
    await sendSpans(collector, [chatSpan(), chatSpan({ service: 'other', spanId: '2'.padStart(16, '0') })]);
    // The client counts before it samples: nine calls, of which one span came.
    const receive = (input: RequestInfo | URL, init?: RequestInit) =>
      Promise.resolve(collector.request(new URL(String(input)).pathname, init as RequestInit));
    const client = createTelemetry({
      serviceName: 'shop',
      environment: 'production',
      otlp: { endpoint: 'http://collector.test', fetch: receive as typeof fetch, temporality: 'delta' },
      sampling: { ratio: 0 },
      runtime: { env: {} },
    });
    for (let i = 0; i < 9; i++) client.recordLlmCall({ provider: 'openai', model: 'gpt-4o', latencyMs: 10 });
    expect((await client.flush()).ok).toBe(true);
    const lines = (await getMetrics(collector)).split('\n').filter((line) => line.startsWith('llm_requests_total'));
    expect(lines.map((line) => [/service="(\w+)"/.exec(line)?.[1], line.split(' ').at(-1)]).sort()).toEqual([
      ['other', '1'],
      ['shop', '9'],
    ]);
  });

  it('with other buckets than spans come to here are told, and do not take the page down', async () => {
    const collector = createCollector();
    await sendSpans(collector, [chatSpan()]);
    for (const wrong of [
      { name: 'llm_request_duration_seconds' },
      { name: 'llm_requests_total', isMonotonic: false },
    ]) {
      const response = await push(collector, { ...wrong, time: 1 });
      expect(await response.json()).toMatchObject({
        partialSuccess: { rejectedDataPoints: '1', errorMessage: expect.stringContaining('other buckets') },
      });
    }
    expect(await getMetrics(collector)).toContain('llm_request_duration_seconds_count');
    expect(await getMetrics(collector)).toMatch(/^llm_requests_total\{.*service="shop".*\} 1$/m);
  });

  it('of a service that sends too much are 429', async () => {
    const collector = createCollector({ rateLimit: { perService: 1 } });
    expect((await push(collector, { time: 1 })).status).toBe(200);
    const response = await push(collector, { time: 2 });
    expect(response.status).toBe(429);
    expect(response.headers.get('retry-after')).toMatch(/^\d+$/);
  });
});

describe('/metrics', () => {
  it('has exemplars of stored traces in OpenMetrics', async () => {
    const collector = createCollector();
    await sendSpans(collector, [chatSpan()]);
    const text = await getMetrics(collector, { accept: 'application/openmetrics-text' });
    expect(text).toMatch(
      new RegExp(`llm_request_duration_seconds_bucket\\{.*le="2.0".*\\} 1 # \\{trace_id="${'a'.repeat(32)}"`),
    );
  });

  it('has the families of the GenAI conventions by option, with who sent what they count', async () => {
    const collector = createCollector({ telemetry: { metrics: { semconv: true } } });
    const other = chatSpan({ service: 'blog', spanId: '2'.padStart(16, '0') });
    await sendSpans(collector, [chatSpan(), other]);
    const counts = (await getMetrics(collector)).match(/^gen_ai_client_operation_duration_seconds_count.*$/gm);
    expect(counts).toEqual([
      expect.stringMatching(/environment="production".*service="shop".* 1$/),
      expect.stringMatching(/environment="production".*service="blog".* 1$/),
    ]);
    const without = createCollector();
    await sendSpans(without, [chatSpan()]);
    expect(await getMetrics(without)).not.toContain('gen_ai_');
  });

  it('is the sum of all collectors that share a store', async () => {
    const metrics = createMemoryMetricStore();
    const collectors = [createCollector({ metrics }), createCollector({ metrics })] as const;
    await sendSpans(collectors[0], [chatSpan()]);
    await sendSpans(collectors[1], [chatSpan({ spanId: '2'.padStart(16, '0') })]);
    await getMetrics(collectors[1]);
    expect(await getMetrics(collectors[0])).toMatch(/llm_requests_total\{.*service="shop".*\} 2\n/);
  });

  it.each([
    [undefined, 'environment="production"'],
    ['rastir', 'env="production"'],
  ] as const)('says whose spans could not be read, under preset %s', async (preset, environment) => {
    const collector = createCollector({ tenantLabel: true, telemetry: { metrics: { ...(preset && { preset }) } } });
    const wrong = { 'gen_ai.usage.input_tokens': 'many' };
    for (const [i, service] of ['shop', 'shop', 'blog'].entries()) {
      await sendSpans(collector, [chatSpan({ service, spanId: `${i + 1}`.padStart(16, '0'), attributes: wrong })]);
    }
    const lines = (await getMetrics(collector)).split('\n').filter((line) => line.startsWith('edgespan_parse_errors'));
    expect(lines).toEqual([
      `edgespan_parse_errors_total{provider="openai",service="shop",${environment},tenant="default"} 2`,
      `edgespan_parse_errors_total{provider="openai",service="blog",${environment},tenant="default"} 1`,
    ]);
  });

  it('says 501 where one of many instances knows only its own numbers', async () => {
    const options: CollectorOptions = { telemetry: { runtime: { ephemeral: true } } };
    expect((await createCollector(options).request('/metrics')).status).toBe(501);
    const local = createCollector({ telemetry: { ...options.telemetry, metrics: { local: true } } });
    expect((await local.request('/metrics')).status).toBe(200);
  });

  it('asks for the token of metrics.token', async () => {
    const collector = createCollector({ telemetry: { metrics: { token: 'scrape' } } });
    expect((await collector.request('/metrics')).status).toBe(401);
    expect((await collector.request('/metrics', { headers: { authorization: 'Bearer scrape' } })).status).toBe(200);
  });
});
