import type { MeterProvider, TextMapPropagator, Tracer, TracerProvider } from '@opentelemetry/api';
import { type Books, createBooks } from './books.ts';
import type { BudgetParts } from './budget/budget.ts';
import type { Clock } from './clock.ts';
import { createDiagnostics, type Diagnostics } from './diagnostics.ts';
import { createEnvironment } from './environment.ts';
import { type BuiltIn, type Features, need } from './features/feature.ts';
import { createAttempts } from './llm/attempts.ts';
import { silence } from './llm/content/silence.ts';
import { createCostAlert } from './llm/cost-alert.ts';
import { describeEmitter } from './llm/emitter.ts';
import type { LlmInstruments } from './llm/instruments.ts';
import type { Provider } from './llm/provider.ts';
import { createLlmRecorder, type LlmRecorder } from './llm/recorder.ts';
import { semconvNames } from './llm/semconv.ts';
import { ownSpans, type SpanDialect } from './llm/span-dialect.ts';
import { traceRef } from './llm/trace-ref.ts';
import { createMetricOutput, type SharedMetrics } from './metric-output.ts';
import type { MetricExporter } from './metrics/metric-exporter.ts';
import type { Registry } from './metrics/registry.ts';
import type { MetricsSnapshot } from './metrics/snapshot.ts';
import { checkOptions } from './option-checks.ts';
import type { TelemetryOptions } from './options.ts';
import { resolveOtlp } from './otlp/config.ts';
import type { OtlpPort } from './otlp/exporter.ts';
import type { PriceBook } from './pricing/book.ts';
import { createPropagator } from './propagation/composite.ts';
import { lazyResource, parseResourceEnv, resolveResource } from './resource.ts';
import { completeRuntime, type Fetch } from './runtime.ts';
import {
  byPriority,
  type ResolvedLimits,
  resolveDialect,
  resolveFlush,
  resolveLimits,
  resolvePrices,
  resolvePropagators,
  resolveRegistry,
  resolveSampler,
} from './settings.ts';
import { createSpanOutput } from './span-output.ts';
import { createOpenStreams, type OpenStreams } from './stream/open-streams.ts';
import { type ContextView, createContextView, getScopeAttributes } from './trace/context.ts';
import type { SpanMemory } from './trace/exporters.ts';
import { createIdGenerator } from './trace/ids.ts';
import { getSpan } from './trace/otel-span.ts';
import { type PlacedRuntime, withPlaces } from './trace/placed-context.ts';
import type { Resource } from './trace/readable-span.ts';
import type { RecordingSpan } from './trace/span.ts';
import type { SpanPipeline } from './trace/span-pipeline.ts';
import { createTracer, createTracerProvider, type TracerHost } from './trace/tracer.ts';
import { version } from './version.ts';

/** The parts of one telemetry, wired. Views of it (`scoped`, the telemetry a callback is handed) share them. */
export interface Engine {
  readonly options: TelemetryOptions;
  readonly features: Features;
  readonly enabled: boolean;
  /** Whether metrics are counted and shown. */
  readonly metricsOn: boolean;
  /** Whether spans have the `llm.*` names of their attributes too. */
  readonly legacyAttributes: boolean;
  readonly runtime: PlacedRuntime;
  readonly clock: Clock;
  readonly limits: ResolvedLimits;
  readonly flushing: ReturnType<typeof resolveFlush>;
  readonly diagnostics: Diagnostics;
  readonly root: ContextView;
  readonly resource: () => Resource;
  readonly tracer: Tracer;
  readonly tracerProvider: TracerProvider;
  readonly meterProvider: MeterProvider | undefined;
  readonly registry: Registry;
  readonly instruments: LlmInstruments;
  readonly recorder: LlmRecorder;
  readonly spanDialect: SpanDialect;
  readonly prices: PriceBook;
  /** Limits of what calls may cost; its `gate` is asked before each. */
  readonly budget: BudgetParts | undefined;
  readonly providers: readonly Provider[];
  readonly propagator: TextMapPropagator;
  readonly fetch: () => Fetch;
  /** Where streams are asked for it. */
  readonly usage: Features['streamUsage'];
  readonly streams: OpenStreams;
  readonly memory: SpanMemory;
  readonly books: Books;
  readonly spanPipelines: readonly SpanPipeline[];
  readonly metricExporters: readonly MetricExporter[];
  readonly sharedMetrics: SharedMetrics | undefined;
  /** What Prometheus and OTLP get: the registry's families with our resource. */
  readonly collect: () => Promise<MetricsSnapshot>;
  /** Told that there is something to send, and how many spans wait. */
  onActivity: (buffered: number) => void;
  /** Told of a call that passed through because telemetry is off. */
  onBypass: () => void;
}

