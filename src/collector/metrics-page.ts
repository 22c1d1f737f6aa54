import type { Engine } from '../engine.ts';
import { TelemetryError } from '../errors.ts';
import { differenceOf, familyKey, mergeSnapshots } from '../metrics/merge.ts';
import type { Registry } from '../metrics/registry.ts';
import type { MetricFamily, MetricsSnapshot } from '../metrics/snapshot.ts';
import type { MetricStore } from '../metrics/store.ts';
import { createStoreExporter } from '../metrics/store-exporter.ts';
import { createMetricsHandler } from '../prometheus/handler.ts';
import type { Caller } from './access.ts';
import type { Forward } from './forward.ts';
import type { PushedMetrics } from './pushed-metrics.ts';
import { Refusal } from './refusal.ts';
import { askInTime } from './timely-store.ts';

export interface MetricsPagePorts {
  readonly engine: Pick<Engine, 'clock' | 'resource' | 'flushing' | 'options' | 'books' | 'diagnostics'>;
  readonly registry: Registry;
  readonly pushed: PushedMetrics;
  readonly store: MetricStore;
  readonly forward: Forward | undefined;
  readonly newId: () => string;
  /** The store has the numbers of other collectors too. */
  readonly isShared: boolean;
  /** One of many, with nothing to share their numbers by. */
  readonly isLocal: boolean;
  readonly tenantLabel: boolean;
}

export interface MetricsPage {
  respond(request: Request, caller: Caller, isOpen: boolean): Promise<Response>;
  /** What was pushed, as far as the caller may see it; nothing where tenants can't be told apart. */
  readPushed(caller: Caller, isOpen: boolean): Promise<MetricsSnapshot | undefined>;
  /** Hands a shared store what this collector has counted. */
  push(): Promise<void>;
}

export function createMetricsPage(ports: MetricsPagePorts): MetricsPage {
  const { engine, registry, pushed, store } = ports;
  const { clock, flushing, options } = engine;

  /** What spans came to, but for those whose senders count themselves, and what the collector says of itself. */
  async function collectOwn(): Promise<MetricsSnapshot> {
    const { metrics, ...snapshot } = await registry.collect();
    const families = metrics.flatMap((family): MetricFamily[] => {
      const points = family.points.filter(({ labels }) => !pushed.has(family.name, labels));
      return points.length > 0 ? [{ ...family, points }] : [];
    });
    return { ...snapshot, metrics: families };
  }

  const exporter = createStoreExporter({ store, collect: collectOwn, clock, newId: ports.newId, ledger: engine.books });

  async function push(): Promise<void> {
    if (ports.isShared) await exporter.flush(clock.monotonic() + flushing.timeoutMs);
  }

  async function collect(): Promise<MetricsSnapshot> {
    if (ports.isLocal && !options.metrics?.local) {
      const message =
        'This instance is one of many and knows only its own numbers. Give the collector a store to add them up in ' +
        '(metrics), or set telemetry.metrics.local to serve this instance alone.';
      throw new TelemetryError('invalid_option', message, { option: 'metrics' });
    }
    await push();
    const stored = await readStore();
    if (ports.isShared) return { ...stored, resource: engine.resource().attributes };
    const own = await collectOwn();
    const others = ports.forward ? [await ports.forward.collect()] : [];
    const all = mergeSnapshots([own, ...others, withoutConflicts(own, stored)]);
    return { ...all, resource: engine.resource().attributes };
  }

  async function readStore(): Promise<MetricsSnapshot> {
    try {
      return await askInTime(async () => store.collect(), flushing.timeoutMs);
    } catch (error) {
      engine.diagnostics.report(error);
      // Without what the store said, which is not for those who read the page.
      throw new TelemetryError('store_failed', 'the metric store does not answer', { cause: error });
    }
  }

  function forTenant(snapshot: MetricsSnapshot, tenant: string): MetricsSnapshot {
    const metrics = snapshot.metrics.flatMap((family) => {
      const points = family.points.filter(({ labels }) => labels.tenant === tenant);
      return points.length > 0 ? [{ ...family, points }] : [];
    });
    return { ...snapshot, metrics };
  }

  return {
    push,
    async readPushed({ tenant, isAdmin }, isOpen) {
      if (!isOpen && !isAdmin && !ports.tenantLabel) return undefined;
      const stored = await readStore();
      return ports.tenantLabel && !isOpen ? forTenant(stored, tenant) : stored;
    },
    respond(request, { tenant, isAdmin }, isOpen) {
      if (!isOpen && !isAdmin && !ports.tenantLabel) {
        throw new Refusal(
          403,
          'forbidden',
          'metrics of all tenants need the admin key, or tenantLabel to tell them apart',
        );
      }
      const seesAll = isOpen || isAdmin;
      const handler = createMetricsHandler({
        collect: async () => (seesAll ? collect() : forTenant(await collect(), tenant)),
        ...(options.metrics && 'token' in options.metrics && isOpen && { token: options.metrics.token ?? '' }),
      });
      return handler(request);
    },
  };
}

/** A family that was pushed as something else than what spans come to under its name is left out, not the whole page. */
function withoutConflicts(own: MetricsSnapshot, stored: MetricsSnapshot): MetricsSnapshot {
  const known = new Map(own.metrics.map((family) => [familyKey(family), family]));
  const metrics = stored.metrics.filter((family) => {
    const same = known.get(familyKey(family));
    return !same || differenceOf(same, family) === undefined;
  });
  return { ...stored, metrics };
}
