import { createTraceState, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { JsonMetricsSerializer, JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { json } from '../../src/otlp/json.ts';
import { toResourceMetrics } from '../../src/otlp/protobuf-metrics.ts';
import { createResource, type ReadableSpan } from '../../src/trace/readable-span.ts';
import { batches, createSnapshot, createSpan, snapshots, spanId, times, traceId } from './batches.ts';

function parse(bytes: Uint8Array | undefined) {
  return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
}

function parseSpan(span: ReadableSpan) {
  return parse(json.traces([span])).resourceSpans[0].scopeSpans[0].spans[0];
}

function encodedValue(value: unknown) {
  return parseSpan(createSpan({ attributes: { key: value } })).attributes[0].value;
}

function parseMetric(
  family: Parameters<typeof createSnapshot>[0][number],
  temporality: 'delta' | 'cumulative' = 'delta',
) {
  return parse(json.metrics(createSnapshot([family], { temporality }))).resourceMetrics[0].scopeMetrics[0].metrics[0];
}

describe('attribute values', () => {
  it.each([
    [42, { intValue: '42' }],
    [42.5, { doubleValue: 42.5 }],
    [9007199254740993n, { intValue: '9007199254740993' }],
    [-(2n ** 63n), { intValue: '-9223372036854775808' }],
    [2n ** 63n, { stringValue: '9223372036854775808' }],
    [2 ** 62, { intValue: '4611686018427387904' }],
    [1e300, { doubleValue: 1e300 }],
    [Number.NaN, { doubleValue: 'NaN' }],
    [Number.POSITIVE_INFINITY, { doubleValue: 'Infinity' }],
    [Number.NEGATIVE_INFINITY, { doubleValue: '-Infinity' }],
    [0, { intValue: '0' }],
    [false, { boolValue: false }],
    ['', { stringValue: '' }],
    [null, {}],
    [[], { arrayValue: { values: [] } }],
    [
      [1, null, ['a']],
      { arrayValue: { values: [{ intValue: '1' }, {}, { arrayValue: { values: [{ stringValue: 'a' }] } }] } },
    ],
    [
      { a: { b: true } },
      {
        kvlistValue: {
          values: [{ key: 'a', value: { kvlistValue: { values: [{ key: 'b', value: { boolValue: true } }] } } }],
        },
      },
    ],
    [new Uint8Array([255, 254]), { bytesValue: '//4=' }],
    ['a"\\\n\u0001\u2028é😀', { stringValue: 'a"\\\n\u0001\u2028é😀' }],
  ])('%o', (value, expected) => {
    expect(encodedValue(value)).toEqual(expected);
  });

  it('replaces half a surrogate pair, with and without an escape beside it', () => {
    expect(encodedValue('a\ud83d')).toEqual({ stringValue: 'a\ufffd' });
    expect(encodedValue('"\udc00"')).toEqual({ stringValue: '"\ufffd"' });
    expect(new TextDecoder().decode(json.traces([createSpan({ name: '\n\ud800' })]))).not.toContain('\\ud800');
  });

  it('ends a value that contains itself', () => {
    const loop: Record<string, unknown> = { a: 1 };
    loop.self = loop;
    expect(JSON.stringify(encodedValue(loop))).toMatch(/"self","value":\{\}/);
  });

  it('writes every key, however many there are', () => {
    const attributes = Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`"${i}`, i]));
    expect(parseSpan(createSpan({ attributes })).attributes.map(({ key }: { key: string }) => key)).toEqual(
      Object.keys(attributes),
    );
  });
});

