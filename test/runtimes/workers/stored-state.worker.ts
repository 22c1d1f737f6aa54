import {
  BudgetLedger,
  createDurableObjectBudgetStore,
  createDurableObjectMetricStore,
  type MetricBatch,
  type MetricStore,
  MetricsAggregator,
} from 'edgespan/workers';
import { changesPerSnapshot } from '../../../adapters/workers/journal.ts';
import { equal, ok } from '../../suites/assert.ts';
import type { SuiteResult } from '../../suites/suite.ts';

interface Env {
  METRICS: DurableObjectNamespace<Metrics>;
  BUDGETS: DurableObjectNamespace<Budgets>;
}

const realNow = Date.now;
let ahead = 0;
/** One clock, that of the objects and of who calls them. */
Date.now = () => realNow() + ahead;

const hour = 3_600_000;

// An object that can be told to lose its memory, and what it has stored.
export class Metrics extends MetricsAggregator {
  evict(): void {
    this.ctx.abort('evicted');
  }
  alarmAt(): Promise<number | null> {
    return this.ctx.storage.getAlarm();
  }
  ring(): Promise<void> {
    return this.alarm();
  }
}

export class Budgets extends BudgetLedger {
  evict(): void {
    this.ctx.abort('evicted');
  }
  alarmAt(): Promise<number | null> {
    return this.ctx.storage.getAlarm();
  }
  ring(): Promise<void> {
    return this.alarm();
  }
  entries(): number {
    return [...this.ctx.storage.kv.list()].length;
  }
}

let made = 0;

/** A namespace whose names nobody else has, and the object that a store of one shard has there. */
function open(env: Env) {
  const prefix = `state-${++made}`;
  const getByName = (name: string) => env.METRICS.getByName(`${prefix} ${name}`);
  return { namespace: { getByName } as Env['METRICS'], object: () => getByName('metrics-0') };
}

const start = 1_700_000_000_000_000_000n;

function batchOf(batchId: string, value: number, labels: Record<string, string> = { model: 'a' }): MetricBatch {
  const point = { labels, startUnixNano: start, timeUnixNano: start + 1n, value };
  return { batchId, families: [{ name: 'calls_total', type: 'counter', points: [point] }] };
}

async function values(store: MetricStore): Promise<Record<string, number | undefined>> {
  const { metrics } = await store.collect();
  const points = metrics.flatMap((family) => family.points);
  return Object.fromEntries(points.map(({ labels, value }) => [labels.model, value]));
}

const windowEnd = Date.UTC(2100, 0, 1);
const refOf = (reservationId: string) => ({ key: 'user', windowEnd, reservationId });
const reserveOf = (id: string, nanoUsd: number) => ({
  ...refOf(id),
  limit: { nanoUsd: 1000, tokens: Number.POSITIVE_INFINITY },
  amount: { nanoUsd, tokens: 1 },
  expiresAt: windowEnd,
});
/** A write of the whole ledger is among them. */
const settled = changesPerSnapshot / 2 + 3;

