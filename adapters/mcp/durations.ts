import type { Engine } from '../../src/engine.ts';
import type { HistogramInstrument } from '../../src/metrics/histogram.ts';
import type { Registry } from '../../src/metrics/registry.ts';

/** Seconds; the bounds that the MCP conventions advise. */
const bounds = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300];

type Durations = Readonly<Record<'client' | 'server', HistogramInstrument>>;

const known = /* @__PURE__ */ new WeakMap<Registry, Durations>();

/** Defined with a registry's first request over MCP. */
export function durationsOf({ registry, options }: Engine): Durations {
  let durations = known.get(registry);
  if (!durations) {
    const define = (name: string, help: string) =>
      registry.defineHistogram(name, [], { unit: 's', buckets: options.metrics?.buckets?.[name] ?? bounds, help });
    durations = {
      client: define('mcp.client.operation.duration', 'Seconds of an MCP request, to who sent it.'),
      server: define('mcp.server.operation.duration', 'Seconds of an MCP request, to who answered it.'),
    };
    known.set(registry, durations);
  }
  return durations;
}
