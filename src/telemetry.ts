import type { Attributes, Context, Meter, MeterProvider, Span, Tracer, TracerProvider } from '@opentelemetry/api';
import type { Budget } from './budget/budget.ts';
import type { Health } from './diagnostics.ts';
import type { FlushResult } from './flush.ts';
import type { Evaluation, Feedback } from './llm/evaluation/evaluator.ts';
import type { GuardrailResult } from './llm/guardrail.ts';
import type { CacheLookup, LlmCall } from './llm/record-call.ts';
import type { KnownOfSpan } from './llm/record-span.ts';
import type { Session, SessionOptions } from './llm/session.ts';
import type { WrapOptions } from './llm/wrap.ts';
import type {
  AgentOptions,
  LlmWrapper,
  RetrievalWrapper,
  SpanOptions,
  SpanType,
  SpanWrapper,
  ToolOptions,
} from './llm/wrappers.ts';
import type { MetricRegistry } from './metrics/metric-registry.ts';
import type { OpenTelemetryApi } from './register.ts';
import type { ReadableSpan } from './trace/readable-span.ts';

/** Who, under what, what: where spans of a piece of work belong. */
export interface Scope {
  parent?: Context | Span;
  /** On every span started inside; never a metric label, never sent away as baggage. */
  attributes?: Attributes;
  /**
   * Gets the flush: of `with` once its function and the bodies opened in it are done, of `scoped`, which has no end,
   * whenever the bodies opened in it are.
   */
  waitUntil?: (promise: Promise<unknown>) => void;
}

/** A carrier of trace context that came in. */
export type Carrier = Headers | Record<string, string | string[] | undefined> | null | undefined;

/**
 * Sees, prices and exports the LLM calls of a program. One, made at module scope, is handed to everything.
 *
 * @example
 * const telemetry = createTelemetry({ serviceName: 'chat', otlp: { endpoint: 'https://otlp.example.com' } });
 * const openai = new OpenAI({ fetch: telemetry.fetch });
 */
export interface Telemetry {
  /** The standard `fetch`, observed: give it to an SDK's client. Bound and stable. */
  readonly fetch: typeof globalThis.fetch;
  readonly agent: SpanWrapper<AgentOptions>;
  readonly llm: LlmWrapper;
  readonly tool: SpanWrapper<ToolOptions>;
  readonly retrieval: RetrievalWrapper;
  readonly trace: SpanWrapper<SpanOptions>;
  /** Counts and times a function: `<name>_calls_total`, `<name>_failures_total`, `<name>_duration_seconds`. */
  readonly measure: SpanWrapper<{ name: string }>;
  /** Runs a function in a span, and hands it a telemetry whose spans are children of it, without async context too. */
  span<T>(name: string, fn: (span: Span, telemetry: Telemetry) => T): T;
  span<T>(name: string, options: SpanOptions & { type?: SpanType }, fn: (span: Span, telemetry: Telemetry) => T): T;
  activeSpan(): Span | undefined;
  /** Counts the tokens and costs of a stretch of work. */
  session(options?: SessionOptions): Session;
  /**
   * The same object, its methods in spans named `<name>.<method>`: a store, a pipeline, an SDK's client (type `llm`).
   *
   * @example
   * const redis = telemetry.wrap(client, { name: 'redis', include: ['get', 'set'] });
   * const openai = telemetry.wrap(new OpenAI(), { type: 'llm' });
   */
  wrap<T extends object>(target: T, options?: WrapOptions<T>): T;
  /** A span and all metrics for a call that was made elsewhere, or that a cache answered. Never throws. */
  recordLlmCall(call: LlmCall): void;
  /**
   * Turns a GenAI span of another OpenTelemetry tracer, ended, into our metrics and cost: model calls, and runs of tools,
   * agents and retrievals. None is counted twice, whoever tells of it. `createSpanProcessor` does it for all. Never throws.
   */
  recordSpan(span: ReadableSpan, known?: KnownOfSpan): void;
  /** Counts what a check of one's own found, and notes it on the span. Never throws. */
  recordGuardrail(result: GuardrailResult): void;
  /** Notes a score that was given elsewhere, on the span that was judged, and counts it. Never throws. */
  recordEvaluation(result: Evaluation): void;
  /** Notes what a user thinks of an answer in the trace that it came from, and counts it. Never throws. */
  recordFeedback(feedback: Feedback): void;
  /** Counts a look into a response cache, without a call. */
  recordCacheLookup(lookup: CacheLookup): void;
  /** Ids of the active span, for a structured log line; nothing outside of any. */
  logFields(): { trace_id: string; span_id: string } | Record<string, never>;
  with<T>(scope: Scope, fn: (telemetry: Telemetry) => T): T;
  scoped(scope: Scope): Telemetry;
  /** What the limits of the option `budget` have come to, and calls that nobody sees. */
  readonly budget: Budget;
  readonly metrics: MetricRegistry;
  readonly tracer: Tracer;
  readonly tracerProvider: TracerProvider;
  readonly meter: Meter;
  readonly meterProvider: MeterProvider;
  /** Writes the active trace context into a carrier; a new record by default. */
  inject(): Record<string, string>;
  inject<C extends Headers | Record<string, string>>(carrier: C, context?: Context): C;
  extract(carrier: Carrier): Context;
  /** The exposition text. Rejects on a runtime of many isolates unless `metrics.local`. */
  prometheus(options?: { format?: 'text' | 'openmetrics' }): Promise<string>;
  /** A `/metrics` route: GET, content negotiation, bearer token by `metrics.token`. */
  readonly metricsHandler: (request: Request) => Promise<Response>;
  /** Sends what is buffered. Never rejects. */
  flush(options?: { timeoutMs?: number }): Promise<FlushResult>;
  /** Flushes, and stops timers and exporters. */
  shutdown(options?: { timeoutMs?: number }): Promise<FlushResult>;
  /** Ended spans, oldest first, where `inMemory` keeps them. */
  readonly spans: readonly ReadableSpan[];
  clearSpans(): void;
  /**
   * Makes this telemetry OpenTelemetry's global one; returns its undo. Where the host owns the globals it changes
   * nothing. Hand it the API to reach tracers that libraries took from it before:
   * `telemetry.register(await import('@opentelemetry/api'))`.
   */
  register(api?: OpenTelemetryApi): () => void;
  health(): Health;
}