describe('spans', () => {
  it('have hex ids, integer enums and times that are exact', () => {
    const span = parseSpan(createSpan({ kind: 2, startTime: [1_000_000_000, 1], endTime: [0, 7] }));
    expect(span).toMatchObject({
      traceId,
      spanId,
      kind: 3,
      startTimeUnixNano: '1000000000000000001',
      endTimeUnixNano: '7',
    });
    expect(span).not.toHaveProperty('parentSpanId');
    expect(span).not.toHaveProperty('traceState');
  });

  it('say whether the parent is remote', () => {
    const parent = { traceId, spanId: 'aaaaaaaaaaaaaaaa', traceFlags: 1 };
    expect(parseSpan(createSpan()).flags).toBe(0x103);
    expect(parseSpan(createSpan({ parentSpanContext: { ...parent, spanId: '' } }))).not.toHaveProperty('parentSpanId');
    expect(parseSpan(createSpan({ parentSpanContext: parent }))).toMatchObject({
      flags: 0x103,
      parentSpanId: parent.spanId,
    });
    expect(parseSpan(createSpan({ parentSpanContext: { ...parent, isRemote: true } })).flags).toBe(0x303);
  });

  it('carry state, status, events, links and what was dropped', () => {
    const context = { traceId, spanId, traceFlags: 0, isRemote: true, traceState: createTraceState('v=1') };
    const span = parseSpan(
      createSpan({
        context: { traceState: createTraceState('a=1,b=2') },
        status: { code: 2, message: 'no "model"' },
        events: [{ name: 'first', time: [1_700_000_000, 9], attributes: { n: 1 }, droppedAttributesCount: 4 }],
        links: [{ context, attributes: { n: 2 }, droppedAttributesCount: 5 }],
        droppedAttributesCount: 1,
        droppedEventsCount: 2,
        droppedLinksCount: 3,
      }),
    );
    expect(span).toMatchObject({
      traceState: 'a=1,b=2',
      status: { code: 2, message: 'no "model"' },
      events: [
        {
          name: 'first',
          timeUnixNano: '1700000000000000009',
          attributes: [{ key: 'n', value: { intValue: '1' } }],
          droppedAttributesCount: 4,
        },
      ],
      links: [
        {
          traceId,
          spanId,
          traceState: 'v=1',
          flags: 0x300,
          attributes: [{ key: 'n', value: { intValue: '2' } }],
          droppedAttributesCount: 5,
        },
      ],
      droppedAttributesCount: 1,
      droppedEventsCount: 2,
      droppedLinksCount: 3,
    });
  });

  it('are grouped by resource and scope', () => {
    const other = createResource({ 'service.name': 'other' });
    const spans = [
      createSpan({ name: '1', instrumentationScope: { name: 'a' } }),
      createSpan({ name: '2', resource: other, instrumentationScope: { name: 'a' } }),
      createSpan({ name: '3', instrumentationScope: { name: 'b', schemaUrl: 'https://s' } }),
      createSpan({ name: '4', instrumentationScope: { name: 'a' } }),
    ];
    const groups = parse(json.traces(spans)).resourceSpans.map(
      (group: { scopeSpans: { scope: { name: string }; schemaUrl?: string; spans: { name: string }[] }[] }) =>
        group.scopeSpans.map(({ scope, schemaUrl, spans }) => [
          scope.name,
          schemaUrl,
          ...spans.map(({ name }) => name),
        ]),
    );
    expect(groups).toEqual([
      [
        ['a', undefined, '1', '4'],
        ['b', 'https://s', '3'],
      ],
      [['a', undefined, '2']],
    ]);
  });

  it('name the schema of their resource', () => {
    const schemaUrl = 'https://opentelemetry.io/schemas/1.41.0';
    const [group] = parse(json.traces([createSpan({ resource: { ...createResource({}), schemaUrl } })])).resourceSpans;
    expect(group.schemaUrl).toBe(schemaUrl);
  });

  it('keep their order and number in a batch of megabytes', () => {
    const spans = Array.from({ length: 700 }, (_, i) =>
      createSpan({ name: `${i}`, attributes: { text: '€'.repeat(1000) } }),
    );
    const written = parse(json.traces(spans)).resourceSpans[0].scopeSpans[0].spans;
    expect(written.map(({ name }: { name: string }) => name)).toEqual(spans.map(({ name }) => name));
    expect(written.at(-1).attributes[0].value.stringValue).toBe('€'.repeat(1000));
  });

  it('are no envelope where there are none', () => {
    expect(parse(json.traces([]))).toEqual({ resourceSpans: [] });
  });
});

