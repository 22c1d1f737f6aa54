import { afterEach, describe, expect, it, vi } from 'vitest';
import { maxDeliveries } from '../../src/budget/deliveries.ts';
import { createMemoryBudgetStore } from '../../src/budget/memory-store.ts';
import type { BudgetStore } from '../../src/budget/store.ts';
import { settle } from '../support/telemetry.ts';
import { createAsyncStore, setUp } from './set-up.ts';

const limits = { name: 'all', tokens: 10_000, window: 'session' as const };
const spent = async (store: BudgetStore) => (await store.read('all', Number.POSITIVE_INFINITY)).spent.tokens;
const down = async (): Promise<never> => {
  throw new Error('connection refused');
};

afterEach(() => {
  vi.useRealTimers();
});

describe('a store that fails', () => {
  it('refuses calls, since nobody knows what is left', async () => {
    const { telemetry, errors, call } = setUp({
      budget: { limits, store: createAsyncStore(undefined, { reserve: down }) },
    });
    expect(await call()).toBe(402);
    expect(telemetry.metrics.value('llm_budget_rejections_total', { reason: 'store' })).toBe(1);
    expect(errors[0]).toMatchObject({ code: 'store_failed', message: 'the store of budgets: connection refused' });
    // The next call asks again.
    expect((await telemetry.budget.status())[0]!.circuit).toBe('closed');
  });

  it('lets calls go on by option, and counts them', async () => {
    const store = createAsyncStore();
    const failing = { ...store, reserve: down };
    const { telemetry, call } = setUp({ budget: { limits, store: failing, onStoreError: 'allow' } });
    expect(await call()).toBe(200);
    await telemetry.flush();
    expect(await spent(store)).toBe(15);
  });

  it('may be slow: calls wait for it so long and no longer', async () => {
    vi.useFakeTimers();
    const store = createAsyncStore();
    const asked: string[] = [];
    const slow: BudgetStore = {
      ...store,
      async reserve(request) {
        asked.push(request.reservationId);
        await store.reserve(request);
        return new Promise(() => {});
      },
    };
    const { errors, call } = setUp({ budget: { limits, store: slow } });
    const refused = call();
    await vi.advanceTimersByTimeAsync(1999);
    expect(errors).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(await refused).toBe(402);
    expect(errors[0]).toMatchObject({ code: 'store_failed', message: 'the store of budgets took over 2000 ms' });
    await vi.advanceTimersByTimeAsync(0);
    // What it had reserved all the same is given back.
    expect((await store.read('all', Number.POSITIVE_INFINITY)).reserved.tokens).toBe(0);

    const open = setUp({ budget: { limits, store: slow, onStoreError: 'allow' } });
    const allowed = open.call();
    await vi.advanceTimersByTimeAsync(2000);
    expect(await allowed).toBe(200);
    await vi.advanceTimersByTimeAsync(0);
    expect([await spent(store), asked.length]).toEqual([15, 2]);
  });

  it('gets what it missed with the next flush, once', async () => {
    const store = createAsyncStore();
    let isDown = true;
    let tries = 0;
    const flaky: BudgetStore = {
      ...store,
      async settle(ref, actual) {
        tries++;
        // The first time it has it, and its answer is lost.
        if (tries === 1) await store.settle(ref, actual);
        if (isDown) throw new Error('reset by peer');
        await store.settle(ref, actual);
      },
    };
    const { telemetry, call } = setUp({ budget: { limits, store: flaky } });
    expect([await call(), await call()]).toEqual([200, 200]);
    await telemetry.flush();
    isDown = false;
    await telemetry.flush();
    expect(await spent(store)).toBe(30);
    const before = tries;
    await telemetry.flush();
    expect(tries).toBe(before);
  });

  it('that is down for long costs what does not fit the queue, and that is counted', async () => {
    const store = createAsyncStore(undefined, { settle: down, release: down });
    const { telemetry } = setUp({ budget: { limits, store } });
    const guarded = { provider: 'a', model: 'b', estimate: { tokens: 1 } };
    for (let i = 0; i < maxDeliveries + 3; i++) {
      // Each reserves a token, so the limit would be reached.
      if (i % 5000 === 0) await store.reset('all');
      await telemetry.budget.guard(guarded, async () => i);
    }
    await settle();
    const dropped = telemetry.metrics.value('edgespan_dropped_total', { signal: 'budgets', reason: 'buffer_full' });
    expect(dropped).toBe(3);
  });

  it('hears of no end that it can’t remember any more', async () => {
    let isDown = true;
    const store = createAsyncStore();
    const failing: BudgetStore = { ...store, settle: (...given) => (isDown ? down() : store.settle(...given)) };
    const { telemetry, clock, call } = setUp({ budget: { limits, store: failing } });
    await call();
    await settle();
    isDown = false;
    clock.advance(3_600_000);
    await telemetry.flush();
    expect(await spent(store)).toBe(0);
    expect(telemetry.metrics.value('edgespan_dropped_total', { signal: 'budgets', reason: 'expired' })).toBe(1);
  });

  it('may be no store at all', async () => {
    const store = { reserve: () => null, settle: () => null, release: () => null, read: () => null, reset: () => null };
    const { call } = setUp({ budget: { limits, store: store as unknown as BudgetStore } });
    expect(await call()).toBe(402);
  });
});

