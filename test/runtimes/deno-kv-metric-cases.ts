import { maxWaiting } from '../../adapters/deno/kv.ts';
import { createStore } from '../../adapters/deno/kv-metric-store.ts';
import type { TelemetryError } from '../../src/errors.ts';
import type { MetricBatch, MetricStore } from '../../src/metrics/store.ts';
import { equal, ok, thrown } from '../suites/assert.ts';
import {
  createPort,
  entries,
  type KvCase,
  startMs,
  withCommit,
  withLostAnswers,
  withoutAnswer,
} from './deno-kv-world.ts';

const start = BigInt(startMs) * 1_000_000n;

const wrongOptions = [
  ['prefix', ''],
  ['prefix', 5],
  ['prefix', 'x'.repeat(129)],
  ['expireAfterMs', Number.NaN],
  ['maxSeries', 0],
] as const;

/** Calls that are counted, one a series. */
function calls(
  batchId: string,
  labels: readonly Record<string, string>[],
  value = 1,
  name = 'calls_total',
): MetricBatch {
  const points = labels.map((one) => ({ labels: one, startUnixNano: start, timeUnixNano: start, value }));
  return { batchId, families: [{ name, type: 'counter', points }] };
}

/** Series whose labels have so many characters. */
function wide(count: number, length: number): Record<string, string>[] {
  return Array.from({ length: count }, (_, i) => ({ text: `${i} `.padEnd(length, 'ü') }));
}

async function totals(store: MetricStore, name = 'calls_total') {
  const { metrics } = await store.collect();
  const values = metrics.filter((family) => family.name === name).flatMap(({ points }) => points.map((p) => p.value!));
  return { series: values.length, sum: values.reduce((a, b) => a + b, 0) };
}

