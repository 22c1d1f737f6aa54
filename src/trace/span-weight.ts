import type { Attributes, Link } from '@opentelemetry/api';
import type { SpanEvent } from './readable-span.ts';

/** Ids and times, roughly; strings are counted as they are. */
const spanBytes = 256;
const eventBytes = 64;
const attributeBytes = 32;

/** Bytes that a span takes in the buffer, without its attributes. */
export function weighSpan(
  name: string,
  events: readonly SpanEvent[] | undefined,
  links: readonly Link[] | undefined,
): number {
  let bytes = spanBytes + name.length;
  if (events) for (const event of events) bytes += eventBytes + event.name.length + weighAttributes(event.attributes);
  if (links) for (const link of links) bytes += eventBytes + weighAttributes(link.attributes);
  return bytes;
}

export function weighAttributes(attributes: Attributes | undefined): number {
  let bytes = 0;
  for (const key in attributes) bytes += weighAttribute(key, attributes[key]);
  return bytes;
}

export function weighAttribute(key: string, value: unknown): number {
  return attributeBytes + key.length + weigh(value);
}

function weigh(value: unknown): number {
  if (typeof value === 'string') return value.length;
  return typeof value === 'object' && value !== null ? weighObject(value) : 0;
}

function weighObject(value: object): number {
  if (value instanceof Uint8Array) return value.length;
  let bytes = 0;
  for (const item of Array.isArray(value) ? value : Object.values(value)) bytes += attributeBytes + weigh(item);
  return bytes;
}
