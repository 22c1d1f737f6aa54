import { describe, expect, it } from 'vitest';
import { resolveBudget } from '../../src/budget/options.ts';
import { createTelemetry, type TelemetryOptions } from '../../src/index.ts';

const limits = { usd: 1 };

describe('options of budgets', () => {
  it.each<[string, unknown]>([
    ['budget.limits', {}],
    ['budget.limits', { limits: [] }],
    ['budget.limits', { limits: Array.from({ length: 21 }, () => limits) }],
    ['budget.limits', { limits: {} }],
    ['budget.limits.usd', { limits: { usd: -1 } }],
    ['budget.limits.usd', { limits: { usd: Number.NaN } }],
    ['budget.limits.usd', { limits: { usd: 1e7 } }],
    ['budget.limits[1].tokens', { limits: [limits, { tokens: 1.5 }] }],
    ['budget.limits.window', { limits: { usd: 1, window: 'week' } }],
    ['budget.limits.key', { limits: { usd: 1, key: 'user' } }],
    ['budget.limits.name', { limits: { usd: 1, name: 'a:b' } }],
    [
      'budget.limits[1].name',
      {
        limits: [
          { usd: 1, name: 'a' },
          { usd: 2, name: 'a' },
        ],
      },
    ],
    ['budget.limits.dollars', { limits: { dollars: 1 } }],
    ['budget.lease.usd', { limits, lease: {} }],
    ['budget.store', { limits, store: { reserve() {} } }],
    ['budget.timeZone', { limits, timeZone: 'Mars/Olympus' }],
    ['budget.onExceeded', { limits, onExceeded: 'throw' }],
    ['budget.refuseFetch', { limits, refuseFetch: '402' }],
    ['budget.onStoreError', { limits, onStoreError: 'open' }],
    ['budget.unpriced', { limits, unpriced: true }],
    ['budget.warnAt', { limits, warnAt: [80] }],
    ['budget.onWarn', { limits, onWarn: 'log' }],
    ['budget.cooldownMs', { limits, cooldownMs: -1 }],
    ['budget.reservationTtlMs', { limits, reservationTtlMs: 0 }],
    ['budget.lease.usd', { limits, lease: { usd: Number.POSITIVE_INFINITY } }],
    ['budget.estimateOutputTokens', { limits, estimateOutputTokens: 0.5 }],
    ['budget.limit', { limit: limits }],
  ])('%s is checked: %j', (option, budget) => {
    for (const enabled of [true, false]) {
      let thrown: unknown;
      try {
        createTelemetry({ enabled, budget } as TelemetryOptions);
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toMatchObject({ name: 'TelemetryError', option });
    }
  });

  it('have defaults that hold', () => {
    const { limits: resolved, store: _store, calendar: _calendar, ...rest } = resolveBudget({ limits });
    expect(rest).toEqual({
      onExceeded: 'raise',
      refuseFetch: 'response',
      onStoreError: 'refuse',
      unpriced: 'refuse',
      warnAt: [],
      onWarn: undefined,
      cooldownMs: 60_000,
      reservationTtlMs: 600_000,
      leaseNanoUsd: undefined,
      estimateOutputTokens: 4096,
    });
    expect(resolved).toEqual([
      {
        limit: { usd: 1, name: 'session', window: 'session' },
        amount: { nanoUsd: 1e9, tokens: Number.POSITIVE_INFINITY },
      },
    ]);
  });

  it('name limits by their windows', () => {
    const { limits: resolved } = resolveBudget({
      limits: [
        { usd: 1, window: 'day' },
        { tokens: 1, window: 'day' },
        { usd: 1, name: 'per user', key: () => 'a' },
      ],
    });
    expect(resolved.map(({ limit }) => limit.name)).toEqual(['day', 'day-2', 'per user']);
  });

  it('read no clock and start nothing', () => {
    const now = () => {
      throw new Error('too early');
    };
    createTelemetry({ budget: { limits: { usd: 1, window: 'day' } }, runtime: { now, monotonic: now } });
  });
});
