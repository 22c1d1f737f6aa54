import { toWellFormed } from '../attributes.ts';
import { readLimit } from '../paging.ts';
import { createStatements, type Sqlite, type SqliteValue, type Statements, waitForOthers } from '../sqlite.ts';
import { type AuditRecord, type AuditStore, defaultLimit, parseRecord, readCursor, unreadable } from './record.ts';

export const auditSchema = `
  CREATE TABLE IF NOT EXISTS audit (
    id INTEGER PRIMARY KEY, time INTEGER NOT NULL, user TEXT, model TEXT NOT NULL, json TEXT NOT NULL
  );
  CREATE INDEX IF NOT EXISTS audit_by_user ON audit (user, id);
  CREATE INDEX IF NOT EXISTS audit_by_model ON audit (model, id);
`;

type Row = Record<string, SqliteValue>;

/** A record that queries find by what it does not say is none that its hash was made of. */
function judged({ time, user, model }: Row, record: AuditRecord): AuditRecord {
  const texts = [user, model].map((text) => inColumn((text as string | null) ?? undefined));
  const said = [record.user, record.model].map(inColumn);
  const isFound = time === record.time && texts.every((text, i) => text === said[i]);
  return isFound ? record : { ...record, hash: unreadable(record.index).hash! };
}

/** A text as a database gives it back: without half characters, and on Deno no further than the first NUL. */
function inColumn(text: string | undefined): string | null {
  return text === undefined ? null : toWellFormed(text).split('\0', 1)[0]!;
}

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
        const rows = sql.all('SELECT * FROM audit WHERE id >= ? ORDER BY id LIMIT ?', from, pageSize);
        yield* rows.map((row) => judged(row, toRecord(row)));
        if (rows.length < pageSize) return;
        from = Number(rows.at(-1)!.id) + 1;
      }
    },
  };
}
