import type { Span } from '@opentelemetry/api';
import type { TraceRef } from '../metrics/instrument.ts';
import { isSpanContextValid } from '../trace/otel-span.ts';

/** The span as an exemplar names it; `null` where it is not sampled. */
export function traceRef(span: Span): TraceRef | null {
  const context = span.spanContext();
  return (context.traceFlags & 1) === 1 && isSpanContextValid(context) ? context : null;
}
