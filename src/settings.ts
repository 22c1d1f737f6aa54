import type { TextMapPropagator } from '@opentelemetry/api';
import { type Clock, maxTimerMs } from './clock.ts';
import type { Diagnostics } from './diagnostics.ts';
import type { Environment } from './environment.ts';
import { TelemetryError } from './errors.ts';
import { type Features, need } from './features/feature.ts';
import { type MetricDialect, ownDialect } from './llm/metric-dialect.ts';
import type { Provider } from './llm/provider.ts';
import { Registry } from './metrics/registry.ts';
import type { TelemetryOptions } from './options.ts';
import { createPriceBook, type PriceBook } from './pricing/book.ts';
import type { PriceTable } from './pricing/price.ts';
import { checkPrices, readPrices } from './pricing/sources.ts';
import { baggage, traceContext, w3c } from './propagation/w3c.ts';
import type { CompleteRuntime, Fetch } from './runtime.ts';
import { parentBasedSampler, ratioSampler, type Sampler, samplerByName } from './trace/sampler.ts';

/** Every bound of a telemetry, with its default. */
export function resolveLimits(given: TelemetryOptions['limits'] = {}, environment: Environment) {
  const { integer } = environment;
  const attributesPerSpan =
    given.attributesPerSpan ?? integer(['OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT', 'OTEL_ATTRIBUTE_COUNT_LIMIT'], 0) ?? 128;
  return {
    spans: given.spans ?? integer(['OTEL_BSP_MAX_QUEUE_SIZE'], 1) ?? 2048,
    bytes: given.bytes ?? 4 * 1024 * 1024,
    attributesPerSpan,
    attributesPerEvent: integer(['OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT'], 0) ?? attributesPerSpan,
    attributesPerLink: integer(['OTEL_LINK_ATTRIBUTE_COUNT_LIMIT'], 0) ?? attributesPerSpan,
    eventsPerSpan: given.eventsPerSpan ?? integer(['OTEL_SPAN_EVENT_COUNT_LIMIT'], 0) ?? 128,
    linksPerSpan: given.linksPerSpan ?? integer(['OTEL_SPAN_LINK_COUNT_LIMIT'], 0) ?? 128,
    valueLength:
      given.valueLength ??
      integer(['OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT', 'OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT'], 0) ??
      4096,
    seriesPerMetric: given.seriesPerMetric ?? 2000,
    bodyBytes: given.bodyBytes ?? 4 * 1024 * 1024,
    eventBytes: given.eventBytes ?? 1024 * 1024,
  };
}

export type ResolvedLimits = ReturnType<typeof resolveLimits>;

export function resolveFlush(given: TelemetryOptions['flush'] = {}, environment: Environment) {
  const { integer } = environment;
  return {
    batchSize: given.batchSize ?? integer(['OTEL_BSP_MAX_EXPORT_BATCH_SIZE'], 1) ?? 512,
    intervalMs: given.intervalMs ?? integer(['OTEL_BSP_SCHEDULE_DELAY'], 1, maxTimerMs) ?? 5000,
    timeoutMs: given.timeoutMs ?? integer(['OTEL_BSP_EXPORT_TIMEOUT'], 1, maxTimerMs) ?? 5000,
    maxRetries: given.maxRetries ?? 3,
  };
}

export function resolveSampler(given: TelemetryOptions['sampling'] = {}, environment: Environment): Sampler {
  if (given.ratio !== undefined) return parentBasedSampler(ratioSampler(given.ratio));
  const name = environment.string('OTEL_TRACES_SAMPLER')?.toLowerCase() ?? 'parentbased_always_on';
  const ratio = environment.ratio('OTEL_TRACES_SAMPLER_ARG') ?? 1;
  const sampler = samplerByName(name, ratio);
  if (sampler) return sampler;
  environment.warn(new TelemetryError('invalid_environment', `OTEL_TRACES_SAMPLER "${name.slice(0, 60)}" is ignored`));
  return parentBasedSampler(() => true);
}

/** The formats of `propagation.formats`, or of `OTEL_PROPAGATORS`, where anything but W3C has to be imported. */
export function resolvePropagators(
  given: TelemetryOptions['propagation'] = {},
  environment: Environment,
): TextMapPropagator[] {
  if (given.formats) return given.formats.map((format) => (format === 'w3c' ? w3c : format));
  const list = environment.string('OTEL_PROPAGATORS') ?? 'tracecontext,baggage';
  const names = new Set(
    list
      .toLowerCase()
      .split(/[\s,]+/)
      .filter(Boolean),
  );
  if (names.has('none')) return [];
  const missing = [...names].filter((name) => !builtInFormats.has(name));
  if (missing.length > 0) {
    const message = `OTEL_PROPAGATORS asks for ${missing.join()}: give b3 or b3multi of edgespan/b3 in propagation.formats`;
    environment.warn(new TelemetryError('protocol_unavailable', message));
  }
  return [...names].flatMap((name) => builtInFormats.get(name) ?? []);
}

const builtInFormats: ReadonlyMap<string, TextMapPropagator> = /* @__PURE__ */ new Map([
  ['tracecontext', traceContext],
  ['baggage', baggage],
]);

/** A shared registry must be one of ours: exemplars and late counts need more than its public methods. */
export function resolveRegistry(
  options: TelemetryOptions,
  { seriesPerMetric }: ResolvedLimits,
  clock: Clock,
  dialect: MetricDialect,
): Registry {
  const given = options.metrics?.registry;
  if (given instanceof Registry) return given;
  const option = 'metrics.registry';
  if (given) throw new TelemetryError('invalid_option', `${option} must be one of createMetricRegistry`, { option });
  const registry = new Registry({ seriesPerMetric, ...clock });
  registry.limitLabels(resolveCaps(options, dialect));
  return registry;
}

/** How metrics speak. */
export function resolveDialect({ metrics, pricingProfile }: TelemetryOptions, features: Features): MetricDialect {
  const preset = metrics?.preset;
  return preset
    ? need(features, 'presets', 'metrics.preset').metrics(preset, pricingProfile)
    : ownDialect(pricingProfile);
}

/** Distinct values of labels: what is given, else what the preset's system has, else our own. */
export function resolveCaps(options: TelemetryOptions, { caps }: MetricDialect): Record<string, number> {
  return { ...caps, ...options.metrics?.cardinality };
}

interface PricePorts {
  readonly options: TelemetryOptions;
  readonly environment: Environment;
  readonly runtime: CompleteRuntime;
  readonly clock: Clock;
  readonly fetch: () => Fetch;
  readonly flushing: ReturnType<typeof resolveFlush>;
  readonly report: Diagnostics['report'];
}

/** Prices of the options, then of the environment, then those that the bundle brings; without those only checked. */
export function resolvePrices(
  builtIn: readonly PriceTable[] | undefined,
  { options, environment, runtime, clock, fetch, flushing, report }: PricePorts,
): PriceBook {
  const given = checkPrices(options.prices);
  return createPriceBook({
    sources: builtIn ? [...given, ...readPrices(environment, runtime.readFile), ...builtIn] : [],
    background: !runtime.ephemeral,
    fetch,
    monotonic: clock.monotonic,
    timeoutMs: flushing.timeoutMs,
    report,
  });
}

/** Higher priorities first; among equals the user's before the built-in ones. */
export function byPriority(providers: Provider[]): Provider[] {
  return providers.sort((a, b) => (b.priority ?? 0) - (a.priority ?? 0));
}
