import { readFileSync } from 'node:fs';
import { propagation, trace } from '@opentelemetry/api';
import { describe, expect, it, vi } from 'vitest';
import { createTelemetry as createForNode } from '../adapters/node/index.ts';
import { createTelemetry as createCore } from '../src/core.ts';
import { createTelemetry, TelemetryError, type TelemetryOptions } from '../src/index.ts';
import { chatCompletion, chatRequest, chatUrl, createAlsTelemetry } from './support/telemetry.ts';

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

function refuse(options: unknown, create = createTelemetry): TelemetryError {
  try {
    create(options as TelemetryOptions);
  } catch (error) {
    if (error instanceof TelemetryError) return error;
    throw error;
  }
  throw new Error('was taken');
}

/** Each option wrong, and what its error has to show: the option, the value, what is allowed. */
const wrong: [options: object, option: string, value: string, allowed: string][] = [
  [{ serviceName: '' }, 'serviceName', '""', 'non-empty'],
  [{ serviceName: 5 }, 'serviceName', '5', 'string'],
  [{ serviceVersion: {} }, 'serviceVersion', 'an object', 'string'],
  [{ environment: null }, 'environment', 'null', 'string'],
  [{ resource: [] }, 'resource', 'a list', 'an object'],
  [{ scope: 'x' }, 'scope', '"x"', 'an object'],
  [{ scope: { name: 5 } }, 'scope.name', '5', 'string'],
  [{ scope: { version: 5 } }, 'scope.version', '5', 'string'],
  [{ otlp: 'https://x' }, 'otlp', '"https://x"', 'an object'],
  [{ otlp: { endpoint: '' } }, 'otlp.endpoint', '""', 'URL'],
  [{ otlp: { endpoint: 'localhost:4318' } }, 'otlp.endpoint', '"localhost:4318"', 'as "http://localhost:4318"'],
  [{ otlp: { endpoint: 'otlp.example.com' } }, 'otlp.endpoint', '"otlp.example.com"', 'an http: or https: URL'],
  [{ otlp: { endpoint: 'https://a:b@x' } }, 'otlp.endpoint', 'a URL with credentials', 'without credentials'],
  [{ otlp: { headers: 'authorization=x' } }, 'otlp.headers', 'string', 'a plain object of names and values'],
  [{ otlp: { headers: new Headers({ a: 'b' }) } }, 'otlp.headers', 'object', 'a plain object of names and values'],
  [{ otlp: { encoder: 'protobuf' } }, 'otlp.encoder', '"protobuf"', 'protobuf of edgespan/protobuf'],
  [{ otlp: { compression: 'br' } }, 'otlp.compression', '"br"', '"gzip" or "none"'],
  [{ otlp: { timeoutMs: -1 } }, 'otlp.timeoutMs', '-1', 'from 0'],
  [{ otlp: { temporality: 'low' } }, 'otlp.temporality', '"low"', '"delta" or "cumulative"'],
  [{ otlp: { insecure: 'yes' } }, 'otlp.insecure', '"yes"', 'true or false'],
  [{ otlp: { resendUnconfirmed: 1 } }, 'otlp.resendUnconfirmed', '1', 'true or false'],
  [{ otlp: { fetch: {} } }, 'otlp.fetch', 'an object', 'a function'],
  [{ flush: { batchSize: 0 } }, 'flush.batchSize', '0', 'from 1'],
  [{ flush: { batchSize: 1.5 } }, 'flush.batchSize', '1.5', 'integer'],
  [{ flush: { intervalMs: '5s' } }, 'flush.intervalMs', '"5s"', 'integer'],
  [{ flush: { intervalMs: 2 ** 31 } }, 'flush.intervalMs', '2147483648', 'to 2147483647'],
  [{ flush: { timeoutMs: Number.POSITIVE_INFINITY } }, 'flush.timeoutMs', 'Infinity', 'integer'],
  [{ flush: { maxRetries: -1 } }, 'flush.maxRetries', '-1', 'from 0'],
  [{ semconv: '1.40' }, 'semconv', '"1.40"', '"1.41" or "latest"'],
  [{ legacyAttributes: 'no' }, 'legacyAttributes', '"no"', 'true or false'],
  [{ exporters: () => {} }, 'exporters', 'a function', 'a list'],
  [{ exporters: [() => {}, { export() {} }] }, 'exporters', 'exporters[1] is an object', 'export and shutdown'],
  [{ console: 'on' }, 'console', '"on"', 'true or false'],
  [{ inMemory: 5 }, 'inMemory', '5', 'true or false or an object'],
  [{ inMemory: { maxSpans: 0 } }, 'inMemory.maxSpans', '0', 'from 1'],
  [{ metrics: true }, 'metrics', 'true', 'an object'],
  [{ metrics: { enabled: 'no' } }, 'metrics.enabled', '"no"', 'true or false'],
  [{ metrics: { namespace: 'a-b' } }, 'metrics.namespace', '"a-b"', 'letters'],
  [{ metrics: { preset: 'langfuse' } }, 'metrics.preset', '"langfuse"', '"rastir"'],
  [{ metrics: { buckets: { x: [2, 1] } } }, 'metrics.buckets', 'an object', 'increasing'],
  [{ metrics: { buckets: { x: [Number.NaN] } } }, 'metrics.buckets', 'an object', 'increasing'],
  [{ metrics: { cardinality: { model: 0 } } }, 'metrics.cardinality', 'an object', 'from 1'],
  [{ metrics: { registry: 5 } }, 'metrics.registry', '5', 'an object'],
  [{ metrics: { registry: { counter() {} } } }, 'metrics.registry', '', 'createMetricRegistry'],
  [{ metrics: { semconv: 1 } }, 'metrics.semconv', '1', 'true or false'],
  [{ metrics: { local: 1 } }, 'metrics.local', '1', 'true or false'],
  [{ metrics: { token: 5 } }, 'metrics.token', 'number', 'a string or a function'],
  [{ prices: { 'gpt-4o': { input: -1 } } }, 'prices.gpt-4o.input', 'is -1', 'from 0'],
  [{ prices: ['gpt-4o'] }, 'prices', 'prices[0] is "gpt-4o"', 'prices by model or a URL object'],
  [{ prices: 'https://x' }, 'prices', '"https://x"', 'or a list of these'],
  [{ providers: [{ name: 'x' }] }, 'providers', 'providers[0] is an object', 'match, request and response'],
  [{ redact: [/a/, 'word'] }, 'redact', 'redact[1] is of type string', 'a RegExp'],
  [{ sampling: { ratio: 2 } }, 'sampling.ratio', '2', 'from 0 to 1'],
  [{ sampling: { ratio: Number.NaN } }, 'sampling.ratio', 'NaN', 'from 0 to 1'],
  [{ sampling: { keepErrors: 1 } }, 'sampling.keepErrors', '1', 'true or false'],
  [{ sampling: { keepSlowerThanMs: -1 } }, 'sampling.keepSlowerThanMs', '-1', 'from 0'],
  [{ sampling: { keepCostlierThanUsd: '1' } }, 'sampling.keepCostlierThanUsd', '"1"', 'from 0'],
  [{ propagation: { formats: ['b3'] } }, 'propagation.formats', 'formats[0] is "b3"', '"w3c"'],
  [{ propagation: { trustIncoming: 'yes' } }, 'propagation.trustIncoming', '"yes"', 'a function'],
  [{ propagation: { to: true } }, 'propagation.to', 'true', 'a function'],
  ...['spans', 'bytes', 'attributesPerSpan', 'eventsPerSpan', 'linksPerSpan', 'valueLength', 'seriesPerMetric'].map(
    (name): [object, string, string, string] => [{ limits: { [name]: 0 } }, `limits.${name}`, '0', 'from 1'],
  ),
  [{ limits: { bodyBytes: 0 } }, 'limits.bodyBytes', '0', 'from 1'],
  [{ limits: { eventBytes: '1' } }, 'limits.eventBytes', '"1"', 'from 1'],
  [{ fetch: 5 }, 'fetch', '5', 'a function'],
  [{ enabled: 'false' }, 'enabled', '"false"', 'true or false'],
  [{ onError: {} }, 'onError', 'an object', 'a function'],
  [{ runtime: 'node' }, 'runtime', '"node"', 'an object'],
  [{ runtime: { env: 'a=b' } }, 'runtime.env', '"a=b"', 'an object'],
  [{ runtime: { ephemeral: 'no' } }, 'runtime.ephemeral', '"no"', 'true or false'],
  [{ runtime: { context: {} } }, 'runtime.context', 'an object', 'run, get'],
  ...['now', 'monotonic', 'random', 'waitUntil', 'every', 'readFile'].map((name): [object, string, string, string] => [
    { runtime: { [name]: 5 } },
    `runtime.${name}`,
    '5',
    'a function',
  ]),
  [{ otlp: Promise.resolve({}) }, 'otlp', 'a promise', 'an object'],
  [{ metrics: { cardinality: new Map([['model', 5]]) } }, 'metrics.cardinality', 'an object', 'by label'],
  [{ costAlert: { usd: 1 } }, 'costAlert.onAlert', 'undefined', 'a function'],
  [{ costAlert: { onAlert() {} } }, 'costAlert.usd', 'undefined', 'from 0'],
  [{ currency: { code: 'EUR' } }, 'currency.perUsd', 'undefined', 'from 0'],
  [{ scope: { version: '1' } }, 'scope.name', 'undefined', 'string'],
  [{ evaluation: {} }, 'evaluation.evaluators', 'undefined', 'a list'],
  [{ budget: {} }, 'budget.limits', 'undefined', 'an object'],
  [{ budget: { limits: { usd: -1 } } }, 'budget.limits.usd', '-1', 'from 0 to 9,007,199'],
  [{ budget: { limits: [{ usd: 1 }, { usd: 2, window: 'year' }] } }, 'budget.limits[1].window', '"year"', '"month"'],
  [{ budget: { limits: { usd: 1 }, store: {} } }, 'budget.store', 'an object', 'reserve, settle'],
  [{ budget: { limits: { usd: 1 }, lease: {} } }, 'budget.lease.usd', 'undefined', 'from 0'],
];

