import { Hono } from 'hono';
import { builtIn } from '../built-in.ts';
import { createEngine } from '../engine.ts';
import { messageOf, TelemetryError } from '../errors.ts';
import { describeEmitter } from '../llm/emitter.ts';
import { nameFamilies } from '../llm/families.ts';
import { createMemoryMetricStore } from '../metrics/memory-store.ts';
import { Registry } from '../metrics/registry.ts';
import { resolveCaps } from '../settings.ts';
import { createIdGenerator } from '../trace/ids.ts';
import { createAccess, defaultTenant } from './access.ts';
import { createActivity } from './activity.ts';
import { answerErrors, refuseOtherMethods } from './answer-errors.ts';
import { createWaitUntilReader } from './client.ts';
import { dashboardRoutes } from './dashboard/routes.ts';
import { collectorDialect } from './dialect.ts';
import { createForward } from './forward.ts';
import { addIngestRoutes } from './ingest.ts';
import { createIntake } from './intake.ts';
import { createLive } from './live.ts';
import { createMemoryTraceStore } from './memory-trace-store.ts';
import { createMetricsPage } from './metrics-page.ts';
import type { CollectorOptions } from './options.ts';
import { createOwnMetrics } from './own-metrics.ts';
import { createPipeline } from './pipeline.ts';
import { createPushedMetrics } from './pushed-metrics.ts';
import { addQueryRoutes } from './query.ts';
import { createRateLimit } from './rate-limit.ts';
import { createRedaction } from './redaction.ts';
import { createSampling } from './sampling.ts';
import { checkCollectorOptions, createSettings, resolveCollectorLimits } from './settings.ts';
import { createCostOf } from './span-facts.ts';
import { createSpanMetrics } from './span-metrics.ts';
import { createStats } from './stats.ts';
import { addStatusRoutes } from './status.ts';
import { createTimelyStore } from './timely-store.ts';

/** Series of a metric, of all senders together. */
const seriesPerMetric = 10_000;

/**
 * A collector as a Hono app: spans and metrics come in by OTLP or as Rastir sends them, are stored, counted, forwarded
 * and shown. Throws a `TelemetryError` for an option that is unknown or wrong. Nothing runs before the first request.
 *
 * @example
 * const collector = createCollector({ keys: { [process.env.KEY]: 'shop' } });
 * export default collector; // Deno.serve(collector.fetch), app.route('/telemetry', collector)
 */
