/** OTLP as JSON, as far as the tests read it: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding */
export interface AnyValue {
  stringValue?: string;
  intValue?: string | number;
  doubleValue?: number;
  boolValue?: boolean;
  arrayValue?: { values?: AnyValue[] };
  kvlistValue?: { values?: KeyValue[] };
}
export interface KeyValue {
  key: string;
  value?: AnyValue;
}
export interface Scope {
  name?: string;
  version?: string;
}
export interface Resource {
  attributes?: KeyValue[];
}
export interface Span {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  flags?: number;
  name: string;
  kind?: number;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes?: KeyValue[];
  events?: { name: string; timeUnixNano: string; attributes?: KeyValue[] }[];
  links?: { traceId: string; spanId: string; attributes?: KeyValue[] }[];
  status?: { code?: number; message?: string };
}
export interface Exemplar {
  timeUnixNano: string;
  asDouble?: number;
  asInt?: string;
  traceId?: string;
  spanId?: string;
}
export interface Point {
  attributes?: KeyValue[];
  startTimeUnixNano?: string;
  timeUnixNano: string;
  asDouble?: number;
  asInt?: string | number;
  count?: string | number;
  sum?: number;
  bucketCounts?: (string | number)[];
  explicitBounds?: number[];
  exemplars?: Exemplar[];
}
export interface Metric {
  name: string;
  description?: string;
  unit?: string;
  sum?: { dataPoints: Point[]; aggregationTemporality: number; isMonotonic?: boolean };
  gauge?: { dataPoints: Point[] };
  histogram?: { dataPoints: Point[]; aggregationTemporality: number };
}
export interface Traces {
  resourceSpans?: { resource?: Resource; scopeSpans: { scope?: Scope; spans: Span[]; schemaUrl?: string }[] }[];
}
export interface Metrics {
  resourceMetrics?: { resource?: Resource; scopeMetrics: { scope?: Scope; metrics: Metric[]; schemaUrl?: string }[] }[];
}

/** Attributes as an object in which a bigint is an integer, a number a double. */
export function toPlain(attributes: readonly KeyValue[] = []): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, toPlainValue(value)]));
}

function toPlainValue(value: AnyValue = {}): unknown {
  if (value.intValue !== undefined) return BigInt(value.intValue);
  if (value.arrayValue) return (value.arrayValue.values ?? []).map(toPlainValue);
  if (value.kvlistValue) return toPlain(value.kvlistValue.values);
  return value.stringValue ?? value.doubleValue ?? value.boolValue;
}

/** What the sender's attributes are on the wire: its whole numbers are integers. */
export function toWire(value: unknown): unknown {
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(toWire);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, toWire(inner)]));
}