describe('a wrong option', () => {
  it.each(wrong)('%j', (options, option, value, allowed) => {
    const error = refuse(options);
    expect(error).toMatchObject({ name: 'TelemetryError', code: 'invalid_option', option });
    for (const part of [option, value, allowed]) expect(error.message).toContain(part);
  });

  it.each([null, 5, 'x', [], () => undefined, () => null, async () => ({})])('as a whole: %s', (options) => {
    expect(refuse(options).code).toBe('invalid_option');
    expect(refuse(options, createForNode).code).toBe('invalid_option');
  });

  it('shows nothing secret, and nothing long', () => {
    const secret = 'sk-123456789';
    for (const options of [
      { otlp: { headers: `authorization=Bearer ${secret}` } },
      { metrics: { token: [secret] } },
      { otlp: { endpoint: `https://user:${secret}@x` } },
      { otlp: { endpoint: 'https://x', headers: { authorization: `${secret}\nx` } } },
      { providers: [{ key: secret }] },
      { redact: [secret] },
      { fetch: `https://user:${secret}@x` },
    ]) {
      const error = refuse(options);
      expect(`${error.message} ${error.cause} ${error.stack}`).not.toContain(secret);
    }
    expect(refuse({ semconv: 'x'.repeat(10_000) }).message.length).toBeLessThan(200);
  });

  it('is refused by every entry', () => {
    expect(() => createCore({ enabled: 'no' as never })).toThrow(TelemetryError);
    expect(() => createAlsTelemetry({ enabled: 'no' as never })).toThrow(TelemetryError);
  });
});

