import { maxWaiting } from '../../adapters/deno/kv.ts';
import { createStore } from '../../adapters/deno/kv-budget-store.ts';
import type { ReservationRef } from '../../src/budget/store.ts';
import type { TelemetryError } from '../../src/errors.ts';
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

const day = Date.UTC(2100, 0, 1);
const limit = { nanoUsd: 1e15, tokens: 1e15 };

function ref(reservationId: string, windowEnd = day, key = 'key'): ReservationRef {
  return { key, windowEnd, reservationId };
}

function ask(one: ReservationRef, nanoUsd = 1) {
  return { ...one, limit, amount: { nanoUsd, tokens: 1 }, expiresAt: startMs + 600_000 };
}

export const budgetKvCases: readonly KvCase[] = [
  {
    name: 'a window bears hundreds of calls under way, and more are refused by name',
    async run(kv) {
      const store = createStore(kv, {}, createPort().port);
      const ids = Array.from({ length: 700 }, (_, i) => `${i}-`.padEnd(64, 'x'));
      const answers = await Promise.allSettled(ids.map((id) => store.reserve(ask(ref(id)))));
      const passed = ids.filter((_, i) => answers[i]!.status === 'fulfilled');
      ok(passed.length > 400 && passed.length < 700, `${passed.length} passed`);
      const refused = answers.flatMap((one) => (one.status === 'rejected' ? [one.reason as { code?: string }] : []));
      equal(refused.filter(({ code }) => code !== 'too_many_keys').length, 0, 'other errors');
      equal((await store.read('key', day)).reserved, { nanoUsd: passed.length, tokens: passed.length }, 'reserved');
      const [entry] = await entries(kv, ['edgespan', 'budget']);
      ok((entry!.value as Uint8Array).length <= 60_000, 'bytes');
      await Promise.all(passed.map((id) => store.settle(ref(id), { nanoUsd: 2, tokens: 1 })));
      equal(
        await store.read('key', day),
        { spent: { nanoUsd: 2 * passed.length, tokens: passed.length }, reserved: { nanoUsd: 0, tokens: 0 } },
        'all settled',
      );
      // The ids of those that have ended make room.
      const later = passed.slice(0, passed.length / 2).map((id) => `later${id}`.slice(0, 64));
      const again = await Promise.all(later.map((id) => store.reserve(ask(ref(id)))));
      equal(again.filter(({ ok }) => ok).length, later.length, 'half as many again');
      await store.settle(ref(passed.at(-1)!), { nanoUsd: 2, tokens: 1 });
      equal((await store.read('key', day)).spent.nanoUsd, 2 * passed.length, 'the last of them is still known');
    },
  },
  {
    name: 'keys beyond the bound are refused by name, until others are reset or over',
    async run(kv) {
      const { port, clock } = createPort();
      const store = createStore(kv, { maxKeys: 3 }, port);
      const hourEnd = startMs + 3_600_000;
      const reserve = (key: string) => store.reserve(ask(ref('id', hourEnd, key)));
      for (const key of ['a', 'b', 'c']) equal(await reserve(key), { ok: true }, key);
      const error = (await thrown(() => reserve('d'))) as { code?: string; message: string };
      equal([error.code, error.message], ['too_many_keys', 'budget: "d" would be more than 3 keys'], 'error');
      equal((await entries(kv, ['edgespan', 'budget'])).length, 3, 'keys');
      equal(await reserve('a'), { ok: true }, 'one that is known');
      await store.release(ref('id', hourEnd, 'unknown'));
      await store.read('unknown', hourEnd);
      await store.reset('b');
      equal(await reserve('d'), { ok: true }, 'after a reset');
      clock.ms += 4 * 3_600_000;
      equal(await store.reserve(ask(ref('id', clock.ms, 'e'))), { ok: true }, 'after the hour');
    },
  },
  {
    name: 'what is refused, released or read needs no place, and windows go an hour after their end',
    async run(kv) {
      const { port } = createPort();
      const expiries: unknown[] = [];
      const seen = withCommit(kv, (real) => real());
      seen.atomic = () => {
        const real = kv.atomic();
        const set = real.set.bind(real);
        real.set = (key, value, options) => {
          expiries.push([key[1], options?.expireIn]);
          return set(key, value, options);
        };
        return real;
      };
      const store = createStore(seen, {}, port);
      const refused = { ...ask(ref('a')), limit: { nanoUsd: 0, tokens: 0 } };
      equal((await store.reserve(refused)).ok, false, 'refused');
      await store.release(ref('a'));
      equal(expiries, [], 'nothing is written');
      await store.reserve(ask(ref('a', startMs + 1000)));
      await store.reserve(ask(ref('a', Number.POSITIVE_INFINITY)));
      equal(
        expiries,
        [
          ['budget', 3_601_000],
          ['budget', undefined],
        ],
        'expiries',
      );
    },
  },
  {
    name: 'calls whose answers were lost count once, and those of a busy KV fail',
    async run(kv) {
      const store = createStore(withLostAnswers(kv), {}, createPort().port);
      for (let i = 0; i < 10; i++) {
        await store.reserve(ask(ref(`${i}`)));
        await store.settle(ref(`${i}`), { nanoUsd: 3, tokens: 1 });
      }
      equal((await store.read('key', day)).spent, { nanoUsd: 30, tokens: 10 }, 'spent');
      const busy = createStore(
        withCommit(kv, async () => ({ ok: false })),
        {},
        createPort().port,
      );
      for (const call of [
        () => busy.reserve(ask(ref('x'))),
        () => busy.settle(ref('x'), limit),
        () => busy.reset('key'),
      ]) {
        equal(((await thrown(call)) as { code?: string }).code, 'store_failed', 'error');
      }
      equal((await store.read('key', day)).spent, { nanoUsd: 30, tokens: 10 }, 'unharmed');
    },
  },
  {
    name: 'so many calls wait for their turn, and no more; what is no KV is refused',
    async run(kv) {
      const store = createStore(withoutAnswer(kv), {}, createPort().port);
      for (let i = 0; i < maxWaiting; i++) void store.release(ref(`${i}`));
      const error = (await thrown(() => store.release(ref('more')))) as { code?: string; message: string };
      equal(
        [error.code, error.message],
        ['store_failed', 'Deno KV: more than 10000 calls wait for their turn'],
        'error',
      );
      const wrong = (await thrown(() => createStore({}, {}, createPort().port))) as { code?: string };
      equal(wrong.code, 'invalid_option', 'no KV');
      for (const options of [{ prefix: '' }, { maxKeys: 0 }, { maxKeys: Number.NaN }]) {
        const error = (await thrown(() => createStore(kv, options, createPort().port))) as TelemetryError;
        equal([error.code, error.option], ['invalid_option', Object.keys(options)[0]], JSON.stringify(options));
      }
    },
  },
];
