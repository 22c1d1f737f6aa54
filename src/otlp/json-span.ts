import type { SpanContext } from '@opentelemetry/api';
import type { ReadableSpan, SpanEvent } from '../trace/readable-span.ts';
import { toSpanFlags } from './grouping.ts';
import { appendAttributes, encodeTime, escapeText, type KeyCache } from './json-value.ts';

/** Span: https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto */
export function appendSpan(before: string, span: ReadableSpan, keys: KeyCache): string {
  const { parentSpanContext: parent, status, events, links } = span;
  const context = span.spanContext();
  let json = appendIds(before, context);
  if (parent?.spanId) {
    json += '"parentSpanId":"';
    json += parent.spanId;
    json += '",';
  }
  json += '"name":"';
  json += escapeText(span.name);
  json += '","kind":';
  json += (span.kind ?? -1) + 1;
  json += ',"startTimeUnixNano":"';
  json += encodeTime(span.startTime);
  json += '","endTimeUnixNano":"';
  json += encodeTime(span.endTime);
  json += '",';
  json = appendAttributes(json, span.attributes, keys);
  json += encodeCount('Attributes', span.droppedAttributesCount);
  if (events.length > 0) json = appendList(json, 'events', events, keys, appendEvent);
  json += encodeCount('Events', span.droppedEventsCount);
  if (links.length > 0) json = appendList(json, 'links', links, keys, appendLink);
  json += encodeCount('Links', span.droppedLinksCount);
  json += ',"flags":';
  json += toSpanFlags(context.traceFlags, parent);
  json += ',"status":{"code":';
  json += status.code;
  return `${json}${status.message ? `,"message":"${escapeText(status.message)}"` : ''}}}`;
}

function appendIds(before: string, { traceId, spanId, traceState }: SpanContext): string {
  let json = before;
  json += '{"traceId":"';
  json += traceId;
  json += '","spanId":"';
  json += spanId;
  const state = traceState?.serialize();
  return `${json}",${state ? `"traceState":"${escapeText(state)}",` : ''}`;
}

function appendList<T>(
  before: string,
  name: string,
  items: readonly T[],
  keys: KeyCache,
  append: (json: string, item: T, keys: KeyCache) => string,
): string {
  let json = `${before},"${name}":[`;
  for (let i = 0; i < items.length; i++) json = append(i > 0 ? `${json},` : json, items[i]!, keys);
  return `${json}]`;
}

function appendEvent(json: string, event: SpanEvent, keys: KeyCache): string {
  const start = `${json}{"timeUnixNano":"${encodeTime(event.time)}","name":"${escapeText(event.name)}",`;
  return `${appendAttributes(start, event.attributes, keys)}${encodeCount('Attributes', event.droppedAttributesCount)}}`;
}

function appendLink(json: string, link: ReadableSpan['links'][number], keys: KeyCache): string {
  const list = appendAttributes(appendIds(json, link.context), link.attributes, keys);
  const dropped = encodeCount('Attributes', link.droppedAttributesCount);
  return `${list}${dropped},"flags":${toSpanFlags(link.context.traceFlags, link.context)}}`;
}

function encodeCount(noun: string, count: number | undefined): string {
  return count ? `,"dropped${noun}Count":${count}` : '';
}
