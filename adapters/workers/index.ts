import { env } from 'cloudflare:workers';
import { builtIn } from '../../src/built-in.ts';
import { assembleFor, assembleLate } from '../../src/create.ts';
import type { TelemetryOptions } from '../../src/options.ts';
import type { Telemetry } from '../../src/telemetry.ts';
import { runtime } from './runtime.ts';

export * from '../../src/index.ts';
export { AuditJournal } from './audit-journal.ts';
export { createDurableObjectAuditStore } from './audit-store.ts';
export { BudgetLedger } from './budget-ledger.ts';
export { createDurableObjectBudgetStore } from './budget-store.ts';
export { instrument } from './instrument.ts';
export { createDurableObjectMetricStore, type DurableObjectMetricStoreOptions } from './metric-store.ts';
export { MetricsAggregator } from './metrics-aggregator.ts';
export { runtime } from './runtime.ts';
export { TraceArchive } from './trace-archive.ts';
export { createDurableObjectTraceStore } from './trace-store.ts';

/**
 * A telemetry on Workers, made at module scope: `env` is read when the module is evaluated, so a wrong option fails the
 * deployment. Flushes go through `waitUntil` of the handler that `instrument` or the Hono middleware wraps.
 *
 * @example
 * const telemetry = createTelemetry((env) => ({ serviceName: 'chat', otlp: { endpoint: env.OTLP_ENDPOINT } }));
 * export default instrument({ fetch: (request) => new Response('ok') }, telemetry);
 */
export function createTelemetry<Env = Cloudflare.Env>(
  options: TelemetryOptions | ((env: Env) => TelemetryOptions) = {},
): Telemetry {
  if (typeof options !== 'function') return assembleFor(runtime, options, builtIn);
  // Where `env` may not be imported it is empty here, and the first handler brings it.
  if (Object.keys(env).length === 0) return assembleLate(runtime, options, builtIn);
  return assembleFor(runtime, () => options(env as Env), builtIn);
}
