import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Runtime, Telemetry, TelemetryOptions } from '../../adapters/node/index.ts';
import { protobuf } from '../../src/otlp/protobuf.ts';
import { type Metrics, type Traces, toPlain, toWire } from './otlp-json.ts';
import { isMissing } from './peer.ts';
import { attributes, createProgram, createShop, recordSpans, remote, seriesPerMetric } from './program.ts';

function python(script: string, args: string[], input: string): string {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const { stdout, stderr, status } = spawnSync('python3', [path, ...args], {
    input,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  expect([status, stderr]).toEqual([0, '']);
  return stdout;
}

const noProto = isMissing('python3', ['-c', 'import opentelemetry.proto']);
const noClient = isMissing('python3', ['-c', 'import prometheus_client.openmetrics.parser']);

interface Sent {
  readonly signal: 'traces' | 'metrics';
  readonly encoding: 'json' | 'protobuf';
  readonly body: Uint8Array;
}

/** A clock that advances by itself, and randomness that is none: two programs alike send the same. */
function createFixedRuntime(): Runtime {
  let now = 1_800_000_000_000;
  let seed = 1;
  return {
    now: () => now++,
    monotonic() {
      now += 0.5;
      return now - 1_799_999_000_000;
    },
    random(bytes) {
      for (let i = 0; i < bytes.length; i++) {
        seed = (seed * 75 + 74) % 257 || 1;
        bytes[i] = seed;
      }
      return bytes;
    },
  };
}

/** All that a program sends with these options: spans and two flushes of metrics. */
async function capture(otlp: NonNullable<TelemetryOptions['otlp']>): Promise<Sent[]> {
  const sent: Sent[] = [];
  const telemetry = createProgram({
    serviceName: 'shop',
    runtime: createFixedRuntime(),
    otlp: {
      endpoint: 'http://otlp.test',
      async fetch(url, init) {
        const headers = new Headers(init?.headers);
        const body = new Uint8Array(await new Response(init?.body).arrayBuffer());
        sent.push({
          signal: String(url).endsWith('/v1/traces') ? 'traces' : 'metrics',
          encoding: headers.get('content-type') === 'application/json' ? 'json' : 'protobuf',
          body: headers.get('content-encoding') === 'gzip' ? gunzipSync(body) : body,
        });
        return new Response(null);
      },
      ...otlp,
    },
  });
  const shop = createShop(telemetry);
  shop.sell();
  await recordSpans(telemetry);
  expect(await telemetry.flush()).toMatchObject({ ok: true });
  shop.sell();
  expect(await telemetry.shutdown()).toMatchObject({ ok: true });
  return sent.sort((a, b) => (a.signal < b.signal ? 1 : a.signal > b.signal ? -1 : 0));
}

function decode(sent: readonly Sent[]): (Traces & Metrics)[] {
  const lines = sent.map(
    ({ signal, encoding, body }) => `${signal} ${encoding} ${Buffer.from(body).toString('base64')}\n`,
  );
  return python('decode.py', [], lines.join(''))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Traces & Metrics);
}

describe.skipIf(noProto)('opentelemetry-proto of Python (skipped where it is not installed)', () => {
  it.each(['delta', 'cumulative'] as const)('reads the same in JSON and in protobuf, %s', async (temporality) => {
    const captured: Sent[][] = [];
    // From one place in the program, since stack traces are part of what is sent.
    for (const otlp of [{}, { encoder: protobuf, compression: 'gzip' } as const]) {
      captured.push(await capture({ temporality, ...otlp }));
    }
    const [asJson = [], asProtobuf = []] = captured;
    expect(asJson.map(({ signal, encoding }) => [signal, encoding])).toEqual([
      ['traces', 'json'],
      ['traces', 'json'],
      ['metrics', 'json'],
      ['metrics', 'json'],
    ]);
    expect(toComparable(decode(asProtobuf))).toEqual(toComparable(decode(asJson)));
  });

  it.each(['json', 'protobuf'] as const)('finds in %s what was recorded', async (encoding) => {
    const sent = await capture({ temporality: 'delta', ...(encoding === 'protobuf' && { encoder: protobuf }) });
    const [traces, , metrics, later] = decode(sent);
    const spans = traces!.resourceSpans!.flatMap(({ scopeSpans }) => scopeSpans.flatMap((group) => group.spans));
    const settle = spans.find((span) => span.name === 'settle')!;
    expect(settle).toMatchObject({
      traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
      spanId: expect.stringMatching(/^[0-9a-f]{16}$/),
      kind: 4,
      status: { code: 2, message: 'refused' },
      events: [{ name: 'queued' }, { name: 'exception' }],
      links: [{ traceId: remote.traceId, spanId: remote.spanId }],
    });
    expect(toPlain(settle.attributes)).toEqual(toWire(attributes));
    const agent = spans.find((span) => span.name === 'invoke_agent shopper')!;
    const call = spans.find((span) => span.name === 'chat acme-1')!;
    expect([call.traceId, call.parentSpanId, agent.parentSpanId]).toEqual([agent.traceId, agent.spanId, undefined]);

    const basket = pointsOf(metrics!, 'basket_seconds')[0]!;
    expect(basket).toMatchObject({
      count: '3',
      sum: 9.75,
      bucketCounts: ['1', '1', '0', '1'],
      explicitBounds: [0.25, 1, 4],
    });
    expect(pointsOf(later!, 'basket_seconds')[0]).toMatchObject({ count: '3', startTimeUnixNano: basket.timeUnixNano });
    expect(pointsOf(metrics!, 'crowd_total').map(({ attributes }) => toPlain(attributes))).toEqual([
      ...Array.from({ length: seriesPerMetric }, (_, user) => ({ user: `u${user}` })),
      { 'otel.metric.overflow': true },
    ]);
  });
});

function pointsOf({ resourceMetrics = [] }: Metrics, name: string) {
  const metrics = resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((group) => group.metrics));
  const metric = metrics.find((each) => each.name === name)!;
  return (metric.sum ?? metric.gauge ?? metric.histogram)!.dataPoints;
}