describe('an unknown option', () => {
  it.each([
    [{ servicename: 'x' }, 'servicename', 'did you mean serviceName?'],
    [{ sevriceName: 'x' }, 'sevriceName', 'did you mean serviceName?'],
    [{ otlp: { endPoint: 'x' } }, 'otlp.endPoint', 'did you mean endpoint?'],
    [{ metrics: { registy: {} } }, 'metrics.registy', 'did you mean registry?'],
    [{ inMemory: { maxSpan: 5 } }, 'inMemory.maxSpan', 'did you mean maxSpans?'],
    [{ limits: { everything: 5 } }, 'limits.everything', 'known are spans, bytes'],
    [{ constructor: 5 }, 'constructor', 'known are'],
  ])('%j', (options, option, hint) => {
    const error = refuse(options);
    expect(error).toMatchObject({ code: 'unknown_option', option });
    expect(error.message).toContain(hint);
  });

  it('may be there as undefined only by a known name', () => {
    expect(() => createTelemetry({ serviceName: undefined, otlp: { endpoint: undefined } } as never)).not.toThrow();
    expect(refuse({ nothing: undefined }).code).toBe('unknown_option');
  });
});

describe('construction', () => {
  const forbidden = (name: string) => () => {
    throw new Error(`${name} in global scope`);
  };
  const runtime = {
    now: forbidden('now'),
    monotonic: forbidden('monotonic'),
    random: forbidden('random'),
    every: forbidden('every'),
    waitUntil: forbidden('waitUntil'),
  };

  it('reads no clock, draws no random number, starts no timer, fetches nothing', () => {
    const telemetry = createTelemetry({
      otlp: { endpoint: 'https://otlp.test', fetch: forbidden('fetch') },
      fetch: forbidden('fetch'),
      exporters: [forbidden('exporter')],
      console: true,
      inMemory: true,
      sampling: { ratio: 0.5, keepErrors: true },
      runtime: { ...runtime, ephemeral: true },
    });
    telemetry.metrics.counter('jobs_total', { labels: ['queue'] });
    telemetry.metrics.gauge('size', { observe: () => 1 });
    telemetry.metrics.histogram('seconds');
    telemetry.meter.createObservableGauge('observed').addCallback(() => {});
    telemetry.agent({ name: 'a' }, () => 1);
    telemetry.measure({ name: 'm' }, () => 1);
    expect(telemetry.fetch).toBeTypeOf('function');
    expect(telemetry.scoped({ attributes: { a: 1 }, waitUntil: () => {} })).toBeDefined();
    expect(telemetry.metricsHandler).toBeTypeOf('function');
  });

  it('tells of a wrong environment without a clock, and again when there is one', () => {
    const heard: string[] = [];
    const env = { OTEL_BSP_MAX_QUEUE_SIZE: 'many', OTEL_TRACES_SAMPLER: 'often' };
    createTelemetry({ onError: ({ message }) => heard.push(message), runtime: { ...runtime, env } });
    expect(heard).toHaveLength(1);
  });
});