/** Checks the options and wires the parts. Nothing here reads a clock, draws a random number or starts a timer. */
export function createEngine(options: TelemetryOptions, builtIn: BuiltIn): Engine {
  const { features } = builtIn;
  checkOptions(options);
  const runtime = withPlaces(completeRuntime(options.runtime));
  const clock: Clock = { now: runtime.now, monotonic: runtime.monotonic };
  let ready = false;
  const diagnostics = createDiagnostics(() => (ready ? clock.now() : 0), options.onError);
  const environment = createEnvironment(runtime.env, diagnostics.report);
  const limits = resolveLimits(options.limits, environment);
  const flushing = resolveFlush(options.flush, environment);
  const enabled = (options.enabled ?? true) && !environment.boolean('OTEL_SDK_DISABLED');
  const metricsOn = enabled && options.metrics?.enabled !== false;
  const legacyAttributes = options.legacyAttributes ?? true;
  const fetch = () => options.fetch ?? globalThis.fetch;
  const root = createContextView(runtime.context);
  const ids = createIdGenerator(runtime.random);
  const dialect = resolveDialect(options, features);
  const registry = resolveRegistry(options, limits, clock, dialect);
  const redactor =
    options.redact && need(features, 'redaction', 'redact').assemble(options.redact, registry, diagnostics);
  const described = resolveResource(options, parseResourceEnv(environment), runtime.name);
  const emitter = describeEmitter(described);
  const resource = lazyResource(described, ids, redactor);
  const books = createBooks(registry, diagnostics);
  const otlp = resolveOtlp(options.otlp, environment);
  const port: OtlpPort = {
    fetch: () => options.otlp?.fetch ?? globalThis.fetch,
    clock,
    random: () => runtime.random(new Uint8Array(1))[0]! / 256,
    maxRetries: flushing.maxRetries,
  };

  const { report } = diagnostics;
  const given = {
    options,
    environment,
    features,
    enabled,
    metricsOn,
    runtime,
    clock,
    fetch,
    limits,
    flushing,
    registry,
    dialect,
    redactor,
    ids,
    otlp,
    port,
    ledger: books,
    report,
  };
  const spans = createSpanOutput(given);
  const { memory, pipelines: spanPipelines } = spans;
  const semconv = semconvNames(options.semconv ?? '1.41');
  const metrics = createMetricOutput({ ...given, semconv, emitter, resource });
  const { instruments } = metrics;
  const preset = options.metrics?.preset;
  const spanDialect = (preset && features.presets?.spans(preset, emitter, options.pricingProfile)) ?? ownSpans;

  const { keepErrors, keepSlowerThanMs, keepCostlierThanUsd } = options.sampling ?? {};
  const hasTail = keepErrors || keepSlowerThanMs !== undefined || keepCostlierThanUsd !== undefined;
  const host: TracerHost = {
    clock,
    limits,
    get resource() {
      return resource();
    },
    ids,
    sampler: enabled ? resolveSampler(options.sampling, environment) : () => false,
    ...(enabled && hasTail && { tail: { ...options.sampling } }),
    maxHeldSpans: limits.spans,
    activeContext: root.active,
    runIn: root.run,
    scopeAttributes: getScopeAttributes,
    emit,
    drop: books.sampledOut,
    onError: diagnostics.report,
  };

  function emit(span: RecordingSpan): void {
    const buffered = spans.emit(span);
    try {
      engine.onActivity(buffered);
    } catch (error) {
      diagnostics.report(error);
    }
  }

  const attempts = createAttempts(instruments.call, clock.monotonic);
  const streams = createOpenStreams(clock.monotonic);
  registry.beforeCollect(() => {
    streams.abandonUnread(flushing.timeoutMs);
    attempts.commit();
  });
  registry.addTraceSource(() => {
    // Not by the view, which would also ask the host: this runs at every measurement.
    const context = runtime.context.get();
    const span = context && getSpan(context);
    return (span && traceRef(span)) ?? undefined;
  });
  const tracer = createTracer(host, { name: 'edgespan', ...(options.scope ?? { version }) });
  const prices = resolvePrices(enabled ? builtIn.prices : undefined, given);
  const engine: Engine = {
    options,
    features,
    enabled,
    metricsOn,
    legacyAttributes,
    runtime,
    clock,
    limits,
    flushing,
    diagnostics,
    root,
    resource,
    tracer,
    tracerProvider: createTracerProvider(host),
    meterProvider: features.openTelemetry?.createMeterProvider(registry, diagnostics.report),
    registry,
    instruments,
    recorder: createLlmRecorder({
      tracer,
      clock,
      instruments,
      attempts,
      content: (options.capture ? need(features, 'content', 'capture') : features.content)?.assemble(given) ?? silence,
      prices,
      pricingProfile: options.pricingProfile,
      semconv,
      legacyAttributes,
      dialect: spanDialect,
      guardrail: options.guardrail,
      evaluations:
        options.evaluation && need(features, 'evaluations', 'evaluation').assemble(options.evaluation, () => engine),
      onCost: createCostAlert(options.costAlert, instruments, diagnostics.report),
      report: diagnostics.report,
    }),
    spanDialect,
    prices,
    budget: options.budget && need(features, 'budgets', 'budget').assemble({ ...given, prices }),
    providers: byPriority([...(options.providers ?? []), ...builtIn.providers]),
    propagator: createPropagator(resolvePropagators(options.propagation, environment)),
    fetch,
    usage: options.includeUsage ? need(features, 'streamUsage', 'includeUsage') : undefined,
    streams,
    memory,
    books,
    spanPipelines,
    metricExporters: metrics.exporters,
    sharedMetrics: metrics.shared,
    collect: metrics.collect,
    onActivity: () => {},
    onBypass: () => {},
  };
  ready = true;
  return engine;
}
