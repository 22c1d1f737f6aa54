import { DurableObject } from 'cloudflare:workers';
import type { AuditPage, AuditQuery, AuditRecord } from '../../src/audit/record.ts';
import { auditSchema, createAuditTable } from '../../src/audit/sqlite-store.ts';
import { openStatements } from './statements.ts';

/**
 * An audit log, for `createDurableObjectAuditStore`: export it from the Worker's main module.
 *
 * @example
 * export { AuditJournal } from 'edgespan/workers'; // wrangler.toml: new_sqlite_classes = ["AuditJournal"]
 */
export class AuditJournal extends DurableObject {
  readonly #table = createAuditTable(openStatements(this.ctx.storage, auditSchema));

  /** Rejects where a record has this index already. */
  async append(record: AuditRecord): Promise<void> {
    await this.#table.append(record);
  }

  async last(): Promise<AuditRecord | undefined> {
    return this.#table.last();
  }

  async query(query: AuditQuery): Promise<AuditPage> {
    return this.#table.query(query);
  }
}
