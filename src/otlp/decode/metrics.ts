import { asNumber, asObject, asString, type Json } from '../../json.ts';
import type { Exemplar, MetricFamily, MetricsSnapshot, Point } from '../../metrics/snapshot.ts';
import type { InstrumentationScope } from '../../trace/readable-span.ts';
import { DecodeError } from './error.ts';
import { readResource, readScope } from './spans.ts';
import { readAttributes, readCount, readDouble, readEnum, readId, readList, readNanos, readObject } from './value.ts';

/** What a request holds: a snapshot for each resource and temporality, and how many points could not be read. */
export interface DecodedMetrics {
  readonly snapshots: readonly MetricsSnapshot[];
  readonly rejected: number;
  readonly problem?: DecodeError;
}

const delta = 1;
/** The flag of a point that says nothing. */
const noRecordedValue = 1;
const kinds = ['sum', 'gauge', 'histogram', 'exponentialHistogram', 'summary'] as const;

/** The metrics of an `ExportMetricsServiceRequest` as JSON has it. Exponential histograms and summaries are left out. */
export function readMetrics(request: unknown): DecodedMetrics {
  const snapshots: MetricsSnapshot[] = [];
  let rejected = 0;
  let problem: DecodeError | undefined;

  function reject(points: number, error: DecodeError): void {
    rejected += points;
    problem ??= error;
  }

  for (const [i, entry] of readList(readObject(request, 'body').resourceMetrics, 'resourceMetrics').entries()) {
    const path = `resourceMetrics[${i}]`;
    const ofResource = readObject(entry, path);
    const { attributes } = readResource(ofResource.resource, path);
    const families = { delta: [] as MetricFamily[], cumulative: [] as MetricFamily[] };
    for (const [j, inner] of readList(ofResource.scopeMetrics, `${path}.scopeMetrics`).entries()) {
      const scopePath = `${path}.scopeMetrics[${j}]`;
      const ofScope = readObject(inner, scopePath);
      const scope = readScope(ofScope);
      for (const [k, metric] of readList(ofScope.metrics, `${scopePath}.metrics`).entries()) {
        const { family, temporality } = readMetric(metric, scope, `${scopePath}.metrics[${k}]`, reject);
        if (family && family.points.length > 0) families[temporality].push(family);
      }
    }
    for (const temporality of ['cumulative', 'delta'] as const) {
      const metrics = families[temporality];
      if (metrics.length > 0) snapshots.push({ temporality, resource: attributes, metrics });
    }
  }
  return { snapshots, rejected, ...(problem && { problem }) };
}

type Reject = (points: number, error: DecodeError) => void;

function readMetric(
  value: unknown,
  scope: InstrumentationScope,
  path: string,
  reject: Reject,
): { family?: MetricFamily; temporality: 'delta' | 'cumulative' } {
  const metric = readObject(value, path);
  const name = asString(metric.name);
  const kind = kinds.find((each) => asObject(metric[each]));
  const data = kind ? asObject(metric[kind])! : {};
  const given = kind ? readList(data.dataPoints, `${path}.${kind}.dataPoints`) : [];
  const said = readEnum(data.aggregationTemporality, 'AGGREGATION_TEMPORALITY_', ['DELTA', 'CUMULATIVE']);
  const temporality = kind !== 'gauge' && said === delta ? 'delta' : 'cumulative';
  const wrong = !name
    ? new DecodeError(`${path}.name`, 'is missing')
    : kind === 'exponentialHistogram' || kind === 'summary'
      ? new DecodeError(`${path}.${kind}`, 'is not supported: use explicit buckets')
      : kind && kind !== 'gauge' && ![1, 2].includes(said)
        ? new DecodeError(`${path}.${kind}.aggregationTemporality`, 'is neither delta nor cumulative')
        : undefined;
  if (wrong || !name || !kind) {
    if (wrong) reject(given.length, wrong);
    return { temporality };
  }
  const points: Point[] = [];
  let bounds: readonly number[] | undefined;
  for (const [i, point] of given.entries()) {
    try {
      const read = readPoint(point, kind, `${path}.${kind}.dataPoints[${i}]`, bounds);
      if (!read) continue;
      bounds ??= read.bounds;
      points.push(read.point);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      reject(1, error);
    }
  }
  const isMonotonic = data.isMonotonic === true;
  const family: MetricFamily = {
    name,
    type: kind === 'histogram' ? 'histogram' : kind === 'sum' && isMonotonic ? 'counter' : 'gauge',
    ...(kind === 'sum' && !isMonotonic && { additive: true }),
    ...(asString(metric.description) && { help: asString(metric.description)! }),
    ...(asString(metric.unit) && { unit: asString(metric.unit)! }),
    ...(kind === 'histogram' && { bounds: bounds ?? [] }),
    ...(scope.name && { scope }),
    points,
  };
  return { family, temporality };
}

