import type { Ledger } from './delivery.ts';
import { type Features, need } from './features/feature.ts';
import type { Emitter } from './llm/emitter.ts';
import { createLlmInstruments, type LlmInstruments } from './llm/instruments.ts';
import type { MetricDialect } from './llm/metric-dialect.ts';
import type { SemconvNames } from './llm/semconv.ts';
import type { MetricExporter } from './metrics/metric-exporter.ts';
import { Registry } from './metrics/registry.ts';
import type { MetricsSnapshot } from './metrics/snapshot.ts';
import type { MetricStore } from './metrics/store.ts';
import type { TelemetryOptions } from './options.ts';
import type { resolveOtlp } from './otlp/config.ts';
import { createMetricExporter, type OtlpPort } from './otlp/exporter.ts';
import type { CompleteRuntime } from './runtime.ts';
import type { IdGenerator } from './trace/ids.ts';
import type { Resource } from './trace/readable-span.ts';

export interface MetricOutputOptions {
  readonly options: TelemetryOptions;
  readonly features: Features;
  readonly enabled: boolean;
  readonly metricsOn: boolean;
  readonly registry: Registry;
  readonly dialect: MetricDialect;
  readonly semconv: SemconvNames;
  readonly emitter: Emitter;
  readonly resource: () => Resource;
  readonly otlp: ReturnType<typeof resolveOtlp>;
  readonly port: OtlpPort;
  readonly runtime: CompleteRuntime;
  readonly ledger: Ledger;
  readonly ids: IdGenerator;
}

/** The numbers of many isolates or processes. */
export interface SharedMetrics {
  readonly store: MetricStore;
  /** Sends it what this one has counted; it is one of the `exporters`. */
  readonly own: MetricExporter;
}

/** Where model calls are counted, and where their numbers go. */
export interface MetricOutput {
  readonly instruments: LlmInstruments;
  readonly exporters: readonly MetricExporter[];
  readonly shared: SharedMetrics | undefined;
  /** The registry's families with our resource. */
  collect(): Promise<MetricsSnapshot>;
}

export function createMetricOutput(given: MetricOutputOptions): MetricOutput {
  const { options, enabled, metricsOn, registry, otlp } = given;
  const { namespace, buckets = {} } = options.metrics ?? {};
  const { pricingProfile } = options;
  // What is off defines nothing: the options that switch it on may ask for other labels.
  const instruments = createLlmInstruments(enabled ? registry : new Registry(), given.semconv, {
    dialect: given.dialect,
    namespace,
    buckets,
    labels: { ...given.emitter, pricingProfile: pricingProfile ?? 'default' },
  });

  async function collect(): Promise<MetricsSnapshot> {
    const { attributes } = given.resource();
    if (!metricsOn) return { temporality: 'cumulative', resource: attributes, metrics: [] };
    return { ...(await registry.collect()), resource: attributes };
  }

  const pusher =
    otlp.metrics &&
    metricsOn &&
    createMetricExporter({
      target: otlp.metrics,
      port: given.port,
      temporality: otlp.temporality ?? (given.runtime.ephemeral ? 'delta' : 'cumulative'),
      resendUnconfirmed: options.otlp?.resendUnconfirmed ?? false,
      collect,
      ledger: given.ledger,
    });
  const store = metricsOn ? options.metrics?.store : undefined;
  const shared = store && {
    store,
    own: need(given.features, 'sharedMetrics', 'metrics.store').findExporter(store, given),
  };
  return { instruments, exporters: [...(pusher ? [pusher] : []), ...(shared ? [shared.own] : [])], shared, collect };
}
