import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { build } from 'esbuild';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { json } from '../../src/otlp/json.ts';
import { protobuf } from '../../src/otlp/protobuf.ts';
import type { ReadableSpan } from '../../src/trace/readable-span.ts';
import { createResource } from '../../src/trace/readable-span.ts';
import { batches, createSnapshot, createSpan, snapshots, spanId, times, traceId } from './batches.ts';

const script = fileURLToPath(new URL('decode.py', import.meta.url));
const hasDecoder = spawnSync('python3', ['-c', 'import opentelemetry.proto.trace.v1.trace_pb2']).status === 0;
const decoder = hasDecoder || process.env.CI === 'true';

/** What Python's `opentelemetry-proto` reads, with ids in hex. */
function decode(signal: 'traces' | 'metrics', bytes: Uint8Array) {
  const { status, stdout, stderr } = spawnSync('python3', [script, signal], { input: bytes, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout, (key, value) =>
    /^(trace|span|parentSpan)Id$/.test(key) ? Buffer.from(value, 'base64').toString('hex') : value,
  );
}

function decodeSpan(span: ReadableSpan) {
  return decode('traces', protobuf.traces([span])).resourceSpans[0].scopeSpans[0].spans[0];
}

describe.skipIf(!decoder)('read by python3 with opentelemetry-proto', () => {
  it('attributes of every kind', () => {
    const attributes = {
      integer: 42,
      double: 42.5,
      big: 42n,
      exact: 2n ** 62n,
      inexact: 9007199254740993n,
      huge: 2n ** 70n,
      large: 1e300,
      nan: Number.NaN,
      infinite: Number.NEGATIVE_INFINITY,
      nothing: null,
      empty: '',
      list: [1n, null, [2n]],
      map: { a: { b: 3n } },
      bytes: new Uint8Array([255, 254]),
      half: 'a\ud800€',
    };
    const span = decodeSpan(createSpan({ attributes }));
    expect(
      Object.fromEntries(span.attributes.map(({ key, value }: { key: string; value: unknown }) => [key, value])),
    ).toEqual({
      integer: { intValue: '42' },
      double: { doubleValue: 42.5 },
      big: { intValue: '42' },
      exact: { intValue: '4611686018427387904' },
      inexact: { stringValue: '9007199254740993' },
      huge: { stringValue: '1180591620717411303424' },
      large: { doubleValue: 1e300 },
      nan: { doubleValue: 'NaN' },
      infinite: { doubleValue: '-Infinity' },
      nothing: {},
      empty: { stringValue: '' },
      list: { arrayValue: { values: [{ intValue: '1' }, {}, { arrayValue: { values: [{ intValue: '2' }] } }] } },
      map: {
        kvlistValue: {
          values: [{ key: 'a', value: { kvlistValue: { values: [{ key: 'b', value: { intValue: '3' } }] } } }],
        },
      },
      bytes: { bytesValue: '//4=' },
      half: { stringValue: 'a\ufffd€' },
    });
  });

  it('bigints in events, links and the resource of spans whose fields are getters', () => {
    class Recorded {
      readonly #span = createSpan({
        events: [{ name: 'e', time: [1, 2], attributes: { n: 1n } }],
        links: [{ context: { traceId, spanId, traceFlags: 1 }, attributes: { n: 2n } }],
        resource: createResource({ n: 3n }),
        parentSpanContext: { traceId, spanId: 'aaaaaaaaaaaaaaaa', traceFlags: 1, isRemote: true },
      });
      get name() {
        return this.#span.name;
      }
      get kind() {
        return this.#span.kind;
      }
      get startTime() {
        return this.#span.startTime;
      }
      get endTime() {
        return this.#span.endTime;
      }
      get duration() {
        return this.#span.duration;
      }
      get ended() {
        return this.#span.ended;
      }
      get status() {
        return this.#span.status;
      }
      get attributes() {
        return this.#span.attributes;
      }
      get events() {
        return this.#span.events;
      }
      get links() {
        return this.#span.links;
      }
      get resource() {
        return this.#span.resource;
      }
      get instrumentationScope() {
        return this.#span.instrumentationScope;
      }
      get parentSpanContext() {
        return this.#span.parentSpanContext!;
      }
      readonly droppedAttributesCount = 1;
      readonly droppedEventsCount = 2;
      readonly droppedLinksCount = 3;
      spanContext() {
        return this.#span.spanContext();
      }
    }
    const request = decode('traces', protobuf.traces([new Recorded()]));
    const integer = (n: number) => [{ key: 'n', value: { intValue: `${n}` } }];
    expect(request.resourceSpans[0].resource.attributes).toEqual(integer(3));
    expect(request.resourceSpans[0].scopeSpans[0].spans[0]).toMatchObject({
      traceId,
      spanId,
      parentSpanId: 'aaaaaaaaaaaaaaaa',
      kind: 3,
      flags: 0x303,
      startTimeUnixNano: '1700000000000000005',
      events: [{ name: 'e', timeUnixNano: '1000000002', attributes: integer(1) }],
      links: [{ traceId, spanId, attributes: integer(2) }],
      droppedAttributesCount: 1,
      droppedEventsCount: 2,
      droppedLinksCount: 3,
    });
  });

  it('a bigint wherever it is the only one, and one resource for the spans that share it', () => {
    const shared = createResource({ n: 1n });
    const spans = [
      createSpan({ links: [{ context: { traceId, spanId, traceFlags: 1 }, attributes: { n: 2n } }] }),
      createSpan({ events: [{ name: 'e', time: [1, 2], attributes: { n: 3n } }] }),
      createSpan({ resource: shared }),
      createSpan({ resource: shared }),
    ];
    const [first, second] = decode('traces', protobuf.traces(spans)).resourceSpans;
    const attributes = (n: number) => [{ key: 'n', value: { intValue: `${n}` } }];
    expect(first.scopeSpans[0].spans[0].links[0].attributes).toEqual(attributes(2));
    expect(first.scopeSpans[0].spans[1].events[0].attributes).toEqual(attributes(3));
    expect(second.resource.attributes).toEqual(attributes(1));
    expect(second.scopeSpans[0].spans).toHaveLength(2);
  });

  it('metrics of every kind, as the JSON has them', () => {
    const point = { ...times, labels: { model: 'm' } };
    const snapshot = createSnapshot([
      {
        name: 'c',
        type: 'counter',
        help: 'h',
        unit: 's',
        points: [
          { ...point, value: 3 },
          { ...point, labels: { otel_metric_overflow: 'true' }, value: 2 ** 40 },
        ],
      },
      { name: 'd', type: 'counter', points: [{ ...point, value: 0.5 }] },
      { name: 'g', type: 'gauge', points: [{ ...point, value: Number.POSITIVE_INFINITY }] },
      { name: 'u', type: 'gauge', additive: true, points: [{ ...point, value: -5 }] },
      {
        name: 'h',
        type: 'histogram',
        bounds: [1, 2],
        points: [{ ...point, counts: [1, 2 ** 33, 1], count: 2 ** 33 + 2, sum: 6.5 }],
      },
      { name: 'n', type: 'histogram', bounds: [1], points: [{ ...point, counts: [1, 0], count: 1 }] },
      {
        name: 's',
        type: 'counter',
        scope: { name: 'mine', version: '1', schemaUrl: 'https://s' },
        points: [{ ...point, value: 1 }],
      },
      { name: 'none', type: 'counter', points: [] },
    ]);
    const expected = JSON.parse(new TextDecoder().decode(json.metrics(snapshot)), (key, value) =>
      key === 'isMonotonic' && value === false ? undefined : value,
    );
    expect(decode('metrics', protobuf.metrics(snapshot))).toEqual(expected);
  });

  it('arbitrary spans and metrics, none of them lost', () => {
    const [spans] = fc.sample(fc.array(batches, { minLength: 20, maxLength: 20 }), { numRuns: 1, seed: 7 });
    const plain = spans!.flat();
    const theirs = decode('traces', protobuf.traces(plain));
    const count = (request: { resourceSpans: { scopeSpans: { spans: unknown[] }[] }[] }) =>
      request.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans: list }) => list)).length;
    expect(count(theirs)).toBe(plain.length);
    const [snapshot] = fc.sample(snapshots, { numRuns: 1, seed: 7 });
    expect(() => decode('metrics', protobuf.metrics(snapshot!))).not.toThrow();
  });
});

