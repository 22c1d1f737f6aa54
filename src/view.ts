import type { Context, Meter, MeterProvider, Span, Tracer, TracerProvider } from '@opentelemetry/api';
import type { Budget } from './budget/budget.ts';
import { TelemetryError } from './errors.ts';
import { type Features, need } from './features/feature.ts';
import type { FlushResult } from './flush.ts';
import { createInvocation, type OwnInvocation } from './invocation.ts';
import type { Evaluation, Feedback } from './llm/evaluation/evaluator.ts';
import type { GuardrailResult } from './llm/guardrail.ts';
import { createMeasure } from './llm/measure.ts';
import type { CacheLookup, LlmCall } from './llm/record-call.ts';
import type { KnownOfSpan } from './llm/record-span.ts';
import type { Session, SessionOptions } from './llm/session.ts';
import type { WrapOptions } from './llm/wrap.ts';
import { workChecks } from './llm/wrapper-checks.ts';
import {
  type AgentOptions,
  createWrapper,
  type LlmWrapper,
  type RetrievalOptions,
  type RetrievalWrapper,
  type RunWrapped,
  type SpanOptions,
  type SpanType,
  type SpanWrapper,
  type ToolOptions,
} from './llm/wrappers.ts';
import type { MetricRegistry } from './metrics/metric-registry.ts';
import { collectFirst, createHandlerFor, noteOf } from './metrics-source.ts';
import { createViewFetch, isOn } from './observed-fetch.ts';
import { createParts, type Parts, type Shared } from './parts.ts';
import { negotiateFormat } from './prometheus/negotiate.ts';
import { renderPrometheus } from './prometheus/render.ts';
import { getter, setter } from './propagation/carrier.ts';
import { recordWith } from './records.ts';
import type { OpenTelemetryApi } from './register.ts';
import type { Carrier, Scope, Telemetry } from './telemetry.ts';
import { type ContextView, getInvocation } from './trace/context.ts';
import { getSpan, isSpanContextValid, wrapSpanContext } from './trace/otel-span.ts';
import type { ReadableSpan } from './trace/readable-span.ts';
import { scopeContext } from './trace/scope.ts';
import { noSpanContext } from './trace/tracer.ts';
import { version } from './version.ts';

/** A telemetry that starts at a context; cheap, since its parts are made when they are first asked for. */
export class View implements Telemetry {
  readonly #shared: Shared;
  readonly #view: ContextView;
  #fetch: typeof globalThis.fetch | undefined;

  constructor(shared: Shared, view: ContextView) {
    this.#shared = shared;
    this.#view = view;
  }