describe('metrics', () => {
  it('of a counter are a monotonic sum of the temporality of the snapshot', () => {
    const points = [{ ...times, labels: { model: 'gpt-4o' }, value: 3 }];
    const metric = parseMetric({
      name: 'llm_requests_total',
      type: 'counter',
      help: 'Requests.',
      unit: '{request}',
      points,
    });
    expect(metric).toEqual({
      name: 'llm_requests_total',
      description: 'Requests.',
      unit: '{request}',
      sum: {
        aggregationTemporality: 1,
        isMonotonic: true,
        dataPoints: [
          {
            attributes: [{ key: 'model', value: { stringValue: 'gpt-4o' } }],
            startTimeUnixNano: '1700000000000000001',
            timeUnixNano: '1700000060000000002',
            asDouble: 3,
          },
        ],
      },
    });
    expect(parseMetric({ name: 'n', type: 'counter', points }, 'cumulative').sum.aggregationTemporality).toBe(2);
  });

  it('have one kind of number a family', () => {
    const points = [1, 0.5, Number.POSITIVE_INFINITY].map((value) => ({ ...times, labels: {}, value }));
    const { dataPoints } = parseMetric({ name: 'cost', type: 'gauge', points }).gauge;
    expect(dataPoints.map(({ asDouble }: { asDouble: unknown }) => asDouble)).toEqual([1, 0.5, 'Infinity']);
  });

  it('keep their kind of number from one request to the next', () => {
    const write = (value: number, integer: boolean) => {
      const points = [{ ...times, labels: {}, value }];
      const [{ asInt, asDouble }] = parseMetric({ name: 'cost', type: 'counter', integer, points }).sum.dataPoints;
      return asInt ?? asDouble;
    };
    expect([0.5, 1, 0.25].map((value) => write(value, false))).toEqual([0.5, 1, 0.25]);
    expect([1, 2 ** 53 - 1].map((value) => write(value, true))).toEqual(['1', '9007199254740991']);
  });

  it('of an up-down counter are a cumulative sum, whatever the temporality of the rest', () => {
    const metric = parseMetric({
      name: 'active',
      type: 'gauge',
      additive: true,
      points: [{ ...times, labels: {}, value: -2 }],
    });
    expect(metric.sum).toMatchObject({ aggregationTemporality: 2, isMonotonic: false, dataPoints: [{ asDouble: -2 }] });
  });

  it('of a histogram have a bucket more than bounds, and exemplars', () => {
    const exemplars = [{ value: 2, traceId, spanId, timeUnixNano: 5n }];
    const points = [{ ...times, labels: {}, counts: [1, 1, 1], count: 3, sum: 6.5, exemplars }];
    expect(parseMetric({ name: 'h', type: 'histogram', bounds: [1, 2], points }).histogram).toMatchObject({
      aggregationTemporality: 1,
      dataPoints: [
        {
          bucketCounts: ['1', '1', '1'],
          explicitBounds: [1, 2],
          count: '3',
          sum: 6.5,
          exemplars: [{ traceId, spanId, timeUnixNano: '5', asDouble: 2 }],
        },
      ],
    });
    const { sum: _, ...without } = points[0]!;
    expect(
      parseMetric({ name: 'h', type: 'histogram', bounds: [1, 2], points: [without] }).histogram.dataPoints[0],
    ).not.toHaveProperty('sum');
  });

  it('mark the overflow series as the standard does', () => {
    const points = [{ ...times, labels: { otel_metric_overflow: 'true' }, value: 1 }];
    expect(parseMetric({ name: 'n', type: 'counter', points }).sum.dataPoints[0].attributes).toEqual([
      { key: 'otel.metric.overflow', value: { boolValue: true } },
    ]);
  });

  it('are grouped by scope, without families that have no points', () => {
    const points = [{ ...times, labels: {}, value: 1 }];
    const snapshot = createSnapshot([
      { name: 'a', type: 'counter', points },
      { name: 'b', type: 'counter', points, scope: { name: 'mine', version: '2' } },
      { name: 'c', type: 'counter', points: [] },
      { name: 'd', type: 'counter', points },
    ]);
    const groups = parse(json.metrics(snapshot)).resourceMetrics[0].scopeMetrics;
    expect(
      groups.map(({ scope, metrics }: { scope: unknown; metrics: { name: string }[] }) => [
        scope,
        ...metrics.map(({ name }) => name),
      ]),
    ).toEqual([
      [{ name: 'edgespan' }, 'a', 'd'],
      [{ name: 'mine', version: '2' }, 'b'],
    ]);
    expect(parse(json.metrics(createSnapshot([{ name: 'c', type: 'counter', points: [] }])))).toEqual({
      resourceMetrics: [],
    });
  });
});

