import { TelemetryError } from '../errors.ts';
import { type AuditRecord, type AuditStore, toPage } from './record.ts';

/** Records in this process's memory; of too many the oldest leave. */
/* @__NO_SIDE_EFFECTS__ */
export function createMemoryAuditStore({ maxRecords = 10_000 }: { maxRecords?: number } = {}): AuditStore {
  const records: AuditRecord[] = [];
  const first = () => records[0]?.index ?? 0;
  return {
    async append(record) {
      const last = records.at(-1);
      if (last && record.index <= last.index) throw taken(record.index);
      records.push(structuredClone(record));
      if (records.length > maxRecords) records.shift();
    },
    last: async () => records.at(-1),
    query: (query) => toPage(records, query),
    async *read() {
      yield* records.slice();
    },
    first,
  };
}

export function taken(index: number): TelemetryError {
  return new TelemetryError('store_failed', `the audit log has a record ${index} already`);
}
