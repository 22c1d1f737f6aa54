import type { Attributes, HrTime } from '@opentelemetry/api';
import { asNumber, asObject, asString, type Json } from '../json.ts';
import { DecodeError } from '../otlp/decode/error.ts';
import type { DecodedSpans } from '../otlp/decode/spans.ts';
import { readList, readObject } from '../otlp/decode/value.ts';
import { maxValueDepth } from '../otlp/json-value.ts';
import { spanKind, statusError } from '../trace/otel-span.ts';
import { createResource, type ReadableSpan, type Resource, type SpanEvent } from '../trace/readable-span.ts';

/** `gen_ai.operation.name` of Rastir's span types; of the others there is none. */
const operations: Readonly<Record<string, string>> = {
  llm: 'chat',
  agent: 'invoke_agent',
  tool: 'execute_tool',
  retrieval: 'retrieval',
};

const scope = { name: 'rastir' };

/** The names of the conventions for what Rastir's client says of a span. */
const names: Readonly<Record<string, string>> = {
  agent: 'gen_ai.agent.name',
  tool_name: 'gen_ai.tool.name',
  tokens_input: 'gen_ai.usage.input_tokens',
  tokens_output: 'gen_ai.usage.output_tokens',
  cost_usd: 'gen_ai.usage.cost',
  streaming: 'gen_ai.request.stream',
};

/**
 * The body of Rastir's `POST /v1/telemetry`, `{ service, env, version, spans }`, as spans of OpenTelemetry: its own attributes
 * under `rastir.*`, and what the GenAI conventions have a name for under that too. Its span ids have 32 digits, of which
 * the last 16 stay. Throws a `DecodeError` where the body is none.
 */
export function readRastir(body: unknown): DecodedSpans {
  const json = readObject(body, 'body');
  const list = readList(json.spans, 'spans');
  if (list.length === 0) throw new DecodeError('spans', 'is empty');
  const resource = createResource({
    'service.name': asString(json.service) ?? 'unknown',
    ...(asString(json.env) && { 'deployment.environment.name': asString(json.env)! }),
    ...(asString(json.version) && { 'service.version': asString(json.version)! }),
  });
  const spans: ReadableSpan[] = [];
  let problem: DecodeError | undefined;
  for (const [i, span] of list.entries()) {
    try {
      spans.push(readSpan(span, resource, `spans[${i}]`));
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      problem ??= error;
    }
  }
  return { spans, rejected: list.length - spans.length, ...(problem && { problem }) };
}

function readSpan(value: unknown, resource: Resource, path: string): ReadableSpan {
  const json = readObject(value, path);
  const traceId = readHex(json.trace_id, `${path}.trace_id`);
  const spanId = readHex(json.span_id, `${path}.span_id`).slice(16);
  const parentId = json.parent_span_id ? readHex(json.parent_span_id, `${path}.parent_span_id`).slice(16) : undefined;
  const start = readTime(json.start_time, `${path}.start_time`);
  const end =
    json.end_time === null || json.end_time === undefined ? start : readTime(json.end_time, `${path}.end_time`);
  const given = asObject(bounded(json.attributes)) ?? {};
  const type = asString(json.span_type) ?? 'system';
  const name = asString(json.name) ?? '';
  const failed = json.status === 'ERROR';
  const message = asString(given['error.message']);
  const last = Math.max(start, end);
  return {
    name,
    kind: type === 'llm' ? spanKind.client : spanKind.internal,
    spanContext: () => ({ traceId, spanId, traceFlags: 1 }),
    ...(parentId && { parentSpanContext: { traceId, spanId: parentId, traceFlags: 1 } }),
    startTime: secondsToHrTime(start),
    endTime: secondsToHrTime(last),
    duration: secondsToHrTime(last - start),
    ended: true,
    status: failed ? { code: statusError, ...(message && { message }) } : { code: 0 },
    attributes: toAttributes(type, name, given),
    events: readList(json.events, `${path}.events`).flatMap((event) => readEvent(event, start)),
    links: [],
    resource,
    instrumentationScope: scope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

function toAttributes(type: string, name: string, given: Json): Attributes {
  const attributes: Record<string, unknown> = { 'rastir.span_type': type };
  for (const [key, value] of Object.entries(given)) {
    if (value !== null) attributes[/^(error|exception|gen_ai|rastir)\./.test(key) ? key : `rastir.${key}`] = value;
    if (Object.hasOwn(names, key)) attributes[names[key]!] = value;
  }
  const operation = Object.hasOwn(operations, type) ? operations[type] : undefined;
  if (operation) attributes['gen_ai.operation.name'] = operation;
  if (type === 'agent') attributes['gen_ai.agent.name'] ??= name;
  if (type === 'tool') attributes['gen_ai.tool.name'] ??= name;
  const model = known(given.model);
  if (model) Object.assign(attributes, { 'gen_ai.request.model': model, 'gen_ai.response.model': model });
  const provider = known(given.provider);
  if (provider) attributes['gen_ai.provider.name'] = provider;
  const reason = asString(given.finish_reason);
  if (reason) attributes['gen_ai.response.finish_reasons'] = [reason];
  const firstMs = asNumber(given.ttft_ms);
  if (firstMs !== undefined) attributes['gen_ai.response.time_to_first_chunk'] = firstMs / 1000;
  return attributes as Attributes;
}

/** JSON no deeper than values of OTLP are. The attributes themselves are no value yet. */
function bounded(value: unknown, depth = -1): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= maxValueDepth) return null;
  if (Array.isArray(value)) return value.map((item) => bounded(item, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, bounded(inner, depth + 1)]));
}

/** Rastir writes `unknown` for what it does not know. */
function known(value: unknown): string | undefined {
  return value === 'unknown' ? undefined : asString(value);
}

function readEvent(value: unknown, start: number): SpanEvent[] {
  const { name, attributes, timestamp } = asObject(value) ?? {};
  const text = asString(name);
  if (!text) return [];
  return [
    {
      name: text,
      time: secondsToHrTime(asNumber(timestamp) ?? start),
      attributes: (asObject(bounded(attributes)) ?? {}) as Attributes,
    },
  ];
}

/** A UUID without its hyphens, or an id of OpenTelemetry. */
function readHex(value: unknown, path: string): string {
  const text = typeof value === 'string' ? value.toLowerCase() : '';
  if (!/^(?!0+$)(?:[\da-f]{16}|[\da-f]{32})$/.test(text)) throw new DecodeError(path, 'is no id of hex digits');
  return text.padStart(32, '0');
}

/** Seconds since 1970, with a fraction. */
function readTime(value: unknown, path: string): number {
  const seconds = asNumber(value);
  if (seconds === undefined || seconds < 0 || seconds > 1e11) throw new DecodeError(path, 'is no time in seconds');
  return seconds;
}

function secondsToHrTime(seconds: number): HrTime {
  const nanos = Math.round((seconds % 1) * 1e6) * 1000;
  return nanos >= 1e9 ? [Math.floor(seconds) + 1, 0] : [Math.floor(seconds), nanos];
}
