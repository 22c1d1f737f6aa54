import type { Telemetry, TelemetryOptions } from '../../src/index.ts';
import { equal, ok } from './assert.ts';
import { type Answer, createReceiver, parse, readMetrics, readSpanNames } from './receiver.ts';
import { createTelemetry, type Suite, type SuiteEnv, tick } from './suite.ts';

type Given = Omit<TelemetryOptions, 'otlp'> & { otlp?: TelemetryOptions['otlp'] };

function setUp(env: SuiteEnv, answer?: Answer, { otlp, ...options }: Given = {}) {
  const receiver = createReceiver(answer);
  const telemetry = createTelemetry(env, {
    metrics: { enabled: false },
    flush: { maxRetries: 0 },
    otlp: { endpoint: 'https://otlp.test/base', fetch: receiver.fetch, ...otlp },
    ...options,
  });
  return { receiver, telemetry };
}

function record(telemetry: Telemetry, count: number): void {
  for (let i = 0; i < count; i++) telemetry.span(`s${i}`, () => {});
}

const status =
  (code: number, headers: Record<string, string> = {}) =>
  () =>
    new Response('nope', { status: code, headers });
const never = () => new Promise<Response>(() => {});
const fails = (cause: unknown) => async () => {
  throw new TypeError('fetch failed', { cause });
};

interface Fault {
  readonly name: string;
  readonly answer: Answer;
  readonly expected: { sent: number; dropped: number; pending: number };
  readonly code?: string;
}

/** What becomes of three spans when the receiver does this. */
const faults: readonly Fault[] = [
  { name: 'accepts', answer: () => new Response('{}'), expected: { sent: 3, dropped: 0, pending: 0 } },
  {
    name: 'accepts with an empty body',
    answer: () => new Response(null, { status: 204 }),
    expected: { sent: 3, dropped: 0, pending: 0 },
  },
  {
    name: 'answers after a while',
    answer: async () => {
      await tick();
      return new Response('{}');
    },
    expected: { sent: 3, dropped: 0, pending: 0 },
  },
  {
    name: 'is down',
    answer: fails({ code: 'ECONNREFUSED' }),
    expected: { sent: 0, dropped: 0, pending: 3 },
    code: 'export_failed',
  },
  {
    name: 'breaks the connection',
    answer: fails({ code: 'UND_ERR_SOCKET' }),
    expected: { sent: 0, dropped: 0, pending: 3 },
    code: 'export_unconfirmed',
  },
  { name: 'hangs', answer: never, expected: { sent: 0, dropped: 0, pending: 3 }, code: 'export_unconfirmed' },
  { name: 'answers 400', answer: status(400), expected: { sent: 0, dropped: 3, pending: 0 }, code: 'export_refused' },
  { name: 'answers 401', answer: status(401), expected: { sent: 0, dropped: 3, pending: 0 }, code: 'export_refused' },
  { name: 'answers 413', answer: status(413), expected: { sent: 0, dropped: 3, pending: 0 }, code: 'export_refused' },
  {
    name: 'answers 429 and asks for an hour',
    answer: status(429, { 'retry-after': '3600' }),
    expected: { sent: 0, dropped: 0, pending: 3 },
    code: 'export_failed',
  },
  { name: 'answers 500', answer: status(500), expected: { sent: 0, dropped: 3, pending: 0 }, code: 'export_refused' },
  { name: 'answers 503', answer: status(503), expected: { sent: 0, dropped: 0, pending: 3 }, code: 'export_failed' },
  {
    name: 'answers 302',
    answer: status(302, { location: 'https://elsewhere.test/' }),
    expected: { sent: 0, dropped: 3, pending: 0 },
    code: 'export_refused',
  },
  {
    name: 'accepts with garbage',
    answer: () => new Response('\u0000{]'),
    expected: { sent: 3, dropped: 0, pending: 0 },
  },
  {
    name: 'accepts a part',
    answer: () => Response.json({ partialSuccess: { rejectedSpans: '1', errorMessage: 'too old' } }),
    expected: { sent: 2, dropped: 1, pending: 0 },
    code: 'export_partial',
  },
  {
    name: 'claims to reject more than it was sent',
    answer: () => Response.json({ partialSuccess: { rejectedSpans: 99 } }),
    expected: { sent: 0, dropped: 3, pending: 0 },
    code: 'export_partial',
  },
];

const byFault: Suite = faults.map(({ name, answer, expected, code }) => ({
  name: `flush: three spans are accounted for when the receiver ${name}`,
  async run(env) {
    const { telemetry } = setUp(env, answer);
    record(telemetry, 3);
    const { ok, traces, metrics } = await telemetry.flush({ timeoutMs: 30 });
    const { sent, dropped, pending, lastError } = traces;
    equal({ sent, dropped, pending }, expected, 'spans');
    equal([ok, lastError?.code], [code === undefined, code], 'outcome');
    equal(metrics, { sent: 0, dropped: 0, pending: 0 }, 'points');
    const counted = (result: string) => telemetry.metrics.value('edgespan_spans_total', { result }) ?? 0;
    equal(counted('recorded'), 3, 'recorded');
    equal(counted('sent') + counted('dropped') + pending, 3, 'sent + dropped + pending');
  },
}));

