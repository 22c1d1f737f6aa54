import type { Context, Span, SpanContext, SpanOptions, TimeInput, Tracer, TracerProvider } from '@opentelemetry/api';
import { createScope, type InstrumentationScope } from '../instrumentation-scope.ts';
import type { IdGenerator } from './ids.ts';
import { createSampledTrace, createTailTrace, type LocalTrace, type TailRules } from './local-trace.ts';
import { createContextKey } from './otel-context.ts';
import { getSpan, isSpanContextValid, setSpan, withReadableState, wrapSpanContext } from './otel-span.ts';
import type { Sampler } from './sampler.ts';
import { getSamplingHint, type SamplingHint } from './sampling-hint.ts';
import { RecordingSpan, type SpanHost } from './span.ts';
import { toKind } from './span-input.ts';
import { getTraceId } from './trace-id.ts';

export interface TracerHost extends SpanHost {
  readonly ids: IdGenerator;
  readonly sampler: Sampler;
  readonly tail?: TailRules;
  /** Spans that a trace waiting for its tail decision may hold. */
  readonly maxHeldSpans: number;
  readonly activeContext: () => Context;
  readonly runIn: <T>(context: Context, fn: () => T) => T;
  /** Attributes that every span started under this context carries. */
  readonly scopeAttributes: (context: Context) => Record<string, unknown> | undefined;
  /** Takes a span that has ended and is to be exported. */
  readonly emit: (span: RecordingSpan) => void;
  readonly drop: (count: number) => void;
  readonly onError: (error: unknown) => void;
}

/** Sampled, and ids whose last seven bytes are random: W3C trace context level 2. */
const sampledRandom = 0x03;
const random = 0x02;
/** What OpenTelemetry's own code sets around an export, so that exports are not traced and exported in turn. */
export const suppressTracingKey = /* @__PURE__ */ createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING');

export function createTracer(host: TracerHost, scope: InstrumentationScope): Tracer {
  const sampledTrace = createSampledTrace(host.emit);

  function start(name: string, options: SpanOptions, context: Context): Span {
    if (context.getValue(suppressTracingKey)) return wrapSpanContext(noSpanContext());
    const active = options.root ? undefined : getSpan(context);
    const parentSpan = active instanceof RecordingSpan && active.isOf(host) ? active : undefined;
    const parent = parentSpan?.spanContext() ?? validContext(active?.spanContext());
    const traceId = parent?.traceId ?? getTraceId(context) ?? host.ids.traceId();
    const hint = options.root ? undefined : getSamplingHint(context);
    const local = parentSpan?.localTrace ?? startLocalTrace(traceId, parent, hint);
    const spanContext = createSpanContext(host.ids.spanId(), traceId, parent, local);
    if (!local) return wrapSpanContext(spanContext);
    const span = new RecordingSpan(host, {
      name,
      kind: toKind(options.kind),
      context: spanContext,
      scope,
      trace: local,
      parent,
      parentSpan,
      startTime: options.startTime as TimeInput | undefined,
    });
    const inherited = host.scopeAttributes(context);
    if (inherited) span.setAttributes(inherited);
    if (options.attributes) span.setAttributes(options.attributes);
    if (options.links) span.addLinks(options.links);
    return span;
  }

  function startLocalTrace(
    traceId: string,
    parent: SpanContext | undefined,
    hint: SamplingHint | undefined,
  ): LocalTrace | undefined {
    if (isSampled(host.sampler, traceId, parent, hint)) return sampledTrace;
    return host.tail && createTailTrace(host.tail, host.maxHeldSpans, host.emit, host.drop);
  }

  function startSpan(name: string, options: SpanOptions = {}, context: Context = host.activeContext()): Span {
    try {
      return start(name, options, context);
    } catch (error) {
      // In a Worker's global scope there is no randomness; the application goes on without this span.
      host.onError(error);
      return wrapSpanContext(noSpanContext());
    }
  }

  function startActiveSpan(name: string, ...rest: unknown[]): unknown {
    const fn = rest.pop() as (span: Span) => unknown;
    const [options, given] = rest as [SpanOptions?, Context?];
    const context = given ?? host.activeContext();
    const span = startSpan(name, options, context);
    return host.runIn(setSpan(context, span), () => fn(span));
  }

  return { startSpan, startActiveSpan: startActiveSpan as Tracer['startActiveSpan'] };
}

export function createTracerProvider(host: TracerHost): TracerProvider {
  return {
    getTracer: (name, version, options) => createTracer(host, createScope(name, version, options)),
  };
}

/** A host without telemetry may have a span of zeros active (Workers): that is no parent. */
function validContext(context: SpanContext | undefined): SpanContext | undefined {
  return context && isSpanContextValid(context) ? withReadableState(context) : undefined;
}

/** Of a span that is nobody's: OpenTelemetry's invalid span context. */
export function noSpanContext(): SpanContext {
  return { traceId: '0'.repeat(32), spanId: '0'.repeat(16), traceFlags: 0 };
}

/** A caller's wish without ids beats the sampler, and one that defers leaves the decision to it. */
function isSampled(
  sampler: Sampler,
  traceId: string,
  parent: SpanContext | undefined,
  hint: SamplingHint | undefined,
): boolean {
  if (hint === 'defer') return sampler(traceId, undefined);
  return hint === undefined ? sampler(traceId, parent) : hint !== 'deny';
}

function createSpanContext(
  spanId: string,
  traceId: string,
  parent: SpanContext | undefined,
  local: LocalTrace | undefined,
): SpanContext {
  if (!parent) return { traceId, spanId, traceFlags: local?.sampled() ? sampledRandom : random };
  const randomBit = parent.traceFlags & random;
  const traceFlags = randomBit | (local?.sampled() ? 1 : 0);
  return parent.traceState
    ? { traceId, spanId, traceFlags, traceState: parent.traceState }
    : { traceId, spanId, traceFlags };
}
