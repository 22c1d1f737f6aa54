import { type Attributes, createTraceState, type SpanContext } from '@opentelemetry/api';
import fc from 'fast-check';
import type { MetricFamily, MetricsSnapshot, Point } from '../../src/metrics/snapshot.ts';
import { createResource, type InstrumentationScope, type ReadableSpan } from '../../src/trace/readable-span.ts';

export const traceId = '0af7651916cd43dd8448eb211c80319c';
export const spanId = 'b7ad6b7169203331';
export const resource = createResource({ 'service.name': 'shop' });
export const scope: InstrumentationScope = { name: 'edgespan', version: '1.2.3' };

/** A span of which a test says only what it is about. */
export function createSpan(parts: Partial<ReadableSpan> & { context?: Partial<SpanContext> } = {}): ReadableSpan {
  const { context, ...rest } = parts;
  return {
    name: 'chat gpt-4o',
    kind: 2,
    spanContext: () => ({ traceId, spanId, traceFlags: 3, ...context }),
    startTime: [1_700_000_000, 5],
    endTime: [1_700_000_001, 0],
    duration: [0, 999_999_995],
    ended: true,
    status: { code: 0 },
    attributes: {},
    links: [],
    events: [],
    resource,
    instrumentationScope: scope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
    ...rest,
  };
}

export function createSnapshot(metrics: MetricFamily[], parts: Partial<MetricsSnapshot> = {}): MetricsSnapshot {
  return { temporality: 'delta', resource: { 'service.name': 'shop' }, metrics, ...parts };
}

export const times = { startUnixNano: 1_700_000_000_000_000_001n, timeUnixNano: 1_700_000_060_000_000_002n };

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('"', '\\', '\n', '\u2028', '\ud800', 'é€😀'),
);
const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length });
const count = fc.nat({ max: 1000 });

/** Decoders leave out the one name by which an assignment makes no attribute. */
const key = text.filter((name) => name !== '__proto__');
/** Every kind of value that OpenTelemetry's JSON serializer knows (it does not know bigint). */
const value: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    text,
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 8 }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(key, tie('value'), { maxKeys: 4 }),
  ),
})).value;
const attributes = fc.dictionary(key, value, { maxKeys: 6 }) as fc.Arbitrary<Attributes>;
const hrTime = fc.tuple(fc.nat({ max: 4_000_000_000 }), fc.nat({ max: 999_999_999 })) as fc.Arbitrary<[number, number]>;
const state = fc.constantFrom(undefined, createTraceState('a=1,b=x'));
const spanContext: fc.Arbitrary<SpanContext> = fc
  .record({
    traceId: hex(32),
    spanId: hex(16),
    traceFlags: fc.nat({ max: 255 }),
    isRemote: fc.boolean(),
    traceState: state,
  })
  .map(({ traceState, ...rest }) => (traceState ? { ...rest, traceState } : rest));
const scopes = fc.constantFrom<InstrumentationScope>(
  { name: 'a' },
  { name: 'a', version: '1' },
  { name: 'b', version: '1', schemaUrl: 'https://example.com/schema' },
);
const resources = fc.constantFrom(resource, createResource({ n: 1 }), createResource({}));
const dropped = fc.option(count, { nil: undefined });
const event = fc.record({ name: text, time: hrTime, attributes, droppedAttributesCount: dropped });
const link = fc.record({ context: spanContext, attributes, droppedAttributesCount: dropped });

const span: fc.Arbitrary<ReadableSpan> = fc
  .record({
    name: text,
    kind: fc.integer({ min: 0, max: 4 }),
    context: spanContext,
    parent: fc.option(spanContext, { nil: undefined }),
    startTime: hrTime,
    endTime: hrTime,
    status: fc.record({ code: fc.integer({ min: 0, max: 2 }), message: fc.option(text, { nil: undefined }) }),
    attributes,
    events: fc.array(event, { maxLength: 3 }),
    links: fc.array(link, { maxLength: 3 }),
    resource: resources,
    instrumentationScope: scopes,
    droppedAttributesCount: count,
    droppedEventsCount: count,
    droppedLinksCount: count,
  })
  .map(({ context, parent, status, events, links, ...rest }) =>
    createSpan({
      ...rest,
      context,
      events: events.map(defined),
      links: links.map(defined),
      status: defined(status),
      ...(parent && { parentSpanContext: parent }),
    }),
  );

export const batches = fc.array(span, { minLength: 1, maxLength: 8 });

function defined<T extends object>(record: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(record).filter(([, item]) => item !== undefined)) as never;
}

const nanos = fc.bigInt({ min: 1n, max: 2n ** 63n });
const labels = fc.dictionary(text, text, { maxKeys: 4 });
const identity = fc.record({ labels, startUnixNano: nanos, timeUnixNano: nanos });
const exemplars = fc.array(fc.record({ value: fc.double(), traceId: hex(32), spanId: hex(16), timeUnixNano: nanos }), {
  maxLength: 2,
});
const numberPoint: fc.Arbitrary<Point> = fc
  .tuple(identity, fc.oneof(fc.integer(), fc.double()), exemplars)
  .map(([point, measured, list]) => ({ ...point, value: measured, ...(list.length > 0 && { exemplars: list }) }));
const histogramPoint: fc.Arbitrary<Point> = fc
  .tuple(identity, fc.array(fc.nat(), { minLength: 3, maxLength: 3 }), fc.option(fc.double(), { nil: undefined }))
  .map(([point, counts, sum]) => {
    const total = counts.reduce((a, b) => a + b, 0);
    return { ...point, counts, count: total, ...(sum !== undefined && { sum }) };
  });
const familyBase = fc
  .record({ name: text, help: fc.option(text), unit: fc.option(text), scope: fc.option(scopes) })
  .map(({ name, help, unit, scope: own }) => ({
    name,
    ...(help && { help }),
    ...(unit && { unit }),
    ...(own && { scope: own }),
  }));
const family: fc.Arbitrary<MetricFamily> = fc.oneof(
  fc
    .tuple(
      familyBase,
      fc.constantFrom('counter' as const, 'gauge' as const),
      fc.boolean(),
      fc.array(numberPoint, { maxLength: 3 }),
    )
    .map(([base, type, additive, points]) => ({
      ...base,
      type,
      points,
      ...(type === 'gauge' && additive && { additive }),
    })),
  fc
    .tuple(familyBase, fc.array(histogramPoint, { maxLength: 3 }))
    .map(([base, points]) => ({ ...base, type: 'histogram' as const, bounds: [0.5, 10], points })),
);

export const snapshots: fc.Arbitrary<MetricsSnapshot> = fc.record({
  temporality: fc.constantFrom('delta', 'cumulative'),
  resource: attributes,
  metrics: fc.array(family, { maxLength: 5 }),
});
