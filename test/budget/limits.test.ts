import { describe, expect, it } from 'vitest';
import type { ReserveRequest } from '../../src/budget/store.ts';
import { BudgetExceededError, type BudgetStatus } from '../../src/index.ts';
import { chatCompletion } from '../support/telemetry.ts';
import { costUsd, createAsyncStore, setUp } from './set-up.ts';

describe('a limit', () => {
  it('lets calls pass until it is reached, counts what they cost, and answers 402 then', async () => {
    const { telemetry, sent, ask, call } = setUp({ budget: { limits: { usd: 0.00018, window: 'day' } } });
    expect([await call(), await call()]).toEqual([200, 200]);
    const [status] = await telemetry.budget.status('day');
    expect(status).toMatchObject({ key: '', spent: { usd: 2 * costUsd, tokens: 30 }, reserved: { usd: 0, tokens: 0 } });
    const refused = await ask();
    expect([refused.status, refused.headers.get('x-should-retry'), sent.length]).toEqual([402, 'false', 2]);
    const body = await refused.json();
    expect(body.error).toMatchObject({ code: 'budget_exceeded', budget: { spent: { usd: 2 * costUsd } } });
    expect(body.error.message).toContain('budget "day" of a day is exceeded: $0.00012 of $0.00018 are spent');
    expect(body.error.message).toContain('2026-11-22T00:00:00.000Z');
    expect(telemetry.metrics.value('llm_requests_total')).toBe(2);
    expect(telemetry.metrics.value('llm_budget_rejections_total', { limit: 'day', reason: 'limit' })).toBe(1);
  });

  it('holds each estimate while its call is under way', async () => {
    const { telemetry, ask, call } = setUp({ budget: { limits: { tokens: 1000, window: 'hour' } } });
    const open = await ask({ max_tokens: 900 });
    const [held] = await telemetry.budget.status();
    expect(held!.reserved.tokens).toBeGreaterThan(900);
    expect(await call({ max_tokens: 900 })).toBe(402);
    await open.text();
    expect((await telemetry.budget.status())[0]).toMatchObject({ spent: { tokens: 15 }, reserved: { tokens: 0 } });
  });

  it('gets back at once what was held for an error, which nobody may read', async () => {
    const answer = () => Response.json({ error: { message: 'no' } }, { status: 429 });
    const { telemetry, ask } = setUp({ budget: { limits: { usd: 0.0001 } }, answer });
    const unread = [await ask(), await ask(), await ask()];
    expect(unread.map(({ status }) => status)).toEqual([429, 429, 429]);
    const none = { usd: 0, tokens: 0 };
    expect((await telemetry.budget.status())[0]).toMatchObject({ spent: none, reserved: none });
  });

  it('holds what the tier costs that is asked for, and counts the one that has answered', async () => {
    const price = { input: 1, output: 10, serviceTiers: { priority: 2, flex: 0.5 } };
    const { telemetry, ask, call } = setUp({
      prices: { 'gpt-4o': price, 'gpt-4o-2024-08-06': price },
      budget: { limits: { usd: 0.0003, window: 'day' } },
      answer: (init) => Response.json(chatCompletion({ service_tier: JSON.parse(String(init?.body)).answered })),
    });
    const list = await ask();
    const [{ reserved: one }] = (await telemetry.budget.status()) as [BudgetStatus];
    await list.text();
    const twice = await ask({ service_tier: 'priority', answered: 'default' });
    const [{ reserved: two }] = (await telemetry.budget.status()) as [BudgetStatus];
    expect(two.usd).toBeGreaterThan(1.9 * one.usd);
    await twice.text();
    expect((await telemetry.budget.status())[0]!.spent.usd).toBeCloseTo(2 * costUsd, 9);
    expect(await call({ answered: 'flex' })).toBe(200);
    expect((await telemetry.budget.status())[0]!.spent.usd).toBeCloseTo(2.5 * costUsd, 9);
    expect(await call({ service_tier: 'priority', max_tokens: 10 })).toBe(402);
  });

  it('begins anew with its window', async () => {
    const { telemetry, clock, call } = setUp({ budget: { limits: { tokens: 30, window: 'day' }, cooldownMs: 1e9 } });
    expect([await call(), await call()]).toEqual([200, 402]);
    clock.advance(12 * 3_600_000);
    expect(await call()).toBe(200);
    expect((await telemetry.budget.status())[0]!.resetsAt).toEqual(new Date('2026-11-23T00:00:00Z'));
  });

  it('of a call is looked at without a store, and opens no circuit', async () => {
    const store = { reserve: fail, settle: fail, release: fail, read: fail, reset: fail };
    const { telemetry, call } = setUp({ budget: { limits: { usd: 0.001, window: 'call' }, store } });
    expect([await call(), await call({ max_tokens: 5000 }), await call()]).toEqual([200, 402, 200]);
    expect(await telemetry.budget.status()).toMatchObject([{ circuit: 'closed', resetsAt: undefined }]);
  });

  it('may be one of several: a refusal gives back what the earlier ones held', async () => {
    const { telemetry, call } = setUp({
      budget: {
        limits: [
          { usd: 1, window: 'day' },
          { name: 'small', tokens: 20, window: 'hour' },
        ],
      },
    });
    expect(await call()).toBe(402);
    const [day, small] = await telemetry.budget.status();
    expect([day!.reserved, small!.reserved]).toEqual([
      { usd: 0, tokens: 0 },
      { usd: 0, tokens: 0 },
    ]);
    expect([day!.circuit, small!.circuit]).toEqual(['closed', 'open']);
  });

  it('counts each key by itself, and none where it does not apply', async () => {
    const { telemetry, call } = setUp({
      budget: {
        limits: { name: 'user', tokens: 30, window: 'day', key: ({ attributes }) => attributes['user.id']?.toString() },
      },
    });
    const as = (user: string) => telemetry.with({ attributes: { 'user.id': user } }, () => call());
    expect([await as('ann'), await as('ann'), await as('bob')]).toEqual([200, 402, 200]);
    expect([await call(), await call(), await call()]).toEqual([200, 200, 200]);
    const statuses = await telemetry.budget.status('user');
    expect(statuses.map(({ key, spent }) => [key, spent.tokens])).toEqual([
      ['ann', 15],
      ['bob', 15],
    ]);
    await telemetry.budget.reset('ann');
    expect([await as('ann'), await as('bob')]).toEqual([200, 402]);
    expect(await telemetry.budget.status('user', 'carl')).toMatchObject([{ key: 'carl', spent: { tokens: 0 } }]);
  });

  it('hears of the call what is known before it', async () => {
    const calls: unknown[] = [];
    const key = (call: unknown) => {
      calls.push(call);
      return undefined;
    };
    const { telemetry, call } = setUp({ budget: { limits: { usd: 1, key } } });
    await telemetry.with({ attributes: { tenant: 't1' } }, () => call());
    expect(calls).toEqual([
      {
        provider: 'openai',
        model: 'gpt-4o',
        operation: 'chat',
        attributes: { tenant: 't1' },
        estimate: { usd: expect.closeTo(0.000075, 4), tokens: expect.any(Number) },
      },
    ]);
  });

  it.each([
    ['throws', () => fail()],
    ['answers no text', () => 7 as unknown as string],
    ['answers nothing', () => ''],
    ['answers a megabyte', () => 'k'.repeat(1024 * 1024)],
  ])('refuses where its key function %s, and tells why', async (_, key) => {
    const { errors, call } = setUp({ budget: { limits: { usd: 1, key } } });
    expect(await call()).toBe(402);
    expect(errors.length).toBe(1);
    expect(errors[0]!.message.length).toBeLessThan(300);
    const open = setUp({ budget: { limits: { usd: 1, key }, onStoreError: 'allow' } });
    expect([await open.call(), open.errors.length]).toEqual([200, 1]);
  });

  it('in USD refuses a model without a price unless told otherwise', async () => {
    const budget = { limits: { usd: 1, window: 'day' as const } };
    const { telemetry, call } = setUp({ budget });
    expect(await call({ model: 'unheard-of' })).toBe(402);
    expect(telemetry.metrics.value('llm_budget_rejections_total', { reason: 'unpriced' })).toBe(1);
    expect((await telemetry.budget.status())[0]!.circuit).toBe('closed');
    const answer = () => Response.json(chatCompletion({ model: 'unheard-of' }));
    const allowing = setUp({ budget: { ...budget, unpriced: 'allow' }, answer });
    expect(await allowing.call({ model: 'unheard-of' })).toBe(200);
    expect((await allowing.telemetry.budget.status())[0]!.spent).toEqual({ usd: 0, tokens: 15 });
    const tokens = setUp({ budget: { limits: { tokens: 1000 } }, answer });
    expect(await tokens.call({ model: 'unheard-of' })).toBe(200);
  });

  it('may throw from fetch', async () => {
    const { telemetry, ask } = setUp({ budget: { limits: { usd: 0 }, refuseFetch: 'throw' } });
    const error = await ask().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(BudgetExceededError);
    expect((error as BudgetExceededError).refusal).toMatchObject({
      reason: 'limit',
      limit: { usd: 0, name: 'session' },
    });
    expect(telemetry.spans).toEqual([]);
  });

  it('tells the active span of a refusal', async () => {
    const { telemetry, call } = setUp({ budget: { limits: { usd: 0 } } });
    await telemetry.span('work', () => call());
    const [span] = telemetry.spans;
    expect(span!.events).toMatchObject([
      {
        name: 'edgespan.budget.refused',
        attributes: { 'edgespan.budget.limit': 'session', 'edgespan.budget.reason': 'limit' },
      },
    ]);
  });

  it('does nothing where telemetry is off', async () => {
    const { telemetry, call } = setUp({ enabled: false, budget: { limits: { usd: 0 } } });
    expect(await call()).toBe(200);
    expect(await telemetry.budget.status()).toEqual([]);
    expect(await telemetry.budget.guard({ provider: 'a', model: 'b' }, async () => 'ok')).toBe('ok');
  });
});

