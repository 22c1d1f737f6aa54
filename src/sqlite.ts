export type SqliteValue = string | number | bigint | Uint8Array | null;

/** What is asked of a database: `DatabaseSync` of `node:sqlite` (on Deno too) and `Database` of `bun:sqlite` have it. */
export interface Sqlite {
  exec(sql: string): unknown;
  prepare(sql: string): { run(...values: SqliteValue[]): unknown; all(...values: SqliteValue[]): unknown[] };
}

/** How long a statement waits while another process writes, unless whoever opened the database has said it. */
const busyMs = 1000;

export function waitForOthers(database: Sqlite): void {
  const [row] = database.prepare('PRAGMA busy_timeout').all() as { timeout?: SqliteValue }[];
  if (!row?.timeout) database.exec(`PRAGMA busy_timeout = ${busyMs}`);
}

/** Statements of a database, prepared once each. */
export interface Statements {
  run(sql: string, ...values: SqliteValue[]): void;
  all(sql: string, ...values: SqliteValue[]): Record<string, SqliteValue>[];
  /** Runs `fn` whole or not at all. */
  transaction<T>(fn: () => T): T;
}

export function createStatements(database: Sqlite): Statements {
  const prepared = new Map<string, ReturnType<Sqlite['prepare']>>();

  function prepare(sql: string): ReturnType<Sqlite['prepare']> {
    const statement = prepared.get(sql) ?? database.prepare(sql);
    prepared.set(sql, statement);
    return statement;
  }

  return {
    run: (sql, ...values) => void prepare(sql).run(...values),
    all: (sql, ...values) => prepare(sql).all(...values) as Record<string, SqliteValue>[],
    transaction(fn) {
      database.exec('BEGIN IMMEDIATE');
      try {
        const result = fn();
        database.exec('COMMIT');
        return result;
      } catch (error) {
        try {
          database.exec('ROLLBACK');
        } catch {
          // A disk that is full has ended it already: https://www.sqlite.org/lang_transaction.html#response_to_errors_within_a_transaction
        }
        throw error;
      }
    },
  };
}
