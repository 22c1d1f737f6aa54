import type { HistogramInstrument } from './histogram.ts';
import type { Registry } from './registry.ts';

/**
 * Histograms of seconds that the conventions name, by short names of ours. They are defined with a registry's first
 * measurement, since a definition is more work than one; `buckets` of their names win over the bounds that are advised.
 *
 * @example
 * const durationsOf = createDurations([0.1, 1, 10], { total: ['http.server.request.duration', 'Seconds until …'] });
 * durationsOf(registry, options.metrics?.buckets).total.observe({}, 0.25);
 */
/* @__NO_SIDE_EFFECTS__ */
export function createDurations<K extends string>(
  bounds: readonly number[],
  families: Readonly<Record<K, readonly [name: string, help: string]>>,
): (registry: Registry, buckets?: Readonly<Record<string, readonly number[]>>) => Record<K, HistogramInstrument> {
  const known = new WeakMap<Registry, Record<K, HistogramInstrument>>();
  return (registry, buckets = {}) => {
    let durations = known.get(registry);
    if (!durations) {
      const entries = Object.entries<readonly [string, string]>(families).map(([key, [name, help]]) => [
        key,
        registry.defineHistogram(name, [], { unit: 's', buckets: buckets[name] ?? bounds, help }),
      ]);
      durations = Object.fromEntries(entries) as Record<K, HistogramInstrument>;
      known.set(registry, durations);
    }
    return durations;
  };
}
