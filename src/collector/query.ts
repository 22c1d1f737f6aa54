import type { Context, Hono } from 'hono';
import { fromHrTime } from '../clock.ts';
import { toBase64 } from '../digest.ts';
import { isFailed } from '../llm/foreign-span.ts';
import type { ReadableSpan } from '../trace/readable-span.ts';
import type { Access } from './access.ts';
import { Refusal } from './refusal.ts';
import type { CostOf, TraceQuery, TraceStore, TraceSummary } from './trace-store.ts';

export interface QueryPorts {
  readonly access: Access;
  readonly traces: TraceStore;
  readonly costOf: CostOf;
}

/** The routes that show what was stored, to each tenant its own. */
export function addQueryRoutes(app: Hono, { access, traces, costOf }: QueryPorts): void {
  async function show(context: Context, id: string): Promise<Response> {
    const { tenant } = await access.identify(context.req.raw);
    if (!/^[\da-f]{32}$/i.test(id)) {
      throw new Refusal(400, 'bad_request', 'a trace id has 32 hex digits', { field: 'trace_id' });
    }
    const traceId = id.toLowerCase();
    const spans = await traces.get(traceId, tenant);
    if (!spans) throw new Refusal(404, 'not_found', 'there is no such trace');
    const costs = context.req.query('costs') === 'true';
    const described = spans.map((span) => ({
      ...describeSpan(span),
      ...(costs && { cost_usd: costOf(span) }),
    }));
    return context.json({ trace_id: traceId, spans: described });
  }

  app.get('/v1/traces', async (context) => {
    // As Rastir's users ask for one.
    const traceId = context.req.query('trace_id');
    if (traceId) return show(context, traceId);
    const { tenant } = await access.identify(context.req.raw);
    const { traces: found, cursor } = await traces.query(readQuery(context.req.query()), tenant);
    return context.json({ traces: found.map(describeTrace), ...(cursor && { cursor }) });
  });
  app.get('/v1/traces/:id', (context) => show(context, context.req.param('id')));
}

function readQuery(given: Record<string, string>): TraceQuery {
  const { service, model, status, cursor } = given;
  if (status !== undefined && status !== '' && status !== 'ok' && status !== 'error') {
    throw new Refusal(400, 'bad_request', 'status is ok or error', { field: 'status' });
  }
  const number = (name: string) => readNumber(given[name], name);
  const query: { [K in keyof TraceQuery]: TraceQuery[K] | undefined } = {
    service,
    model,
    status: status || undefined,
    cursor,
    minDurationMs: number('min_duration_ms'),
    minCostUsd: number('min_cost_usd'),
    since: number('since'),
    limit: number('limit'),
  };
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined && value !== ''));
}

function readNumber(text: string | undefined, field: string): number | undefined {
  if (text === undefined || text === '') return undefined;
  const number = Number(text);
  if (!Number.isFinite(number) || number < 0) {
    throw new Refusal(400, 'bad_request', `${field} is a number from 0`, { field });
  }
  return number;
}

/** A trace as lists and the live feed show it. */
export function describeTrace(trace: TraceSummary) {
  return {
    trace_id: trace.traceId,
    name: trace.name,
    service: trace.service,
    start_ms: trace.start,
    duration_ms: trace.durationMs,
    span_count: trace.spanCount,
    status: trace.status,
    models: trace.models,
    ...(trace.tokens !== undefined && { tokens: trace.tokens }),
    ...(trace.costUsd !== undefined && { cost_usd: trace.costUsd }),
  };
}

/** Names of `SpanKind`, as OTLP has them but for their prefix. */
const kinds = ['internal', 'server', 'client', 'producer', 'consumer'];

function describeSpan(span: ReadableSpan) {
  const { traceId, spanId, traceState } = span.spanContext();
  return {
    trace_id: traceId,
    span_id: spanId,
    ...(traceState && { trace_state: traceState.serialize() }),
    ...(span.parentSpanContext && { parent_span_id: span.parentSpanContext.spanId }),
    name: span.name,
    kind: kinds[span.kind] ?? 'internal',
    service: span.resource.attributes['service.name'] ?? 'unknown_service',
    start_ms: fromHrTime(span.startTime),
    end_ms: fromHrTime(span.endTime),
    duration_ms: fromHrTime(span.duration),
    status: isFailed(span) ? 'error' : span.status.code === 1 ? 'ok' : 'unset',
    ...(span.status.message && { status_message: span.status.message }),
    attributes: toJson(span.attributes),
    resource: toJson(span.resource.attributes),
    scope: span.instrumentationScope,
    events: span.events.map(({ name, time, attributes }) => ({
      name,
      time_ms: fromHrTime(time),
      attributes: toJson(attributes ?? {}),
    })),
    links: span.links.map(({ context, attributes }) => ({
      trace_id: context.traceId,
      span_id: context.spanId,
      attributes: toJson(attributes ?? {}),
    })),
    ...(span.droppedAttributesCount > 0 && { dropped_attributes_count: span.droppedAttributesCount }),
    ...(span.droppedEventsCount > 0 && { dropped_events_count: span.droppedEventsCount }),
    ...(span.droppedLinksCount > 0 && { dropped_links_count: span.droppedLinksCount }),
  };
}

/** What JSON has no word for: 64-bit integers in decimal, `NaN` and `Infinity` by name, bytes in base64. */
function toJson(value: unknown): unknown {
  if (typeof value === 'bigint' || (typeof value === 'number' && !Number.isFinite(value))) return String(value);
  if (value instanceof Uint8Array) return toBase64(value);
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, toJson(inner)]));
}
