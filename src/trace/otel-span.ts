import type { Context, Span, SpanContext } from '@opentelemetry/api';
import { createContextKey } from './otel-context.ts';

/** The values of the API's `SpanKind`, of those we set. */
export const spanKind = { internal: 0, server: 1, client: 2, consumer: 4 } as const;

/** `SpanStatusCode.ERROR` of the API. */
export const statusError = 2;

const contextKey = /* @__PURE__ */ createContextKey('OpenTelemetry Context Key SPAN');

export function getSpan(context: Context): Span | undefined {
  return (context.getValue(contextKey) as Span | undefined) || undefined;
}

export function setSpan(context: Context, span: Span): Context {
  return context.setValue(contextKey, span);
}

export function getSpanContext(context: Context): SpanContext | undefined {
  return getSpan(context)?.spanContext();
}

export function setSpanContext(context: Context, spanContext: SpanContext): Context {
  return setSpan(context, wrapSpanContext(spanContext));
}

/** What tells a span from all others. */
export function spanKey({ traceId, spanId }: Pick<SpanContext, 'traceId' | 'spanId'>): string {
  return traceId + spanId;
}

/** A span that carries ids and records nothing. */
export function wrapSpanContext(spanContext: SpanContext): Span {
  return new PassiveSpan(spanContext);
}

/** Ids of hex digits that are not all zero: https://opentelemetry.io/docs/specs/otel/trace/api/#isvalid */
export function isSpanContextValid({ traceId, spanId }: SpanContext): boolean {
  return isId(traceId, 32) && isId(spanId, 16);
}

/** Whether both ids have their form; those of zeros, which lead nowhere, have it too. */
export function hasIds({ traceId, spanId }: SpanContext): boolean {
  return /^[\da-f]{32}$/i.test(traceId) && /^[\da-f]{16}$/i.test(spanId);
}

/** The context without a trace state that nobody can write: one such would cost a whole batch. */
export function withReadableState(context: SpanContext): SpanContext {
  if (context.traceState === undefined || typeof context.traceState?.serialize === 'function') return context;
  const { traceState: _, ...rest } = context;
  return rest;
}

function isId(id: unknown, length: number): boolean {
  return typeof id === 'string' && id.length === length && /^(?!0+$)[\da-f]+$/i.test(id);
}

class PassiveSpan implements Span {
  readonly spanContext: () => SpanContext;

  constructor(context: SpanContext) {
    this.spanContext = () => context;
  }

  isRecording(): boolean {
    return false;
  }

  setAttribute(): this {
    return this;
  }

  setAttributes(): this {
    return this;
  }

  addEvent(): this {
    return this;
  }

  addLink(): this {
    return this;
  }

  addLinks(): this {
    return this;
  }

  setStatus(): this {
    return this;
  }

  updateName(): this {
    return this;
  }

  recordException(): void {}

  end(): void {}
}