describe('the environment', () => {
  async function resourceOf(env: Record<string, unknown>, options: TelemetryOptions = {}, name = 'test') {
    const telemetry = createAlsTelemetry({ ...options, runtime: { env, name } });
    telemetry.span('x', () => {});
    return telemetry.spans[0]!.resource.attributes;
  }

  it('gives way to options, and beats defaults', async () => {
    expect(await resourceOf({})).toMatchObject({
      'service.name': 'unknown_service',
      'telemetry.sdk.name': 'edgespan',
      'telemetry.sdk.version': version,
      'process.runtime.name': 'test',
    });
    const env = { OTEL_SERVICE_NAME: 'from-env', OTEL_RESOURCE_ATTRIBUTES: 'team=a,service.name=list' };
    expect(await resourceOf(env)).toMatchObject({ 'service.name': 'from-env', team: 'a' });
    const options = { serviceName: 'coded', environment: 'prod', serviceVersion: '2', resource: { team: 'b' } };
    expect(await resourceOf(env, options)).toMatchObject({
      'service.name': 'coded',
      'service.version': '2',
      'deployment.environment.name': 'prod',
      team: 'b',
    });
  });

  it.each([
    ['nodejs', 'nodejs'],
    ['deno', 'webjs'],
  ])('calls the language of %s %s', async (runtime, language) => {
    expect(await resourceOf({}, {}, runtime)).toMatchObject({ 'telemetry.sdk.language': language });
  });

  it('has a service name that wins over one among the attributes', async () => {
    const options = { serviceName: 'coded', resource: { 'service.name': 'attribute' } };
    expect(await resourceOf({}, options)).toMatchObject({ 'service.name': 'coded' });
    expect(await resourceOf({}, { resource: { 'service.name': 'attribute' } })).toMatchObject({
      'service.name': 'attribute',
    });
  });

  it('names each instance, and the same all its life', async () => {
    const a = await resourceOf({});
    const b = await resourceOf({});
    expect(a['service.instance.id']).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(a['service.instance.id']).not.toBe(b['service.instance.id']);
  });

  it.each<[Record<string, unknown>, number]>([
    [{ OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: '2' }, 2],
    [{ OTEL_ATTRIBUTE_COUNT_LIMIT: '3' }, 3],
    [{ OTEL_ATTRIBUTE_COUNT_LIMIT: '3', OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: '2' }, 2],
    [{ OTEL_ATTRIBUTE_COUNT_LIMIT: 4 }, 4],
    [{ OTEL_ATTRIBUTE_COUNT_LIMIT: '' }, 128],
    [{ OTEL_ATTRIBUTE_COUNT_LIMIT: '-1' }, 128],
    [{ OTEL_ATTRIBUTE_COUNT_LIMIT: '2.5' }, 128],
    [{ OTEL_ATTRIBUTE_COUNT_LIMIT: 'abc' }, 128],
  ])('%j leaves room for %i attributes', (env, room) => {
    const telemetry = createAlsTelemetry({ runtime: { env } });
    telemetry.span('x', (span) => {
      for (let i = 0; i < 200; i++) span.setAttribute(`k${i}`, i);
    });
    expect(Object.keys(telemetry.spans[0]!.attributes)).toHaveLength(room);
    expect(telemetry.health().ok).toBe(room !== 128 || Object.values(env)[0] === '');
  });

  it('limits values, events and links', () => {
    const env = {
      OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: '3',
      OTEL_SPAN_EVENT_COUNT_LIMIT: '0',
      OTEL_SPAN_LINK_COUNT_LIMIT: '1',
    };
    const telemetry = createAlsTelemetry({ runtime: { env } });
    telemetry.span('x', (span) => {
      span.setAttribute('a', 'héllo').addEvent('e');
      span.addLinks([{ context: span.spanContext() }, { context: span.spanContext() }]);
    });
    const [span] = telemetry.spans;
    expect(span).toMatchObject({ attributes: { a: 'hél' }, events: [], droppedEventsCount: 1, droppedLinksCount: 1 });
    expect(span!.links).toHaveLength(1);
  });

  it.each([
    [undefined, 1],
    [false, 0],
  ])('prints spans by OTEL_TRACES_EXPORTER=console, with the option console %s', async (option, lines) => {
    const print = vi.spyOn(console, 'log').mockImplementation(() => {});
    const runtime = { env: { OTEL_TRACES_EXPORTER: 'console' } };
    const telemetry = createAlsTelemetry({ runtime, ...(option !== undefined && { console: option }) });
    telemetry.span('printed', () => {});
    await telemetry.flush();
    expect(print.mock.calls.filter(([line]) => String(line).includes('printed'))).toHaveLength(lines);
    print.mockRestore();
  });

  it('limits the attributes of events and links', () => {
    const env = { OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT: '1', OTEL_LINK_ATTRIBUTE_COUNT_LIMIT: '0' };
    const telemetry = createAlsTelemetry({ runtime: { env } });
    const attributes = { a: 1, b: 2 };
    telemetry.span('x', (span) => {
      span.setAttributes(attributes).addEvent('e', attributes).addLink({ context: span.spanContext(), attributes });
    });
    expect(telemetry.spans[0]).toMatchObject({
      attributes,
      events: [{ attributes: { a: 1 }, droppedAttributesCount: 1 }],
      links: [{ attributes: {}, droppedAttributesCount: 2 }],
    });
  });

  it.each<[string | undefined, string[], string?]>([
    [undefined, ['traceparent', 'baggage']],
    ['', ['traceparent', 'baggage']],
    ['TraceContext', ['traceparent']],
    [' baggage , ', ['baggage']],
    ['baggage,tracecontext,baggage', ['baggage', 'traceparent']],
    ['none', []],
    ['tracecontext,none', []],
    ['tracecontext,b3', ['traceparent'], 'protocol_unavailable'],
  ])('propagates by OTEL_PROPAGATORS=%s in %j', (value, fields, code) => {
    const errors: TelemetryError[] = [];
    const env = { OTEL_PROPAGATORS: value };
    const telemetry = createAlsTelemetry({ runtime: { env }, onError: (error) => errors.push(error) });
    const incoming = telemetry.extract({ baggage: 'user=7' });
    const context = propagation.setBaggage(incoming, propagation.createBaggage({ user: { value: '7' } }));
    telemetry.span('x', (span) => {
      expect(Object.keys(telemetry.inject({}, trace.setSpan(context, span)))).toEqual(fields);
    });
    expect(errors.map((error) => error.code)).toEqual(code ? [code] : []);
  });

  it('sets queue, batch and interval', async () => {
    const intervals: number[] = [];
    const batches: number[] = [];
    const env = { OTEL_BSP_MAX_QUEUE_SIZE: '5', OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '2', OTEL_BSP_SCHEDULE_DELAY: '77' };
    let release = () => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    const telemetry = createAlsTelemetry({
      exporters: [
        (spans) => {
          batches.push(spans.length);
          return released;
        },
      ],
      runtime: {
        env,
        ephemeral: false,
        every: (ms) => {
          intervals.push(ms);
          return () => {};
        },
      },
    });
    telemetry.span('x', () => {});
    expect(intervals).toEqual([77]);
    for (let i = 0; i < 6; i++) telemetry.span('x', () => {});
    release();
    await telemetry.flush();
    expect(batches).toEqual([2, 2, 1]);
    expect(telemetry.metrics.value('edgespan_dropped_total', { reason: 'buffer_full' })).toBe(2);
  });

  it('is not read where a telemetry is for tests or of no runtime', () => {
    expect(createTelemetry({ inMemory: true }).health().ok).toBe(true);
  });

  it('never shows a value', () => {
    const heard: string[] = [];
    const secret = 'sk-12345678';
    const env = { OTEL_BSP_MAX_QUEUE_SIZE: secret, OTEL_EXPORTER_OTLP_ENDPOINT: secret };
    createTelemetry({ onError: ({ message }) => heard.push(message), runtime: { env } });
    expect(heard.length).toBeGreaterThan(0);
    expect(heard.join()).not.toContain(secret);
  });
});

