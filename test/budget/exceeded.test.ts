import { describe, expect, it } from 'vitest';
import { BudgetExceededError, refusalResponse } from '../../src/budget/exceeded.ts';
import type { BudgetRefusal } from '../../src/budget/options.ts';
import { TelemetryError } from '../../src/errors.ts';

const refusal: BudgetRefusal = {
  limit: { name: 'day', usd: 20, tokens: 1000, window: 'day' },
  key: 'ann',
  spent: { usd: 19.5, tokens: 10 },
  requested: { usd: 0.75, tokens: 5 },
  resetsAt: new Date('2026-11-22T00:00:00Z'),
  circuit: 'closed',
  reason: 'limit',
};
const error = new BudgetExceededError(refusal);

describe('a refusal', () => {
  it('is an error that says what is spent, of what, and until when', () => {
    expect(error).toBeInstanceOf(TelemetryError);
    expect([error.name, error.code]).toEqual(['BudgetExceededError', 'budget_exceeded']);
    expect(error.message).toBe(
      'budget "day" of ann of a day is exceeded: $19.5 of $20 are spent, $0.75 asked for; 10 of 1000 tokens are spent, 5 asked for; it resets at 2026-11-22T00:00:00.000Z',
    );
  });

  it('is found behind what SDKs throw', async () => {
    const text = await refusalResponse(error).text();
    const body = JSON.parse(text);
    const found = { ...refusal };
    for (const thrown of [
      error,
      new Error('connection', { cause: new Error('fetch', { cause: error }) }),
      Object.assign(new Error('402'), { status: 402, error: body.error }),
      Object.assign(new Error('402'), { status: 402, error: body }),
      Object.assign(new Error('payment required'), { responseBody: text }),
      Object.assign(new Error('retries'), { lastError: Object.assign(new Error('x'), { responseBody: text }) }),
      Object.assign(new Error('retries'), {
        errors: [new Error('other'), Object.assign(new Error('x'), { data: body })],
      }),
      new Error(text),
      new Error(`402 ${text}`),
      new Error(`got status: 402. ${text} .`),
      Object.assign(new Error('copy'), { code: 'budget_exceeded', refusal }),
      text,
    ]) {
      expect(BudgetExceededError.from(thrown)?.refusal).toEqual(found);
    }
  });

  it('without keys of its limit’s, and without an end', async () => {
    const session = {
      ...refusal,
      limit: { name: 's', usd: 1, window: 'session' as const, key: () => 'x' },
      resetsAt: undefined,
    };
    const body = await refusalResponse(new BudgetExceededError(session)).json();
    expect(BudgetExceededError.from({ error: body.error })?.refusal).toEqual({
      ...session,
      limit: { name: 's', usd: 1, window: 'session' },
    });
  });

  it('is not behind anything else', () => {
    const cycle: Record<string, unknown> = {};
    cycle.cause = cycle;
    cycle.errors = Array.from({ length: 10_000 }, () => ({ cause: cycle }));
    const hostile = new Proxy(
      {},
      {
        get: () => {
          throw new Error('no');
        },
      },
    );
    const { proxy: revoked, revoke } = Proxy.revocable({}, {});
    revoke();
    let deep: unknown = error;
    for (let i = 0; i < 1000; i++) deep = { cause: deep };
    const others = [
      undefined,
      null,
      7,
      'text',
      '{',
      new Error('402'),
      cycle,
      hostile,
      revoked,
      { cause: revoked },
      deep,
      { code: 'budget_exceeded' },
    ];
    for (const other of others) expect(BudgetExceededError.from(other)).toBeUndefined();
    expect(
      BudgetExceededError.from({ code: 'budget_exceeded', budget: { limit: { usd: 'x' } } })?.refusal,
    ).toMatchObject({
      limit: {},
      spent: { usd: 0, tokens: 0 },
      resetsAt: undefined,
    });
  });
});