describe('on a runtime whose instances come and go', () => {
  it('keeps an invocation alive for what it settles, and awaits nobody else’s', async () => {
    const kept: Promise<unknown>[] = [];
    let answerNow = () => {};
    const store = createAsyncStore();
    let isSlow = true;
    const slow: BudgetStore = {
      ...store,
      async settle(ref, actual) {
        if (isSlow) await new Promise<void>((resolve) => (answerNow = resolve));
        await store.settle(ref, actual);
      },
    };
    const { telemetry, clock, call } = setUp({ budget: { limits, store: slow }, runtime: { ephemeral: true } });
    await telemetry.with({ waitUntil: (promise) => kept.push(promise) }, () => call());
    expect(kept.length).toBeGreaterThan(0);
    isSlow = false;
    // Another invocation's flush does not wait for it.
    await telemetry.flush();
    expect(await spent(store)).toBe(0);
    // One that has not come through for long was with a request that is gone.
    clock.advance(5000);
    await telemetry.flush();
    expect(await spent(store)).toBe(15);
    answerNow();
    await settle();
    expect(await spent(store)).toBe(15);
  });
});

describe('a store in memory', () => {
  const ref = (key: string, windowEnd = 2_000_000) => ({ key, windowEnd, reservationId: key.slice(0, 64) });
  const ask = (key: string, windowEnd?: number) => ({
    ...ref(key, windowEnd),
    limit: { nanoUsd: 10, tokens: 10 },
    amount: { nanoUsd: 1, tokens: 1 },
    expiresAt: 10_000_000,
  });

  it('has room for so many keys, names the one that is too many, and makes room when windows are over', async () => {
    let now = 1_000_000;
    const store = createMemoryBudgetStore({ maxKeys: 2, now: () => now });
    await store.reserve(ask('a'));
    await store.settle(ref('b'), { nanoUsd: 1, tokens: 1 });
    const long = 'user-'.repeat(100);
    const error = await store.reserve(ask(long)).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'too_many_keys' });
    expect((error as Error).message).toContain('"user-user-');
    expect((error as Error).message.length).toBeLessThan(150);
    await expect(store.settle(ref('c'), { nanoUsd: 1, tokens: 1 })).rejects.toMatchObject({ code: 'too_many_keys' });
    expect(await store.reserve(ask('a'))).toEqual({ ok: true });
    now += 5_000_000;
    expect(await store.reserve(ask('c', 9_000_000))).toEqual({ ok: true });
    expect((await store.read('b', 2_000_000)).spent.tokens).toBe(0);
  });

  it('refuses a call by policy where its key is one too many', async () => {
    const store = createMemoryBudgetStore({ maxKeys: 1 });
    const users = {
      ...limits,
      key: ({ attributes }: { attributes: Record<string, unknown> }) => String(attributes.user),
    };
    const { telemetry, errors, call } = setUp({ budget: { limits: users, store } });
    const as = (user: string) => telemetry.with({ attributes: { user } }, () => call());
    expect([await as('ann'), await as('bob'), await as('ann')]).toEqual([200, 402, 200]);
    expect(errors[0]!.code).toBe('too_many_keys');
  });
});
