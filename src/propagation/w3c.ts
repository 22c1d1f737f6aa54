import type { TextMapPropagator } from '@opentelemetry/api';
import { baggage } from './baggage.ts';
import { createPropagator } from './composite.ts';
import { traceContext } from './trace-context.ts';

export { baggage, traceContext };

/** `traceparent`, `tracestate` and `baggage`: OpenTelemetry's default. */
export const w3c: TextMapPropagator = /* @__PURE__ */ createPropagator([traceContext, baggage]);
