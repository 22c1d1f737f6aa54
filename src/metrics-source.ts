import { type Checks, checkValues, fn, secret } from './checks.ts';
import type { Engine } from './engine.ts';
import { TelemetryError } from './errors.ts';
import { runUnseen } from './flush.ts';
import { mergeSnapshots } from './metrics/merge.ts';
import type { MetricRegistry } from './metrics/metric-registry.ts';
import type { MetricsSnapshot } from './metrics/snapshot.ts';
import type { MetricStore } from './metrics/store.ts';
import { getParts } from './parts.ts';
import { createMetricsHandler, type Secret } from './prometheus/handler.ts';
import type { Telemetry } from './telemetry.ts';

/** Where a metrics page gets its numbers. */
export type MetricSource = Telemetry | MetricRegistry;

export interface MetricsRouteOptions {
  /** Keeps the families whose exposed name it answers true for; all by default. */
  filter?: (name: string) => boolean;
  /** Bearer token that a scraper has to send; by default the first `metrics.token` of the sources. */
  token?: Secret;
}

/** What a metrics page may be told. */
export const routeChecks: Checks = { filter: fn, token: secret };

/**
 * A metrics page of one or several telemetries and registries: `(Request) => Response`, for any server or router.
 *
 * @example
 * Deno.serve(metricsHandler([telemetry, registry], { filter: (name) => name.startsWith('llm_') }));
 */
export function metricsHandler(
  sources: MetricSource | readonly MetricSource[],
  options: MetricsRouteOptions = {},
): (request: Request) => Promise<Response> {
  checkValues(options, routeChecks);
  const all = [sources].flat();
  // Refuses what has no metrics now, not at the first scrape.
  for (const source of all) engineOf(source);
  return createHandlerFor(all, options, collectSources);
}

type Collect = (sources: readonly MetricSource[]) => Promise<MetricsSnapshot>;

export function createHandlerFor(
  sources: readonly MetricSource[],
  options: MetricsRouteOptions,
  collect: Collect,
): (request: Request) => Promise<Response> {
  // Made anew for each request: a telemetry may have got its options only with the first one.
  return (request) => createPage(sources, options, collect)(request);
}

function createPage(sources: readonly MetricSource[], options: MetricsRouteOptions, collect: Collect) {
  const own = sources.map((source) => engineOf(source)?.options.metrics);
  const token = 'token' in options ? options.token : own.find((metrics) => metrics && 'token' in metrics)?.token;
  const hasToken = 'token' in options || own.some((metrics) => metrics && 'token' in metrics);
  return createMetricsHandler({
    collect: () => collect(sources),
    ...(hasToken && { token: token ?? '' }),
    ...(options.filter && { filter: options.filter }),
    ...noteOf(sources),
  });
}

/**
 * One snapshot of all sources; what several of them share is in it once. Rejects where one isolate's numbers would pass
 * for everybody's, and where the store that has everybody's does not answer.
 */
const collectSources: Collect = async (sources) => {
  const stores = new Set<MetricStore>();
  // A store gets all that is in a registry, also what others count there.
  const registries = new Set(sources.map((source) => engineOf(source)?.sharedMetrics && registryOf(source)));
  const readers: MetricSource[] = [];
  const pushes: Promise<void>[] = [];
  await Promise.all(sources.map(refreshBudget));
  for (const source of sources) {
    const engine = engineOf(source);
    const store = engine?.sharedMetrics?.store;
    const registry = store ? undefined : registryOf(source);
    if (engine && store && stores.has(store)) pushes.push(engine.features.sharedMetrics!.push(engine));
    else if (!registry || !registries.has(registry)) readers.push(source);
    if (store) stores.add(store);
    if (registry) registries.add(registry);
  }
  await Promise.all(pushes);
  return mergeSnapshots(await Promise.all(readers.map(collectSource)));
};

/** The same of a single one, which needs no merging. */
export const collectFirst: Collect = async ([source]) => {
  await refreshBudget(source!);
  return collectSource(source!);
};

/** What a page of numbers that are not everybody's says of them. */
export function noteOf(sources: readonly MetricSource[]): { note?: string } {
  return sources.some(isLocal) ? { note: 'These are the numbers of one isolate among several.' } : {};
}

function engineOf(source: MetricSource): Engine | undefined {
  return isRegistry(source) ? undefined : getParts(source).engine;
}

function isRegistry(source: MetricSource): source is MetricRegistry {
  return 'collect' in Object(source);
}

/** Others may have spent of a budget whose store they share. */
async function refreshBudget(source: MetricSource): Promise<void> {
  const engine = engineOf(source);
  if (engine?.budget) await runUnseen(engine, async () => engine.budget?.refresh(0)).catch(engine.diagnostics.report);
}

/** What its numbers are in; nothing where it counts none. */
function registryOf(source: MetricSource): MetricRegistry | undefined {
  const engine = engineOf(source);
  if (!engine) return source as MetricRegistry;
  return engine.metricsOn ? engine.registry : undefined;
}

/** Whether it is one of many and has nothing to share their numbers by. */
function isLocal(source: MetricSource): boolean {
  const engine = engineOf(source);
  return Boolean(engine?.enabled && engine.runtime.ephemeral && !engine.sharedMetrics);
}

async function collectSource(source: MetricSource): Promise<MetricsSnapshot> {
  if (isRegistry(source)) return source.collect();
  const { engine } = getParts(source);
  const { local, semconv } = engine.options.metrics ?? {};
  const { sharedMetrics } = engine;
  if (isLocal(source) && !local) {
    throw new TelemetryError(
      'invalid_option',
      'This isolate is one of many and knows only its own numbers. Give them a store to add up in (metrics.store), ' +
        'push metrics with otlp.endpoint, or set metrics: { local: true } to serve this isolate alone.',
      { option: 'metrics.store' },
    );
  }
  const snapshot = sharedMetrics
    ? await engine.features.sharedMetrics!.collect(engine, sharedMetrics)
    : await engine.collect();
  if (semconv) return snapshot;
  return { ...snapshot, metrics: snapshot.metrics.filter(({ name }) => !/^(gen_ai|mcp)\./.test(name)) };
}
