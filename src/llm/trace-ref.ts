import type { Span, SpanContext } from '@opentelemetry/api';
import type { TraceRef } from '../metrics/instrument.ts';
import { isSpanContextValid } from '../trace/otel-span.ts';

/** The span as an exemplar names it; `null` where it is not sampled. */
export function traceRef(span: Span): TraceRef | null {
  return traceRefOf(span.spanContext());
}

/** `traceRef` of a span that is known by its ids alone. */
export function traceRefOf(id: SpanContext): TraceRef | null {
  return (id.traceFlags & 1) === 1 && isSpanContextValid(id) ? id : null;
}
