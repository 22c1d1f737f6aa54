import type { Context } from '@opentelemetry/api';
import { createContextKey } from './otel-context.ts';

const key = /* @__PURE__ */ createContextKey('edgespan trace id');

/** The trace that a span without a parent belongs to, where it is not a new one. */
export function getTraceId(context: Context): string | undefined {
  return context.getValue(key) as string | undefined;
}

export function setTraceId(context: Context, traceId: string): Context {
  return context.setValue(key, traceId);
}