  /** Under the name of `partsKey`; a computed one would keep the class in bundles that have no use for it. */
  get 'edgespan.parts'(): Parts {
    return createParts(this.#shared, this.#view);
  }

  get fetch(): typeof globalThis.fetch {
    this.#fetch ??= createViewFetch(this.#shared, this.#view);
    return this.#fetch;
  }

  get agent(): SpanWrapper<AgentOptions> {
    return this.#wrapper<AgentOptions>('agent');
  }

  get tool(): SpanWrapper<ToolOptions> {
    return this.#wrapper<ToolOptions>('tool');
  }

  get retrieval(): RetrievalWrapper {
    return this.#wrapper<RetrievalOptions<never>>('retrieval') as RetrievalWrapper;
  }

  get trace(): SpanWrapper<SpanOptions> {
    return this.#wrapper<SpanOptions>('trace');
  }

  get llm(): LlmWrapper {
    return this.#need('wrapping', 'telemetry.llm').createLlm(this.#shared, this.#view);
  }

  get measure(): SpanWrapper<{ name: string }> {
    return createMeasure(this.#shared.engine.registry, this.#shared.engine.clock);
  }

  get budget(): Budget {
    return this.#need('budgets', 'telemetry.budget').createView(this.#shared, this.#view);
  }

  get metrics(): MetricRegistry {
    this.#shared.engine.onActivity(0);
    return this.#shared.engine.registry;
  }

  get tracer(): Tracer {
    return this.#shared.engine.tracer;
  }

  get tracerProvider(): TracerProvider {
    return this.#shared.engine.tracerProvider;
  }

  get meter(): Meter {
    return this.meterProvider.getMeter('edgespan', version);
  }

  get meterProvider(): MeterProvider {
    this.#shared.engine.onActivity(0);
    this.#need('openTelemetry', 'telemetry.meterProvider');
    return this.#shared.engine.meterProvider!;
  }

  get spans(): readonly ReadableSpan[] {
    return this.#shared.engine.memory.list();
  }

  get metricsHandler(): (request: Request) => Promise<Response> {
    return createHandlerFor([this], {}, collectFirst);
  }

  span<T>(
    name: string,
    second: (SpanOptions & { type?: SpanType }) | ((span: Span, telemetry: Telemetry) => T),
    third?: (span: Span, telemetry: Telemetry) => T,
  ): T {
    const fn = typeof second === 'function' ? second : third;
    const options: SpanOptions & { type?: SpanType } = typeof second === 'function' ? {} : Object(second);
    if (typeof fn !== 'function') throw new TelemetryError('invalid_wrapper', `span ${name} needs a function to run`);
    const { runner } = this.#shared;
    if (!isOn(this.#shared)) return fn(wrapSpanContext(noSpanContext()), this);
    return runner.run(this.#view, { type: options.type ?? 'trace', name, options }, (span, context) =>
      fn(span, new View(this.#shared, this.#view.at(context))),
    );
  }

  session(options: SessionOptions = {}): Session {
    return this.#need('sessions', 'telemetry.session').create(this.#shared, this.#view, options);
  }

  wrap<T extends object>(target: T, options: WrapOptions<T> = {}): T {
    return this.#need('wrapping', 'telemetry.wrap').wrap(this.#shared, this.#view, target, options);
  }

  recordLlmCall(call: LlmCall): void {
    recordWith(this.#shared, this.#view).call(call);
  }

  recordSpan(span: ReadableSpan, known: KnownOfSpan = {}): void {
    recordWith(this.#shared, this.#view).span(span, known);
  }

  recordGuardrail(result: GuardrailResult): void {
    recordWith(this.#shared, this.#view).guardrail(result);
  }

  recordEvaluation(result: Evaluation): void {
    recordWith(this.#shared, this.#view).evaluation(result);
  }

  recordFeedback(feedback: Feedback): void {
    recordWith(this.#shared, this.#view).feedback(feedback);
  }

  recordCacheLookup(lookup: CacheLookup): void {
    recordWith(this.#shared, this.#view).cacheLookup(lookup);
  }

  logFields(): { trace_id: string; span_id: string } | Record<string, never> {
    const context = this.activeSpan()?.spanContext();
    return context && isSpanContextValid(context) ? { trace_id: context.traceId, span_id: context.spanId } : {};
  }

  activeSpan(): Span | undefined {
    return getSpan(this.#view.active());
  }

  scoped(scope: Scope): Telemetry {
    const context = scopeContext(scope, this.#view, this.#shared.engine.diagnostics.report);
    const { waitUntil } = Object(scope) as Scope;
    if (!waitUntil || !this.#shared.engine.enabled) return new View(this.#shared, this.#view.at(context));
    // No end of its own: it flushes whenever the bodies that were opened in it are done.
    const onIdle = () => invocation.run(() => {});
    const server = getInvocation(context)?.server;
    const invocation: OwnInvocation = createInvocation(this.#shared, { waitUntil, server, onIdle });
    return new View(this.#shared, this.#view.at(invocation.within(context)));
  }

  with<T>(scope: Scope, fn: (telemetry: Telemetry) => T): T {
    const outer = this.#view.at(scopeContext(scope, this.#view, this.#shared.engine.diagnostics.report));
    const { waitUntil } = Object(scope) as Scope;
    const invocation =
      waitUntil && this.#shared.engine.enabled
        ? createInvocation(this.#shared, { waitUntil, server: getInvocation(outer.active())?.server })
        : undefined;
    const view = invocation ? outer.at(invocation.within(outer.active())) : outer;
    const call = () => view.run(view.active(), () => fn(new View(this.#shared, view)));
    return invocation ? invocation.run(call) : call();
  }

  inject<C extends Headers | Record<string, string>>(carrier: C = {} as C, context: Context = this.#view.active()): C {
    this.#shared.engine.propagator.inject(context, carrier, setter);
    return carrier;
  }

  extract(carrier: Carrier): Context {
    return this.#shared.engine.propagator.extract(this.#view.active(), carrier, getter);
  }

  async prometheus({ format = 'text' }: { format?: 'text' | 'openmetrics' } = {}): Promise<string> {
    const accept = format === 'openmetrics' ? 'application/openmetrics-text;version=1.0.0' : null;
    return renderPrometheus(await collectFirst([this]), negotiateFormat(accept), noteOf([this]));
  }

  flush({ timeoutMs }: { timeoutMs?: number } = {}): Promise<FlushResult> {
    return this.#shared.flusher.flush(timeoutMs);
  }

  shutdown({ timeoutMs }: { timeoutMs?: number } = {}): Promise<FlushResult> {
    return this.#shared.flusher.shutdown(timeoutMs);
  }

  clearSpans(): void {
    this.#shared.engine.memory.clear();
  }

  register(api?: OpenTelemetryApi): () => void {
    return this.#need('openTelemetry', 'telemetry.register').register(this.#shared.engine, api);
  }

  health() {
    return this.#shared.engine.diagnostics.health();
  }

  #need<K extends keyof Features>(name: K, asking: string): NonNullable<Features[K]> {
    return need(this.#shared.engine.features, name, asking);
  }

  #wrapper<O extends SpanOptions>(type: 'agent' | 'tool' | 'retrieval' | 'trace'): SpanWrapper<O> {
    const run: RunWrapped<O> = (options, name) => {
      if (options.capture) this.#need('content', 'capture');
      return (call, args) => {
        if (!isOn(this.#shared)) return call();
        return this.#shared.runner.run(this.#view, { type, name: options.name ?? name, options, args }, call);
      };
    };
    return createWrapper<O>(type, run, workChecks[type]);
  }
}
