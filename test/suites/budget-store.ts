import type { Amount, BudgetStore, ReservationRef, Reserved, ReserveRequest } from '../../src/budget/store.ts';
import { equal, thrown } from './assert.ts';

/** What every store of budgets holds. Each case gets a store of its own, which is empty. */
export const budgetStoreContract: readonly {
  readonly name: string;
  run(create: () => Promise<BudgetStore>): Promise<void>;
}[] = [
  {
    name: 'knows nothing at first',
    async run(create) {
      const store = await create();
      equal(await store.read('nobody', day), state({}), 'an unknown key');
      await store.release(ref({ key: 'nobody' }));
      await store.reset('nobody');
      equal(await store.read('nobody', day), state({}), 'released and reset');
    },
  },
  {
    name: 'reserves, settles at what was spent, and releases',
    async run(create) {
      const store = await create();
      const [first, second] = [ref({}), ref({})];
      equal(await store.reserve(ask(first, { nanoUsd: 40, tokens: 4 })), { ok: true }, 'the first');
      equal(await store.reserve(ask(second, { nanoUsd: 20, tokens: 2 })), { ok: true }, 'the second');
      equal(await store.read('key', day), state({ reserved: { nanoUsd: 60, tokens: 6 } }), 'reserved');
      await store.settle(first, { nanoUsd: 30, tokens: 3 });
      equal(
        await store.read('key', day),
        state({ spent: { nanoUsd: 30, tokens: 3 }, reserved: { nanoUsd: 20, tokens: 2 } }),
        'settled',
      );
      await store.release(second);
      equal(await store.read('key', day), state({ spent: { nanoUsd: 30, tokens: 3 } }), 'released');
    },
  },
  {
    name: 'lets pass what comes to the limit exactly, and refuses a nano-dollar more',
    async run(create) {
      const store = await create();
      const settled = ref({});
      await store.reserve(ask(settled, { nanoUsd: 60, tokens: 0 }));
      await store.settle(settled, { nanoUsd: 50, tokens: 0 });
      equal(await store.reserve(ask(ref({}), { nanoUsd: 49, tokens: 0 })), { ok: true }, 'below');
      equal(
        await store.reserve(ask(ref({}), { nanoUsd: 2, tokens: 0 })),
        { ok: false, ...state({ spent: { nanoUsd: 50, tokens: 0 }, reserved: { nanoUsd: 49, tokens: 0 } }) },
        'one too much',
      );
      equal(await store.reserve(ask(ref({}), { nanoUsd: 1, tokens: 0 })), { ok: true }, 'equal');
      equal(await store.reserve(ask(ref({}), { nanoUsd: 0, tokens: 0 })), { ok: true }, 'nothing more');
      equal(await isRefused(store.reserve(ask(ref({}), { nanoUsd: 1, tokens: 0 }))), true, 'full');
    },
  },
  {
    name: 'limits dollars, tokens, or both, and not what is unlimited',
    async run(create) {
      const store = await create();
      const tokens = { nanoUsd: Number.POSITIVE_INFINITY, tokens: 10 };
      const much = { nanoUsd: 1e15, tokens: 10 };
      equal(await store.reserve({ ...ask(ref({ key: 'tokens' }), much), limit: tokens }), { ok: true }, 'tokens alone');
      const oneMore = ask(ref({ key: 'tokens' }), { nanoUsd: 0, tokens: 1 });
      equal(await isRefused(store.reserve({ ...oneMore, limit: tokens })), true, 'a token more');
      const dollars = { nanoUsd: 10, tokens: Number.POSITIVE_INFINITY };
      const many = { nanoUsd: 10, tokens: 1e15 };
      equal(await store.reserve({ ...ask(ref({ key: 'usd' }), many), limit: dollars }), { ok: true }, 'dollars alone');
      const dearer = ask(ref({ key: 'usd' }), { nanoUsd: 1, tokens: 0 });
      equal(await isRefused(store.reserve({ ...dearer, limit: dollars })), true, 'dollars more');
      const both = { nanoUsd: 10, tokens: 10 };
      for (const amount of [
        { nanoUsd: 11, tokens: 0 },
        { nanoUsd: 0, tokens: 11 },
      ]) {
        equal(await isRefused(store.reserve({ ...ask(ref({ key: 'both' }), amount), limit: both })), true, 'either');
      }
      equal(await store.reserve({ ...ask(ref({ key: 'both' }), both), limit: both }), { ok: true }, 'both equal');
      const none = { nanoUsd: 0, tokens: 0 };
      equal(await isRefused(store.reserve({ ...ask(ref({ key: 'no' }), both), limit: none })), true, 'a limit of 0');
    },
  },
  {
    name: 'lets exactly as many of those in parallel pass as the limit holds',
    async run(create) {
      const store = await create();
      const refs = Array.from({ length: 60 }, () => ref({ key: 'busy' }));
      const answers = await Promise.all(
        refs.map((one) =>
          store.reserve({ ...ask(one, { nanoUsd: 7, tokens: 1 }), limit: { nanoUsd: 146, tokens: 60 } }),
        ),
      );
      const passed = refs.filter((_, index) => answers[index]!.ok);
      equal(passed.length, 20, 'passed');
      await Promise.all(passed.map((one, index) => store.settle(one, { nanoUsd: index, tokens: 1 })));
      equal(await store.read('busy', day), state({ spent: { nanoUsd: 190, tokens: 20 } }), 'spent');
    },
  },
  {
    name: 'reserves once, however often it is asked',
    async run(create) {
      const store = await create();
      const once = ref({});
      const request = ask(once, { nanoUsd: 60, tokens: 1 });
      equal(await store.reserve(request), { ok: true }, 'first');
      equal(await store.reserve(request), { ok: true }, 'again, although two of them would not fit');
      equal(await store.read('key', day), state({ reserved: { nanoUsd: 60, tokens: 1 } }), 'reserved');
      const answers = await Promise.all([request, request, request].map((one) => store.reserve(one)));
      equal(answers, [{ ok: true }, { ok: true }, { ok: true }], 'in parallel');
      await store.release(once);
      equal(await store.read('key', day), state({}), 'one release ends it');
    },
  },
  {
    name: 'settles and releases once, whichever comes first',
    async run(create) {
      const store = await create();
      const [settled, released] = [ref({}), ref({})];
      const actual = { nanoUsd: 30, tokens: 3 };
      for (const one of [settled, released]) await store.reserve(ask(one, { nanoUsd: 40, tokens: 4 }));
      await Promise.all([store.settle(settled, actual), store.settle(settled, actual)]);
      await store.settle(settled, { nanoUsd: 5, tokens: 5 });
      await store.release(settled);
      await store.release(released);
      await store.release(released);
      await store.settle(released, actual);
      equal(await store.read('key', day), state({ spent: actual }), 'spent');
    },
  },
  {
    name: 'counts what was spent above the reservation, or above the limit',
    async run(create) {
      const store = await create();
      const over = ref({});
      await store.reserve(ask(over, { nanoUsd: 10, tokens: 1 }));
      await store.settle(over, { nanoUsd: 250, tokens: 9 });
      equal(await store.read('key', day), state({ spent: { nanoUsd: 250, tokens: 9 } }), 'spent');
      equal(await isRefused(store.reserve(ask(ref({}), { nanoUsd: 0, tokens: 1 }))), true, 'nothing passes then');
    },
  },
  {
    name: 'counts a settlement that nothing was reserved for, once',
    async run(create) {
      const store = await create();
      const allowed = ref({});
      await store.settle(allowed, { nanoUsd: 120, tokens: 2 });
      await store.settle(allowed, { nanoUsd: 120, tokens: 2 });
      equal(await store.read('key', day), state({ spent: { nanoUsd: 120, tokens: 2 } }), 'spent');
    },
  },
  {
    name: 'forgets a reservation at its expiry, and still counts what is settled later, once',
    async run(create) {
      const store = await create();
      const late = ref({});
      const request = { ...ask(late, { nanoUsd: 90, tokens: 9 }), expiresAt: Date.now() - 1000 };
      equal(await store.reserve(request), { ok: true }, 'reserved');
      equal(await store.read('key', day), state({}), 'expired');
      const next = ref({});
      equal(await store.reserve(ask(next, { nanoUsd: 100, tokens: 1 })), { ok: true }, 'its place is free');
      await store.settle(late, { nanoUsd: 70, tokens: 7 });
      await store.settle(late, { nanoUsd: 70, tokens: 7 });
      equal(
        await store.read('key', day),
        state({ spent: { nanoUsd: 70, tokens: 7 }, reserved: { nanoUsd: 100, tokens: 1 } }),
        'settled late',
      );
      const lost = ref({});
      await store.reserve({ ...ask(lost, { nanoUsd: 0, tokens: 0 }), expiresAt: Date.now() - 1000 });
      await store.release(lost);
      equal((await store.read('key', day)).spent, { nanoUsd: 70, tokens: 7 }, 'released late');
    },
  },
  {
    name: 'keeps windows apart, ends some never, and resets all of a key',
    async run(create) {
      const store = await create();
      const ends = [day, day + 86_400_000, Number.POSITIVE_INFINITY];
      for (const [index, windowEnd] of ends.entries()) {
        const one = ref({ windowEnd });
        equal(await store.reserve(ask(one, { nanoUsd: 100, tokens: 1 })), { ok: true }, 'a window of its own');
        await store.settle(one, { nanoUsd: 90 + index, tokens: 1 });
        await store.reserve(ask(ref({ windowEnd }), { nanoUsd: 5, tokens: 1 }));
      }
      await store.settle(ref({ key: 'other' }), { nanoUsd: 1, tokens: 1 });
      await store.settle(ref({ key: 'key2' }), { nanoUsd: 2, tokens: 2 });
      for (const [index, windowEnd] of ends.entries()) {
        const expected = state({ spent: { nanoUsd: 90 + index, tokens: 1 }, reserved: { nanoUsd: 5, tokens: 1 } });
        equal(await store.read('key', windowEnd), expected, `window ${index}`);
      }
      await store.reset('key');
      for (const windowEnd of ends) equal(await store.read('key', windowEnd), state({}), 'reset');
      equal((await store.read('other', day)).spent, { nanoUsd: 1, tokens: 1 }, 'another key');
      equal((await store.read('key2', day)).spent, { nanoUsd: 2, tokens: 2 }, 'a key that begins alike');
      equal(await store.reserve(ask(ref({}), { nanoUsd: 100, tokens: 1 })), { ok: true }, 'all of it is there again');
    },
  },
  {
    name: 'settles a call that went over the end of its window',
    async run(create) {
      const store = await create();
      const windowEnd = Date.now() - 2000;
      const crossing = ref({ windowEnd });
      equal(await store.reserve(ask(crossing, { nanoUsd: 10, tokens: 1 })), { ok: true }, 'reserved');
      await store.settle(crossing, { nanoUsd: 9, tokens: 1 });
      equal(await store.read('key', windowEnd), state({ spent: { nanoUsd: 9, tokens: 1 } }), 'in its own window');
      equal(await store.read('key', day), state({}), 'and not in the next');
    },
  },
  {
    name: 'takes nothing off a window for what was reserved in it before it made room for others',
    async run(create) {
      const store = await create();
      const before = ref({});
      await store.reserve(ask(before, { nanoUsd: 40, tokens: 4 }));
      for (let later = 1; later <= 20; later++) {
        const windowEnd = day + later * 86_400_000;
        equal(await store.reserve(ask(ref({ windowEnd }), { nanoUsd: 1, tokens: 1 })), { ok: true }, `day ${later}`);
      }
      await store.reserve(ask(ref({}), { nanoUsd: 10, tokens: 1 }));
      await store.settle(before, { nanoUsd: 5, tokens: 2 });
      const expected = state({ spent: { nanoUsd: 5, tokens: 2 }, reserved: { nanoUsd: 10, tokens: 1 } });
      equal(await store.read('key', day), expected, 'the first window');
    },
  },
  {
    name: 'takes keys and ids of any characters, up to their length',
    async run(create) {
      const store = await create();
      const id = 'i'.repeat(64);
      for (const [index, key] of oddKeys.entries()) {
        const one = { ...ref({ key }), reservationId: id };
        equal(await store.reserve(ask(one, { nanoUsd: 50, tokens: 1 })), { ok: true }, key.slice(0, 20));
        await store.settle(one, { nanoUsd: index + 1, tokens: 1 });
      }
      for (const [index, key] of oddKeys.entries()) {
        equal((await store.read(key, day)).spent, { nanoUsd: index + 1, tokens: 1 }, key.slice(0, 20));
      }
      await store.reset(oddKeys[0]!);
      equal((await store.read(oddKeys[1]!, day)).spent, { nanoUsd: 2, tokens: 1 }, 'the others stay');
    },
  },
  {
    name: 'holds sums to the nano-dollar where they are large',
    async run(create) {
      const store = await create();
      const large = 9_007_199_254_740_000;
      const one = ref({});
      const limit = { nanoUsd: Number.MAX_SAFE_INTEGER, tokens: Number.MAX_SAFE_INTEGER };
      equal(await store.reserve({ ...ask(one, { nanoUsd: large, tokens: large }), limit }), { ok: true }, 'reserved');
      await store.settle(one, { nanoUsd: large, tokens: large });
      await store.settle(ref({}), { nanoUsd: 1, tokens: 3 });
      equal((await store.read('key', day)).spent, { nanoUsd: large + 1, tokens: large + 3 }, 'spent');
    },
  },
  {
    name: 'rejects wrong amounts, keys, ids and times, and is unharmed',
    async run(create) {
      const store = await create();
      const before = ref({});
      await store.reserve(ask(before, { nanoUsd: 10, tokens: 1 }));
      const good = ask(ref({}), { nanoUsd: 1, tokens: 1 });
      for (const wrong of wrongRefs(good)) {
        await refusesValue(() => store.reserve({ ...good, ...wrong }), wrong);
        await refusesValue(() => store.settle({ ...good, ...wrong }, good.amount), wrong);
        await refusesValue(() => store.release({ ...good, ...wrong }), wrong);
      }
      for (const amount of wrongAmounts) {
        await refusesValue(() => store.reserve({ ...good, amount }), amount);
        await refusesValue(() => store.settle(before, amount), amount);
      }
      for (const limit of wrongAmounts.filter(({ nanoUsd }) => nanoUsd !== Number.POSITIVE_INFINITY)) {
        await refusesValue(() => store.reserve({ ...good, limit }), limit);
      }
      await refusesValue(() => store.reserve({ ...good, expiresAt: Number.NaN }), 'expiresAt');
      await refusesValue(() => store.read('', day), 'read');
      await refusesValue(() => store.read('key', Number.NaN), 'read');
      await refusesValue(() => store.reset('k'.repeat(1024 * 1024)), 'reset');
      equal(await store.read('key', day), state({ reserved: { nanoUsd: 10, tokens: 1 } }), 'unharmed');
      await store.settle(before, { nanoUsd: 3, tokens: 1 });
      equal(await store.read('key', day), state({ spent: { nanoUsd: 3, tokens: 1 } }), 'and goes on');
    },
  },
];

