import type { Exemplar, MetricFamily, MetricsSnapshot, Point } from '../metrics/snapshot.ts';
import { hasIntegers, isCumulative, toPointAttributes } from './grouping.ts';
import { appendAttributes, encodeDouble, escapeText, type KeyCache } from './json-value.ts';

/** Metric: https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/metrics/v1/metrics.proto */
export function appendFamily(before: string, family: MetricFamily, snapshot: MetricsSnapshot, keys: KeyCache): string {
  const { name, type, help, unit, additive, points } = family;
  const kind = type === 'counter' || additive ? 'sum' : type;
  const integers = hasIntegers(family);
  let json = `${before}{"name":"${escapeText(name)}"`;
  if (help) json += `,"description":"${escapeText(help)}"`;
  if (unit) json += `,"unit":"${escapeText(unit)}"`;
  json += `,"${kind}":{"dataPoints":[`;
  let separator = '';
  for (const point of points) {
    json = appendAttributes(`${json}${separator}{`, toPointAttributes(point), keys);
    json += ',"startTimeUnixNano":"';
    json += point.startUnixNano;
    json += '","timeUnixNano":"';
    json += point.timeUnixNano;
    json += kind === 'histogram' ? encodeBuckets(point, family.bounds) : encodeValue(point.value ?? 0, integers);
    json += `${encodeExemplars(point.exemplars)}}`;
    separator = ',';
  }
  json += ']';
  if (kind !== 'gauge') json += `,"aggregationTemporality":${isCumulative(family, snapshot) ? 2 : 1}`;
  if (kind === 'sum') json += `,"isMonotonic":${type === 'counter'}`;
  return `${json}}}`;
}

function encodeValue(value: number, integer: boolean): string {
  return integer ? `","asInt":"${value}"` : `","asDouble":${encodeDouble(value)}`;
}

function encodeBuckets({ counts = [], count = 0, sum }: Point, bounds: readonly number[] = []): string {
  const sumField = sum === undefined ? '' : `,"sum":${encodeDouble(sum)}`;
  const buckets = counts.map((bucket) => `"${bucket}"`);
  return `","count":"${count}"${sumField},"bucketCounts":[${buckets}],"explicitBounds":[${bounds.map(encodeDouble)}]`;
}

function encodeExemplars(exemplars: readonly Exemplar[] = []): string {
  const list = exemplars.map(({ value, traceId, spanId, timeUnixNano }) => {
    return `{"timeUnixNano":"${timeUnixNano}","asDouble":${encodeDouble(value)},"spanId":"${spanId}","traceId":"${traceId}"}`;
  });
  return list.length > 0 ? `,"exemplars":[${list}]` : '';
}