export const flush: Suite = [
  ...byFault,
  {
    name: 'flush: what could not be sent goes with the next flush, once',
    async run(env) {
      const { receiver, telemetry } = setUp(env, (_, index) => new Response('{}', { status: index < 2 ? 503 : 200 }));
      record(telemetry, 2);
      equal((await telemetry.flush()).traces.pending, 2, 'after the first');
      telemetry.span('late', () => {});
      equal((await telemetry.flush()).traces.pending, 3, 'after the second');
      const { sent, dropped, pending } = (await telemetry.flush()).traces;
      equal({ sent, dropped, pending }, { sent: 3, dropped: 0, pending: 0 }, 'after the third');
      equal(readSpanNames(parse(receiver.requests[2]!.bytes)), ['s0', 's1', 'late'], 'sent');
      await telemetry.flush();
      equal(receiver.requests.length, 3, 'requests');
    },
  },
  {
    name: 'flush: a 429 that asks for no pause is tried again within the flush',
    async run(env) {
      const answer: Answer = (_, index) =>
        index === 0 ? new Response('', { status: 429, headers: { 'retry-after': '0' } }) : new Response('{}');
      const { receiver, telemetry } = setUp(env, answer, { flush: { maxRetries: 1 } });
      record(telemetry, 1);
      equal((await telemetry.flush()).traces.sent, 1, 'sent');
      equal(receiver.requests.length, 2, 'requests');
    },
  },
  {
    name: 'flush: after 413 halves go by themselves, and only what fits no request is lost',
    async run(env) {
      const answer: Answer = ({ bytes }) => {
        const names = readSpanNames(parse(bytes));
        return new Response('{}', { status: names.length > 2 || names.includes('s3') ? 413 : 200 });
      };
      const { receiver, telemetry } = setUp(env, answer);
      record(telemetry, 5);
      const { sent, dropped, pending } = (await telemetry.flush()).traces;
      equal({ sent, dropped, pending }, { sent: 4, dropped: 1, pending: 0 }, 'spans');
      equal(telemetry.metrics.value('edgespan_dropped_total', { reason: 'too_large' }), 1, 'reason');
      ok(receiver.requests.length >= 4, 'it was not split');
    },
  },
  {
    name: 'flush: a full buffer leaves out the newest and counts them',
    async run(env) {
      const { receiver, telemetry } = setUp(env, undefined, { limits: { spans: 2 } });
      record(telemetry, 5);
      const { sent, dropped, pending } = (await telemetry.flush()).traces;
      equal({ sent, dropped, pending }, { sent: 2, dropped: 3, pending: 0 }, 'spans');
      equal(readSpanNames(parse(receiver.requests[0]!.bytes)), ['s0', 's1'], 'sent');
      equal(telemetry.metrics.value('edgespan_dropped_total', { reason: 'buffer_full' }), 3, 'reason');
    },
  },
  {
    name: 'flush: batches are no larger than asked',
    async run(env) {
      const { receiver, telemetry } = setUp(env, undefined, { flush: { batchSize: 2 }, runtime: { ephemeral: true } });
      record(telemetry, 5);
      equal((await telemetry.flush()).traces.sent, 5, 'sent');
      equal(
        receiver.bodies('/base/v1/traces').map((body) => readSpanNames(body).length),
        [2, 2, 1],
        'sizes',
      );
    },
  },
  {
    name: 'flush: two at once send every span once',
    async run(env) {
      const { receiver, telemetry } = setUp(env, async () => {
        await tick();
        return new Response('{}');
      });
      record(telemetry, 2);
      const first = telemetry.flush();
      telemetry.span('late', () => {});
      const results = await Promise.all([first, telemetry.flush()]);
      equal(
        results.reduce((sum, { traces }) => sum + traces.sent, 0),
        3,
        'sent',
      );
      equal(receiver.bodies('/base/v1/traces').flatMap(readSpanNames).sort(), ['late', 's0', 's1'], 'names');
    },
  },
  {
    name: 'flush: requests carry the headers that were asked for, no trace context, and no span of their own',
    async run(env) {
      const { receiver, telemetry } = setUp(env, undefined, {
        otlp: { headers: async () => ({ authorization: 'Bearer secret' }) },
        propagation: { to: () => true },
      });
      await telemetry.span('s', async (_, inside) => {
        inside.span('inner', () => {});
        await inside.flush();
      });
      const [request] = receiver.requests;
      equal(request?.path, '/base/v1/traces', 'path');
      equal(request?.headers.get('authorization'), 'Bearer secret', 'authorization');
      equal(request?.headers.get('content-type'), 'application/json', 'content-type');
      equal(request?.headers.get('traceparent'), null, 'traceparent');
      equal(
        telemetry.spans.map(({ name }) => name),
        ['inner', 's'],
        'spans',
      );
    },
  },
  {
    name: 'flush: gzip',
    async run(env) {
      const { receiver, telemetry } = setUp(env, undefined, { otlp: { compression: 'gzip' } });
      record(telemetry, 1);
      await telemetry.flush();
      const { headers, bytes } = receiver.requests[0]!;
      equal(headers.get('content-encoding'), 'gzip', 'content-encoding');
      const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
      equal(readSpanNames(JSON.parse(await new Response(plain).text())), ['s0'], 'spans');
    },
  },
  {
    name: 'flush: a receiver that quotes the credentials does not get them into our error',
    async run(env) {
      const headers = { authorization: 'Bearer tops3cret' };
      const answer = () => Response.json({ code: 16, message: 'bad token tops3cret' }, { status: 401 });
      const { telemetry } = setUp(env, answer, { otlp: { headers } });
      record(telemetry, 1);
      const { lastError } = (await telemetry.flush()).traces;
      ok(lastError && !lastError.message.includes('tops3cret'), `message: ${lastError?.message}`);
    },
  },
  {
    name: 'flush: metric deltas that were not delivered are part of the next ones',
    async run(env) {
      const { receiver, telemetry } = setUp(env, (_, index) => new Response('{}', { status: index < 2 ? 503 : 200 }), {
        metrics: {},
        otlp: { temporality: 'delta' },
      });
      const jobs = telemetry.metrics.counter('jobs_total');
      for (const times of [1, 2, 4]) {
        jobs.inc(times);
        const { sent, dropped, pending } = (await telemetry.flush()).metrics;
        const points = readMetrics(receiver.bodies('/base/v1/metrics').at(-1)).flatMap(({ values }) => values);
        equal(sent + dropped + pending, points.length, 'points');
      }
      const values = receiver
        .bodies('/base/v1/metrics')
        .map((body) => readMetrics(body).find(({ name }) => name === 'jobs_total')?.values);
      equal(values, [[1], [3], [7]], 'jobs');
    },
  },
  {
    name: 'flush: metric deltas sent without an answer are not sent twice',
    async run(env) {
      const answer: Answer = (_, index) =>
        index === 0 ? Promise.reject(new Error('socket hang up')) : new Response('{}');
      const { receiver, telemetry } = setUp(env, answer, { metrics: {}, otlp: { temporality: 'delta' } });
      telemetry.metrics.counter('jobs_total').inc(5);
      const { sent, dropped, pending } = (await telemetry.flush()).metrics;
      ok(sent === 0 && dropped > 0 && pending === 0, `sent ${sent}, dropped ${dropped}, pending ${pending}`);
      await telemetry.flush();
      const sentTwice = receiver.bodies('/base/v1/metrics').slice(1).flatMap(readMetrics);
      equal(
        sentTwice.find(({ name }) => name === 'jobs_total'),
        undefined,
        'jobs',
      );
      equal(telemetry.metrics.value('edgespan_dropped_total', { reason: 'unconfirmed' }), dropped, 'counted');
    },
  },
  {
    name: 'flush: one exporter that fails takes nothing from another',
    async run(env) {
      const kept: string[] = [];
      const { receiver, telemetry } = setUp(env, undefined, {
        exporters: [
          () => {
            throw new Error('broken');
          },
          (spans) => void kept.push(...spans.map(({ name }) => name)),
        ],
      });
      record(telemetry, 2);
      const { sent, dropped, pending } = (await telemetry.flush()).traces;
      equal({ sent, dropped, pending }, { sent: 4, dropped: 2, pending: 0 }, 'of three exporters');
      equal([kept, receiver.requests.length], [['s0', 's1'], 1], 'delivered');
    },
  },
  {
    name: 'flush: problems are told to onError once a kind and stay in health()',
    async run(env) {
      const heard: string[] = [];
      const { telemetry } = setUp(env, status(400), {
        onError(error) {
          heard.push(error.code);
          throw new Error('a callback that fails');
        },
      });
      for (let i = 0; i < 3; i++) {
        record(telemetry, 1);
        await telemetry.flush();
      }
      equal(heard, ['export_refused'], 'heard');
      const { ok, problems } = telemetry.health();
      equal([ok, problems.map(({ code, count }) => [code, count])], [false, [['export_refused', 3]]], 'health');
    },
  },
  {
    name: 'flush: shutdown sends what is left',
    async run(env) {
      const { receiver, telemetry } = setUp(env);
      record(telemetry, 2);
      equal((await telemetry.shutdown()).traces.sent, 2, 'sent');
      equal(receiver.requests.length, 1, 'requests');
    },
  },
];