/** In their order; the world restarts between `before a restart` and what follows. */
export const scenarios: Readonly<Record<string, (env: Env) => Promise<void>>> = {
  async 'counts batches once although the object is evicted between any two of them'(env) {
    const { namespace, object } = open(env);
    const store = createDurableObjectMetricStore(namespace);
    // Two writes of the whole state are among them.
    const batches = Array.from({ length: 2 * changesPerSnapshot + 9 }, (_, i) =>
      batchOf(`${i}`, i, { model: `m${i % 3}` }),
    );
    const sums: Record<string, number> = {};
    for (const [i, batch] of batches.entries()) {
      await store.merge(batch);
      if (i % 7 === 0)
        await object()
          .evict()
          .catch(() => {});
      if (i % 3 === 0) await store.merge(batches[i >> 1]!);
      sums[`m${i % 3}`] = (sums[`m${i % 3}`] ?? 0) + i;
    }
    equal(await values(store), sums);
  },

  async 'writes the whole state where a batch is too large for a row'(env) {
    const { namespace, object } = open(env);
    const store = createDurableObjectMetricStore(namespace);
    const points = Array.from({ length: 600 }, (_, i) => {
      const [family] = batchOf('', i + 1, { model: `m${i}`, text: 'x'.repeat(6000) }).families;
      return family!.points[0]!;
    });
    await store.merge({ batchId: 'large', families: [{ name: 'calls_total', type: 'counter', points }] });
    await object()
      .evict()
      .catch(() => {});
    await store.merge(batchOf('large', 1));
    const found = Object.values(await values(store));
    equal([found.length, found.reduce((sum, value) => sum! + value!, 0)], [600, 300 * 601]);
  },

  async 'drops by its alarm what nobody touches any more'(env) {
    const { namespace, object } = open(env);
    const store = createDurableObjectMetricStore(namespace, { expireAfterMs: 4 * hour });
    await store.merge(batchOf('old', 1, { model: 'old' }));
    ok((await object().alarmAt())! <= Date.now() + hour, 'an alarm is set');
    ahead += hour;
    await object()
      .evict()
      .catch(() => {});
    await store.merge(batchOf('new', 2, { model: 'new' }));
    equal(await values(store), { old: 1, new: 2 }, 'both');
    ahead += 3 * hour + 1000;
    equal(await values(store), { new: 2 }, 'not shown');
    // As the alarm finds it, which nothing but the storage tells for how long a series is kept.
    await object()
      .evict()
      .catch(() => {});
    await object().ring();
    ok(
      (await object().collect())[0]!.blocks.every((block) => !new TextDecoder().decode(block).includes('old')),
      'gone',
    );
    ahead += hour;
    await object().ring();
    equal(await object().collect(), [], 'all gone');
    await store.merge(batchOf('again', 5, { model: 'old' }));
    equal(await values(store), { old: 5 }, 'begins anew');
  },

  async 'forgets the ids of batches after one to two hours'(env) {
    const { namespace, object } = open(env);
    const store = createDurableObjectMetricStore(namespace);
    for (const expected of [1, 1, 2]) {
      await store.merge(batchOf('once', 1));
      await store.merge(batchOf('once', 1));
      equal(await values(store), { a: expected });
      ahead += hour + 1;
      await object().ring();
    }
  },

  async 'is woken by the platform, and not again before an id has to go'(env) {
    const { namespace, object } = open(env);
    await createDurableObjectMetricStore(namespace, { expireAfterMs: 40 }).merge(batchOf('a', 1));
    // Asked without a pause, workerd finds no time for alarms.
    while (((await object().alarmAt()) ?? 0) < Date.now() + hour / 2) await scheduler.wait(5);
    equal(await object().collect(), []);
  },

  async 'keeps a series in every shard as long as one of them is touched'(env) {
    const store = createDurableObjectMetricStore(open(env).namespace, { shards: 4, expireAfterMs: 4 * hour });
    for (let i = 0; i < 40; i++) await store.merge(batchOf(`${i}`, 1));
    for (let i = 1; i <= 6; i++) {
      ahead += 1.5 * hour;
      await store.merge(batchOf(`late ${i}`, 1));
      equal(await values(store), { a: 40 + i }, `after ${i * 1.5} hours`);
    }
    ahead += 4 * hour + 1;
    equal(await values(store), {}, 'in the end');
    await store.merge(batchOf('anew', 1));
    equal(await values(store), { a: 1 }, 'anew');
  },

  async 'shows a valid page where two shards know a family by other bounds'(env) {
    const { namespace } = open(env);
    const store = createDurableObjectMetricStore(namespace, { shards: 8 });
    const histogramOf = (batchId: string, bounds: number[]): MetricBatch => {
      const counts = new Array<number>(bounds.length + 1).fill(1);
      const point = { labels: {}, startUnixNano: start, timeUnixNano: start, counts, count: counts.length, sum: 9 };
      return { batchId, families: [{ name: 'seconds', type: 'histogram', bounds, points: [point] }] };
    };
    let refused = 0;
    for (let i = 0; i < 64; i++) {
      const merging = store.merge(histogramOf(`${i}`, i % 2 ? [1, 2] : [1, 2, 3]));
      await merging.catch(() => refused++);
    }
    ok(refused >= 24, `${refused} of 32 batches of the other bounds were refused`);
    const { metrics } = await store.collect();
    equal(metrics.length, 1);
    equal(metrics[0]!.points[0]!.counts!.length, metrics[0]!.bounds!.length + 1);
  },

  async 'clears the ledger of a key when its windows are over'(env) {
    const store = createDurableObjectBudgetStore(env.BUDGETS);
    const object = () => env.BUDGETS.getByName('over');
    const end = Date.now() + 1000;
    const amount = { nanoUsd: 1, tokens: 1 };
    const ref = { key: 'over', windowEnd: end, reservationId: 'a' };
    await store.reserve({ ...ref, amount, limit: amount, expiresAt: end });
    ok((await object().alarmAt())! >= end, 'an alarm is set');
    await object().ring();
    equal((await store.read('over', end)).reserved, amount, 'reserved');
    ahead += 2000;
    equal((await store.read('over', end)).reserved, { nanoUsd: 0, tokens: 0 }, 'expired');
    ahead += hour;
    await object().ring();
    equal([await object().entries(), await object().alarmAt()], [0, null], 'cleared');
  },

  async 'gives back what callers that died have reserved'(env) {
    const store = createDurableObjectBudgetStore(env.BUDGETS);
    const object = () => env.BUDGETS.getByName('deserted');
    const reserveMany = (round: string) =>
      Promise.all(
        Array.from({ length: 150 }, (_, i) =>
          store.reserve({
            ...reserveOf(`${round} ${i}`, 10),
            key: 'deserted',
            expiresAt: Date.now() + 60_000,
          }),
        ),
      );
    const passed = (answers: Awaited<ReturnType<typeof reserveMany>>) => answers.filter((one) => one.ok).length;
    equal(passed(await reserveMany('first')), 100, 'as many as the limit holds');
    await object()
      .evict()
      .catch(() => {});
    equal(passed(await reserveMany('second')), 0, 'none while those stand');
    ahead += 60_000;
    await object()
      .evict()
      .catch(() => {});
    equal(passed(await reserveMany('third')), 100, 'all of it once they have expired');
  },

  async 'before a restart'(env) {
    const store = createDurableObjectMetricStore(env.METRICS, { shards: 3 });
    const budget = createDurableObjectBudgetStore(env.BUDGETS);
    for (let i = 0; i < 20; i++) await store.merge(batchOf(`${i}`, 1));
    for (let i = 0; i < settled; i++) {
      await budget.reserve(reserveOf(`${i}`, 4));
      await budget.settle(refOf(`${i}`), { nanoUsd: 3, tokens: 2 });
    }
    await budget.reserve(reserveOf('open', 100));
    await budget.reserve({ ...reserveOf('endless', 7), key: 'session', windowEnd: Number.POSITIVE_INFINITY });
  },

  async 'keeps counts, ids of batches and reservations over a restart'(env) {
    const store = createDurableObjectMetricStore(env.METRICS, { shards: 3 });
    const budget = createDurableObjectBudgetStore(env.BUDGETS);
    for (let i = 0; i < 20; i++) await store.merge(batchOf(`${i}`, 1));
    equal(await values(store), { a: 20 }, 'metrics');
    const spent = { nanoUsd: 3 * settled, tokens: 2 * settled };
    equal(await budget.read('user', windowEnd), { spent, reserved: { nanoUsd: 100, tokens: 1 } }, 'budget');
    await budget.settle(refOf('5'), { nanoUsd: 3, tokens: 2 });
    equal((await budget.read('user', windowEnd)).spent, spent, 'settled once');
    const rest = 1000 - spent.nanoUsd - 100;
    equal((await budget.reserve(reserveOf('more', rest + 1))).ok, false, 'too much');
    equal(await budget.reserve(reserveOf('more', rest)), { ok: true }, 'the rest');
    const { reserved } = await budget.read('session', Number.POSITIVE_INFINITY);
    equal(reserved, { nanoUsd: 7, tokens: 1 }, 'a window without an end');
  },
};

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const name = decodeURIComponent(new URL(request.url).pathname.slice(1));
    ahead = 0;
    const result: SuiteResult = await scenarios[name]!(env).then(
      () => ({ name }),
      (error: Error) => ({ name, error: `${error.message}\n${error.stack}` }),
    );
    return Response.json(result);
  },
};
