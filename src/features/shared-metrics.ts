import type { Ledger } from '../delivery.ts';
import type { MetricExporter } from '../metrics/metric-exporter.ts';
import type { Registry } from '../metrics/registry.ts';
import type { MetricStore } from '../metrics/store.ts';
import { createStoreExporter } from '../metrics/store-exporter.ts';
import type { OtlpPort } from '../otlp/exporter.ts';
import type { IdGenerator } from '../trace/ids.ts';
import type { Feature } from './feature.ts';
import { collectShared, pushOwn } from './store-page.ts';

interface StoreExporterPorts {
  readonly registry: Registry;
  readonly port: OtlpPort;
  readonly ledger: Ledger;
  readonly ids: IdGenerator;
}

const storeExporters = /* @__PURE__ */ new WeakMap<Registry, WeakMap<MetricStore, MetricExporter>>();

/** One for a registry and a store, so that telemetries which share both count nothing twice. */
function findExporter(store: MetricStore, { registry, port, ids, ledger }: StoreExporterPorts): MetricExporter {
  const known = storeExporters.get(registry) ?? new WeakMap<MetricStore, MetricExporter>();
  storeExporters.set(registry, known);
  const collect = () => registry.collect();
  const exporter =
    known.get(store) ?? createStoreExporter({ store, collect, clock: port.clock, newId: ids.traceId, ledger });
  known.set(store, exporter);
  return exporter;
}

export const sharedMetricPart = { findExporter, collect: collectShared, push: pushOwn };

/** Numbers of many isolates or processes that add up in a store: the option `metrics.store`. */
export const sharedMetrics: Feature = { sharedMetrics: sharedMetricPart };
