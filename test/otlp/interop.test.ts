import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { json } from '../../src/otlp/json.ts';
import { protobuf } from '../../src/otlp/protobuf.ts';
import { postOtlp } from '../../src/otlp/transport.ts';
import { createSnapshot, createSpan, spanId, times, traceId } from './batches.ts';

/** `@elastic/mockotlpserver` has no types; this is what the test takes of it. */
interface MockOtlp {
  MockOtlpServer: new (options: object) => { start(): Promise<void>; close(): Promise<void>; httpUrl: URL };
  normalizeTrace(request: object): unknown;
  normalizeMetrics(request: object): unknown;
}
const mock = createRequire(import.meta.url)('@elastic/mockotlpserver') as MockOtlp;

/** Headers of requests, and what it decoded; it answers before it has decoded, hence the promises. */
const received = { headers: [] as Record<string, string>[], next: (_request: unknown) => {} };
const server = new mock.MockOtlpServer({
  services: ['http'],
  httpHostname: '127.0.0.1',
  httpPort: 0,
  logLevel: 'fatal',
  onRequest: ({ headers }: { headers: Record<string, string> }) => received.headers.push(headers),
  onTrace: (request: object) => received.next(mock.normalizeTrace(request)),
  onMetrics: (request: object) => received.next(mock.normalizeMetrics(request)),
});
beforeAll(() => server.start());
afterAll(() => server.close());

async function send(path: string, contentType: string, body: Uint8Array): Promise<unknown> {
  const decoded = new Promise((resolve) => {
    received.next = resolve;
  });
  const outcome = await postOtlp({
    url: new URL(path, server.httpUrl).href,
    headers: { 'x-tenant': 'shop' },
    body,
    contentType,
    compression: 'none',
    fetch: globalThis.fetch,
    deadline: performance.now() + 30_000,
    clock: { now: () => Date.now(), monotonic: () => performance.now() },
    random: Math.random,
    maxRetries: 0,
  });
  expect(outcome).toEqual({ kind: 'delivered', rejected: 0 });
  expect(received.headers.at(-1)).toMatchObject({
    'content-type': contentType,
    'x-tenant': 'shop',
    'user-agent': expect.stringMatching(/^OTel-OTLP-Exporter-JavaScript\/edgespan/),
  });
  expect(received.headers.at(-1)).not.toHaveProperty('traceparent');
  return decoded;
}

const spans = [
  createSpan({
    parentSpanContext: { traceId, spanId: 'aaaaaaaaaaaaaaaa', traceFlags: 1 },
    status: { code: 2, message: 'no' },
    attributes: { text: 'é"', n: 42, ratio: 0.5, flag: false, list: ['a', 'b'], none: null },
    events: [{ name: 'first token', time: [1_700_000_000, 9], attributes: { n: 1 } }],
    links: [{ context: { traceId, spanId, traceFlags: 1 }, attributes: { n: 2 } }],
  }),
];
const point = { ...times, labels: { model: 'gpt-4o' } };
const snapshot = createSnapshot([
  { name: 'requests', type: 'counter', integer: true, help: 'Requests.', points: [{ ...point, value: 3 }] },
  { name: 'cost', type: 'counter', unit: 'USD', points: [{ ...point, value: 0.25 }] },
  { name: 'limit', type: 'gauge', points: [{ ...point, value: 10 }] },
  {
    name: 'duration',
    type: 'histogram',
    bounds: [1, 2],
    points: [{ ...point, counts: [1, 0, 2], count: 3, sum: 9.5 }],
  },
]);

describe.each([
  ['JSON', json],
  ['protobuf', protobuf],
])('@elastic/mockotlpserver reads our %s', (_, encoder) => {
  it('spans', async () => {
    const request = await send('/v1/traces', encoder.contentType, encoder.traces(spans));
    expect(request).toMatchObject({
      resourceSpans: [
        {
          resource: { attributes: { 'service.name': 'shop' } },
          scopeSpans: [
            {
              scope: { name: 'edgespan', version: '1.2.3' },
              spans: [
                {
                  traceId,
                  spanId,
                  parentSpanId: 'aaaaaaaaaaaaaaaa',
                  name: 'chat gpt-4o',
                  kind: 'SPAN_KIND_CLIENT',
                  startTimeUnixNano: '1700000000000000005',
                  endTimeUnixNano: '1700000001000000000',
                  status: { code: 'STATUS_CODE_ERROR', message: 'no' },
                  attributes: { text: 'é"', ratio: 0.5, flag: false, list: ['a', 'b'], none: null },
                  events: [{ name: 'first token', timeUnixNano: '1700000000000000009' }],
                  links: [{ traceId, spanId }],
                },
              ],
            },
          ],
        },
      ],
    });
  });

  it('metrics', async () => {
    const request = await send('/v1/metrics', encoder.contentType, encoder.metrics(snapshot));
    const common = {
      attributes: { model: 'gpt-4o' },
      startTimeUnixNano: '1700000000000000001',
      timeUnixNano: '1700000060000000002',
    };
    expect(request).toMatchObject({
      resourceMetrics: [
        {
          resource: { attributes: { 'service.name': 'shop' } },
          scopeMetrics: [
            {
              scope: { name: 'edgespan' },
              metrics: [
                {
                  name: 'requests',
                  description: 'Requests.',
                  sum: { aggregationTemporality: 1, isMonotonic: true, dataPoints: [{ ...common, asInt: '3' }] },
                },
                { name: 'cost', unit: 'USD', sum: { dataPoints: [{ ...common, asDouble: 0.25 }] } },
                { name: 'limit', gauge: { dataPoints: [{ ...common, asDouble: 10 }] } },
                {
                  name: 'duration',
                  histogram: {
                    aggregationTemporality: 1,
                    dataPoints: [
                      { ...common, count: '3', sum: 9.5, bucketCounts: ['1', '0', '2'], explicitBounds: [1, 2] },
                    ],
                  },
                },
              ],
            },
          ],
        },
      ],
    });
  });
});
