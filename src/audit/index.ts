export type { Sqlite, SqliteValue } from '../sqlite.ts';
export type { AuditProblem, Verification } from './chain.ts';
export { type AuditLog, type AuditOptions, createAuditLog } from './log.ts';
export { createMemoryAuditStore } from './memory-store.ts';
export type { AuditEntry, AuditPage, AuditQuery, AuditRecord, AuditStore } from './record.ts';
export { createSqliteAuditStore } from './sqlite-store.ts';
