import { DatabaseSync } from 'node:sqlite';
import { beforeAll, describe, expect, it } from 'vitest';
import { createSqliteTraceStore } from '../../src/collector/sqlite-trace-store.ts';
import { newPath, startCollector, traceOf } from '../cli/run.ts';
import { idOf } from '../suites/trace-store.ts';
import { ensureBuilt } from '../support/build.ts';
import { bundleFile } from '../support/bundle.ts';
import { type ServerRuntime, startChild } from '../support/child.ts';

const spansPerTrace = 10;

beforeAll(() => ensureBuilt({ types: false }));

/** What a database says of itself, and its spans by trace. */
function inspect(path: string) {
  const database = new DatabaseSync(path);
  const [check] = database.prepare('PRAGMA integrity_check').all();
  const rows = database.prepare('SELECT trace_id AS id, COUNT(*) AS spans FROM spans GROUP BY trace_id').all();
  const listed = database.prepare('SELECT trace_id AS id, span_count AS spans FROM traces').all();
  database.close();
  const toMap = (list: typeof rows) => new Map(list.map(({ id, spans }) => [id as string, spans as number]));
  return { integrity: check?.integrity_check, spans: toMap(rows), traces: toMap(listed) };
}

describe('a collector that is killed', () => {
  it('has all spans that it has answered, and only whole batches', async () => {
    const path = newPath('traces.db');
    const collector = await startCollector(['--store', `sqlite:${path}`]);
    const answered: string[] = [];
    const killAfter = 150;
    let id = 0;
    /** Sends one request after the other until the other side is gone. */
    async function sendUntilKilled(): Promise<void> {
      for (;;) {
        const { traceId, body } = traceOf(++id, { spans: spansPerTrace });
        const response = await collector.send(body).catch(() => undefined);
        if (!response) return;
        expect(response.status).toBe(200);
        answered.push(traceId);
        // Seven others are under way.
        if (answered.length === killAfter) collector.process.kill('SIGKILL');
      }
    }
    await Promise.all(Array.from({ length: 8 }, sendUntilKilled));
    expect(await collector.ended).toMatchObject({ signal: 'SIGKILL' });
    expect(answered.length).toBeGreaterThanOrEqual(killAfter);

    const left = inspect(path);
    expect(left.integrity).toBe('ok');
    expect(answered.filter((traceId) => left.spans.get(traceId) !== spansPerTrace)).toEqual([]);
    expect([...left.spans.values()].filter((count) => count !== spansPerTrace)).toEqual([]);
    expect(left.traces).toEqual(left.spans);

    const again = await startCollector(['--store', `sqlite:${path}`]);
    const last = (await (await again.get(`/v1/traces/${answered.at(-1)}`)).json()) as { spans: unknown[] };
    expect(last.spans).toHaveLength(spansPerTrace);
    expect((await again.send(traceOf(99_999).body)).status).toBe(200);
    await again.stop();
  });
});

/** A store whose process ends by its own hand in the middle of its second transaction, once rows of it are written. */
const suicide = `
import process from 'node:process';
import { DatabaseSync } from 'node:sqlite';
import { createSqliteTraceStore } from './src/collector/sqlite-trace-store.ts';
import { spanOf } from './test/suites/trace-store.ts';
const database = new DatabaseSync(process.env.DATABASE);
// So few pages in memory that half a transaction is on the disk when it ends.
database.exec('PRAGMA cache_size = 2');
let inserts = Number.NEGATIVE_INFINITY;
const store = createSqliteTraceStore({
  exec: (sql) => database.exec(sql),
  prepare(sql) {
    const statement = database.prepare(sql);
    return {
      all: (...values) => statement.all(...values),
      run(...values) {
        statement.run(...values);
        if (sql.startsWith('INSERT') && ++inserts === 300) process.kill(process.pid, 'SIGKILL');
      },
    };
  },
});
const attributes = { text: 'x'.repeat(2000) };
const batch = (from) => Array.from({ length: 400 }, (_, i) => spanOf({ trace: from + i, span: i + 1, attributes }));
await store.add(batch(1), 'default');
console.log('stored');
inserts = 0;
await store.add(batch(1001), 'default');
console.log('not reached');
`;

describe.each<ServerRuntime>(['node', 'deno', 'bun'])('a crash in the middle of a write on %s', (runtime) => {
  it('leaves a database that is read, with the batches before it', async () => {
    const path = newPath('traces.db');
    const child = startChild(runtime, await bundleFile(`crash-${runtime}`, suicide), { DATABASE: path });
    await child.ended;
    expect(child.lines).toEqual(['stored']);
    const left = inspect(path);
    expect(left.integrity).toBe('ok');
    expect(left.traces.size).toBe(400);
    expect(left.traces).toEqual(left.spans);
    const database = new DatabaseSync(path);
    const store = createSqliteTraceStore(database);
    expect(await store.get(idOf(400, 32), 'default')).toHaveLength(1);
    expect(await store.get(idOf(1001, 32), 'default')).toBeUndefined();
    expect((await store.query({ limit: 1000 }, 'default')).traces).toHaveLength(400);
    database.close();
  });
});
