import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { createMemoryTraceStore } from '../../src/collector/memory-trace-store.ts';
import { createSqliteTraceStore } from '../../src/collector/sqlite-trace-store.ts';
import { idOf, spanOf, traceStoreContract } from '../suites/trace-store.ts';

describe('in memory', () => {
  it.each(traceStoreContract)('$name', ({ run }) => run(async (bounds = {}) => createMemoryTraceStore(bounds)));

  it('keeps no more bytes than it may', async () => {
    const store = createMemoryTraceStore({ maxBytes: 20_000 });
    for (let i = 1; i <= 50; i++) {
      await store.add([spanOf({ trace: i, span: i, at: i, attributes: { text: 'x'.repeat(4000) } })], 't');
    }
    const { traces } = await store.query({}, 't');
    expect(traces.map(({ traceId }) => Number.parseInt(traceId, 16))).toEqual([50, 49, 48, 47]);
  });
});

describe('in SQLite', () => {
  let at = 1_000_000;
  const now = () => at++;
  it.each(traceStoreContract)('$name', ({ run }) =>
    run(async (bounds = {}) => createSqliteTraceStore(new DatabaseSync(':memory:'), { ...bounds, now })),
  );

  it('lets go what was last updated too long ago', async () => {
    const store = createSqliteTraceStore(new DatabaseSync(':memory:'), { expireAfterMs: 1000, now: () => at });
    await store.add([spanOf({ trace: 1, span: 1 })], 't');
    at += 1500;
    await store.add([spanOf({ trace: 2, span: 2 })], 't');
    expect(await store.get(idOf(1, 32), 't')).toBeUndefined();
    expect(await store.get(idOf(2, 32), 't')).toHaveLength(1);
  });

  it('says that the disk is full, and goes on once it is not', async () => {
    const database = new DatabaseSync(':memory:');
    const store = createSqliteTraceStore(database, { now });
    database.exec('PRAGMA max_page_count = 40');
    const big = (trace: number) =>
      store.add([spanOf({ trace, span: 1, attributes: { text: 'x'.repeat(30_000) } })], 't');
    await expect(
      (async () => {
        for (let i = 1; i < 20; i++) await big(i);
      })(),
    ).rejects.toThrow('full');
    database.exec('PRAGMA max_page_count = 10000');
    await big(20);
    expect(await store.get(idOf(20, 32), 't')).toHaveLength(1);
  });

  it('tells why a batch failed where the database has ended it by itself', async () => {
    const failing = new DatabaseSync(':memory:');
    const store = createSqliteTraceStore({
      exec: (sql) => failing.exec(sql),
      prepare(sql) {
        const statement = failing.prepare(sql);
        if (!sql.startsWith('INSERT')) return statement;
        return {
          all: statement.all.bind(statement),
          run() {
            failing.exec('ROLLBACK');
            throw new Error('disk I/O error');
          },
        };
      },
    });
    await expect(store.add([spanOf({ trace: 1, span: 1 })], 't')).rejects.toThrow('disk I/O error');
  });

  it('waits for another process that is writing, as long as it was opened for', async () => {
    const timeoutOf = (database: DatabaseSync) => database.prepare('PRAGMA busy_timeout').get()?.timeout;
    const [fresh, patient] = [new DatabaseSync(':memory:'), new DatabaseSync(':memory:', { timeout: 7000 })];
    createSqliteTraceStore(fresh);
    createSqliteTraceStore(patient);
    expect([timeoutOf(fresh), timeoutOf(patient)]).toEqual([1000, 7000]);
  });

  it('has nothing of a batch that failed in the middle', async () => {
    const database = new DatabaseSync(':memory:');
    const store = createSqliteTraceStore(database, { now });
    await store.add([spanOf({ trace: 1, span: 1 })], 't');
    const broken = { ...spanOf({ trace: 2, span: 2 }), name: null as unknown as string };
    await expect(store.add([spanOf({ trace: 3, span: 3 }), broken], 't')).rejects.toThrow();
    const { traces } = await store.query({}, 't');
    expect(traces.map(({ traceId }) => traceId)).toEqual([idOf(1, 32)]);
  });
});
