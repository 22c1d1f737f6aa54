import type { MetricsSnapshot } from '../metrics/snapshot.ts';
import type { ReadableSpan } from '../trace/readable-span.ts';

/**
 * Turns spans and metrics into the body of an OTLP request. JSON is built in, protobuf is one import away; both are
 * pure, and neither reads a clock. A batch of nothing gives an envelope without entries, which nobody should send.
 * Standard: https://opentelemetry.io/docs/specs/otlp/
 *
 * @example
 * import { protobuf } from 'edgespan/protobuf';
 * createTelemetry({ otlp: { encoder: protobuf } });
 */
export interface OtlpEncoder {
  /** `application/json` or `application/x-protobuf`. */
  readonly contentType: string;
  /** An `ExportTraceServiceRequest`, grouped by resource and scope. */
  traces(spans: readonly ReadableSpan[]): Uint8Array;
  /** An `ExportMetricsServiceRequest`. Families without points are left out. */
  metrics(snapshot: MetricsSnapshot): Uint8Array;
}
