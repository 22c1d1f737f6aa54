import { ProtobufMetricsSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import type { OtlpEncoder } from './encoder.ts';
import { toResourceMetrics } from './protobuf-metrics.ts';
import { toWritableSpan } from './protobuf-value.ts';

/**
 * OTLP as protobuf, by OpenTelemetry's serializer, which writes no exemplars. Integers between 2^53 and 2^63 that a
 * double cannot hold become decimal strings.
 *
 * @example
 * import { protobuf } from 'edgespan/protobuf';
 * createTelemetry({ otlp: { encoder: protobuf } });
 */
export const protobuf: OtlpEncoder = {
  contentType: 'application/x-protobuf',
  traces(spans) {
    const resources = new Map();
    return ProtobufTraceSerializer.serializeRequest(spans.map((span) => toWritableSpan(span, resources))) ?? empty();
  },
  metrics(snapshot) {
    const request = toResourceMetrics(snapshot);
    return (request && ProtobufMetricsSerializer.serializeRequest(request)) ?? empty();
  },
};

function empty(): Uint8Array {
  return new Uint8Array();
}
