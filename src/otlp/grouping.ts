import type { Attributes, SpanContext } from '@opentelemetry/api';
import type { MetricFamily, MetricsSnapshot, Point } from '../metrics/snapshot.ts';
import type { InstrumentationScope, ReadableSpan, Resource } from '../trace/readable-span.ts';

/** The scope of families that were not made through OpenTelemetry's Meter. */
export const defaultScope: InstrumentationScope = { name: 'edgespan' };

/** Spans by resource, and by what identifies a scope. */
export function groupSpans(spans: readonly ReadableSpan[]): Map<Resource, Map<string, ReadableSpan[]>> {
  const groups = new Map<Resource, Map<string, ReadableSpan[]>>();
  let group: ReadableSpan[] = [];
  let lastResource: Resource | undefined;
  let lastScope: InstrumentationScope | undefined;
  for (const span of spans) {
    const { resource, instrumentationScope: scope } = span;
    if (resource !== lastResource || scope !== lastScope) {
      const scopes = findOrAdd(groups, resource, () => new Map<string, ReadableSpan[]>());
      group = findOrAdd(scopes, toScopeKey(scope), () => []);
      lastResource = resource;
      lastScope = scope;
    }
    group.push(span);
  }
  return groups;
}

/** Families that have points, by scope. */
export function groupFamilies(snapshot: MetricsSnapshot): MetricFamily[][] {
  const groups = new Map<string, MetricFamily[]>();
  for (const family of snapshot.metrics) {
    if (family.points.length > 0) findOrAdd(groups, toScopeKey(family.scope ?? defaultScope), () => []).push(family);
  }
  return [...groups.values()];
}

function findOrAdd<K, V>(map: Map<K, V>, key: K, create: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const value = create();
  map.set(key, value);
  return value;
}

function toScopeKey({ name, version = '', schemaUrl = '' }: InstrumentationScope): string {
  return `${name}\0${version}\0${schemaUrl}`;
}

/** W3C flags, and whether the parent (of a link: the span linked to) is remote. */
export function toSpanFlags(traceFlags: number, remote: SpanContext | undefined): number {
  return (traceFlags & 0xff) | 0x100 | (remote?.isRemote ? 0x200 : 0);
}

/** What adds up and may go down keeps its total in every push: a delta of it would be lost with a single request. */
export function isCumulative(family: MetricFamily, snapshot: MetricsSnapshot): boolean {
  return family.type === 'gauge' || snapshot.temporality === 'cumulative';
}

/**
 * One kind of number for all points of a family, and for all its requests: who adds deltas up loses what came as the
 * other kind.
 */
export function hasIntegers({ integer = false, points }: MetricFamily): boolean {
  return integer && points.every(({ value = 0 }) => Number.isSafeInteger(value));
}

/** The attributes as they were given, else the labels; the series of the overflow with the standard's boolean. */
export function toPointAttributes({ labels, attributes }: Point): Attributes {
  if (attributes) return attributes;
  if (labels.otel_metric_overflow !== 'true') return labels;
  const { otel_metric_overflow: _, ...rest } = labels;
  return { ...rest, 'otel.metric.overflow': true };
}
