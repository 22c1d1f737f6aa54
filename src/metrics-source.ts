import { TelemetryError } from './errors.ts';
import { mergeSnapshots } from './metrics/merge.ts';
import type { MetricRegistry } from './metrics/metric-registry.ts';
import type { MetricsSnapshot } from './metrics/snapshot.ts';
import { getParts } from './parts.ts';
import { createMetricsHandler, type Secret } from './prometheus/handler.ts';
import type { Telemetry } from './telemetry.ts';

/** Where a metrics page gets its numbers. */
export type MetricSource = Telemetry | MetricRegistry;

export interface MetricsRouteOptions {
  /** Keeps the families whose exposed name it answers true for. */
  filter?: (name: string) => boolean;
  token?: Secret;
}

const localNote = 'These are the numbers of one isolate among several.';

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
  return createHandlerFor([sources].flat(), options);
}

export function createHandlerFor(
  sources: readonly MetricSource[],
  options: MetricsRouteOptions = {},
): (request: Request) => Promise<Response> {
  // Made anew for each request: a telemetry may have got its options only with the first one.
  return (request) => createPage(sources, options)(request);
}

function createPage(sources: readonly MetricSource[], options: MetricsRouteOptions) {
  const own = sources.map((source) => ('collect' in source ? undefined : getParts(source).engine.options.metrics));
  const token = 'token' in options ? options.token : own.find((metrics) => metrics && 'token' in metrics)?.token;
  const hasToken = 'token' in options || own.some((metrics) => metrics && 'token' in metrics);
  const note = sources.some(isLocal) ? localNote : undefined;
  return createMetricsHandler({
    collect: async () => (await collectLocal(sources)).snapshot,
    ...(hasToken && { token: token ?? '' }),
    ...(options.filter && { filter: options.filter }),
    ...(note && { note }),
  });
}

/** One snapshot of all sources. Rejects where one isolate's numbers would pass for everybody's. */
export async function collectLocal(
  sources: readonly MetricSource[],
): Promise<{ snapshot: MetricsSnapshot; note: string | undefined }> {
  const snapshots = await Promise.all(sources.map(collectSource));
  return { snapshot: mergeSnapshots(snapshots), note: sources.some(isLocal) ? localNote : undefined };
}

function isLocal(source: MetricSource): boolean {
  if ('collect' in source) return false;
  const { enabled, runtime } = getParts(source).engine;
  return enabled && runtime.ephemeral;
}

async function collectSource(source: MetricSource): Promise<MetricsSnapshot> {
  if ('collect' in source) return source.collect();
  const { engine } = getParts(source);
  const { local, semconv } = engine.options.metrics ?? {};
  if (engine.enabled && engine.runtime.ephemeral && !local) {
    throw new TelemetryError(
      'invalid_option',
      'This isolate is one of many and knows only its own numbers. Push metrics with otlp.endpoint, ' +
        'or set metrics: { local: true } to serve this isolate alone.',
      { option: 'metrics.local' },
    );
  }
  const snapshot = await engine.collect();
  if (semconv) return snapshot;
  return { ...snapshot, metrics: snapshot.metrics.filter(({ name }) => !name.startsWith('gen_ai.')) };
}
