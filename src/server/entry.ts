import { createJsonlStore } from '../audit/jsonl-store.ts';
import type { AuditStore } from '../audit/record.ts';
import { builtIn } from '../built-in.ts';
import { assembleFor } from '../create.ts';
import type { MetricSource } from '../metrics-source.ts';
import type { TelemetryOptions } from '../options.ts';
import type { Runtime } from '../runtime.ts';
import type { Telemetry } from '../telemetry.ts';
import { type FileSystem, openAppendFile } from './append-file.ts';
import { createServer, type MetricsServer, type MetricsServerOptions, type Serve } from './metrics-server.ts';
import { installHooks, type ProcessPort, type ShutdownOptions } from './shutdown.ts';

/** What a runtime that serves requests and lives on brings. */
export interface ServerRuntime {
  readonly runtime: Runtime;
  readonly serve: Serve;
  readonly host: ProcessPort;
  readonly fs: FileSystem;
}

/** The functions of `edgespan/node`, `edgespan/deno` and `edgespan/bun` that know their runtime. */
export interface ServerEntry {
  /** A telemetry with async context, the process's `OTEL_*` variables, and a flush every 5 seconds. */
  createTelemetry(options?: TelemetryOptions | (() => TelemetryOptions)): Telemetry;
  /** A server of its own for `/metrics`. Default port 8000, host 0.0.0.0, path /metrics. */
  createMetricsServer(sources: MetricSource | readonly MetricSource[], options?: MetricsServerOptions): MetricsServer;
  /** Flushes when the process ends, by itself or by a signal; returns its undo. */
  installShutdownHooks(telemetry: Telemetry, options?: ShutdownOptions): () => void;
  /** Audit records in a file, one JSON a line, for one process at a time. The file is opened at the first use. */
  createJsonlAuditStore(path: string): AuditStore;
}

export function createEntry({ runtime, serve, host, fs }: ServerRuntime): ServerEntry {
  return {
    createTelemetry: (options = {}) => assembleFor(runtime, options, builtIn),
    createMetricsServer: (sources, options) => createServer(serve, sources, options),
    installShutdownHooks: (telemetry, options) => installHooks(host, telemetry, options),
    createJsonlAuditStore: (path) => createJsonlStore(() => openAppendFile(fs, path)),
  };
}