/** Without exemplars, which our protobuf leaves out, and without what is counted of two signals that are sent at once. */
function toComparable<T>(value: T): T {
  const keep = (key: string, inner: unknown) => {
    if (key === 'metrics') return (inner as { name: string }[]).filter(({ name }) => !name.startsWith('edgespan_'));
    return key === 'exemplars' ? undefined : inner;
  };
  return JSON.parse(JSON.stringify(value, keep)) as T;
}

interface Sample {
  name: string;
  labels: Record<string, string>;
  value: string;
  exemplar: { labels: Record<string, string>; value: number } | null;
}
interface Family {
  name: string;
  type: string;
  help: string;
  unit: string;
  samples: Sample[];
}

/** Each would break a line, a quote, an escape or a charset. */
const hostile = [
  'quote " quote',
  "single ' and ` back",
  'back\\slash \\n \\" \\\\',
  'line\nfeed\r\ncarriage\rreturn',
  'tab\tand null\0',
  '{le="1"} 5 # {a="b"} 1',
  '# EOF',
  '# HELP x y',
  'größe 日本語 😀 \u2028\u2029\u0085',
  ' leading and trailing ',
  '\ufeffmark',
];

function createHostile(): { telemetry: Telemetry; traceId: string } {
  const telemetry = createProgram({ serviceName: 'shop "1"\n\\', resource: { 'evil "key"\n': 'evil "value"\n' } });
  const { metrics } = telemetry;
  const counter = metrics.counter('hostile_total', { help: 'Help "quoted"\nof \\ lines # EOF', labels: ['value'] });
  const histogram = metrics.histogram('hostile_seconds', { unit: 's', labels: ['value'], buckets: [1e-9, 0.5] });
  const gauge = metrics.gauge('extreme', { labels: ['case'] });
  const numbers = { inf: Infinity, minus: -Infinity, max: Number.MAX_VALUE, min: Number.MIN_VALUE, zero: -0, nan: NaN };
  for (const [name, value] of Object.entries(numbers)) gauge.set({ case: name }, value);
  const observed = metrics.gauge('observed', { observe: () => Number.NaN });
  expect(observed).toBeDefined();
  const meter = telemetry.meterProvider.getMeter('scope "s"\n', '1\\2');
  const typed = meter.createCounter('typed.things', { unit: '{thing}', description: 'Types\nof "values"' });
  let traceId = '';
  telemetry.span('hostile', (span) => {
    traceId = span.spanContext().traceId;
    for (const value of hostile) {
      counter.inc({ value });
      histogram.observe({ value }, 0.25);
    }
    typed.add(1, { 'a b': true, a_b: 'clash', ключ: ['x', 'y"'], le: '1', '': 'no name' });
    typed.add(2, { __name__: 'reserved', job: 'j' });
  });
  return { telemetry, traceId };
}

