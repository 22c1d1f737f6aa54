import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeMetrics, decodeTraces, readFormat } from '../../../src/otlp/decode/decode.ts';
import { DecodeError } from '../../../src/otlp/decode/error.ts';
import { decodeStoredSpan, encodeStoredSpan } from '../../../src/otlp/decode/stored-span.ts';
import { json } from '../../../src/otlp/json.ts';
import { protobuf } from '../../../src/otlp/protobuf.ts';
import { isSpanContextValid } from '../../../src/trace/otel-span.ts';
import type { ReadableSpan } from '../../../src/trace/readable-span.ts';
import { batches, createSnapshot, createSpan, resource, snapshots, spanId, times, traceId } from '../batches.ts';

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytes = (body: unknown) => new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body));
const isValid = (span: ReadableSpan) =>
  [span.spanContext(), ...span.links.map(({ context }) => context)].every(isSpanContextValid);
/** What a tracer could have made. */
const inOrder = (spans: readonly ReadableSpan[]) =>
  spans
    .filter(isValid)
    .map((span) => (earlier(span.endTime, span.startTime) ? { ...span, endTime: span.startTime } : span));
const earlier = (a: readonly number[], b: readonly number[]) => a[0]! < b[0]! || (a[0] === b[0] && a[1]! < b[1]!);

describe('OTLP that was encoded and decoded', () => {
  it.each([
    ['json', json],
    ['protobuf', protobuf],
  ] as const)('has the same spans, by %s', (format, encoder) => {
    fc.assert(
      fc.property(batches, (batch) => {
        const spans = inOrder(batch);
        const decoded = decodeTraces(encoder.traces(spans), format);
        expect(decoded.rejected).toBe(0);
        expect(JSON.parse(text(json.traces(decoded.spans)))).toEqual(JSON.parse(text(json.traces(spans))));
      }),
    );
  });

  it.each([
    ['json', json],
    ['protobuf', protobuf],
  ] as const)('has the same metrics, by %s', (format, encoder) => {
    const family = { name: 'calls', type: 'counter' as const, help: 'Calls.', unit: '{call}' };
    const point = { ...times, labels: { model: 'gpt-4o' } };
    const exemplar = { value: 3, traceId, spanId, timeUnixNano: times.timeUnixNano };
    const snapshot = createSnapshot([
      { ...family, points: [{ ...point, value: 7, exemplars: [exemplar] }] },
      { name: 'open', type: 'gauge', additive: true, points: [{ ...point, value: -2 }] },
      { name: 'depth', type: 'gauge', points: [{ ...point, value: 0.5 }] },
      {
        name: 'seconds',
        type: 'histogram',
        unit: 's',
        bounds: [0.5, 1],
        scope: { name: 'lib', version: '2' },
        points: [{ ...point, counts: [1, 0, 2], count: 3, sum: 4.25 }],
      },
    ]);
    const { snapshots: decoded, rejected } = decodeMetrics(encoder.metrics(snapshot), format);
    expect(rejected).toBe(0);
    const families = decoded.flatMap(({ metrics, temporality }) => metrics.map((each) => ({ ...each, temporality })));
    expect(families.map(({ name, type, temporality }) => [name, type, temporality])).toEqual([
      // What may go down keeps its total in every push.
      ['open', 'gauge', 'cumulative'],
      ['depth', 'gauge', 'cumulative'],
      ['calls', 'counter', 'delta'],
      ['seconds', 'histogram', 'delta'],
    ]);
    const [open, depth, calls, seconds] = families;
    expect(open).toMatchObject({ additive: true, points: [{ value: -2 }] });
    expect(depth?.additive).toBeUndefined();
    expect(calls).toMatchObject({ ...family, points: [{ ...point, value: 7 }] });
    // OpenTelemetry's serializer, which writes our protobuf, leaves exemplars out.
    expect(calls?.points[0]?.exemplars).toEqual(format === 'json' ? [exemplar] : undefined);
    expect(seconds).toMatchObject({ unit: 's', bounds: [0.5, 1], scope: { name: 'lib', version: '2' } });
    expect(seconds?.points).toMatchObject([{ ...point, counts: [1, 0, 2], count: 3, sum: 4.25 }]);
    expect(decoded.every(({ resource: { 'service.name': name } }) => name === 'shop')).toBe(true);
  });

  it('says of JSON and of protobuf the same, whatever the metrics', () => {
    fc.assert(
      fc.property(snapshots, (snapshot) => {
        const [a, b] = [
          decodeMetrics(json.metrics(snapshot), 'json'),
          decodeMetrics(protobuf.metrics(snapshot), 'protobuf'),
        ];
        expect(a.rejected).toBe(b.rejected);
        expect(a.snapshots.length).toBe(b.snapshots.length);
      }),
    );
  });

  it('keeps a string that begins like a byte order mark', () => {
    const name = '\ufeffname';
    expect(decodeTraces(protobuf.traces([createSpan({ name })]), 'protobuf').spans[0]?.name).toBe(name);
  });

  it('is one span in a store, with its resource and scope', () => {
    const span = createSpan({ attributes: { 'gen_ai.request.model': 'gpt-4o', n: 2 ** 60 }, kind: 2 });
    const stored = decodeStoredSpan(encodeStoredSpan(span));
    expect(stored).toMatchObject({ name: span.name, kind: 2, duration: span.duration, attributes: span.attributes });
    expect(stored?.spanContext()).toMatchObject({ traceId, spanId });
    expect(stored?.resource.attributes).toEqual(resource.attributes);
    expect(decodeStoredSpan('{"resourceSpans":')).toBeUndefined();
  });
});