export const metricKvCases: readonly KvCase[] = [
  {
    name: 'a batch too large for a commit is several, and sent again it changes nothing',
    async run(kv) {
      let commits = 0;
      const counted = withCommit(kv, (real) => {
        commits++;
        return real();
      });
      const store = createStore(counted, {}, createPort().port);
      const batch = calls('large', wide(2000, 1000));
      await store.merge(batch);
      ok(commits > 2, `${commits} commits`);
      equal(await totals(store), { series: 2000, sum: 2000 }, 'once');
      await store.merge(batch);
      await store.merge(calls('more', wide(2000, 1000), 2));
      equal(await totals(store), { series: 2000, sum: 6000 }, 'another');
      const sizes = (await entries(kv, ['edgespan', 'metric-blocks'])).map(({ value }) => (value as Uint8Array).length);
      ok(sizes.length > 50, `${sizes.length} blocks`);
      ok(Math.max(...sizes) <= 49_152, `a block of ${Math.max(...sizes)} bytes`);
    },
  },
  {
    name: 'a batch of more families than a commit may check is several too',
    async run(kv) {
      const store = createStore(kv, {}, createPort().port);
      const families = Array.from({ length: 200 }, (_, i) => calls('', [{}], i, `f${i}_total`).families[0]!);
      for (const batchId of ['a', 'b', 'a']) await store.merge({ batchId, families });
      const { metrics } = await store.collect();
      equal(
        [metrics.length, metrics.reduce((sum, { points }) => sum + points[0]!.value!, 0)],
        [200, 2 * 19_900],
        'sums',
      );
    },
  },
  {
    name: 'who sends a batch again that stopped in its middle completes it',
    async run(kv) {
      const batch = calls('large', wide(2000, 1000));
      for (let allowed = 1; allowed < 4; allowed++) {
        let commits = 0;
        const failing = withCommit(kv, (real) => {
          if (commits++ >= allowed) throw new Error('gone');
          return real();
        });
        const error = (await thrown(() => createStore(failing, {}, createPort().port).merge(batch))) as Error;
        equal([(error as { code?: string }).code, (error.cause as Error).message], ['store_failed', 'gone'], 'error');
      }
      const store = createStore(kv, {}, createPort().port);
      const { series } = await totals(store);
      ok(series > 0 && series < 2000, `${series} series are there`);
      await Promise.all([store.merge(batch), createStore(kv, {}, createPort().port).merge(batch)]);
      equal(await totals(store), { series: 2000, sum: 2000 }, 'completed');
    },
  },
  {
    name: 'a batch whose answer was lost counts once',
    async run(kv) {
      const store = createStore(withLostAnswers(kv), {}, createPort().port);
      for (let i = 0; i < 20; i++) await store.merge(calls(`${i}`, [{ model: 'a' }]));
      equal(await totals(store), { series: 1, sum: 20 }, 'calls');
    },
  },
  {
    name: 'gives up where others never stop to write, with pauses that grow, and says what failed',
    async run(kv) {
      const { port, pauses } = createPort();
      const busy = createStore(
        withCommit(kv, async () => ({ ok: false })),
        {},
        port,
      );
      const error = (await thrown(() => busy.merge(calls('a', [{}])))) as { code?: string; message: string };
      equal([error.code, error.message], ['store_failed', 'Deno KV: others wrote first, 60 times'], 'error');
      equal(pauses.length, 59, 'pauses');
      equal([pauses[0], pauses.at(-1)], [5, 250], 'pauses');
      const locked = withCommit(kv, async () => {
        throw new Error('database is locked');
      });
      const other = (await thrown(() => createStore(locked, {}, createPort().port).merge(calls('a', [{}])))) as Error;
      equal(other.message, 'Deno KV: database is locked', 'a locked file');
      const down = { ...withCommit(kv, (real) => real()), get: async () => Promise.reject(new Error('down')) };
      const none = { batchId: 'none', families: [] };
      const dead = (await thrown(() => createStore(down, {}, createPort().port).merge(none))) as Error;
      equal(dead.message, 'Deno KV: down', 'a batch of nothing');
      const store = createStore(kv, {}, port);
      await store.merge(none);
      equal(await totals(store), { series: 0, sum: 0 }, 'nothing was written');
      await store.merge(calls('a', [{}]));
      equal(await totals(store), { series: 1, sum: 1 }, 'sent again');
    },
  },
  {
    name: 'many families of many series are merged by several stores at a time',
    async run(kv) {
      const stores = Array.from({ length: 4 }, () =>
        createStore(kv, {}, { ...createPort().port, random: Math.random }),
      );
      const labels = wide(120, 600);
      const work = Array.from({ length: 24 }, (_, i) => ({
        batchId: `${i % 16}`,
        families: Array.from(
          { length: 12 },
          (_, f) => calls('', labels.slice(0, 10 * (f + 1)), 1, `f${f}_total`).families[0]!,
        ),
      }));
      await Promise.all(work.map((batch, i) => stores[i % 4]!.merge(batch)));
      for (let f = 0; f < 12; f++) {
        const series = 10 * (f + 1);
        equal(await totals(stores[f % 4]!, `f${f}_total`), { series, sum: series * 16 }, `family ${f}`);
      }
    },
  },
  {
    name: 'series that nobody touches expire, in all blocks, and begin anew',
    async run(kv) {
      const { port, clock } = createPort();
      const store = createStore(kv, { expireAfterMs: 1000 }, port);
      await store.merge(calls('a', wide(200, 1000)));
      clock.ms += 800;
      await store.merge(calls('b', wide(5, 1000)));
      clock.ms += 800;
      equal(await totals(store), { series: 5, sum: 10 }, 'those that were touched');
      const blocks = (await entries(kv, ['edgespan', 'metric-blocks'])).length;
      await store.merge(calls('c', [{ text: 'new' }]));
      equal(await totals(store), { series: 6, sum: 11 }, 'with a new one');
      const left = (await entries(kv, ['edgespan', 'metric-blocks'])).length;
      ok(left < blocks, `${left} of ${blocks} blocks are left`);
      const [head] = await entries(kv, ['edgespan', 'metrics']);
      equal((head!.value as { more: unknown[] }).more.length, left, 'blocks that the family knows');
      await store.merge(calls('d', wide(200, 1000)));
      equal((await totals(store)).series, 201, 'they are back');
    },
  },
  {
    name: 'prefixes keep stores apart, and what is no KV is refused',
    async run(kv) {
      const [a, b] = ['a', 'b'].map((prefix) => createStore(kv, { prefix }, createPort().port)) as [
        MetricStore,
        MetricStore,
      ];
      await Promise.all([a.merge(calls('same', [{}], 1)), b.merge(calls('same', [{}], 2))]);
      equal([(await totals(a)).sum, (await totals(b)).sum], [1, 2], 'sums');
      for (const wrong of [undefined, null, {}, 'kv', { get() {} }]) {
        const error = (await thrown(() => createStore(wrong, {}, createPort().port))) as { code?: string };
        equal(error.code, 'invalid_option', String(wrong));
      }
      for (const [option, value] of wrongOptions) {
        const error = (await thrown(() => createStore(kv, { [option]: value }, createPort().port))) as TelemetryError;
        equal([error.code, error.option], ['invalid_option', option], `${option} ${String(value)}`);
      }
    },
  },
  {
    name: 'so many batches wait for their turn, and no more',
    async run(kv) {
      const store = createStore(withoutAnswer(kv), {}, createPort().port);
      for (let i = 0; i < maxWaiting; i++) void store.merge(calls(`${i}`, [{}]));
      const error = (await thrown(() => store.merge(calls('more', [{}])))) as { code?: string; message: string };
      equal(
        [error.code, error.message],
        ['store_failed', 'Deno KV: more than 10000 calls wait for their turn'],
        'error',
      );
    },
  },
];
