import { describe, expect, it } from 'vitest';
import { aiSdkTelemetry } from '../adapters/ai-sdk/index.ts';
import { createStore as createKvBudgetStore } from '../adapters/deno/kv-budget-store.ts';
import { metricsRoute, telemetryMiddleware } from '../adapters/hono/index.ts';
import { instrumentMcpServer } from '../adapters/mcp/index.ts';
import { createMetricsServer, installShutdownHooks } from '../adapters/node/index.ts';
import { createRedisBudgetStore, createRedisMetricStore } from '../adapters/redis/index.ts';
import { createAuditLog, createMemoryAuditStore } from '../src/audit/index.ts';
import { createMemoryTraceStore } from '../src/collector/memory-trace-store.ts';
import {
  createMemoryBudgetStore,
  createMemoryMetricStore,
  createMetricRegistry,
  metricsHandler,
  TelemetryError,
} from '../src/index.ts';
import { toxicity } from '../src/judges/index.ts';
import { createTestTelemetry } from '../src/testing.ts';

const telemetry = createTestTelemetry();
const { metrics } = telemetry;
const redis = { isOpen: true, eval: async () => 'done' };
const judge = { url: 'https://judge.test/v1', model: 'm' };
const run = () => 1;

type SetUp = (options: never) => unknown;
/** Everything that is set up with options, a wrong one for each of them, and what the error has to show. */
const rows: [name: string, setUp: SetUp, wrong: object, prefix?: string][] = [
  ['createMetricRegistry', createMetricRegistry, { namespace: 'a-b', cardinality: { model: 0 }, seriesPerMetric: -1 }],
  ['counter', (o) => metrics.counter('c', o), { help: 5, unit: 5, labels: 'a' }, 'c.'],
  ['gauge', (o) => metrics.gauge('g', o), { help: 5, labels: [5], observe: 5 }, 'g.'],
  ['histogram', (o) => metrics.histogram('h', o), { help: 5, buckets: ['1'] }, 'h.'],
  [
    'agent',
    (o) => telemetry.agent(o, run),
    { name: '', attributes: 5, parent: { traceparent: '00-' }, kind: 9, links: {}, capture: true },
    'agent.',
  ],
  ['a decorator', (o) => telemetry.agent(o), { name: 5 }, 'agent.'],
  ['tool', (o) => telemetry.tool(o, run), { name: 5, description: 5 }, 'tool.'],
  ['retrieval', (o) => telemetry.retrieval(o, run), { name: 5, count: 5 }, 'retrieval.'],
  [
    'llm',
    (o) => telemetry.llm(o, run),
    { provider: 5, model: 5, operation: 5, evaluate: 1, prompt: 'greet', response: {} },
    'llm.',
  ],
  ['trace', (o) => telemetry.trace(o, run), { kind: 'CLIENT' }, 'trace.'],
  ['measure', (o) => telemetry.measure(o, run), { name: 5 }, 'measure.'],
  ['session', (o) => telemetry.session(o), { name: 5, preview: 101, maxRecords: 0, qualityWindow: 1 }, 'session.'],
  [
    'wrap',
    (o) => telemetry.wrap({ run }, o),
    { name: 5, type: 'chain', include: 'run', exclude: 'run', provider: 5, model: 5, capture: 5, response: 5 },
    'wrap.',
  ],
  ['metricsHandler', (o) => metricsHandler(telemetry, o), { filter: 'llm_', token: 5 }],
  ['metricsRoute', (o) => metricsRoute(telemetry, o), { filter: 'llm_', token: 5 }],
  ['telemetryMiddleware', (o) => telemetryMiddleware(telemetry, o), { ignore: '/health', attributes: {} }],
  [
    'createMetricsServer',
    (o) => createMetricsServer(telemetry, o),
    { port: 65_536, host: '', path: 'metrics', filter: 5, token: [] },
  ],
  ['installShutdownHooks', (o) => installShutdownHooks(telemetry, o), { signals: ['SIGHUP'], timeoutMs: 0 }],
  ['createMemoryMetricStore', createMemoryMetricStore, { expireAfterMs: 0, maxSeries: 1.5, now: 5 }],
  ['createMemoryBudgetStore', createMemoryBudgetStore, { maxKeys: 0, now: 5 }],
  [
    'createRedisMetricStore',
    (o) => createRedisMetricStore(redis, o),
    { prefix: '{a}', expireAfterMs: Number.NaN, maxSeries: -1 },
  ],
  ['createRedisBudgetStore', (o) => createRedisBudgetStore(redis, o), { prefix: '', maxKeys: '5' }],
  ['createDenoKvBudgetStore', (o) => createKvBudgetStore({}, o, {} as never), { prefix: 5, maxKeys: 0 }],
  ['createMemoryTraceStore', createMemoryTraceStore, { maxTraces: 0, maxSpansPerTrace: -1, maxBytes: Number.NaN }],
  ['createAuditLog', createAuditLog, { store: {}, chain: 'yes', signingKey: 'key' }],
  ['createMemoryAuditStore', createMemoryAuditStore, { maxRecords: 0 }],
  [
    'toxicity',
    (o) => toxicity({ ...judge, ...(o as object) }),
    { url: 'ftp://x', model: '', headers: 'a', parameters: 5 },
  ],
  ['aiSdkTelemetry', (o) => aiSdkTelemetry(telemetry, o), { recordInputs: 'no' }],
  [
    'instrumentMcpServer',
    (o) => instrumentMcpServer({ connect: run }, telemetry, o),
    { context: 'body' },
    'instrumentMcpServer.',
  ],
];

function refusal(setUp: SetUp, options: unknown): TelemetryError {
  try {
    setUp(options as never);
  } catch (error) {
    if (error instanceof TelemetryError) return error;
    throw error;
  }
  throw new Error('was taken');
}

describe.each(rows)('%s', (_, setUp, wrong, prefix = '') => {
  it.each(Object.entries(wrong))('refuses %s: %j', (name, value) => {
    const error = refusal(setUp, { [name]: value });
    const option = `${prefix}${name}`;
    expect(error).toMatchObject({ code: 'invalid_option', option });
    expect(error.message).toMatch(new RegExp(`^${option.replace('.', '\\.')}(\\[0\\])? is .+: it must be .+`, 's'));
  });

  it('refuses what it does not know', () => {
    const error = refusal(setUp, { nothingLikeIt: 1 });
    expect(error).toMatchObject({ code: 'unknown_option', option: `${prefix}nothingLikeIt` });
  });
});

describe('a parent that is none', () => {
  it('is reported, and what runs goes on', () => {
    const heard: string[] = [];
    const telemetry = createTestTelemetry({ onError: ({ code, option }) => heard.push(`${code} ${option}`) });
    const parent = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' } as never;
    expect(telemetry.span('a', { parent }, run)).toBe(1);
    expect(telemetry.with({ parent }, run)).toBe(1);
    expect(telemetry.scoped({ parent: 5 as never }).span('b', run)).toBe(1);
    expect(telemetry.spans.map(({ name, parentSpanContext }) => [name, parentSpanContext])).toEqual([
      ['a', undefined],
      ['b', undefined],
    ]);
    expect(heard).toEqual(['invalid_value parent']);
    expect(telemetry.health().problems).toMatchObject([{ code: 'invalid_value', count: 3 }]);
  });
});

it.each([undefined, null, 5])('options and scopes that are %s do not keep work from running', (options) => {
  const wrong = options as never;
  expect(telemetry.span('a', wrong, run)).toBe(1);
  expect(telemetry.with(wrong, run)).toBe(1);
  expect(telemetry.scoped(wrong).span('b', run)).toBe(1);
});
