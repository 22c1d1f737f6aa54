import { builtIn } from '../../src/built-in.ts';
import { assembleFor } from '../../src/create.ts';
import type { MetricSource } from '../../src/metrics-source.ts';
import type { TelemetryOptions } from '../../src/options.ts';
import { createServer, type MetricsServer, type MetricsServerOptions } from '../../src/server/metrics-server.ts';
import { installHooks, type ShutdownOptions } from '../../src/server/shutdown.ts';
import type { Telemetry } from '../../src/telemetry.ts';
import { runtime } from './runtime.ts';
import { processPort, serve } from './server.ts';

export * from '../../src/index.ts';
export { instrument } from '../../src/server/instrument.ts';
export type { MetricsServer, MetricsServerOptions } from '../../src/server/metrics-server.ts';
export type { ShutdownOptions, ShutdownSignal } from '../../src/server/shutdown.ts';
export { runtime } from './runtime.ts';

/** A telemetry on Deno: async context by AsyncLocalStorage, `OTEL_*` from `Deno.env`, a flush every 5 seconds. */
export function createTelemetry(options: TelemetryOptions | (() => TelemetryOptions) = {}): Telemetry {
  return assembleFor(runtime, options, builtIn);
}

/** A server for `/metrics` on Deno.serve. Default port 8000, host 0.0.0.0. */
export function createMetricsServer(
  sources: MetricSource | readonly MetricSource[],
  options?: MetricsServerOptions,
): MetricsServer {
  return createServer(serve, sources, options);
}

/** Flushes when the process ends by itself or by a signal; returns its undo. */
export function installShutdownHooks(telemetry: Telemetry, options?: ShutdownOptions): () => void {
  return installHooks(processPort, telemetry, options);
}