describe.skipIf(noClient)('prometheus_client of Python (skipped where it is not installed)', () => {
  async function read(format: 'openmetrics' | 'text') {
    const { telemetry, traceId } = createHostile();
    const page = await telemetry.prometheus({ format });
    const families = JSON.parse(python('parse_page.py', [format], page)) as Family[];
    const find = (name: string) => families.find((family) => family.name === name)!;
    return { telemetry, traceId, families, find };
  }

  it.each(['openmetrics', 'text'] as const)('reads a hostile page as %s', async (format) => {
    const { telemetry, find } = await read(format);
    const counters = find('hostile').samples.filter(({ name }) => name === 'hostile_total');
    expect(counters.map(({ labels, value }) => [labels.value, value])).toEqual(hostile.map((value) => [value, '1.0']));
    expect(find('hostile')).toMatchObject({ type: 'counter', help: 'Help "quoted"\nof \\ lines # EOF' });

    const extremes = Object.fromEntries(find('extreme').samples.map(({ labels, value }) => [labels.case, value]));
    expect(extremes).toMatchObject({ inf: 'inf', minus: '-inf', max: '1.7976931348623157e+308', min: '5e-324' });
    expect(Number(extremes.zero)).toBe(0);
    // NaN is no measurement: it is refused and counted. Its series exists, for there was a measurement.
    expect(extremes.nan === undefined || extremes.nan === '0.0').toBe(true);
    expect(telemetry.metrics.value('edgespan_invalid_measurements_total', { metric: 'extreme' })).toBe(1);

    for (const value of hostile) {
      const series = find('hostile_seconds').samples.filter(({ labels }) => labels.value === value);
      const last = Object.fromEntries(
        series.map(({ name, labels, value }) => [`${name} ${labels.le ?? ''}`.trim(), value]),
      );
      expect(last).toMatchObject({
        'hostile_seconds_bucket 1e-09': '0.0',
        'hostile_seconds_bucket 0.5': '1.0',
        'hostile_seconds_bucket +Inf': '1.0',
        hostile_seconds_sum: '0.25',
        hostile_seconds_count: '1.0',
      });
    }
    const typed = find('typed_things');
    expect(typed).toMatchObject({ type: 'counter', help: 'Types\nof "values"' });
    const total = typed.samples.filter(({ name }) => name === 'typed_things_total').map(({ value }) => Number(value));
    expect(total.sort()).toEqual([1, 2]);
    const info = find(format === 'openmetrics' ? 'target' : 'target_info').samples[0]!;
    expect(info.labels).toMatchObject({ service_name: 'shop "1"\n\\' });
    expect(Object.values(info.labels)).toContain('evil "value"\n');
  });

  it('reads exemplars in OpenMetrics, which text has no word for', async () => {
    const { traceId, find } = await read('openmetrics');
    const buckets = find('hostile_seconds').samples.filter(({ labels }) => labels.le === '0.5');
    expect(buckets).toHaveLength(hostile.length);
    for (const { exemplar } of buckets) {
      expect(exemplar).toMatchObject({ value: 0.25, labels: { trace_id: traceId, span_id: expect.any(String) } });
    }
    const text = await read('text');
    expect(text.families.flatMap(({ samples }) => samples).every(({ exemplar }) => exemplar === null)).toBe(true);
  });

  it('reads the families of model calls', async () => {
    const telemetry = createProgram({ serviceName: 'shop', metrics: { semconv: true } });
    await recordSpans(telemetry);
    const page = await telemetry.prometheus({ format: 'openmetrics' });
    const families = JSON.parse(python('parse_page.py', ['openmetrics'], page)) as Family[];
    const types = Object.fromEntries(families.map(({ name, type }) => [name, type]));
    expect(types).toMatchObject({
      llm_requests: 'counter',
      llm_request_duration_seconds: 'histogram',
      llm_cost_usd: 'counter',
      llm_tokens: 'counter',
      gen_ai_client_operation_duration_seconds: 'histogram',
      gen_ai_client_token_usage: 'histogram',
    });
    const requests = families
      .find(({ name }) => name === 'llm_requests')!
      .samples.filter(({ name }) => name.endsWith('_total'));
    expect(requests).toMatchObject([
      {
        labels: { provider: 'openai', model: 'acme-1', operation: 'chat', status: 'ok', agent: 'shopper' },
        value: '1.0',
      },
    ]);
  });
});
