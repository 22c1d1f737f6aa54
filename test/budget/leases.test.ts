import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMemoryBudgetStore } from '../../src/budget/memory-store.ts';
import type { BudgetStore } from '../../src/budget/store.ts';
import { createAsyncStore, setUp, startMs } from './set-up.ts';

const end = Number.POSITIVE_INFINITY;
const nano = 1e9;

function counting(store: BudgetStore) {
  const asked: string[] = [];
  const told: BudgetStore = {
    ...store,
    reserve: (request) => {
      asked.push(`reserve ${request.amount.nanoUsd / nano}`);
      return store.reserve(request);
    },
    settle: (ref, actual) => {
      asked.push(`settle ${actual.nanoUsd / nano} ${actual.tokens}`);
      return store.settle(ref, actual);
    },
  };
  return { store: told, asked };
}
const guarded = (usd: number) => ({ provider: 'acme', model: 'a', estimate: { usd, tokens: 1 } });

describe('a lease', () => {
  it('asks once for many calls, and gives back what is left', async () => {
    const memory = createAsyncStore();
    const { store, asked } = counting(memory);
    const { telemetry } = setUp({ budget: { limits: { name: 'all', usd: 10 }, store, lease: { usd: 2 } } });
    for (let i = 0; i < 4; i++) await telemetry.budget.guard(guarded(0.25), async () => i);
    expect(asked).toEqual(['reserve 2']);
    expect((await memory.read('all', end)).reserved.nanoUsd).toBe(2 * nano);
    await telemetry.flush();
    expect(asked).toEqual(['reserve 2', 'settle 1 4']);
    expect(await memory.read('all', end)).toEqual({
      spent: { nanoUsd: nano, tokens: 4 },
      reserved: { nanoUsd: 0, tokens: 0 },
    });
  });

  it('is not given back under a call’s feet', async () => {
    const memory = createAsyncStore();
    const { telemetry } = setUp({ budget: { limits: { name: 'all', usd: 10 }, store: memory, lease: { usd: 2 } } });
    await telemetry.budget.guard(guarded(0.5), async () => {
      await telemetry.flush();
      expect((await memory.read('all', end)).reserved.nanoUsd).toBe(2 * nano);
    });
    await telemetry.flush();
    expect(await memory.read('all', end)).toMatchObject({ spent: { nanoUsd: nano / 2 }, reserved: { nanoUsd: 0 } });
  });

  it('counts after a reset what ends after it, and nothing of what ended before', async () => {
    const memory = createAsyncStore();
    const { telemetry } = setUp({ budget: { limits: { name: 'all', usd: 10 }, store: memory, lease: { usd: 2 } } });
    await telemetry.budget.guard(guarded(0.5), async () => 1);
    await telemetry.budget.guard(guarded(0.25), () => telemetry.budget.reset());
    await telemetry.flush();
    expect(await memory.read('all', end)).toMatchObject({ spent: { nanoUsd: nano / 4 }, reserved: { nanoUsd: 0 } });
  });

  it('loses nothing of what is spent where the store does not reset', async () => {
    const memory = createAsyncStore();
    const store = { ...memory, reset: () => Promise.reject(new Error('down')) };
    const { telemetry } = setUp({ budget: { limits: { name: 'all', usd: 10 }, store, lease: { usd: 2 } } });
    await telemetry.budget.guard(guarded(0.5), async () => 1);
    await telemetry.budget.guard(guarded(0.25), () => telemetry.budget.reset().catch(() => {}));
    await telemetry.flush();
    expect((await memory.read('all', end)).spent.nanoUsd).toBe(0.75 * nano);
  });

  it('leaves what is too little for a block to single calls', async () => {
    const { store, asked } = counting(createAsyncStore());
    const { telemetry } = setUp({ budget: { limits: { name: 'all', usd: 1 }, store, lease: { usd: 2 } } });
    await telemetry.budget.guard(guarded(0.75), async () => 1);
    expect(asked).toEqual(['reserve 2', 'reserve 0.75', 'settle 0.75 1']);
    await expect(telemetry.budget.guard(guarded(0.75), async () => 1)).rejects.toMatchObject({
      code: 'budget_exceeded',
    });
  });

  it('asks for each call of a limit in tokens, and for one dearer than a block', async () => {
    const { store, asked } = counting(createAsyncStore());
    const tokens = setUp({ budget: { limits: { name: 'all', tokens: 10, usd: 10 }, store, lease: { usd: 2 } } });
    await tokens.telemetry.budget.guard(guarded(1), async () => 1);
    const dear = setUp({ budget: { limits: { name: 'all', usd: 10 }, store, lease: { usd: 2 } } });
    await dear.telemetry.budget.guard(guarded(3), async () => 1);
    expect(asked.filter((what) => what.startsWith('reserve'))).toEqual(['reserve 1', 'reserve 3']);
  });

  it('ends with its time and with its window, and counts what comes later', async () => {
    const memory = createAsyncStore(() => clock.now());
    const { store, asked } = counting(memory);
    const app = setUp({
      budget: { limits: { name: 'all', usd: 10, window: 'hour' }, store, lease: { usd: 2 }, reservationTtlMs: 60_000 },
    });
    const { telemetry, clock } = app;
    await telemetry.budget.guard(guarded(0.25), async () => 1);
    clock.advance(60_000);
    await telemetry.budget.guard(guarded(0.25), async () => 1);
    expect(asked).toEqual(['reserve 2', 'settle 0.25 1', 'reserve 2']);
    const hour = clock.now() - (clock.now() % 3_600_000) + 3_600_000;
    await telemetry.budget.guard(guarded(0.25), async () => {
      clock.advance(3_600_000);
      await telemetry.flush();
      // Its own time is over too: the block was settled without it.
      expect((await memory.read('all', hour)).spent.nanoUsd).toBe(0.5 * nano);
    });
    await telemetry.flush();
    expect((await memory.read('all', hour)).spent.nanoUsd).toBe(0.75 * nano);
    expect((await memory.read('all', hour + 3_600_000)).spent.nanoUsd).toBe(0);
  });

  it('never reserves more than the limit, whoever leases, flushes and spends how much', async () => {
    const act = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({
          who: fc.nat({ max: 3 }),
          what: fc.constant('ask' as const),
          usd: fc.integer({ min: 1, max: 40 }),
        }),
      },
      {
        weight: 3,
        arbitrary: fc.record({
          who: fc.nat({ max: 3 }),
          what: fc.constant('end' as const),
          usd: fc.integer({ min: 0, max: 40 }),
        }),
      },
      fc.record({ who: fc.nat({ max: 3 }), what: fc.constant('flush' as const), usd: fc.constant(0) }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(act, { maxLength: 40 }),
        fc.integer({ min: 1, max: 60 }),
        fc.boolean(),
        async (acts, block, sync) => {
          const memory = createMemoryBudgetStore({ now: () => startMs });
          const store = sync ? memory : { ...createAsyncStore(), ...wrap(memory) };
          const budget = { limits: { name: 'all', usd: 100 }, store, lease: { usd: block }, cooldownMs: 0 };
          const apps = Array.from({ length: 4 }, () => setUp({ budget }));
          const open: { who: number; max: number; end(usd: number): Promise<void> }[] = [];
          let held = 0;
          let spent = 0;
          for (const { who, what, usd } of acts) {
            const { telemetry } = apps[who]!;
            if (what === 'flush') await telemetry.flush();
            if (what === 'ask') {
              let finish = (_: number) => {};
              const ending = new Promise<number>((resolve) => (finish = resolve));
              let entered = () => {};
              const inside = new Promise<void>((resolve) => (entered = resolve));
              const call = telemetry.budget.guard(guarded(usd), async () => {
                entered();
                telemetry.recordLlmCall({
                  provider: 'acme',
                  model: 'a',
                  inputTokens: 1,
                  outputTokens: 0,
                  costUsd: await ending,
                });
              });
              const passed = await Promise.race([
                inside.then(() => true),
                call.then(
                  () => false,
                  () => false,
                ),
              ]);
              if (!passed) continue;
              held += usd;
              open.push({
                who,
                max: usd,
                end: (cost) => {
                  finish(cost);
                  return call;
                },
              });
            }
            if (what === 'end') {
              const index = open.findIndex((one) => one.who === who);
              if (index < 0) continue;
              const [one] = open.splice(index, 1);
              const cost = Math.min(usd, one!.max);
              await one!.end(cost);
              held -= one!.max;
              spent += cost;
            }
            // What calls hold and have spent is within the limit at any time.
            expect(held + spent).toBeLessThanOrEqual(100);
            const read = await memory.read('all', end);
            expect(read.spent.nanoUsd + read.reserved.nanoUsd).toBeLessThanOrEqual(100 * nano);
          }
          for (const one of open) {
            await one.end(one.max);
            spent += one.max;
          }
          for (const { telemetry } of apps) await telemetry.shutdown();
          expect(await memory.read('all', end)).toMatchObject({
            spent: { nanoUsd: spent * nano },
            reserved: { nanoUsd: 0 },
          });
        },
      ),
      { numRuns: 60 },
    );
  });
});

/** The same store, without its way to answer at once. */
function wrap({ reserve, settle, release, read, reset }: BudgetStore): BudgetStore {
  return { reserve, settle, release, read, reset };
}
