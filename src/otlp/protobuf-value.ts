import type { Attributes } from '@opentelemetry/api';
import type { ReadableSpan, Resource } from '../trace/readable-span.ts';
import { maxValueDepth } from './json-value.ts';

/** What OpenTelemetry's serializer would write wrongly, in a copy; what it writes well, as it is. */
export function toWritableSpan(span: ReadableSpan, resources: Map<Resource, Resource>): ReadableSpan {
  const attributes = toWritable(span.attributes);
  const events = mapChanged(span.events, withWritable);
  const links = mapChanged(span.links, withWritable);
  const resource = toWritableResource(span.resource, resources);
  const isSame =
    attributes === span.attributes && events === span.events && links === span.links && resource === span.resource;
  if (isSame) return span;
  // Not a spread or Object.create: a span's properties may be getters over private fields.
  const { name, kind, startTime, endTime, duration, ended, status, instrumentationScope, parentSpanContext } = span;
  const { droppedAttributesCount, droppedEventsCount, droppedLinksCount } = span;
  const spanContext = () => span.spanContext();
  return {
    ...{ name, kind, spanContext, startTime, endTime, duration, ended, status, attributes, links, events, resource },
    ...{ instrumentationScope, droppedAttributesCount, droppedEventsCount, droppedLinksCount },
    ...(parentSpanContext && { parentSpanContext }),
  };
}

/** The serializer groups by identity: spans of one resource keep sharing one. */
function toWritableResource(resource: Resource, resources: Map<Resource, Resource>): Resource {
  const known = resources.get(resource);
  if (known) return known;
  const attributes = toWritable(resource.attributes);
  const writable: Resource =
    attributes === resource.attributes
      ? resource
      : {
          attributes,
          ...(resource.schemaUrl !== undefined && { schemaUrl: resource.schemaUrl }),
          merge: (other) => resource.merge(other),
          getRawAttributes: () => resource.getRawAttributes(),
        };
  resources.set(resource, writable);
  return writable;
}

function withWritable<T extends { attributes?: Attributes }>(item: T): T {
  const attributes = item.attributes && toWritable(item.attributes);
  return attributes === item.attributes ? item : { ...item, attributes };
}

/** The attributes themselves, unless a value of them must be written differently. */
export function toWritable(attributes: Attributes): Attributes {
  return toWritableMap(attributes, 0) as Attributes;
}

function toWritableMap(map: object, depth: number): object {
  let copy: Attributes | undefined;
  for (const [key, value] of Object.entries(map)) {
    const writable = toWritableValue(value, depth);
    if (Object.is(writable, value)) continue;
    copy ??= { ...map };
    copy[key] = writable;
  }
  return copy ?? map;
}

function toWritableValue(value: unknown, depth: number): unknown {
  if (typeof value === 'bigint') {
    const isExact = BigInt.asIntN(64, value) === value && BigInt(Number(value)) === value;
    return isExact ? Number(value) : `${value}`;
  }
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  if (depth >= maxValueDepth) return null;
  return Array.isArray(value)
    ? mapChanged(value as unknown[], (item) => toWritableValue(item, depth + 1))
    : toWritableMap(value, depth + 1);
}

/** The list itself where nothing in it changes. */
function mapChanged<T>(items: T[], map: (item: T) => T): T[] {
  const mapped = items.map(map);
  return mapped.some((item, index) => !Object.is(item, items[index])) ? mapped : items;
}
