export type { Sqlite, SqliteValue } from '../sqlite.ts';
export { type Collector, createCollector } from './create-collector.ts';
export { createMemoryTraceStore, type MemoryTraceStoreOptions } from './memory-trace-store.ts';
export type {
  CollectorLimits,
  CollectorOptions,
  LiveOptions,
  Objective,
  QueueOptions,
  RateLimitOptions,
} from './options.ts';
export { createSqliteTraceStore, type SqliteTraceStoreOptions } from './sqlite-trace-store.ts';
export type { CostOf, TraceQuery, TraceStore, TraceSummary } from './trace-store.ts';
