import { env } from 'cloudflare:workers';
import { createCollector } from 'edgespan/collector';
import { createDurableObjectMetricStore, createDurableObjectTraceStore, runtime } from 'edgespan/workers';

export { MetricsAggregator, TraceArchive } from 'edgespan/workers';

interface Env {
  METRICS: DurableObjectNamespace;
  TRACES: DurableObjectNamespace;
  /** `key=tenant,key=tenant`; without it everybody may send and ask. */
  KEYS?: string;
  ADMIN_KEY?: string;
  FORWARD_ENDPOINT?: string;
}

const { METRICS, TRACES, KEYS, ADMIN_KEY, FORWARD_ENDPOINT } = env as unknown as Env;

/** Keys may end with an equals sign, tenants have none. */
function readKeys(list: string): Record<string, string> {
  return Object.fromEntries(
    list
      .split(',')
      .map((pair) => [pair.slice(0, pair.lastIndexOf('=')).trim(), pair.slice(pair.lastIndexOf('=') + 1).trim()]),
  );
}

/** Traces of each tenant in an object of its own, metrics of all isolates in four that share the work. */
export default createCollector({
  telemetry: { runtime, sampling: { keepErrors: true } },
  traces: createDurableObjectTraceStore(TRACES),
  metrics: createDurableObjectMetricStore(METRICS, { shards: 4 }),
  ...(KEYS && { keys: readKeys(KEYS) }),
  ...(ADMIN_KEY && { adminKey: ADMIN_KEY }),
  ...(FORWARD_ENDPOINT && { forward: { endpoint: FORWARD_ENDPOINT } }),
});
