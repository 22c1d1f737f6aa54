import type { Statements } from '../../src/sqlite.ts';

/** Statements of an object's own database, in which the schema has been run. */
export function openStatements(storage: DurableObjectStorage, schema: string): Statements {
  storage.sql.exec(schema);
  return {
    run: (sql, ...values) => void storage.sql.exec(sql, ...values),
    all: (sql, ...values) => storage.sql.exec<Record<string, SqlStorageValue>>(sql, ...values).toArray() as never,
    transaction: (fn) => storage.transactionSync(fn),
  };
}
