/** The names that `edgespan/node`, `edgespan/deno` and `edgespan/bun` have in common. */
export * from '../index.ts';
export { instrument } from './instrument.ts';
export type { MetricsServer, MetricsServerOptions } from './metrics-server.ts';
export type { ShutdownOptions, ShutdownSignal } from './shutdown.ts';
