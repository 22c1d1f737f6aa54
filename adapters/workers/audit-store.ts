import type { AuditStore } from '../../src/audit/record.ts';
import type { AuditJournal } from './audit-journal.ts';
import { checkNamespace } from './namespace.ts';

const name = 'audit';
const pageSize = 1000;

/**
 * An audit log in one Durable Object, whichever isolate writes. Throws a `TelemetryError` (`invalid_option`) where there is
 * no such binding.
 *
 * @example
 * export { AuditJournal } from 'edgespan/workers';
 * const audit = createAuditLog({ store: createDurableObjectAuditStore(env.AUDIT), chain: true });
 */
/* @__NO_SIDE_EFFECTS__ */
export function createDurableObjectAuditStore<T extends Rpc.DurableObjectBranded | undefined>(
  namespace: DurableObjectNamespace<T>,
): AuditStore {
  const journals = checkNamespace<AuditJournal>(namespace, 'createDurableObjectAuditStore', 'AuditJournal');
  return {
    append: (record) => journals.getByName(name).append(record),
    last: async () => journals.getByName(name).last(),
    query: async (query) => journals.getByName(name).query(query),
    async *read() {
      let cursor: string | undefined;
      do {
        const page = await journals.getByName(name).query({ limit: pageSize, ...(cursor && { cursor }) });
        yield* page.records;
        cursor = page.cursor;
      } while (cursor);
    },
  };
}