/** The end of a window that lasts longer than any test: no clock is read at import. */
const day = Date.UTC(2100, 0, 1);
const limit: Amount = { nanoUsd: 100, tokens: 100 };
const nothing: Amount = { nanoUsd: 0, tokens: 0 };

const oddKeys = [
  'daily:user-1',
  'daily:user-2',
  'größe 😀 文',
  'a b\tc\nd\u0000e',
  '{hash}tag*?[x]',
  '"quoted" \\ \'back\'',
  '__proto__',
  'constructor',
  '../../etc',
  'k'.repeat(512),
  '😀'.repeat(256),
  ' ',
  '0',
];

const wrongAmounts = [
  { nanoUsd: -1, tokens: 1 },
  { nanoUsd: 1, tokens: -1 },
  { nanoUsd: Number.NaN, tokens: 1 },
  { nanoUsd: 1, tokens: 0.5 },
  { nanoUsd: 2 ** 53, tokens: 1 },
  { nanoUsd: 1, tokens: 1e300 },
  { nanoUsd: Number.POSITIVE_INFINITY, tokens: 1 },
  { nanoUsd: '1' as unknown as number, tokens: 1 },
  { nanoUsd: 1 } as Amount,
];

function wrongRefs({ key }: ReservationRef): Partial<ReservationRef>[] {
  return [
    { key: '' },
    { key: `${key}${'k'.repeat(512)}` },
    { key: 'k'.repeat(1024 * 1024) },
    { key: undefined as unknown as string },
    { reservationId: '' },
    { reservationId: 'i'.repeat(65) },
    { windowEnd: Number.NaN },
    { windowEnd: -1 },
    { windowEnd: Number.NEGATIVE_INFINITY },
  ];
}

function ref({ key = 'key', windowEnd = day }: { key?: string; windowEnd?: number }): ReservationRef {
  return { key, windowEnd, reservationId: crypto.randomUUID() };
}

function ask(reservation: ReservationRef, amount: Amount): ReserveRequest {
  return { ...reservation, limit, amount, expiresAt: Date.now() + 600_000 };
}

function state({ spent = nothing, reserved = nothing }: { spent?: Amount; reserved?: Amount }) {
  return { spent, reserved };
}

async function isRefused(reserved: Promise<Reserved>): Promise<boolean> {
  return !(await reserved).ok;
}

/** By what it is called: on its way between two isolates an error loses its class. */
async function refusesValue(fn: () => Promise<unknown>, what: unknown): Promise<void> {
  const { name, code } = (await thrown(fn)) as { name?: unknown; code?: unknown };
  equal([name, code], ['TelemetryError', 'invalid_value'], `refused: ${JSON.stringify(what).slice(0, 80)}`);
}
