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
  /** Whose children the spans are; of the active span by default. */
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
  /**
   * Wraps a function in a span `invoke_agent <name>`; calls and tools inside count under the agent's name.
   *
   * @example
   * const research = telemetry.agent({ name: 'research' }, async (question: string) => search(question));
   */
  readonly agent: SpanWrapper<AgentOptions>;
  /**
   * Wraps a function that asks a model where no `fetch` sees it: span, tokens and cost are read off its arguments and
   * its result, a stream too. Counts once where `telemetry.fetch` inside sees the same call.
   *
   * @example
   * const ask = telemetry.llm({ provider: 'acme' }, (prompt: string) => client.invoke({ model: 'acme-1', prompt }));
   */
  readonly llm: LlmWrapper;
  /**
   * Wraps a function in a span `execute_tool <name>`, and counts its runs and failures.
   *
   * @example
   * const weather = telemetry.tool({ name: 'weather' }, async (city: string) => forecast(city));
   */
  readonly tool: SpanWrapper<ToolOptions>;
  /**
   * Wraps a function in a span `retrieval <name>`, and notes how many documents it found.
   *
   * @example
   * const search = telemetry.retrieval({ name: 'docs' }, async (query: string) => index.find(query));
   */
  readonly retrieval: RetrievalWrapper;
  /**
   * Wraps a function in a plain span.
   *
   * @example
   * const rank = telemetry.trace({ name: 'rank' }, async (found: string[]) => found.toSorted());
   */
  readonly trace: SpanWrapper<SpanOptions>;
  /**
   * Counts and times a function, without a span: `<name>_calls_total`, `<name>_failures_total` and
   * `<name>_duration_seconds`.
   *
   * @example
   * const load = telemetry.measure({ name: 'load' }, async (id: string) => store.get(id));
   */
  readonly measure: SpanWrapper<{ name: string }>;
  /** Runs a function in a span, and hands it a telemetry whose spans are children of it, without async context too. */
  span<T>(name: string, fn: (span: Span, telemetry: Telemetry) => T): T;
  span<T>(name: string, options: SpanOptions & { type?: SpanType }, fn: (span: Span, telemetry: Telemetry) => T): T;
  /** The span that the code runs in. */
  activeSpan(): Span | undefined;
  /** Adds up the tokens and costs of a stretch of work. Throws a `TelemetryError` for wrong options. */
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
  /**
   * Runs a function in a scope, and hands it a telemetry of that scope, which needs no async context.
   *
   * @example
   * await telemetry.with({ attributes: { 'user.id': 'ann' } }, () => openai.responses.create(request));
   */
  with<T>(scope: Scope, fn: (telemetry: Telemetry) => T): T;
  /**
   * A telemetry of a scope, to hand on; what is active elsewhere stays as it is.
   *
   * @example
   * const openai = new OpenAI({ fetch: telemetry.scoped({ attributes: { tenant } }).fetch });
   */
  scoped(scope: Scope): Telemetry;
  /** What the limits of the option `budget` have come to, and calls that nobody sees. */
  readonly budget: Budget;
  /**
   * Ours, and metrics of your own by prom-client's habits, on the same page.
   *
   * @example
   * telemetry.metrics.counter('jobs_total', { labels: ['queue'] }).inc({ queue: 'mail' });
   */
  readonly metrics: MetricRegistry;
  /** OpenTelemetry's tracer: its spans join ours. */
  readonly tracer: Tracer;
  /** Makes tracers with scopes of their own, for libraries that take a provider. */
  readonly tracerProvider: TracerProvider;
  /** OpenTelemetry's meter: its instruments count in `metrics`. */
  readonly meter: Meter;
  /** Makes meters with scopes of their own, for libraries that take a provider. */
  readonly meterProvider: MeterProvider;
  /** Writes the active trace context into a carrier; a new record by default. */
  inject(): Record<string, string>;
  inject<C extends Headers | Record<string, string>>(carrier: C, context?: Context): C;
  /** The trace context that a carrier brings, as a `parent`; the active one where it brings none. */
  extract(carrier: Carrier): Context;
  /** The exposition text. Rejects on a runtime of many isolates without `metrics.store`, unless `metrics.local`. */
  prometheus(options?: { format?: 'text' | 'openmetrics' }): Promise<string>;
  /** A `/metrics` route: GET, content negotiation, bearer token by `metrics.token`. */
  readonly metricsHandler: (request: Request) => Promise<Response>;
  /** Sends what is buffered, within `flush.timeoutMs` unless told otherwise. Never rejects. */
  flush(options?: { timeoutMs?: number }): Promise<FlushResult>;
  /** Flushes, and stops timers and exporters. Never rejects. */
  shutdown(options?: { timeoutMs?: number }): Promise<FlushResult>;
  /** Ended spans, oldest first, where `inMemory` keeps them. */
  readonly spans: readonly ReadableSpan[];
  /** Forgets the spans that `inMemory` keeps, as between two tests. */
  clearSpans(): void;
  /**
   * Makes this telemetry OpenTelemetry's global one; returns its undo. Where the host owns the globals it changes
   * nothing. Hand it the API to reach tracers that libraries took from it before:
   * `telemetry.register(await import('@opentelemetry/api'))`.
   */
  register(api?: OpenTelemetryApi): () => void;
  /** Whether anything went wrong so far: each kind of problem with its count and what to do about it. */
  health(): Health;
}