/**
 * OpenTelemetry's JSON and ours on common ground. It writes 64-bit integers as numbers, integers beyond 64 bits as
 * integers all the same, non-finite numbers as null, default values, and half surrogate pairs as escapes.
 */
function normalise(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(/\p{Cs}/gu, '\ufffd');
  if (Array.isArray(value)) return value.map(normalise);
  if (typeof value !== 'object' || value === null) return value;
  const result: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    if (key === 'intValue' || key === 'asInt' || key === 'count') Object.assign(result, normaliseInteger(key, item));
    else if (key === 'bucketCounts') result[key] = (item as unknown[]).map(String);
    else if (key === 'explicitBounds') result[key] = item;
    else if (key === 'doubleValue' || key === 'asDouble' || key === 'sum') {
      result[key] = typeof item === 'object' && item !== null ? normalise(item) : finiteOrNull(item);
    } else if (!isDefault(key, item)) result[key] = normalise(item);
  }
  return result;
}

function normaliseInteger(key: string, item: unknown) {
  const tooLarge = typeof item === 'number' && (item >= 2 ** 63 || item < -(2 ** 63));
  return tooLarge ? { doubleValue: item } : { [key]: BigInt(item as number).toString() };
}

function finiteOrNull(item: unknown) {
  return typeof item === 'number' ? item : null;
}

const emptyStrings = ['message', 'description', 'unit', 'version', 'schemaUrl', 'traceState'];

/** Exemplars count as one: OpenTelemetry's serializer leaves them out. */
function isDefault(key: string, item: unknown) {
  return (
    key === 'exemplars' ||
    (key.startsWith('dropped') && item === 0) ||
    ((key === 'events' || key === 'links') && (item as unknown[]).length === 0) ||
    (emptyStrings.includes(key) && item === '')
  );
}

describe('beside OpenTelemetry', () => {
  it('writes any span as its serializer does', () => {
    fc.assert(
      fc.property(batches, (spans) => {
        expect(normalise(parse(json.traces(spans)))).toEqual(
          normalise(parse(JsonTraceSerializer.serializeRequest(spans))),
        );
      }),
      { numRuns: 300 },
    );
  });

  it('writes any metrics as its serializer does', () => {
    fc.assert(
      fc.property(snapshots, (snapshot) => {
        const request = toResourceMetrics(snapshot);
        const theirs = request ? parse(JsonMetricsSerializer.serializeRequest(request)) : { resourceMetrics: [] };
        expect(normalise(parse(json.metrics(snapshot)))).toEqual(normalise(theirs));
      }),
      { numRuns: 300 },
    );
  });

  it('takes the spans of its SDK', () => {
    const exporter = new InMemorySpanExporter();
    const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
    const tracer = provider.getTracer('app', '1.0');
    const parent = trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: 1, isRemote: true });
    const span = tracer.startSpan(
      'work',
      { attributes: { a: [1, 2], b: 'x' }, links: [{ context: { traceId, spanId, traceFlags: 1 } }] },
      parent,
    );
    span.addEvent('tick', { n: 1.5 });
    span.recordException(new Error('no'));
    span.end();
    const spans = exporter.getFinishedSpans();
    expect(spans).toHaveLength(1);
    expect(normalise(parse(json.traces(spans)))).toEqual(normalise(parse(JsonTraceSerializer.serializeRequest(spans))));
    expect(parseSpan(spans[0]!)).toMatchObject({ traceId, parentSpanId: spanId, flags: 0x301 });
  });
});
