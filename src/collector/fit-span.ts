import type { Attributes } from '@opentelemetry/api';
import { cut } from '../attributes.ts';
import { encodeStoredSpan } from '../otlp/decode/stored-span.ts';
import { createResource, type ReadableSpan } from '../trace/readable-span.ts';
import { weighAttribute, weighSpan } from '../trace/span-weight.ts';
import type { SpanFacts } from './span-facts.ts';

/** Characters of a text of which there is only one. */
const maxText = 1024;
const encoder = /* @__PURE__ */ new TextEncoder();

/**
 * A span as text of so many bytes at most, for stores that refuse longer ones, and with them all that came with it. What
 * is longest is left out whole, and counted as dropped.
 */
export function encodeFittingSpan(span: ReadableSpan, maxBytes: number): string {
  let text = encodeStoredSpan(span);
  // What is written of a text may be longer than the text: less of it, until that fits too.
  for (let budget = maxBytes; budget >= 1 && isLonger(text, maxBytes); budget /= 4) {
    text = encodeStoredSpan(shorten(span, budget));
  }
  return text;
}

/** What of it stands in columns, likewise. */
export function fitFacts(facts: SpanFacts): SpanFacts {
  const { name, service, model } = facts;
  return { ...facts, name: cut(name, maxText), service: cut(service, maxText), model: model && cut(model, maxText) };
}

function isLonger(text: string, bytes: number): boolean {
  // No character takes more than three bytes.
  return text.length * 3 > bytes && encoder.encode(text).length > bytes;
}

function shorten(span: ReadableSpan, budget: number): ReadableSpan {
  const { attributes, events, links, resource, status, instrumentationScope: scope } = span;
  const { traceId, spanId, traceFlags } = span.spanContext();
  const part = budget / 4;
  const keptEvents = keepShort(events, part, (event) => weighSpan('', [event], undefined));
  const keptLinks = keepShort(links, part, (link) => weighSpan('', undefined, [link]));
  const kept = keepAttributes(attributes, part);
  const left = (all: object, some: object) => Object.keys(all).length - Object.keys(some).length;
  return {
    ...span,
    name: cut(span.name, maxText),
    spanContext: () => ({ traceId, spanId, traceFlags }),
    status: { ...status, ...(status.message !== undefined && { message: cut(status.message, maxText) }) },
    attributes: kept,
    events: keptEvents,
    links: keptLinks,
    resource: createResource(keepAttributes(resource.attributes, part)),
    instrumentationScope: { name: cut(scope.name, maxText) },
    droppedAttributesCount: span.droppedAttributesCount + left(attributes, kept),
    droppedEventsCount: span.droppedEventsCount + left(events, keptEvents),
    droppedLinksCount: span.droppedLinksCount + left(links, keptLinks),
  };
}

function keepAttributes(attributes: Attributes, budget: number): Attributes {
  return Object.fromEntries(
    keepShort(Object.entries(attributes), budget, ([key, value]) => weighAttribute(key, value)),
  );
}

/** As many as have room, the shortest first, in the order that they came in. */
function keepShort<T>(items: readonly T[], budget: number, weigh: (item: T) => number): T[] {
  const byWeight = items.map((item) => ({ item, weight: weigh(item) })).sort((a, b) => a.weight - b.weight);
  const kept = new Set<T>();
  let room = budget;
  for (const { item, weight } of byWeight) {
    room -= weight;
    if (room < 0) break;
    kept.add(item);
  }
  return items.filter((item) => kept.has(item));
}
