import { describe, expect, it } from 'vitest';
import { createCircuits } from '../../src/budget/circuit.ts';
import type { BudgetStore } from '../../src/budget/store.ts';
import { createAsyncStore, setUp } from './set-up.ts';

/** A store that counts how often it is asked. */
function counting() {
  let asked = 0;
  const memory = createAsyncStore();
  const store: BudgetStore = {
    ...memory,
    reserve(request) {
      asked++;
      return memory.reserve(request);
    },
  };
  return { store, asked: () => asked };
}
const limits = { name: 'all', tokens: 30 };
const state = async ({ telemetry }: ReturnType<typeof setUp>) => (await telemetry.budget.status())[0]!.circuit;

describe('a circuit', () => {
  it('opens with a refusal, and then spares the store', async () => {
    const { store, asked } = counting();
    const app = setUp({ budget: { limits, store } });
    expect([await app.call(), await app.call()]).toEqual([200, 402]);
    expect([await state(app), asked()]).toEqual(['open', 2]);
    app.clock.advance(59_999);
    expect([await app.call(), asked()]).toEqual([402, 2]);
    expect(app.telemetry.metrics.value('llm_budget_rejections_total', { reason: 'circuit' })).toBe(1);
  });

  it('lets one probe ask after the cooldown; refused, it opens anew', async () => {
    const { store, asked } = counting();
    const app = setUp({ budget: { limits, store } });
    await app.call();
    await app.call();
    app.clock.advance(60_000);
    expect(await state(app)).toBe('half_open');
    const answers = await Promise.all([app.call(), app.call(), app.call()]);
    expect([answers, asked()]).toEqual([[402, 402, 402], 3]);
    expect(await state(app)).toBe('open');
    app.clock.advance(59_999);
    await app.call();
    expect(asked()).toBe(3);
  });

  it('closes with a probe that passes', async () => {
    const { store } = counting();
    const app = setUp({ budget: { limits, store } });
    await app.call();
    await app.call();
    await store.reset('all');
    app.clock.advance(60_000);
    expect(await app.call()).toBe(200);
    expect(await state(app)).toBe('closed');
  });

  it('closes with the end of its window, and with a reset', async () => {
    const app = setUp({ budget: { limits: { ...limits, window: 'hour' }, cooldownMs: 1e9 } });
    expect([await app.call(), await app.call(), await state(app)]).toEqual([200, 402, 'open']);
    app.clock.advance(30 * 60_000);
    expect([await state(app), await app.call(), await app.call()]).toEqual(['closed', 200, 402]);
    await app.telemetry.budget.reset();
    expect([await state(app), await app.call()]).toEqual(['closed', 200]);
  });

  it('is one for each key', async () => {
    const app = setUp({ budget: { limits: { ...limits, key: ({ attributes }) => String(attributes.user) } } });
    const as = (user: string) => app.telemetry.with({ attributes: { user } }, () => app.call());
    expect([await as('ann'), await as('ann'), await as('bob')]).toEqual([200, 402, 200]);
  });

  it('lets another probe go where one has died, or its store did not answer', () => {
    let now = 0;
    const circuits = createCircuits({ cooldownMs: 100, probeMs: 50, monotonic: () => now });
    circuits.open('k', 1, { nanoUsd: 1, tokens: 1 });
    now = 100;
    expect(circuits.enter('k', 1)).toEqual({ state: 'half_open' });
    expect(circuits.enter('k', 1).spent).toBeDefined();
    now = 150;
    expect(circuits.enter('k', 1)).toEqual({ state: 'half_open' });
    circuits.abandon('k');
    expect(circuits.enter('k', 1)).toEqual({ state: 'half_open' });
  });

  it('is forgotten where there are too many, the first ones first', () => {
    const circuits = createCircuits({ cooldownMs: 100, probeMs: 50, monotonic: () => 0 });
    for (let i = 0; i <= 10_000; i++) circuits.open(`k${i}`, 1, { nanoUsd: 1, tokens: 1 });
    expect([circuits.state('k0', 1), circuits.state('k1', 1)]).toEqual(['closed', 'open']);
  });
});
