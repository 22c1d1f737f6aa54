import type { TraceStore } from '../../src/collector/trace-store.ts';
import { decodeStoredSpan, encodeStoredSpan } from '../../src/otlp/decode/stored-span.ts';
import { checkNamespace } from './namespace.ts';
import type { TraceArchive } from './trace-archive.ts';

/**
 * Traces in Durable Objects, one for each tenant, 100,000 traces each at most. Throws a `TelemetryError`
 * (`invalid_option`) where there is no such binding.
 *
 * @example
 * export { TraceArchive } from 'edgespan/workers';
 * export default { fetch: (request, env) => createCollector({ traces: createDurableObjectTraceStore(env.TRACES) }).fetch(request) };
 */
/* @__NO_SIDE_EFFECTS__ */
export function createDurableObjectTraceStore<T extends Rpc.DurableObjectBranded | undefined>(
  namespace: DurableObjectNamespace<T>,
): TraceStore {
  const archives = checkNamespace<TraceArchive>(namespace, 'createDurableObjectTraceStore', 'TraceArchive');
  return {
    add: (spans, tenant, costOf) =>
      archives.getByName(tenant).add(spans.map(encodeStoredSpan), costOf && spans.map(costOf)),
    async get(traceId, tenant) {
      const spans = await archives.getByName(tenant).get(traceId);
      return spans?.flatMap((span) => decodeStoredSpan(span) ?? []);
    },
    query: async (query, tenant) => archives.getByName(tenant).query(query),
  };
}
