import { checkValues, count } from '../checks.ts';
import { TelemetryError } from '../errors.ts';
import { type AuditRecord, type AuditStore, toPage } from './record.ts';

/** Records in this process's memory, 10,000; of too many the oldest leave. Throws a `TelemetryError` for wrong options. */
/* @__NO_SIDE_EFFECTS__ */
export function createMemoryAuditStore(options: { maxRecords?: number } = {}): AuditStore {
  checkValues(options, { maxRecords: count });
  const { maxRecords = 10_000 } = options;
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