describe('what goes on beyond a limit', () => {
  it('is counted and told, with warn', async () => {
    const { telemetry, errors, call } = setUp({
      budget: { limits: { tokens: 30, window: 'day' }, onExceeded: 'warn' },
    });
    expect([await call(), await call(), await call()]).toEqual([200, 200, 200]);
    expect((await telemetry.budget.status())[0]!.spent.tokens).toBe(45);
    expect(errors.map(({ code }) => code)).toEqual(['budget_exceeded']);
    expect(telemetry.metrics.value('llm_budget_alerts_total', { limit: 'day', threshold: 'exceeded' })).toBe(2);
    expect(telemetry.metrics.value('llm_budget_rejections_total')).toBeUndefined();
  });

  it('is for a callback to decide', async () => {
    const seen: string[] = [];
    const { telemetry, call } = setUp({
      budget: {
        limits: { tokens: 30, window: 'day' },
        cooldownMs: 0,
        onExceeded(refusal) {
          seen.push(`${refusal.reason} ${refusal.spent.tokens}`);
          return seen.length === 1 ? 'allow' : 'refuse';
        },
      },
    });
    expect([await call(), await call(), await call()]).toEqual([200, 200, 402]);
    expect(seen).toEqual(['limit 15', 'limit 30']);
    expect((await telemetry.budget.status())[0]!.spent.tokens).toBe(30);
  });

  it('is refused where the callback throws', async () => {
    const { errors, call } = setUp({ budget: { limits: { usd: 0 }, onExceeded: fail } });
    expect([await call(), errors.length]).toEqual([402, 1]);
  });
});

