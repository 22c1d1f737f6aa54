import { describe, expect, it } from 'vitest';
import { createMemoryMetricStore } from '../../src/index.ts';
import { createManualClock, settle } from '../support/telemetry.ts';
import { costUsd, createAsyncStore, setUp, startMs } from './set-up.ts';

const limits = [
  { usd: 2, window: 'day' as const },
  { name: 'each', usd: 1, key: () => 'ann' },
  { usd: 1, window: 'call' as const },
];
const ephemeral = { ephemeral: true };
const spentIn = (page: string) => /^llm_budget_spent_usd\{limit="day",window="day"\} (\S+)/m.exec(page)?.[1];

describe('what metrics say is spent of a budget that many share', () => {
  it('is what all of them have spent, whichever page is asked', async () => {
    const [store, metrics] = [createAsyncStore(), { store: createMemoryMetricStore() }];
    const isolates = [1, 2, 3].map(() => setUp({ budget: { limits, store }, metrics, runtime: ephemeral }));
    for (const { call } of isolates) await call();
    await settle();
    for (const { telemetry } of isolates) await telemetry.flush();
    for (const { telemetry } of isolates) {
      expect(Number(spentIn(await telemetry.prometheus()))).toBeCloseTo(3 * costUsd, 9);
    }
  });

  it('is not shown where nobody has looked', async () => {
    const { telemetry, call } = setUp({ budget: { limits, store: createAsyncStore() }, runtime: ephemeral });
    await call();
    await telemetry.flush();
    expect(telemetry.metrics.value('llm_budget_spent_usd')).toBeUndefined();
  });

  it('is looked at with a flush now and then, where a process lives on', async () => {
    let reads = 0;
    const memory = createAsyncStore();
    const read: typeof memory.read = (...given) => {
      reads++;
      return memory.read(...given);
    };
    const { telemetry, clock, call } = setUp({ budget: { limits, store: { ...memory, read } } });
    await call();
    await telemetry.flush();
    await telemetry.flush();
    expect(reads).toBe(1);
    expect(
      (await telemetry.metrics.collect()).metrics.find(({ name }) => name === 'llm_budget_spent_usd'),
    ).toBeDefined();
    expect(telemetry.metrics.value('llm_budget_spent_usd')).toBeCloseTo(costUsd, 9);
    clock.advance(15_000);
    await telemetry.flush();
    expect(reads).toBe(2);
  });

  it('begins anew with the window, also where no call has come since', async () => {
    const { telemetry, clock, call } = setUp({ budget: { limits: { usd: 2, window: 'day' } } });
    await call();
    expect(Number(spentIn(await telemetry.prometheus()))).toBeCloseTo(costUsd, 9);
    clock.advance(12 * 3_600_000);
    expect(spentIn(await telemetry.prometheus())).toBe('0');
  });

  it('does not keep a page from those who ask for it while the store is down', async () => {
    const down = { ...createAsyncStore(), read: () => Promise.reject(new Error('down')) };
    const { telemetry, errors } = setUp({ budget: { limits, store: down } });
    expect(await telemetry.prometheus()).not.toContain('llm_budget_spent_usd{');
    expect(errors.map(({ code }) => code)).toEqual(['store_failed']);
  });
});

describe('daysToExhaustion', () => {
  it('is 9,999 at most', async () => {
    const clock = createManualClock(startMs);
    const { telemetry } = setUp({ budget: { limits: { usd: 9e6, window: 'month' } }, runtime: clock });
    await telemetry.budget.guard({ provider: 'acme', model: 'm', estimate: { usd: 1e-6 } }, async () => 1);
    expect((await telemetry.budget.status())[0]!.daysToExhaustion).toBe(9999);
  });
});
