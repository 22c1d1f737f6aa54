import { type Exception, type Link, type Span, SpanKind, type SpanOptions, SpanStatusCode } from '@opentelemetry/api';
import { TracerProvider } from '@opentelemetry/sdk-trace';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ReadableSpan } from '../../src/index.ts';
import { createAlsTelemetry } from '../support/telemetry.ts';

/**
 * Not compared, as we differ by intent: surrogate pairs are not cut in half, a value that is none is not counted as dropped,
 * `undefined` in arrays becomes null, what is no plain value (dates, big integers) is kept, events may hold any value.
 */
const limits = { attributes: 4, events: 3, links: 2, valueLength: 5 };

const text = fc.string({ unit: fc.constantFrom('a', 'é', '1', ' '), maxLength: 8 });
const key = fc.constantFrom('', 'a', 'b', 'c', 'constructor', 'toString', 'd', 'e');
const scalar = fc.oneof(text, fc.integer(), fc.boolean(), fc.double({ noDefaultInfinity: true, noNaN: true }));
const value = fc.oneof(
  scalar,
  fc.constant(null),
  fc.constant(undefined),
  fc.array(fc.oneof(scalar, fc.constant(null)), { maxLength: 3 }),
  fc.dictionary(fc.constantFrom('x', 'y'), fc.oneof(scalar, fc.array(scalar, { maxLength: 2 })), {
    noNullPrototype: true,
  }),
  fc.uint8Array({ maxLength: 8 }),
);
const plainAttributes = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), scalar, {
  maxKeys: 6,
  noNullPrototype: true,
});
const link: fc.Arbitrary<Link> = fc.record({
  context: fc.constant({ traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: 1 }),
  attributes: plainAttributes,
});
const exception = fc.oneof(
  text,
  fc.record({ name: text, message: text, stack: text }, { noNullPrototype: true }),
  fc.record({ code: fc.oneof(text, fc.integer({ min: 0, max: 2 })), message: text }, { noNullPrototype: true }),
  fc.constant({}),
) as fc.Arbitrary<Exception>;

/** Each step at a time of its own, in whole milliseconds since the span's start. */
type Step = (span: Span, atMs: number) => void;
const startMs = 1_700_000_000_000;

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(key, value).map(
    ([k, v]): Step =>
      (span) =>
        span.setAttribute(k, v as never),
  ),
  fc.dictionary(key, value, { noNullPrototype: true }).map(
    (all): Step =>
      (span) =>
        span.setAttributes(all as never),
  ),
  fc.tuple(text, plainAttributes).map(
    ([name, all]): Step =>
      (span, at) =>
        span.addEvent(name, all, startMs + at),
  ),
  text.map(
    (name): Step =>
      (span, at) =>
        span.addEvent(name, new Date(startMs + at)),
  ),
  link.map(
    (one): Step =>
      (span) =>
        span.addLink(one),
  ),
  fc.array(link, { maxLength: 3 }).map(
    (all): Step =>
      (span) =>
        span.addLinks(all),
  ),
  fc
    .tuple(
      fc.constantFrom(SpanStatusCode.UNSET, SpanStatusCode.OK, SpanStatusCode.ERROR),
      fc.option(fc.constant('bad')),
    )
    .map(
      ([code, message]): Step =>
        (span) =>
          span.setStatus(message ? { code, message } : { code }),
    ),
  text.map(
    (name): Step =>
      (span) =>
        span.updateName(name),
  ),
  exception.map(
    (error): Step =>
      (span, at) =>
        span.recordException(error, startMs + at),
  ),
  fc.integer({ min: -5, max: 5000 }).map(
    (ms): Step =>
      (span, at) =>
        span.end([1_700_000_000, 0].map((n, i) => (i ? 0 : n + Math.floor((at + ms) / 1000))) as [number, number]),
  ),
);

const start = fc.record(
  {
    kind: fc.constantFrom(SpanKind.INTERNAL, SpanKind.CLIENT, SpanKind.SERVER),
    attributes: plainAttributes,
    links: fc.array(link, { maxLength: 4 }),
  },
  { requiredKeys: [] },
);

function createTheirs() {
  const provider = new TracerProvider({
    spanLimits: {
      attributeCountLimit: limits.attributes,
      attributeValueLengthLimit: limits.valueLength,
      eventCountLimit: limits.events,
      linkCountLimit: limits.links,
      attributePerEventCountLimit: limits.attributes,
      attributePerLinkCountLimit: limits.attributes,
    },
  });
  return provider.getTracer('parity', '1.0.0');
}

function createOurs() {
  const telemetry = createAlsTelemetry({
    limits: {
      attributesPerSpan: limits.attributes,
      eventsPerSpan: limits.events,
      linksPerSpan: limits.links,
      valueLength: limits.valueLength,
    },
  });
  return telemetry.tracerProvider.getTracer('parity', '1.0.0');
}

function toPlain(span: ReadableSpan) {
  return {
    name: span.name,
    kind: span.kind,
    status: span.status,
    ended: span.ended,
    startTime: span.startTime,
    ...(span.ended && { endTime: span.endTime, duration: span.duration }),
    attributes: span.attributes,
    events: span.events.map((event) => ({ droppedAttributesCount: 0, ...event, attributes: event.attributes ?? {} })),
    links: span.links.map((one) => ({ droppedAttributesCount: 0, ...one, attributes: one.attributes ?? {} })),
    dropped: [span.droppedAttributesCount, span.droppedEventsCount, span.droppedLinksCount],
    scope: span.instrumentationScope.name + span.instrumentationScope.version,
  };
}

describe("OpenTelemetry's own SDK", () => {
  it('makes the same data of the same calls', () => {
    const theirs = createTheirs();
    const ours = createOurs();
    fc.assert(
      fc.property(start, fc.array(step, { maxLength: 15 }), (options, steps) => {
        const given: SpanOptions = { ...options, startTime: startMs };
        const spans = [theirs.startSpan('work', given), ours.startSpan('work', given)];
        for (const span of spans) for (const [i, run] of steps.entries()) run(span, i + 1);
        const [expected, actual] = spans.map((span) => toPlain(span as unknown as ReadableSpan));
        expect(actual).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });

  it('counts time from a start that was given to an end that was not', () => {
    const ago = Date.now() - 60_000;
    const [expected, actual] = [createTheirs(), createOurs()].map((tracer) => {
      const span = tracer.startSpan('late', { startTime: ago });
      span.addEvent('now');
      span.end();
      const { duration, events } = span as unknown as ReadableSpan;
      return [duration[0], events[0]!.time[0] - Math.floor(ago / 1000)];
    });
    expect(actual![0]).toBeGreaterThanOrEqual(59);
    expect(Math.abs(actual![0]! - expected![0]!)).toBeLessThanOrEqual(1);
    expect(Math.abs(actual![1]! - expected![1]!)).toBeLessThanOrEqual(1);
  });
});