describe('shares of a limit', () => {
  it('are told once a window and key', async () => {
    const warnings: [string, number, number][] = [];
    const { telemetry, clock, call } = setUp({
      budget: {
        limits: { tokens: 100, window: 'day' },
        warnAt: [0.5, 0.25],
        onWarn: ({ key, at, spent }) => warnings.push([key, at, spent.tokens]),
      },
    });
    for (let i = 0; i < 4; i++) await call();
    expect(warnings).toEqual([
      ['', 0.25, 30],
      ['', 0.5, 60],
    ]);
    expect(telemetry.metrics.value('llm_budget_alerts_total', { threshold: '0.5' })).toBe(1);
    clock.advance(86_400_000);
    for (let i = 0; i < 2; i++) await call();
    expect(warnings.length).toBe(3);
  });

  it('are told once where a share is given twice, in plain figures', async () => {
    const told: number[] = [];
    const { errors, call } = setUp({
      budget: { limits: { tokens: 25 }, warnAt: [0.57, 0.57], onWarn: ({ at }) => told.push(at) },
    });
    await call();
    expect(told).toEqual([0.57]);
    expect(errors.map(({ message }) => message)).toEqual(['budget "session" has reached 57% of its limit']);
  });

  it('are not told again where a call of the window before is answered late', async () => {
    const told: (number | undefined)[] = [];
    let answer = (): void => {};
    const held = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const memory = createAsyncStore(() => clock.now());
    let first = true;
    const store = {
      ...memory,
      async reserve(request: ReserveRequest) {
        const isFirst = first;
        first = false;
        const reserved = await memory.reserve(request);
        if (isFirst) await held;
        return reserved;
      },
    };
    const { telemetry, clock } = setUp({
      budget: {
        limits: { tokens: 100, window: 'hour' },
        store,
        warnAt: [0.5],
        onWarn: ({ resetsAt }) => told.push(resetsAt?.getUTCHours()),
      },
    });
    const guard = (tokens: number) =>
      telemetry.budget.guard({ provider: 'acme', model: 'a', estimate: { tokens } }, async () => tokens);
    const late = guard(60);
    clock.advance(31 * 60_000);
    await guard(60);
    answer();
    await late;
    await guard(10);
    await telemetry.flush();
    expect(told).toEqual([14, 13]);
  });
});

