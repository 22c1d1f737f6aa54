import * as fs from 'node:fs';
import { createEntry } from '../../src/server/entry.ts';
import { runtime } from './runtime.ts';
import { host, serve } from './server.ts';

export * from '../../src/server/api.ts';
export { runtime } from './runtime.ts';

export const { createTelemetry, createMetricsServer, installShutdownHooks, createJsonlAuditStore } = createEntry({
  runtime,
  serve,
  host,
  fs,
});
