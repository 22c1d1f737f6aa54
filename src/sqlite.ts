export type SqliteValue = string | number | bigint | Uint8Array | null;

/** What is asked of a database: `DatabaseSync` of `node:sqlite` (on Deno too) and `Database` of `bun:sqlite` have it. */
export interface Sqlite {
  exec(sql: string): unknown;
  prepare(sql: string): { run(...values: SqliteValue[]): unknown; all(...values: SqliteValue[]): unknown[] };
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
        database.exec('ROLLBACK');
        throw error;
      }
    },
  };
}
