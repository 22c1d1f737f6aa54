import { describe, expect, it } from 'vitest';
import { createMemoryBudgetStore } from '../../src/budget/memory-store.ts';
import type { BudgetExceededError, BudgetStore } from '../../src/index.ts';
import { createAsyncStore, setUp } from './set-up.ts';

const limits = { name: 'all', usd: 1, window: 'day' as const };
const lease = { usd: 0.5 };

function answering(method: keyof BudgetStore, answer: unknown): BudgetStore {
  return createAsyncStore(undefined, { [method]: async () => answer });
}

describe('a store of one’s own', () => {
  it.each([{}, { lease }])('that refuses has refused, although it does not say how things stand: %o', async (more) => {
    for (const answer of [{ ok: false }, { ok: false, spent: { nanoUsd: 'much' }, reserved: null }]) {
      const { telemetry, sent, call } = setUp({ budget: { limits, store: answering('reserve', answer), ...more } });
      expect(await call()).toBe(402);
      expect(sent).toEqual([]);
      const guarding = telemetry.budget.guard({ provider: 'acme', model: 'm', estimate: { usd: 0.1 } }, fail);
      const { refusal } = (await guarding.catch((error: unknown) => error)) as BudgetExceededError;
      expect(refusal).toMatchObject({ reason: 'circuit', spent: { usd: 0, tokens: 0 } });
    }
  });

  it.each([{}, { lease }])('that says neither yes nor no is one that fails: %o', async (more) => {
    for (const answer of [undefined, null, true, 'ok', {}, { ok: 1 }, []]) {
      const store = answering('reserve', answer);
      const refusing = setUp({ budget: { limits, store, ...more } });
      expect(await refusing.call()).toBe(402);
      expect(refusing.errors[0]).toMatchObject({ code: 'store_failed', message: expect.stringContaining('reserve') });
      const allowing = setUp({ budget: { limits, store, onStoreError: 'allow', ...more } });
      expect(await allowing.call()).toBe(200);
    }
  });

  it.each([undefined, {}, { spent: { nanoUsd: Number.NaN, tokens: 0 }, reserved: { nanoUsd: 0, tokens: 0 } }])(
    'whose read answers %o has no status, and calls go on',
    async (answer) => {
      const { telemetry, call } = setUp({ budget: { limits, store: answering('read', answer), warnAt: [0.5] } });
      expect(await call()).toBe(200);
      await expect(telemetry.budget.status()).rejects.toMatchObject({ code: 'store_failed' });
      expect((await telemetry.metricsHandler(new Request('http://localhost/metrics'))).status).toBe(200);
    },
  );

  it('that throws at once rejects what was asked for with a TelemetryError', async () => {
    const store = { ...createAsyncStore(), read: fail, reset: fail };
    const { telemetry } = setUp({ budget: { limits, store: store as unknown as BudgetStore } });
    const failed = expect.objectContaining({ name: 'TelemetryError', code: 'store_failed' });
    await expect(telemetry.budget.status()).rejects.toEqual(failed);
    await expect(telemetry.budget.reset()).rejects.toEqual(failed);
  });
});

describe('a store in memory', () => {
  it.each([0, -1, 0.5, Number.NaN])('has no %d keys', (maxKeys) => {
    const wrong = expect.objectContaining({ code: 'invalid_option', option: 'maxKeys' });
    expect(() => createMemoryBudgetStore({ maxKeys })).toThrow(wrong);
  });

  it('names what is no key, also one that can’t be shown', async () => {
    const key = {
      toString() {
        throw new Error('no text');
      },
    } as unknown as string;
    await expect(createMemoryBudgetStore().reset(key)).rejects.toMatchObject({ code: 'invalid_value' });
  });
});

function fail(): never {
  throw new Error('out of order');
}