describe('what is no OTLP', () => {
  const envelope = (span: object) => ({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] });
  const good = { traceId, spanId, name: 'a', startTimeUnixNano: '1', endTimeUnixNano: '2' };

  it.each([
    ['no JSON', '{"resourceSpans":[', ''],
    ['a list', '[]', 'body'],
    ['another type', { resourceSpans: {} }, 'resourceSpans'],
    ['another type inside', { resourceSpans: [{ scopeSpans: [7] }] }, 'resourceSpans[0].scopeSpans[0]'],
    ['null', { resourceSpans: [null] }, 'resourceSpans[0]'],
  ])('throws a DecodeError that names the field: %s', (_, body, field) => {
    const decode = () => decodeTraces(bytes(body), 'json');
    expect(decode).toThrow(DecodeError);
    expect(decode).toThrow(expect.objectContaining({ field }));
  });

  it.each([
    ['no trace id', { ...good, traceId: undefined }, 'traceId'],
    ['a trace id of zeros', { ...good, traceId: '0'.repeat(32) }, 'traceId'],
    ['a short span id', { ...good, spanId: 'abc' }, 'spanId'],
    ['a span id in base64', { ...good, spanId: 't61rcWkgMzE=' }, 'spanId'],
    ['a parent that is none', { ...good, parentSpanId: 'x'.repeat(16) }, 'parentSpanId'],
    ['a negative time', { ...good, startTimeUnixNano: '-1' }, 'startTimeUnixNano'],
    ['a time beyond 64 bits', { ...good, endTimeUnixNano: '99999999999999999999' }, 'endTimeUnixNano'],
    ['attributes of another type', { ...good, attributes: 'x' }, 'attributes'],
    ['an attribute without a key', { ...good, attributes: [{ value: {} }] }, 'attributes[0].key'],
    ['events of another type', { ...good, events: [1] }, 'events[0]'],
  ])('leaves out a span and says why: %s', (_, span, field) => {
    const { spans, rejected, problem } = decodeTraces(bytes(envelope(span)), 'json');
    expect([spans.length, rejected, problem?.field]).toEqual([
      0,
      1,
      `resourceSpans[0].scopeSpans[0].spans[0].${field}`,
    ]);
  });

  it('takes ids in upper case, numbers for integers, fields that it does not know, and times that go backwards', () => {
    const span = {
      ...good,
      traceId: traceId.toUpperCase(),
      startTimeUnixNano: 2_000,
      endTimeUnixNano: 1_000,
      later: { x: 1 },
      attributes: [
        { key: 'n', value: { intValue: 7 } },
        { key: '__proto__', value: { stringValue: 'x' } },
      ],
    };
    const [decoded] = decodeTraces(bytes(envelope(span)), 'json').spans;
    expect(decoded?.spanContext().traceId).toBe(traceId);
    expect(decoded?.duration).toEqual([0, 0]);
    expect(decoded?.attributes).toEqual({ n: 7 });
  });

  it('takes enums by their names, as protobuf’s own JSON has them', () => {
    const named = { ...good, kind: 'SPAN_KIND_CLIENT', status: { code: 'STATUS_CODE_ERROR' } };
    const odd = { ...good, kind: 'CLIENT', status: { code: 'toString' } };
    const spans = [named, odd].flatMap((span) => decodeTraces(bytes(envelope(span)), 'json').spans);
    expect(spans.map(({ kind, status }) => [kind, status.code])).toEqual([
      [2, 2],
      [0, 0],
    ]);
    const sum = {
      aggregationTemporality: 'AGGREGATION_TEMPORALITY_DELTA',
      isMonotonic: true,
      dataPoints: [{ asInt: '1', timeUnixNano: '5' }],
    };
    const metrics = { resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: 'a', sum }] }] }] };
    expect(decodeMetrics(bytes(metrics), 'json')).toMatchObject({ rejected: 0, snapshots: [{ temporality: 'delta' }] });
  });

  it('takes the names of the .proto files, where all are of that kind', () => {
    const value = { kvlist_value: { values: [{ key: 'in_side', value: { int_value: '7' } }] } };
    const span = { trace_id: traceId, span_id: spanId, start_time_unix_nano: '1', attributes: [{ key: 'a_b', value }] };
    const body = { resource_spans: [{ scope_spans: [{ spans: [span] }] }] };
    const [decoded] = decodeTraces(bytes(body), 'json').spans;
    expect(decoded?.spanContext()).toMatchObject({ traceId, spanId });
    expect(decoded?.attributes).toEqual({ a_b: { in_side: 7 } });
    const sum = { aggregation_temporality: 1, data_points: [{ as_int: '1', time_unix_nano: '5' }] };
    const metrics = { resource_metrics: [{ scope_metrics: [{ metrics: [{ name: 'a', sum }] }] }] };
    expect(decodeMetrics(bytes(metrics), 'json').snapshots).toHaveLength(1);
  });

  it('reads bytes in either alphabet of base64, padded or not', () => {
    const read = (bytesValue: string) => {
      const attributes = [{ key: 'b', value: { bytesValue } }];
      return decodeTraces(bytes(envelope({ ...good, attributes })), 'json').spans[0]?.attributes.b;
    };
    expect(['+/8=', '-_8=', '-_8'].map(read)).toEqual(new Array(3).fill(new Uint8Array([251, 255])));
    expect(read('§')).toBeNull();
  });

  it('keeps a span whose parent or link has no id, as tracers that are off make them', () => {
    const zeros = { traceId: '0'.repeat(32), spanId: '0'.repeat(16) };
    const span = { ...good, parentSpanId: zeros.spanId, links: [zeros, { traceId, spanId }] };
    const [decoded] = decodeTraces(bytes(envelope(span)), 'json').spans;
    expect(decoded?.parentSpanContext).toBeUndefined();
    expect([decoded?.links.length, decoded?.droppedLinksCount]).toEqual([1, 1]);
  });

  it('leaves out metrics that it has no use for, and counts their points', () => {
    const metric = (body: object) => ({ resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: 'm', ...body }] }] }] });
    const point = { timeUnixNano: '5', asInt: '1' };
    const rejected = (body: object) => {
      const read = decodeMetrics(bytes(metric(body)), 'json');
      return [read.rejected, read.problem?.field.replace(/^.*metrics\[0\]\./, '')];
    };
    expect(rejected({ exponentialHistogram: { dataPoints: [{}, {}] } })).toEqual([2, 'exponentialHistogram']);
    expect(rejected({ summary: { dataPoints: [{}] } })).toEqual([1, 'summary']);
    expect(rejected({ sum: { dataPoints: [point] } })).toEqual([1, 'sum.aggregationTemporality']);
    expect(rejected({ gauge: { dataPoints: [{ asInt: '1' }] } })).toEqual([1, 'gauge.dataPoints[0].timeUnixNano']);
    expect(rejected({ gauge: { dataPoints: [{ timeUnixNano: '5' }] } })).toEqual([1, 'gauge.dataPoints[0]']);
    const histogram = { timeUnixNano: '5', count: '3', bucketCounts: ['1', '1'], explicitBounds: [1] };
    expect(rejected({ histogram: { aggregationTemporality: 1, dataPoints: [histogram] } })).toEqual([
      1,
      'histogram.dataPoints[0].count',
    ]);
    expect(rejected({ gauge: { dataPoints: [{ ...point, flags: 1 }] } })).toEqual([0, undefined]);
  });

  it('never does more than throw a DecodeError, whatever the bytes', () => {
    const whole = protobuf.traces([createSpan({ attributes: { a: [1, 'x', { b: true }] } })]);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(whole.length), fc.nat(255), (junk, at, byte) => {
        const cut = whole.slice(0, at);
        const changed = whole.slice();
        changed[at % whole.length] = byte;
        for (const body of [junk, cut, changed]) {
          for (const decode of [decodeTraces, decodeMetrics]) {
            for (const format of ['protobuf', 'json'] as const) {
              try {
                decode(body, format);
              } catch (error) {
                expect(error).toBeInstanceOf(DecodeError);
              }
            }
          }
        }
      }),
    );
  });

  it('skips groups, and reads a message that comes in parts as one', () => {
    const span = [
      ...wrap(0x0a, new Uint8Array(16).fill(0xaa)),
      ...wrap(0x12, new Uint8Array(8).fill(0xbb)),
      ...wrap(0x2a, new TextEncoder().encode('work')),
      // Field 100 as a group that holds an integer and another group.
      ...[0xa3, 0x06, 0x08, 0x01, 0x13, 0x08, 0x02, 0x14, 0xa4, 0x06],
      ...wrap(0x7a, new Uint8Array([0x18, 0x02])),
      ...wrap(0x7a, wrap(0x12, new TextEncoder().encode('why'))),
    ];
    const body = [0x12, 0x12, 0x0a].reduce((inner, tag) => wrap(tag, inner), new Uint8Array(span));
    expect(decodeTraces(body, 'protobuf').spans).toMatchObject([{ name: 'work', status: { code: 2, message: 'why' } }]);
    const endless = new Uint8Array(400).fill(0xa3).map((byte, i) => (i % 2 ? 0x06 : byte));
    expect(() => decodeTraces(endless, 'protobuf')).toThrow(DecodeError);
    expect(() => decodeTraces(endless.subarray(0, 10), 'protobuf')).toThrow(DecodeError);
  });

  it('bounds how deep a message and an attribute may nest', () => {
    let value: object = { stringValue: 'x' };
    for (let i = 0; i < 500; i++) value = { arrayValue: { values: [value] } };
    const span = { ...good, attributes: [{ key: 'deep', value }] };
    expect(decodeTraces(bytes(envelope(span)), 'json').spans).toHaveLength(1);
    // An array value in an array value, by the wire: tag, length, …
    let nested = new Uint8Array([0x0a, 0x01, 0x78]);
    for (let i = 0; i < 400; i++) nested = wrap(0x2a, wrap(0x0a, nested));
    const body = [0x12, 0x4a, 0x12, 0x12, 0x0a].reduce((inner, tag) => wrap(tag, inner), nested);
    expect(() => decodeTraces(body, 'protobuf')).toThrow('nested too deep');
  });
});

function wrap(tag: number, inner: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const length: number[] = [];
  for (let rest = inner.length; ; rest >>>= 7) {
    length.push(rest > 127 ? (rest & 0x7f) | 0x80 : rest);
    if (rest <= 127) break;
  }
  return new Uint8Array([tag, ...length, ...inner]);
}

it('knows the content types of OTLP/HTTP', () => {
  expect(readFormat('application/json; charset=utf-8')).toBe('json');
  expect(readFormat('application/x-protobuf')).toBe('protobuf');
  expect(readFormat('text/plain')).toBeUndefined();
  expect(readFormat(null)).toBeUndefined();
});
