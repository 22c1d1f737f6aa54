import type { Field, Message } from './wire.ts';

/*
 * The messages of OTLP, as far as they are read.
 * https://github.com/open-telemetry/opentelemetry-proto/tree/main/opentelemetry/proto
 */

const one = (name: string, kind: Field['kind']): Field => ({ name, kind });
const many = (name: string, kind: Field['kind']): Field => ({ name, kind, repeated: true });

const arrayValue: Message = { 1: many('values', () => anyValue) };
const keyValueList: Message = { 1: many('values', () => keyValue) };
const anyValue: Message = {
  1: one('stringValue', 'string'),
  2: one('boolValue', 'bool'),
  3: one('intValue', 'int64'),
  4: one('doubleValue', 'double'),
  5: one('arrayValue', () => arrayValue),
  6: one('kvlistValue', () => keyValueList),
  7: one('bytesValue', 'bytes'),
};
const keyValue: Message = { 1: one('key', 'string'), 2: one('value', () => anyValue) };
const attributes = many('attributes', () => keyValue);

const resource: Message = { 1: attributes };
const scope: Message = { 1: one('name', 'string'), 2: one('version', 'string') };

const event: Message = {
  1: one('timeUnixNano', 'fixed64'),
  2: one('name', 'string'),
  3: attributes,
  4: one('droppedAttributesCount', 'uint32'),
};
const link: Message = {
  1: one('traceId', 'id'),
  2: one('spanId', 'id'),
  3: one('traceState', 'string'),
  4: attributes,
  5: one('droppedAttributesCount', 'uint32'),
  6: one('flags', 'fixed32'),
};
const status: Message = { 2: one('message', 'string'), 3: one('code', 'uint32') };
const span: Message = {
  1: one('traceId', 'id'),
  2: one('spanId', 'id'),
  3: one('traceState', 'string'),
  4: one('parentSpanId', 'id'),
  5: one('name', 'string'),
  6: one('kind', 'uint32'),
  7: one('startTimeUnixNano', 'fixed64'),
  8: one('endTimeUnixNano', 'fixed64'),
  9: attributes,
  10: one('droppedAttributesCount', 'uint32'),
  11: many('events', () => event),
  12: one('droppedEventsCount', 'uint32'),
  13: many('links', () => link),
  14: one('droppedLinksCount', 'uint32'),
  15: one('status', () => status),
  16: one('flags', 'fixed32'),
};

const exemplar: Message = {
  2: one('timeUnixNano', 'fixed64'),
  3: one('asDouble', 'double'),
  4: one('spanId', 'id'),
  5: one('traceId', 'id'),
  6: one('asInt', 'sfixed64'),
};
const exemplars = (number: number): Message => ({ [number]: many('exemplars', () => exemplar) });
const numberPoint: Message = {
  2: one('startTimeUnixNano', 'fixed64'),
  3: one('timeUnixNano', 'fixed64'),
  4: one('asDouble', 'double'),
  6: one('asInt', 'sfixed64'),
  7: attributes,
  8: one('flags', 'uint32'),
  ...exemplars(5),
};
const histogramPoint: Message = {
  2: one('startTimeUnixNano', 'fixed64'),
  3: one('timeUnixNano', 'fixed64'),
  4: one('count', 'fixed64'),
  5: one('sum', 'double'),
  6: many('bucketCounts', 'fixed64'),
  7: many('explicitBounds', 'double'),
  9: attributes,
  10: one('flags', 'uint32'),
  ...exemplars(8),
};
/** Of kinds that we have no use for: their points are counted. */
const otherPoint: Message = {};
const data = (point: Message): Message => ({
  1: many('dataPoints', () => point),
  2: one('aggregationTemporality', 'uint32'),
  3: one('isMonotonic', 'bool'),
});
const metric: Message = {
  1: one('name', 'string'),
  2: one('description', 'string'),
  3: one('unit', 'string'),
  5: one('gauge', () => data(numberPoint)),
  7: one('sum', () => data(numberPoint)),
  9: one('histogram', () => data(histogramPoint)),
  10: one('exponentialHistogram', () => data(otherPoint)),
  11: one('summary', () => data(otherPoint)),
};

/** `ExportTraceServiceRequest`. */
export const traceRequest = /* @__PURE__ */ request('resourceSpans', 'scopeSpans', 'spans', span);
/** `ExportMetricsServiceRequest`. */
export const metricRequest = /* @__PURE__ */ request('resourceMetrics', 'scopeMetrics', 'metrics', metric);

/* @__NO_SIDE_EFFECTS__ */
function request(outer: string, middle: string, inner: string, item: Message): Message {
  const inScope: Message = { 1: one('scope', () => scope), 2: many(inner, () => item), 3: one('schemaUrl', 'string') };
  const ofResource: Message = {
    1: one('resource', () => resource),
    2: many(middle, () => inScope),
    3: one('schemaUrl', 'string'),
  };
  return { 1: many(outer, () => ofResource) };
}
