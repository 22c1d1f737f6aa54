import type { Context, Link } from '@opentelemetry/api';
import { safely, TelemetryError } from '../../src/errors.ts';
import { asObject, asString, type Json } from '../../src/json.ts';
import type { Parts } from '../../src/parts.ts';
import { getter, setter } from '../../src/propagation/carrier.ts';
import { w3c } from '../../src/propagation/w3c.ts';
import { rootContext } from '../../src/trace/otel-context.ts';
import { getSpanContext, isSpanContextValid, setSpanContext } from '../../src/trace/otel-span.ts';
import type { HttpRequest } from './connection.ts';
import { type RpcRequest, toolCall } from './message.ts';

/** Where the trace context of a request stands. */
export type ContextPlace = 'meta' | 'arguments' | 'header';

const argumentNames = { traceId: 'rastir_trace_id', spanId: 'rastir_span_id' } as const;

/** The headers that carry a context. */
export function toHeaders(context: Context): Record<string, string> {
  const headers: Record<string, string> = {};
  w3c.inject(context, headers, setter);
  return headers;
}

/** The message with the context in it; what was given stays as it is, and so does what is no object. */
export function writeContext(message: Json, context: Context, place: ContextPlace): Json {
  const params = asObject(message.params ?? {});
  const name = place === 'arguments' ? 'arguments' : '_meta';
  if (!params || (place === 'arguments' && message.method !== toolCall)) return message;
  const given = asObject(params[name] ?? {});
  if (!given) return message;
  const added = place === 'arguments' ? toArguments(context) : toHeaders(context);
  return { ...message, params: { ...params, [name]: { ...given, ...added } } };
}

function toArguments(context: Context): Record<string, string> {
  const span = getSpanContext(context);
  if (!span || !isSpanContextValid(span)) return {};
  return { [argumentNames.traceId]: span.traceId, [argumentNames.spanId]: span.spanId };
}

/** The message without what `writeContext` puts into arguments, which a tool's schema does not know. */
export function stripContext(message: Json): Json {
  const params = asObject(message.params);
  const given = asObject(params?.arguments);
  if (!params || !given || message.method !== toolCall) return message;
  const { [argumentNames.traceId]: _trace, [argumentNames.spanId]: _span, ...own } = given;
  return { ...message, params: { ...params, arguments: own } };
}

/**
 * Where the span of an incoming request belongs: under the caller's where that may be continued, else under what is
 * active, with a link. The span of the HTTP request that brought it is linked too.
 */
export function readContext(
  parts: Parts,
  request: RpcRequest,
  place: ContextPlace,
  http: HttpRequest | undefined,
): { context: Context; links: Link[] } {
  const active = parts.view.active();
  const extract = findContext(parts, request, place, http);
  const caller = extract && getSpanContext(extract(rootContext));
  if (!extract || !caller) return { context: active, links: [] };
  if (!mayContinue(parts, http)) return { context: active, links: [{ context: caller }] };
  const around = http && getSpanContext(active);
  const isOther = around && isSpanContextValid(around) && around.spanId !== caller.spanId;
  return { context: extract(active), links: isOther ? [{ context: around }] : [] };
}

type Extract = (context: Context) => Context;

/** In the place that is asked for, else in `_meta`. */
function findContext(
  parts: Parts,
  { params }: RpcRequest,
  place: ContextPlace,
  http: HttpRequest | undefined,
): Extract | undefined {
  if (place === 'header' && http && getter.get(http.headers, 'traceparent') !== undefined) {
    return (context) => w3c.extract(context, http.headers, getter);
  }
  const remote = place === 'arguments' ? readArguments(asObject(params.arguments)) : undefined;
  if (remote) return (context) => setSpanContext(context, remote);
  const { _meta: given } = params;
  if (given === undefined) return undefined;
  const meta = asObject(given);
  if (!meta || !isReadable(meta)) countUnreadable(parts);
  return meta && ((context) => w3c.extract(context, meta, getter));
}

/** Rastir's span ids have 32 digits, of which a trace keeps 16. */
function readArguments(given: Json | undefined) {
  const traceId = asString(given?.[argumentNames.traceId])?.toLowerCase() ?? '';
  const spanId = asString(given?.[argumentNames.spanId])?.toLowerCase().slice(0, 16) ?? '';
  const span = { traceId, spanId, traceFlags: 1, isRemote: true };
  return isSpanContextValid(span) ? span : undefined;
}

function isReadable(meta: Json): boolean {
  const { traceparent, tracestate, baggage } = meta;
  if ([traceparent, tracestate, baggage].some((one) => one !== undefined && typeof one !== 'string')) return false;
  return traceparent === undefined || getSpanContext(w3c.extract(rootContext, meta, getter)) !== undefined;
}

export function countUnreadable({ engine }: Parts): void {
  engine.instruments.parseError('mcp');
  engine.diagnostics.report(new TelemetryError('parse_failed', 'the trace context of an MCP request is unreadable'));
}

/**
 * To instrument a server is to continue its callers' traces, which are one with what it does; `trustIncoming` may say
 * otherwise. A function is asked of requests that came over HTTP: what comes through a pipe or from memory comes from
 * the one who started the server.
 */
function mayContinue({ engine }: Parts, http: HttpRequest | undefined): boolean {
  const { trustIncoming: trust = true } = engine.options.propagation ?? {};
  if (typeof trust !== 'function') return trust;
  if (!http) return true;
  return safely(() => trust(http.request ?? toRequest(http)), engine.diagnostics.report) === true;
}

function toRequest({ headers, url = 'http://localhost/' }: HttpRequest): Request {
  const request = new Request(url, { method: 'POST' });
  for (const name of getter.keys(headers)) {
    const value = getter.get(headers, name);
    for (const one of [value ?? []].flat())
      safely(
        () => request.headers.append(name, one),
        () => {},
      );
  }
  return request;
}
