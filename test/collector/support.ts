import type { Attributes, SpanStatus } from '@opentelemetry/api';
import type { Collector } from '../../src/collector/index.ts';
import { json } from '../../src/otlp/json.ts';
import { createResource, type ReadableSpan, type SpanEvent } from '../../src/trace/readable-span.ts';

export interface SpanParts {
  name?: string;
  traceId?: string;
  spanId?: string;
  parentId?: string;
  service?: string;
  environment?: string;
  attributes?: Attributes;
  status?: SpanStatus;
  events?: SpanEvent[];
  startMs?: number;
  ms?: number;
}

/** A span of some work. */
export function workSpan(parts: SpanParts = {}): ReadableSpan {
  const { traceId = 'a'.repeat(32), spanId = '1'.padStart(16, '0'), parentId, startMs = 1_700_000_000_000 } = parts;
  const { service = 'shop', environment = 'production', ms = 1500 } = parts;
  const time = (at: number): [number, number] => [Math.floor(at / 1000), (at % 1000) * 1e6];
  return {
    name: parts.name ?? 'work',
    kind: 2,
    spanContext: () => ({ traceId, spanId, traceFlags: 1 }),
    ...(parentId && { parentSpanContext: { traceId, spanId: parentId, traceFlags: 1 } }),
    startTime: time(startMs),
    endTime: time(startMs + ms),
    duration: time(ms),
    ended: true,
    status: parts.status ?? { code: 0 },
    attributes: parts.attributes ?? {},
    links: [],
    events: parts.events ?? [],
    resource: createResource({ 'service.name': service, 'deployment.environment.name': environment }),
    instrumentationScope: { name: 'test' },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

/** A span of a model call. */
export function chatSpan(parts: SpanParts = {}): ReadableSpan {
  return workSpan({
    name: 'chat gpt-4o',
    ...parts,
    attributes: {
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'openai',
      'gen_ai.request.model': 'gpt-4o',
      'gen_ai.usage.input_tokens': 100,
      'gen_ai.usage.output_tokens': 50,
      ...parts.attributes,
    },
  });
}

export function post(
  collector: Pick<Collector, 'request'>,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  return Promise.resolve(
    collector.request(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    }),
  );
}

export function sendSpans(
  collector: Pick<Collector, 'request'>,
  spans: readonly ReadableSpan[],
  headers: Record<string, string> = {},
): Promise<Response> {
  return post(collector, '/v1/traces', JSON.parse(new TextDecoder().decode(json.traces(spans))), headers);
}

export async function getJson(
  collector: Pick<Collector, 'request'>,
  path: string,
  headers: Record<string, string> = {},
): Promise<Record<string, unknown>> {
  return (await collector.request(path, { headers })).json();
}

export async function getMetrics(
  collector: Pick<Collector, 'request'>,
  headers: Record<string, string> = {},
): Promise<string> {
  return (await collector.request('/metrics', { headers })).text();
}