describe('protobuf', () => {
  it("leaves to OpenTelemetry's serializer what it writes well", () => {
    fc.assert(
      fc.property(batches, (spans) => {
        expect(protobuf.traces(spans)).toEqual(ProtobufTraceSerializer.serializeRequest(spans));
      }),
    );
  });

  it('is empty for nothing', () => {
    expect(protobuf.traces([])).toHaveLength(0);
    expect(protobuf.metrics(createSnapshot([{ name: 'none', type: 'counter', points: [] }]))).toHaveLength(0);
  });

  it('is bundled for Workers without a builtin of Node and without logs', async () => {
    const { outputFiles, metafile } = await build({
      entryPoints: [fileURLToPath(new URL('../../src/otlp/protobuf.ts', import.meta.url))],
      bundle: true,
      minify: true,
      format: 'esm',
      platform: 'neutral',
      mainFields: ['module', 'main'],
      conditions: ['workerd'],
      external: ['@opentelemetry/api'],
      metafile: true,
      write: false,
      outdir: '/',
    });
    const [output] = Object.values(metafile.outputs);
    expect(output!.imports.map(({ path }) => path).filter((path) => path !== '@opentelemetry/api')).toEqual([]);
    const inputs = Object.entries(output!.inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0);
    expect(inputs.filter(([path]) => path.includes('/logs/') || path.includes('sdk-trace'))).toEqual([]);
    expect(outputFiles[0]!.text).not.toMatch(/node:|\brequire\(/);
  });
});