describe('metrics and status', () => {
  it('show limits and what is spent of those without keys', async () => {
    const { telemetry, call } = setUp({
      budget: {
        limits: [
          { usd: 2, window: 'day' },
          { name: 'each', usd: 1, key: () => 'ann' },
          { tokens: 1e6, window: 'hour' },
        ],
      },
    });
    await call();
    const page = await telemetry.prometheus();
    expect(page).toContain('llm_budget_limit_usd{limit="day",window="day"} 2');
    expect(page).toContain('llm_budget_limit_usd{limit="each",window="session"} 1');
    expect(page).toContain(`llm_budget_spent_usd{limit="day",window="day"} ${costUsd}`);
    expect(page).not.toContain('llm_budget_spent_usd{limit="each"');
    expect(page).not.toContain('ann');
    expect(page).not.toContain('limit="hour"');
  });

  it('say when a budget will be used up', async () => {
    const { telemetry, clock, call } = setUp({ budget: { limits: [{ tokens: 150, window: 'day' }, { tokens: 150 }] } });
    await call();
    // 15 tokens in half a day; of the session none since the first look.
    const [day, session] = await telemetry.budget.status();
    expect(day!.daysToExhaustion).toBeCloseTo(135 / (15 / (12.5 / 24)), 6);
    expect(session!.daysToExhaustion).toBeUndefined();
    clock.advance(3_600_000);
    expect((await telemetry.budget.status('session'))[0]!.daysToExhaustion).toBeCloseTo(135 / (15 * 24), 6);
  });
});

function fail(): never {
  throw new Error('must not be asked');
}