/* @__NO_SIDE_EFFECTS__ */
export function createCollector(options: CollectorOptions = {}): Collector {
  checkCollectorOptions(options);
  const telemetry = { serviceName: 'edgespan-collector', ...options.telemetry };
  const { registry: _registry, store: _store, ...metricOptions } = telemetry.metrics ?? {};
  const engine = createEngine({ ...telemetry, metrics: metricOptions }, builtIn);
  const { clock, runtime, diagnostics } = engine;
  const { report } = diagnostics;
  const limits = resolveCollectorLimits(options.limits);
  const settings = createSettings(options);
  const tenantLabel = options.tenantLabel ?? false;
  const dialect = collectorDialect({
    preset: metricOptions.preset,
    namespace: metricOptions.namespace,
    pricingProfile: telemetry.pricingProfile,
    tenantLabel,
  });
  const registry = new Registry({ seriesPerMetric: telemetry.limits?.seriesPerMetric ?? seriesPerMetric, ...clock });
  registry.limitLabels(resolveCaps({ metrics: metricOptions }, dialect.llm));
  const traces = options.traces
    ? createTimelyStore(options.traces, engine.flushing.timeoutMs)
    : createMemoryTraceStore();
  const givenStore = options.metrics ?? telemetry.metrics?.store;
  const store = givenStore ?? createMemoryMetricStore({ now: clock.now });
  const ids = createIdGenerator(runtime.random);
  const costOf = createCostOf(engine);
  const activity = createActivity(clock.monotonic);
  const stats = createStats(clock.now);
  let isStoring = true;

  const forward =
    options.forward &&
    createForward({ target: options.forward, options: telemetry, engine, onFailure: () => own.exportFailed() });
  const { service, env } = describeEmitter({ 'service.name': telemetry.serviceName, ...engine.options.resource });
  const self = { service, env, tenant: defaultTenant };
  const observed = {
    queueSize: () => intake.size,
    queueMax: () => settings.current.queue.max,
    memoryBytes: () => options.memoryBytes?.(),
    storedTraces: () => traces.size?.(),
    activeTraces: activity.traces,
    heldSpans: () => sampling.held,
    ingestionRate: activity.rate,
  };
  const own = createOwnMetrics(registry, dialect, self, observed, options.objectives);
  const live = createLive({ traces, costOf, maxListeners: limits.listeners, report });
  const sampling = createSampling({
    settings,
    costOf,
    monotonic: clock.monotonic,
    maxTraces: limits.heldTraces,
    maxSpans: limits.heldSpans,
    maxMs: limits.heldMs,
    drop: own.sampledOut,
  });
  registry.beforeCollect(sampling.expire);
  const metrics = createSpanMetrics({
    engine,
    registry,
    dialect,
    maxEmitters: limits.emitters,
    onCall: stats.add,
  });
  const handle = createPipeline({
    metrics: {
      record(spans, tenant) {
        activity.add(spans);
        metrics.record(spans, tenant);
      },
    },
    sampling,
    redaction: createRedaction(telemetry.redact, {
      registry,
      report,
      changed: own.redacted,
      failed: own.redactionFailed,
    }),
    traces,
    costOf,
    forward: forward?.add,
    live: live.publish,
    audit: options.audit?.exporter,
    onSampled: own.sampled,
    onStored(error) {
      isStoring = error === undefined;
      if (isStoring) return;
      own.storeFailed();
      report(new TelemetryError('store_failed', `the trace store failed: ${messageOf(error)}`, { cause: error }));
    },
    report,
  });
  const intake = createIntake({
    settings,
    handle,
    onWarning: own.warned,
    onDropped: ({ spans }) => own.droppedWaiting(spans),
  });
  const pushed = createPushedMetrics({
    store,
    clock,
    newId: ids.traceId,
    ledger: engine.books,
    timeoutMs: engine.flushing.timeoutMs,
    maxSeries: limits.pushedSeries,
    labels: dialect.senderLabels,
    derived: nameFamilies(dialect.llm.definitions, {
      namespace: metricOptions.namespace ?? dialect.llm.namespace,
      buckets: metricOptions.buckets ?? {},
    }),
    isShared: givenStore !== undefined,
    ephemeral: runtime.ephemeral,
  });
  const page = createMetricsPage({
    engine,
    registry,
    pushed,
    store,
    forward,
    newId: ids.traceId,
    isShared: givenStore !== undefined,
    isLocal: runtime.ephemeral && givenStore === undefined,
    tenantLabel,
  });

  const access = createAccess(options);
  const rateLimit = createRateLimit({
    settings,
    monotonic: clock.monotonic,
    maxKeys: limits.rateLimitKeys,
    binding: options.rateLimit?.binding,
  });
  const readWaitUntil = createWaitUntilReader(runtime.ephemeral);
  // Senders are told a base address with a slash at its end or without.
  const app = new Hono({ strict: false });
  answerErrors(app, report);
  addIngestRoutes(app, {
    options,
    limits,
    access,
    rateLimit,
    intake,
    pushed,
    own,
    forward,
    ephemeral: runtime.ephemeral,
    readWaitUntil,
  });
  addQueryRoutes(app, { access, traces, costOf });
  addStatusRoutes(app, {
    access,
    settings,
    intake,
    live,
    stats,
    page,
    traces,
    forward,
    ephemeral: runtime.ephemeral,
    readWaitUntil,
    now: clock.now,
    isStoring: () => isStoring,
  });

  refuseOtherMethods(app);
  if (options.dashboard ?? true) app.route('/', dashboardRoutes());

  async function shutdown(timeoutMs = 10_000): Promise<void> {
    const deadline = clock.monotonic() + timeoutMs;
    live.close();
    await intake.close(timeoutMs);
    const left = () => Math.max(1, deadline - clock.monotonic());
    await page.push();
    await forward?.shutdown(left());
  }
  return Object.assign(app, { shutdown });
}

/** A Hono app that can be told to stop. */
export type Collector = Hono & {
  /** Takes no more, stores and forwards what waits, and resolves within `timeoutMs` (10,000). */
  shutdown(timeoutMs?: number): Promise<void>;
};
