import { type AddressInfo, createServer } from 'node:net';
import { type ServerType, serve } from '@hono/node-server';
import type { Attributes } from '@opentelemetry/api';
import { toHrTime, toUnixNano } from '../../src/clock.ts';
import { createCollector } from '../../src/collector/create-collector.ts';
import type { CollectorOptions } from '../../src/collector/options.ts';
import type { MetricFamily } from '../../src/metrics/snapshot.ts';
import { json } from '../../src/otlp/json.ts';
import { createResource, type ReadableSpan } from '../../src/trace/readable-span.ts';

export interface SpanParts {
  readonly name: string;
  readonly trace: number;
  readonly span: number;
  readonly parent?: number;
  readonly service?: string;
  /** Milliseconds after the trace's start, and how long. */
  readonly at: number;
  readonly ms: number;
  readonly kind?: number;
  readonly error?: string;
  readonly attributes?: Attributes;
  readonly events?: ReadableSpan['events'];
}

export function createSpan(startMs: number, parts: SpanParts): ReadableSpan {
  const { name, trace, span, parent, service = 'shop-api', at, ms, kind = 0, error, attributes = {} } = parts;
  const traceId = (trace + 0xabc0000).toString(16).padStart(32, '5');
  const idOf = (number: number) => (trace * 1000 + number).toString(16).padStart(16, '7');
  return {
    name,
    kind,
    spanContext: () => ({ traceId, spanId: idOf(span), traceFlags: 1 }),
    ...(parent !== undefined && { parentSpanContext: { traceId, spanId: idOf(parent), traceFlags: 1 } }),
    startTime: toHrTime(startMs + at),
    endTime: toHrTime(startMs + at + ms),
    duration: toHrTime(ms),
    ended: true,
    status: error === undefined ? { code: 0 } : { code: 2, message: error },
    attributes,
    links: [],
    events: parts.events ?? [],
    resource: createResource({ 'service.name': service, 'deployment.environment.name': 'production' }),
    instrumentationScope: { name: 'edgespan', version: '0.1.0' },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

interface Call {
  readonly provider: string;
  readonly model: string;
  readonly input: number;
  readonly output: number;
  readonly costUsd?: number;
  readonly firstMs?: number;
}

export function chat({ provider, model, input, output, costUsd, firstMs }: Call, more: Attributes = {}): Attributes {
  return {
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': provider,
    'gen_ai.request.model': model,
    'gen_ai.response.model': model,
    'gen_ai.usage.input_tokens': input,
    'gen_ai.usage.output_tokens': output,
    'gen_ai.response.finish_reasons': ['stop'],
    ...(costUsd !== undefined && { 'llm.cost_usd': costUsd }),
    ...(firstMs !== undefined && {
      'gen_ai.request.stream': true,
      'gen_ai.response.time_to_first_chunk': firstMs / 1000,
    }),
    ...more,
  };
}

const text = (role: string, content: string) => ({ role, parts: [{ type: 'text', content }] });
const call = { type: 'tool_call', id: 'call_1', name: 'find_order', arguments: { order: 'A-1042' } };
const orders = '{"order":"A-1042","state":"shipped","carrier":"DHL","due":"2026-11-23"}';

/** An agent that asks a model, runs a tool, looks something up and asks again. */
export function agentTrace(trace: number, startMs: number, slow = 1): ReadableSpan[] {
  const agent = { 'gen_ai.agent.name': 'support' };
  const first = chat(
    { provider: 'openai', model: 'gpt-4o', input: 1240, output: 38, costUsd: 0.00348, firstMs: 310 * slow },
    {
      'gen_ai.system_instructions': JSON.stringify([{ type: 'text', content: 'You help customers of a small shop.' }]),
      'gen_ai.input.messages': JSON.stringify([text('user', 'Where is my order A-1042?\nIt was due yesterday.')]),
      'gen_ai.output.messages': JSON.stringify([{ role: 'assistant', parts: [call], finish_reason: 'tool_calls' }]),
      'gen_ai.usage.cache_read.input_tokens': 1024,
    },
  );
  const second = chat(
    { provider: 'openai', model: 'gpt-4o', input: 1391, output: 96, costUsd: 0.00444, firstMs: 420 * slow },
    {
      'gen_ai.input.messages': JSON.stringify([
        text('user', 'Where is my order A-1042?\nIt was due yesterday.'),
        { role: 'assistant', parts: [call] },
        { role: 'tool', parts: [{ type: 'tool_call_response', id: 'call_1', response: JSON.parse(orders) }] },
      ]),
      'gen_ai.output.messages': JSON.stringify([
        text(
          'assistant',
          'Your order A-1042 has left us and is with DHL. It should be with you on Monday, 23 November.',
        ),
      ]),
    },
  );
  const of = (parts: Omit<SpanParts, 'trace'>) =>
    createSpan(startMs, { ...parts, trace, at: parts.at * slow, ms: parts.ms * slow });
  return [
    of({ name: 'POST /support', span: 1, at: 0, ms: 3160, kind: 1, attributes: { 'http.response.status_code': 200 } }),
    of({
      name: 'invoke_agent support',
      span: 2,
      parent: 1,
      at: 12,
      ms: 3130,
      attributes: { 'gen_ai.operation.name': 'invoke_agent', ...agent },
    }),
    of({ name: 'chat gpt-4o', span: 3, parent: 2, at: 18, ms: 940, kind: 2, attributes: { ...first, ...agent } }),
    of({
      ...{ name: 'execute_tool find_order', span: 4, parent: 2, at: 966, ms: 410 },
      attributes: {
        'gen_ai.operation.name': 'execute_tool',
        'gen_ai.tool.name': 'find_order',
        'gen_ai.tool.call.arguments': '{"order":"A-1042"}',
        'gen_ai.tool.call.result': orders,
      },
    }),
    of({ name: 'GET /orders/:id', span: 5, parent: 4, at: 980, ms: 372, kind: 1, service: 'orders' }),
    of({
      ...{ name: 'retrieval shipping-faq', span: 6, parent: 2, at: 1390, ms: 120 },
      attributes: {
        'gen_ai.operation.name': 'retrieval',
        'gen_ai.data_source.id': 'shipping-faq',
        'gen_ai.retrieval.query.text': 'order late carrier DHL',
        'gen_ai.retrieval.documents': '[{"id":"faq-12","score":0.91},{"id":"faq-3","score":0.77}]',
      },
    }),
    of({ name: 'chat gpt-4o', span: 7, parent: 2, at: 1524, ms: 1600, kind: 2, attributes: { ...second, ...agent } }),
  ];
}

/** A call that the vendor refused, twice. */
export function failedTrace(trace: number, startMs: number): ReadableSpan[] {
  const asked = { 'gen_ai.operation.name': 'chat', 'gen_ai.provider.name': 'anthropic' };
  const attributes = { ...asked, 'gen_ai.request.model': 'claude-sonnet-4-5', 'error.type': '429' };
  const error = 'Number of request tokens has exceeded your per-minute rate limit';
  const of = (parts: Omit<SpanParts, 'trace' | 'service'>) =>
    createSpan(startMs, { ...parts, trace, service: 'docs-search' });
  const exception = { 'exception.type': 'RateLimitError', 'exception.message': error };
  const thrown = { name: 'exception', time: toHrTime(startMs + 640), attributes: exception };
  return [
    of({ name: 'summarise document', span: 1, at: 0, ms: 1480, error: 'summary failed' }),
    of({
      name: 'chat claude-sonnet-4-5',
      span: 2,
      parent: 1,
      at: 4,
      ms: 640,
      kind: 2,
      error,
      attributes,
      events: [thrown],
    }),
    of({ name: 'chat claude-sonnet-4-5', span: 3, parent: 1, at: 1150, ms: 320, kind: 2, error, attributes }),
  ];
}

const simple: readonly (readonly [string, string, Call])[] = [
  [
    'docs-search',
    'answer question',
    { provider: 'anthropic', model: 'claude-sonnet-4-5', input: 5210, output: 412, costUsd: 0.02181, firstMs: 680 },
  ],
  [
    'docs-search',
    'answer question',
    { provider: 'anthropic', model: 'claude-haiku-4-5', input: 2100, output: 260, costUsd: 0.0034, firstMs: 290 },
  ],
  [
    'mail-triage',
    'classify mail',
    { provider: 'mistral_ai', model: 'mistral-small-latest', input: 640, output: 12, costUsd: 0.0000676 },
  ],
  [
    'mail-triage',
    'draft reply',
    { provider: 'gcp.gemini', model: 'gemini-2.5-flash', input: 980, output: 340, costUsd: 0.001144, firstMs: 350 },
  ],
  ['mail-triage', 'draft reply', { provider: 'ollama', model: 'llama3.2', input: 980, output: 340, firstMs: 900 }],
];

function simpleTrace(trace: number, startMs: number, kind: number, slow: number): ReadableSpan[] {
  const [service, name, call] = simple[kind % simple.length]!;
  const ms = (call.output * 6 + 200) * slow;
  const firstMs = call.firstMs && call.firstMs * slow;
  const attributes = chat({ ...call, ...(firstMs !== undefined && { firstMs }) });
  return [
    createSpan(startMs, { name, service, trace, span: 1, at: 0, ms: ms + 14 }),
    createSpan(startMs, {
      name: `chat ${call.model}`,
      service,
      trace,
      span: 2,
      parent: 1,
      at: 6,
      ms,
      kind: 2,
      attributes,
    }),
  ];
}

export interface World {
  readonly url: string;
  send(spans: readonly ReadableSpan[], headers?: Record<string, string>): Promise<void>;
  /** Traces of so many minutes up to now, the same each time. Answers how many. */
  fill(minutes: number): Promise<number>;
  stop(): Promise<void>;
  /** At the same address. */
  restart(): Promise<void>;
}

/** A collector on loopback with traffic of a small shop. */
export async function startWorld(options: CollectorOptions = {}): Promise<World> {
  let behindMs = 0;
  const now = () => Date.now() - behindMs;
  const collector = createCollector({ ...options, telemetry: { ...options.telemetry, runtime: { now } } });
  const port = await freePort();
  let server = await listen(port);

  function listen(on: number): Promise<ServerType> {
    return new Promise((resolve) => {
      const started = serve({ fetch: collector.fetch, port: on, hostname: '127.0.0.1' }, () => resolve(started));
    });
  }

  async function send(spans: readonly ReadableSpan[], headers: Record<string, string> = {}): Promise<void> {
    await post('/v1/traces', json.traces([...spans]), headers);
  }

  async function post(path: string, body: Uint8Array, headers: Record<string, string> = {}): Promise<void> {
    const sent = { 'content-type': json.contentType, ...headers };
    const response = await collector.request(path, { method: 'POST', headers: sent, body: body as BodyInit });
    const answer = await response.text();
    if (response.status !== 200 || answer.includes('rejected')) throw new Error(`the collector answered ${answer}`);
  }

  /** As clients do. */
  async function pushBudgets(): Promise<void> {
    const labels = { limit: 'team', window: 'month' };
    const nightly = { limit: 'nightly', window: 'day' };
    const gauge = (name: string, points: [Record<string, string>, number][]): MetricFamily => ({
      ...{ name, type: 'gauge' },
      points: points.map(([of, value]) => ({ labels: of, value, startUnixNano: 0n, timeUnixNano: toUnixNano(now()) })),
    });
    const families = [
      gauge('llm_budget_limit_usd', [
        [labels, 50],
        [nightly, 2],
      ]),
      gauge('llm_budget_spent_usd', [
        [labels, 41.2],
        [nightly, 0.31],
      ]),
    ];
    const resource = { 'service.name': 'shop-api', 'service.instance.id': 'one' };
    await post('/v1/metrics', json.metrics({ temporality: 'cumulative', resource, metrics: families }));
  }

  async function fill(minutes: number): Promise<number> {
    let trace = 0;
    for (let minute = minutes - 1; minute >= 0; minute--) {
      behindMs = minute * 60_000;
      const busy = 3 + Math.round(2 * Math.sin(minute / 7));
      for (let i = 0; i < busy; i++) {
        const slow = 1 + 0.4 * Math.sin((minute * 3 + i) / 5) ** 2;
        const startMs = now() - (busy - i) * 7000;
        trace++;
        if (trace % 17 === 0) await send(failedTrace(trace, startMs));
        else if (i === 0) await send(agentTrace(trace, startMs, slow));
        else await send(simpleTrace(trace, startMs, trace * 3 + i, slow));
      }
    }
    await pushBudgets();
    return trace;
  }

  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      if ('closeAllConnections' in server) server.closeAllConnections();
    });
  return {
    url: `http://127.0.0.1:${port}/`,
    send,
    fill,
    stop,
    async restart() {
      server = await listen(port);
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}
