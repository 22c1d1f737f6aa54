import { readLimit } from '../paging.ts';
import { createStatements, type Sqlite, type SqliteValue, type Statements, waitForOthers } from '../sqlite.ts';
import { type AuditStore, defaultLimit, parseRecord, readCursor, unreadable } from './record.ts';

export const auditSchema = `
  CREATE TABLE IF NOT EXISTS audit (
    id INTEGER PRIMARY KEY, time INTEGER NOT NULL, user TEXT, model TEXT NOT NULL, json TEXT NOT NULL
  );
  CREATE INDEX IF NOT EXISTS audit_by_user ON audit (user, id);
  CREATE INDEX IF NOT EXISTS audit_by_model ON audit (model, id);
`;

type Row = Record<string, SqliteValue>;

/** Records of one read. */
const pageSize = 500;

/**
 * Records in SQLite, of `node:sqlite` on Node and Deno or `bun:sqlite`. Several processes may write into one file.
 *
 * @example
 * createAuditLog({ store: createSqliteAuditStore(new DatabaseSync('audit.db')), chain: true });
 */
/* @__NO_SIDE_EFFECTS__ */
export function createSqliteAuditStore(database: Sqlite): AuditStore {
  waitForOthers(database);
  database.exec(auditSchema);
  return createAuditTable(createStatements(database));
}

/** The store over a table that `auditSchema` has made. */
export function createAuditTable(sql: Statements): AuditStore {
  const parse = ({ json }: Row) => parseRecord(json as string) ?? [];
  const toRecord = (row: Row) => parseRecord(row.json as string) ?? unreadable(Number(row.id));
  return {
    async append(record) {
      const { index, time, user, model } = record;
      sql.run('INSERT INTO audit VALUES (?, ?, ?, ?, ?)', index, time, user ?? null, model, JSON.stringify(record));
    },
    last: async () => sql.all('SELECT id, json FROM audit ORDER BY id DESC LIMIT 1').map(toRecord)[0],
    async query(query) {
      const limit = readLimit(query.limit, defaultLimit);
      const conditions: readonly (readonly [sql: string, value: SqliteValue | undefined])[] = [
        ['id >= ?', readCursor(query.cursor)],
        ['user = ?', query.user],
        ['model = ?', query.model],
        ['time >= ?', query.since],
        ['time <= ?', query.until],
      ];
      const given = conditions.filter(([, value]) => value !== undefined);
      const where = given.map(([condition]) => condition).join(' AND ');
      const values = given.map(([, value]) => value as SqliteValue);
      const rows = sql.all(`SELECT id, json FROM audit WHERE ${where} ORDER BY id LIMIT ?`, ...values, limit + 1);
      const more = rows[limit];
      return { records: rows.slice(0, limit).flatMap(parse), ...(more && { cursor: String(more.id) }) };
    },
    async *read() {
      let from = 0;
      for (;;) {
        const rows = sql.all('SELECT id, json FROM audit WHERE id >= ? ORDER BY id LIMIT ?', from, pageSize);
        yield* rows.map(toRecord);
        if (rows.length < pageSize) return;
        from = Number(rows.at(-1)!.id) + 1;
      }
    },
  };
}
