import type { Ledger } from './delivery.ts';
import type { Emitter } from './llm/emitter.ts';
import { createLlmInstruments, type LlmInstruments } from './llm/instruments.ts';
import { metricDialect } from './llm/presets.ts';
import type { SemconvNames } from './llm/semconv.ts';
import type { MetricExporter } from './metrics/metric-exporter.ts';
import { Registry } from './metrics/registry.ts';
import type { MetricsSnapshot } from './metrics/snapshot.ts';
import type { MetricStore } from './metrics/store.ts';
import { createStoreExporter } from './metrics/store-exporter.ts';
import type { TelemetryOptions } from './options.ts';
import type { resolveOtlp } from './otlp/config.ts';
import { createMetricExporter, type OtlpPort } from './otlp/exporter.ts';
import type { IdGenerator } from './trace/ids.ts';
import type { Resource } from './trace/readable-span.ts';

export interface MetricOutputOptions {
  readonly options: TelemetryOptions;
  readonly enabled: boolean;
  readonly registry: Registry;
  readonly semconv: SemconvNames;
  readonly emitter: Emitter;
  readonly resource: () => Resource;
  readonly otlp: ReturnType<typeof resolveOtlp>;
  readonly port: OtlpPort;
  /** Whether this runtime's memory ends with an invocation. */
  readonly ephemeral: boolean;
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
  const { options, enabled, registry, otlp } = given;
  const { preset, namespace, buckets = {} } = options.metrics ?? {};
  const { pricingProfile } = options;
  // What is off defines nothing: the options that switch it on may ask for other labels.
  const instruments = createLlmInstruments(enabled ? registry : new Registry(), given.semconv, {
    dialect: metricDialect(preset, pricingProfile),
    namespace,
    buckets,
    labels: { ...given.emitter, pricingProfile: pricingProfile ?? 'default' },
  });
  const isOn = enabled && options.metrics?.enabled !== false;

  async function collect(): Promise<MetricsSnapshot> {
    const { attributes } = given.resource();
    if (!isOn) return { temporality: 'cumulative', resource: attributes, metrics: [] };
    return { ...(await registry.collect()), resource: attributes };
  }

  const pusher =
    otlp.metrics &&
    isOn &&
    createMetricExporter({
      target: otlp.metrics,
      port: given.port,
      temporality: otlp.temporality ?? (given.ephemeral ? 'delta' : 'cumulative'),
      resendUnconfirmed: options.otlp?.resendUnconfirmed ?? false,
      collect,
      ledger: given.ledger,
    });
  const store = isOn ? options.metrics?.store : undefined;
  const shared = store && { store, own: findStoreExporter(store, given) };
  return { instruments, exporters: [...(pusher ? [pusher] : []), ...(shared ? [shared.own] : [])], shared, collect };
}

const storeExporters = /* @__PURE__ */ new WeakMap<Registry, WeakMap<MetricStore, MetricExporter>>();

/** One for a registry and a store, so that telemetries which share both count nothing twice. */
function findStoreExporter(store: MetricStore, { registry, port, ids, ledger }: MetricOutputOptions): MetricExporter {
  const known = storeExporters.get(registry) ?? new WeakMap<MetricStore, MetricExporter>();
  storeExporters.set(registry, known);
  const collect = () => registry.collect();
  const exporter =
    known.get(store) ?? createStoreExporter({ store, collect, clock: port.clock, newId: ids.traceId, ledger });
  known.set(store, exporter);
  return exporter;
}
