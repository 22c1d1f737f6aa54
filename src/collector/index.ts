export { createMemoryTraceStore, type MemoryTraceStoreOptions } from './memory-trace-store.ts';
export { createSqliteTraceStore, type SqliteTraceStoreOptions } from './sqlite-trace-store.ts';
export type { TraceQuery, TraceStore, TraceSummary } from './trace-store.ts';