describe('a telemetry that is off', () => {
  const env = { OTEL_SDK_DISABLED: 'TRUE' };
  it.each<[string, TelemetryOptions]>([
    ['by option', { enabled: false }],
    ['by OTEL_SDK_DISABLED', { runtime: { env, ephemeral: true } }],
  ])('%s passes everything through', async (_, options) => {
    const requests: unknown[] = [];
    const response = Response.json(chatCompletion());
    const telemetry = createAlsTelemetry({
      ...options,
      otlp: { endpoint: 'https://otlp.test', fetch: async () => Promise.reject(new Error('exported')) },
      fetch: async (...args) => {
        requests.push(args);
        return response;
      },
    });
    const init = chatRequest();
    expect(await telemetry.fetch(chatUrl, init)).toBe(response);
    expect(requests).toEqual([[chatUrl, init]]);
    const agent = telemetry.agent({ name: 'a' }, async (n: number) => telemetry.span('inner', () => n + 1));
    expect(await agent(1)).toBe(2);
    expect(telemetry.llm((n: number) => n)(3)).toBe(3);
    telemetry.metrics.counter('x_total').inc();
    telemetry.meter.createCounter('y').add(1);
    telemetry.tracer.startActiveSpan('z', (span) => span.end());
    expect(telemetry.with({ attributes: { a: 1 }, waitUntil: () => expect.unreachable() }, () => 4)).toBe(4);
    expect(telemetry.spans).toEqual([]);
    expect(await telemetry.flush()).toMatchObject({ ok: true, traces: { sent: 0 }, metrics: { sent: 0 } });
    const page = await telemetry.metricsHandler(new Request('https://x/metrics'));
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toContain('text/plain');
    // What is off still says who it is, or says nothing.
    for (const line of (await page.text()).split('\n')) expect(line).toMatch(/^$|^# |^target_info\{/);
  });

  it.each(['1', 'yes', 'false', ''])('is on with OTEL_SDK_DISABLED=%s', (value) => {
    const telemetry = createAlsTelemetry({ runtime: { env: { OTEL_SDK_DISABLED: value } } });
    telemetry.span('x', () => {});
    expect(telemetry.spans).toHaveLength(1);
    expect(telemetry.health().ok).toBe(value === 'false' || value === '');
  });
});