function readPoint(
  value: unknown,
  kind: string,
  path: string,
  known: readonly number[] | undefined,
): { point: Point; bounds: readonly number[] } | undefined {
  const json = readObject(value, path);
  if ((asNumber(json.flags) ?? 0) & noRecordedValue) return undefined;
  const timeUnixNano = readNanos(json.timeUnixNano, `${path}.timeUnixNano`);
  if (timeUnixNano === 0n) throw new DecodeError(`${path}.timeUnixNano`, 'is missing');
  const attributes = readAttributes(json.attributes, `${path}.attributes`);
  const base = {
    labels: toLabels(attributes),
    attributes,
    startUnixNano: readNanos(json.startTimeUnixNano, `${path}.startTimeUnixNano`),
    timeUnixNano,
    ...readExemplars(json, path),
  };
  if (kind !== 'histogram') return { point: { ...base, value: readNumber(json, path) }, bounds: [] };
  const counts = readList(json.bucketCounts, `${path}.bucketCounts`).map((count) =>
    readCount(count, `${path}.bucketCounts`),
  );
  const bounds = readList(json.explicitBounds, `${path}.explicitBounds`).map(
    (bound) => readDouble(bound) ?? Number.NaN,
  );
  if (bounds.some((bound, i) => !Number.isFinite(bound) || (i > 0 && bound <= bounds[i - 1]!))) {
    throw new DecodeError(`${path}.explicitBounds`, 'are not increasing');
  }
  if (known && `${known}` !== `${bounds}`) throw new DecodeError(`${path}.explicitBounds`, 'differ within the metric');
  const count = readCount(json.count, `${path}.count`);
  // Without buckets a count and a sum are all that is known.
  const filled = counts.length === 0 && bounds.length === 0 ? [count] : counts;
  if (filled.length !== bounds.length + 1) throw new DecodeError(`${path}.bucketCounts`, 'do not fit the bounds');
  if (filled.reduce((sum, each) => sum + each, 0) !== count)
    throw new DecodeError(`${path}.count`, 'is not the sum of the buckets');
  const sum = readDouble(json.sum);
  return { point: { ...base, counts: filled, count, ...(sum !== undefined && { sum }) }, bounds };
}

function readNumber(json: Json, path: string): number {
  const value = readDouble(json.asInt ?? json.asDouble);
  if (value === undefined) throw new DecodeError(path, 'has no value');
  return value;
}

function readExemplars(json: Json, path: string): { exemplars?: Exemplar[] } {
  const exemplars = readList(json.exemplars, `${path}.exemplars`).flatMap((entry, i): Exemplar[] => {
    const here = `${path}.exemplars[${i}]`;
    const each = readObject(entry, here);
    const traceId = readId(each.traceId, 32, `${here}.traceId`);
    const spanId = readId(each.spanId, 16, `${here}.spanId`);
    if (!traceId || !spanId) return [];
    const timeUnixNano = readNanos(each.timeUnixNano, `${here}.timeUnixNano`);
    return [{ value: readNumber(each, here), traceId, spanId, timeUnixNano }];
  });
  return exemplars.length > 0 ? { exemplars } : {};
}

/** Values that are no strings in their JSON form: https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/ */
function toLabels(attributes: Readonly<Record<string, unknown>>): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const [key, value] of Object.entries(attributes)) {
    labels[key] = typeof value === 'string' ? value : typeof value === 'bigint' ? `${value}` : JSON.stringify(value);
  }
  return labels;
}
