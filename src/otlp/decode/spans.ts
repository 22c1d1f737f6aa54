import type { HrTime, Link, SpanContext, SpanStatus } from '@opentelemetry/api';
import { asObject, asString, type Json } from '../../json.ts';
import { parseTraceState } from '../../propagation/trace-state.ts';
import {
  createResource,
  type InstrumentationScope,
  type ReadableSpan,
  type Resource,
  type SpanEvent,
} from '../../trace/readable-span.ts';
import { DecodeError } from './error.ts';
import { readAttributes, readCount, readEach, readEnum, readId, readList, readObject, readTime } from './value.ts';

/** From 1 on. */
const kinds = ['INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'];

/** What a request holds: what could be read, and what of it could not. */
export interface DecodedSpans {
  readonly spans: readonly ReadableSpan[];
  /** Spans left out, and why the first of them was. */
  readonly rejected: number;
  readonly problem?: DecodeError;
}

/**
 * The spans of an `ExportTraceServiceRequest` as JSON has it. A span that makes no sense is left out and counted; an
 * envelope that makes none throws a `DecodeError`. Times that go backwards end when they start.
 */
export function readSpans(request: unknown): DecodedSpans {
  const spans: ReadableSpan[] = [];
  let rejected = 0;
  let problem: DecodeError | undefined;
  for (const [i, entry] of readList(readObject(request, 'body').resourceSpans, 'resourceSpans').entries()) {
    const path = `resourceSpans[${i}]`;
    const ofResource = readObject(entry, path);
    const resource = readResource(ofResource.resource, path);
    for (const [j, inner] of readList(ofResource.scopeSpans, `${path}.scopeSpans`).entries()) {
      const scopePath = `${path}.scopeSpans[${j}]`;
      const ofScope = readObject(inner, scopePath);
      const scope = readScope(ofScope);
      for (const [k, span] of readList(ofScope.spans, `${scopePath}.spans`).entries()) {
        try {
          spans.push(readSpan(span, resource, scope));
        } catch (error) {
          if (!(error instanceof DecodeError)) throw error;
          rejected++;
          problem ??= error.inside(`${scopePath}.spans[${k}]`);
        }
      }
    }
  }
  return { spans, rejected, ...(problem && { problem }) };
}

export function readResource(value: unknown, path: string): Resource {
  return createResource(readAttributes(asObject(value)?.attributes, `${path}.resource.attributes`));
}

export function readScope({ scope, schemaUrl }: Json): InstrumentationScope {
  const { name, version } = asObject(scope) ?? {};
  return {
    name: asString(name) ?? '',
    ...(asString(version) && { version: asString(version)! }),
    ...(asString(schemaUrl) && { schemaUrl: asString(schemaUrl)! }),
  };
}

/** Its errors name the field from here on: most spans have none, and would pay for names of all their fields. */
function readSpan(value: unknown, resource: Resource, scope: InstrumentationScope): ReadableSpan {
  const json = readObject(value, '');
  const traceId = readId(json.traceId, 32, 'traceId');
  const spanId = readId(json.spanId, 16, 'spanId');
  if (!traceId) throw new DecodeError('traceId', 'is missing');
  if (!spanId) throw new DecodeError('spanId', 'is missing');
  const flags = readCount(json.flags, 'flags');
  const context = readContext(json, traceId, spanId, flags & 0xff);
  const parentId = readId(json.parentSpanId, 16, 'parentSpanId');
  const startTime = readTime(json.startTimeUnixNano, 'startTimeUnixNano');
  const said = readTime(json.endTimeUnixNano, 'endTimeUnixNano');
  const endTime = isBefore(said, startTime) ? startTime : said;
  const given = readList(json.links, 'links');
  const links = readEach(given, 'links', readLink).filter((link) => link !== undefined);
  return {
    name: asString(json.name) ?? '',
    // The wire has 0 for unspecified, the API begins with INTERNAL.
    kind: Math.max(0, readEnum(json.kind, 'SPAN_KIND_', kinds) - 1),
    spanContext: () => context,
    ...(parentId && {
      parentSpanContext: { traceId, spanId: parentId, traceFlags: flags & 0xff, isRemote: (flags & 0x200) !== 0 },
    }),
    startTime,
    endTime,
    duration: subtract(endTime, startTime),
    ended: true,
    status: readStatus(json.status),
    attributes: readAttributes(json.attributes, 'attributes'),
    events: readEach(json.events, 'events', readEvent),
    links,
    resource,
    instrumentationScope: scope,
    droppedAttributesCount: readCount(json.droppedAttributesCount, 'droppedAttributesCount'),
    droppedEventsCount: readCount(json.droppedEventsCount, 'droppedEventsCount'),
    droppedLinksCount: readCount(json.droppedLinksCount, 'droppedLinksCount') + given.length - links.length,
  };
}

function isBefore(a: HrTime, b: HrTime): boolean {
  return a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]);
}

function subtract(a: HrTime, b: HrTime): HrTime {
  const nanos = a[1] - b[1];
  return nanos < 0 ? [a[0] - b[0] - 1, nanos + 1e9] : [a[0] - b[0], nanos];
}

function readContext(json: Json, traceId: string, spanId: string, traceFlags: number): SpanContext {
  const text = asString(json.traceState);
  const traceState = text && parseTraceState(text);
  return { traceId, spanId, traceFlags, ...(traceState && { traceState }) };
}

function readStatus(value: unknown): SpanStatus {
  const { code: given, message } = asObject(value) ?? {};
  const code = readEnum(given, 'STATUS_CODE_', ['OK', 'ERROR']);
  return {
    code: code === 1 || code === 2 ? code : 0,
    ...(asString(message) && { message: asString(message)! }),
  };
}

function readEvent(json: Json): SpanEvent {
  const dropped = readCount(json.droppedAttributesCount, 'droppedAttributesCount');
  return {
    name: asString(json.name) ?? '',
    time: readTime(json.timeUnixNano, 'timeUnixNano'),
    attributes: readAttributes(json.attributes, 'attributes'),
    ...(dropped > 0 && { droppedAttributesCount: dropped }),
  };
}

/** A link to no span, as a tracer that is off makes it, is none. */
function readLink(json: Json): Link | undefined {
  const flags = readCount(json.flags, 'flags');
  const dropped = readCount(json.droppedAttributesCount, 'droppedAttributesCount');
  const traceId = readId(json.traceId, 32, 'traceId');
  const spanId = readId(json.spanId, 16, 'spanId');
  if (!traceId || !spanId) return undefined;
  const context = { ...readContext(json, traceId, spanId, flags & 0xff), isRemote: (flags & 0x200) !== 0 };
  const attributes = readAttributes(json.attributes, 'attributes');
  return { context, attributes, ...(dropped > 0 && { droppedAttributesCount: dropped }) };
}
