import { batchMemoryMs } from '../../src/metrics/store.ts';

/**
 * The ids of batches that were applied. They stay for one to two hours: each hour the older of two tables is dropped,
 * which writes no row, where deleting them one by one would write as many again.
 */
export function createBatchIds({ kv, sql }: DurableObjectStorage) {
  /** The table that takes new ids, and since when (epoch milliseconds). */
  let rotation: { readonly table: 0 | 1; readonly since: number } | undefined;

  function open() {
    if (rotation) return rotation;
    for (const table of [0, 1]) createTable(table);
    rotation = kv.get<NonNullable<typeof rotation>>('ids');
    if (!rotation) turn(0);
    return rotation!;
  }

  function turn(table: 0 | 1): void {
    rotation = { table, since: Date.now() };
    kv.put('ids', rotation);
  }

  function createTable(table: number): void {
    sql.exec(`CREATE TABLE IF NOT EXISTS ids${table} (id TEXT PRIMARY KEY) WITHOUT ROWID`);
  }

  return {
    has(id: string): boolean {
      open();
      return !sql.exec('SELECT 1 FROM ids0 WHERE id = ?1 UNION ALL SELECT 1 FROM ids1 WHERE id = ?1', id).next().done;
    },
    add(id: string): void {
      sql.exec(`INSERT INTO ids${open().table} VALUES (?)`, id);
    },
    /** When `expire` has something to do (epoch milliseconds), if ever. */
    dueAt(): number | undefined {
      const { since } = open();
      const isEmpty = sql.exec('SELECT 1 FROM ids0 UNION ALL SELECT 1 FROM ids1 LIMIT 1').next().done;
      return isEmpty ? undefined : since + batchMemoryMs;
    },
    expire(now: number): void {
      const { table, since } = open();
      // Also where the clock was set back, or they would stay until it is there again.
      if (Math.abs(now - since) < batchMemoryMs) return;
      const older = table === 0 ? 1 : 0;
      sql.exec(`DROP TABLE ids${older}`);
      createTable(older);
      turn(older);
    },
    /** The storage was cleared. */
    forget(): void {
      rotation = undefined;
    },
  };
}
