import type { ProtobufMetricsSerializer } from '@opentelemetry/otlp-transformer';
import { fromUnixNano } from '../clock.ts';
import type { MetricFamily, MetricsSnapshot, Point } from '../metrics/snapshot.ts';
import { createResource } from '../trace/readable-span.ts';
import { defaultScope, groupFamilies, hasIntegers, isCumulative, toPointAttributes } from './grouping.ts';
import { toWritable } from './protobuf-value.ts';

type ResourceMetrics = Parameters<typeof ProtobufMetricsSerializer.serializeRequest>[0];
type MetricData = ResourceMetrics['scopeMetrics'][number]['metrics'][number];

/** Enums of OpenTelemetry's metrics SDK, as numbers: we take its types, not its code. */
const histogram = 0;
const gauge = 2;
const sum = 3;
const delta = 0;
const cumulative = 1;
const int = 0;
const double = 1;

/** A snapshot in the shape of OpenTelemetry's metrics SDK; nothing where it has no points. */
export function toResourceMetrics(snapshot: MetricsSnapshot): ResourceMetrics | undefined {
  const scopeMetrics = groupFamilies(snapshot).map((families) => ({
    scope: families[0]!.scope ?? defaultScope,
    metrics: families.map((family) => toMetricData(family, snapshot)),
  }));
  return scopeMetrics.length > 0
    ? { resource: createResource(toWritable(snapshot.resource)), scopeMetrics }
    : undefined;
}

function toMetricData(family: MetricFamily, snapshot: MetricsSnapshot): MetricData {
  const { name, type, help: description = '', unit = '', additive } = family;
  const aggregationTemporality = isCumulative(family, snapshot) ? cumulative : delta;
  const descriptor = { name, description, unit, valueType: hasIntegers(family) ? int : double } as const;
  if (type === 'histogram') {
    const dataPoints = family.points.map((point) => toDataPoint(point, toHistogram(point, family.bounds)));
    return { descriptor, aggregationTemporality, dataPointType: histogram, dataPoints };
  }
  const dataPoints = family.points.map((point) => toDataPoint(point, point.value ?? 0));
  return type === 'counter' || additive
    ? { descriptor, aggregationTemporality, dataPointType: sum, dataPoints, isMonotonic: type === 'counter' }
    : { descriptor, aggregationTemporality, dataPointType: gauge, dataPoints };
}

function toDataPoint<V>(point: Point, value: V) {
  const attributes = toWritable(toPointAttributes(point));
  return { attributes, startTime: fromUnixNano(point.startUnixNano), endTime: fromUnixNano(point.timeUnixNano), value };
}

function toHistogram({ counts = [], count = 0, sum }: Point, bounds: readonly number[] = []) {
  return { buckets: { boundaries: [...bounds], counts: [...counts] }, count, ...(sum !== undefined && { sum }) };
}
