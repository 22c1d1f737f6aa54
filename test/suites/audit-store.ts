import { createAuditLog } from '../../src/audit/log.ts';
import type { AuditStore } from '../../src/audit/record.ts';
import { equal, ok, thrown } from './assert.ts';

export interface AuditStoreTest {
  readonly name: string;
  run(store: AuditStore): Promise<void>;
}

async function indexes(store: AuditStore): Promise<number[]> {
  const found: number[] = [];
  for await (const { index } of store.read()) found.push(index);
  return found;
}

/** What users of an audit log rely on, whatever keeps the records. */
export const auditStoreContract: readonly AuditStoreTest[] = [
  {
    name: 'keeps what it was given, in order',
    async run(store) {
      const log = createAuditLog({ store, chain: true });
      equal(await store.last(), undefined);
      const metadata = { 'a b': 1, ok: true, text: 'ü"\n' };
      const first = await log.record({ model: 'gpt-4o', user: 'ada', input: 'hi', costUsd: 0.000_15, metadata });
      const second = await log.record({ model: 'claude' });
      equal([first.index, second.index, second.previous], [0, 1, first.hash]);
      equal((await log.query()).records, [first, second]);
      equal(await store.last(), second);
      equal(await log.verify(), { ok: true, count: 2 });
    },
  },
  {
    name: 'gives every record its own place, however many are written at once',
    async run(store) {
      const [a, b] = [createAuditLog({ store, chain: true }), createAuditLog({ store, chain: true })];
      await Promise.all(Array.from({ length: 40 }, (_, i) => (i % 2 ? a : b).record({ model: `m${i}` })));
      equal(
        await indexes(store),
        Array.from({ length: 40 }, (_, i) => i),
      );
      equal(await a.verify(), { ok: true, count: 40 });
    },
  },
  {
    name: 'refuses a place that is taken',
    async run(store) {
      const log = createAuditLog({ store });
      const record = await log.record({ model: 'm' });
      await thrown(() => store.append({ ...record, model: 'other' }));
      equal((await store.last())?.model, 'm');
    },
  },
  {
    name: 'finds by user, model and time, a page after the other',
    async run(store) {
      const log = createAuditLog({ store });
      for (let i = 0; i < 25; i++) await log.record({ model: i % 2 ? 'odd' : 'even', user: i < 10 ? 'ada' : "o'neil" });
      const all = (await log.query()).records;
      equal(all.length, 25);
      const find = async (query: Parameters<typeof log.query>[0]) =>
        (await log.query(query)).records.map((r) => r.index);
      equal(await find({ user: "o'neil", model: 'odd' }), [11, 13, 15, 17, 19, 21, 23]);
      equal(await find({ user: "' OR 1=1 --" }), []);
      const time = all[12]!.time;
      ok((await find({ since: time })).includes(12), 'since is included');
      ok((await find({ until: time })).includes(12), 'until is included');
      equal(await find({ since: all[24]!.time + 1 }), []);
      const seen: number[] = [];
      let cursor: string | undefined;
      do {
        const page = await log.query({ limit: 4, model: 'even', ...(cursor && { cursor }) });
        seen.push(...page.records.map(({ index }) => index));
        cursor = page.cursor;
      } while (cursor);
      equal(
        seen,
        Array.from({ length: 13 }, (_, i) => i * 2),
      );
    },
  },
];
