import { describe, expect, it } from 'vitest';
import { BudgetExceededError } from '../../src/index.ts';
import { chatCompletion, chatRequest, chatUrl } from '../support/telemetry.ts';
import { createAsyncStore, estimatedTokens, setUp } from './set-up.ts';

const none = { limits: { name: 'all', tokens: 0 } };
const asynchronous = (): { store: ReturnType<typeof createAsyncStore> } => ({ store: createAsyncStore() });
const reply = () => chatCompletion({ model: 'gpt-4o' });
const tokensOf = async ({ telemetry }: ReturnType<typeof setUp>) => {
  await telemetry.flush();
  const [status] = await telemetry.budget.status();
  return [status!.spent.tokens, status!.reserved.tokens];
};

describe('a wrapped function that is refused', () => {
  it.each([
    ['memory', {}],
    ['a store that must be waited for', asynchronous()],
  ])('rejects, where it is async: %s', async (_, options) => {
    const { telemetry } = setUp({ budget: { ...none, ...options } });
    let called = 0;
    const ask = telemetry.llm({ model: 'gpt-4o' }, async (_question: string) => {
      called++;
      return reply();
    });
    const answer = ask('why');
    await expect(answer).rejects.toBeInstanceOf(BudgetExceededError);
    expect([called, telemetry.spans.length]).toEqual([0, 0]);
    expect(telemetry.metrics.value('llm_requests_total')).toBeUndefined();
  });

  it('throws, where it may be synchronous', () => {
    const { telemetry } = setUp({ budget: none });
    const ask = telemetry.llm({ model: 'gpt-4o' }, () => reply());
    expect(() => ask()).toThrow(BudgetExceededError);
  });

  it.each([
    ['memory', {}],
    ['a store that must be waited for', asynchronous()],
  ])('throws at its first step, where it is an async generator: %s', async (_, options) => {
    const { telemetry } = setUp({ budget: { ...none, ...options } });
    const ask = telemetry.llm({ model: 'gpt-4o' }, async function* () {
      yield 'never';
    });
    const steps = ask();
    await expect(steps.next()).rejects.toBeInstanceOf(BudgetExceededError);
  });

  it('throws at its first step, where it is a generator', () => {
    const { telemetry } = setUp({ budget: none });
    const ask = telemetry.llm({ model: 'gpt-4o' }, function* () {
      yield 'never';
    });
    const steps = ask();
    expect(() => steps.next()).toThrow(BudgetExceededError);
  });

  it('is a method of a client too', async () => {
    const { telemetry } = setUp({ budget: none });
    class Client {
      list = () => ['a'];
      async create(_: { model: string }) {
        return reply();
      }
    }
    const client = telemetry.wrap(new Client(), { type: 'llm' });
    await expect(client.create({ model: 'gpt-4o' })).rejects.toBeInstanceOf(BudgetExceededError);
    expect(client.list()).toEqual(['a']);
  });
});

describe('a wrapped function that passes', () => {
  it('is counted by what it answers, synchronously', async () => {
    const app = setUp({ budget: { limits: { name: 'all', tokens: 10_000 } } });
    const ask = app.telemetry.llm({ model: 'gpt-4o', provider: 'openai' }, () => reply());
    expect(ask()).toEqual(reply());
    expect(await tokensOf(app)).toEqual([15, 0]);
  });

  it.each([
    ['memory', {}],
    ['a store that must be waited for', asynchronous()],
  ])('is counted by its stream: %s', async (_, options) => {
    const app = setUp({ budget: { limits: { name: 'all', tokens: 10_000 }, ...options } });
    const ask = app.telemetry.llm({ provider: 'openai', model: 'gpt-4o' }, async function* (_question: string) {
      yield { object: 'chat.completion.chunk', model: 'gpt-4o', choices: [{ index: 0, delta: { content: 'Hi' } }] };
      const usage = { prompt_tokens: 4, completion_tokens: 2, total_tokens: 6 };
      yield { object: 'chat.completion.chunk', model: 'gpt-4o', choices: [], usage };
    });
    const items: unknown[] = [];
    for await (const item of ask('why')) items.push(item);
    expect(items.length).toBe(2);
    expect(await tokensOf(app)).toEqual([6, 0]);
  });

  it('keeps what an SDK’s own promise can do, where its store must be waited for', async () => {
    const app = setUp({ budget: { limits: { name: 'all', tokens: 10_000 }, ...asynchronous() } });
    class ApiPromise extends Promise<ReturnType<typeof reply>> {
      async withResponse() {
        return { data: await this, status: 200 };
      }
    }
    let calls = 0;
    const create = app.telemetry.llm({ model: 'gpt-4o', provider: 'openai' }, () => {
      calls++;
      return ApiPromise.resolve(reply()) as ApiPromise;
    });
    expect(await create().withResponse()).toEqual({ data: reply(), status: 200 });
    expect(await create()).toEqual(reply());
    expect(calls).toBe(2);
    expect(await tokensOf(app)).toEqual([30, 0]);
  });

  it('counts nothing where it failed before anything came, and its estimate where it timed out', async () => {
    const app = setUp({ budget: { limits: { name: 'all', tokens: 10_000 } } });
    const failing = (error: Error) =>
      app.telemetry.llm({ model: 'gpt-4o' }, async (_: { max_tokens: number }) => {
        throw error;
      })({ max_tokens: 1 });
    await expect(failing(new TypeError('fetch failed'))).rejects.toThrow('fetch failed');
    await expect(failing(Object.assign(new Error('overloaded'), { status: 529 }))).rejects.toThrow('overloaded');
    expect(await tokensOf(app)).toEqual([0, 0]);
    await expect(failing(new DOMException('too late', 'TimeoutError'))).rejects.toThrow('too late');
    const [spent, reserved] = await tokensOf(app);
    expect([spent! > 4096, reserved]).toEqual([true, 0]);
  });
});

describe('an instrumented call inside', () => {
  it('takes over what its wrapper holds, and is counted once', async () => {
    const app = setUp({
      budget: {
        limits: [
          { name: 'all', usd: 1 },
          { tokens: 10_000, window: 'hour' },
        ],
      },
    });
    const reserved: number[] = [];
    const ask = app.telemetry.llm({ model: 'gpt-4o' }, async (_question: string) => {
      reserved.push((await app.telemetry.budget.status('hour'))[0]!.reserved.tokens);
      const response = await app.ask();
      reserved.push((await app.telemetry.budget.status('hour'))[0]!.reserved.tokens);
      return response.json();
    });
    await ask('why');
    // The wrapper knows no maximum of the answer, so it holds enough for both.
    expect(reserved[0]).toBeGreaterThan(4096);
    expect(reserved[1]).toBe(reserved[0]);
    const [usd, tokens] = await app.telemetry.budget.status();
    expect([usd!.spent, usd!.reserved.usd, tokens!.spent.tokens, tokens!.reserved.tokens]).toEqual([
      { usd: 0.00006, tokens: 15 },
      0,
      15,
      0,
    ]);
    expect(app.telemetry.metrics.value('llm_requests_total')).toBe(1);
  });

  it('holds what it needs beyond, and later ones hold their own', async () => {
    const app = setUp({ budget: { limits: { name: 'all', tokens: 10_000 }, estimateOutputTokens: 1 } });
    const reserved: number[] = [];
    const look = async () => reserved.push((await tokensOf(app))[1]!);
    const ask = app.telemetry.llm({ model: 'gpt-4o' }, async () => {
      const [first, second] = [await app.ask(), undefined];
      await look();
      const next = second ?? (await app.ask());
      await look();
      await first.text();
      await look();
      await next.text();
      return 'done';
    });
    await ask();
    expect(reserved).toEqual([estimatedTokens, 2 * estimatedTokens, estimatedTokens]);
    expect(await tokensOf(app)).toEqual([30, 0]);
  });

  it('gives what it took back where it is refused, so that nothing is left held', async () => {
    const app = setUp({ budget: { limits: { name: 'all', tokens: 30 }, estimateOutputTokens: 1 } });
    const ask = app.telemetry.llm({ model: 'gpt-4o' }, async () => {
      const response = await app.ask({ max_tokens: 500 });
      if (!response.ok)
        throw Object.assign(new Error('refused'), { status: response.status, error: (await response.json()).error });
    });
    const error = await ask().catch((thrown: unknown) => thrown);
    expect(BudgetExceededError.from(error)?.refusal.limit.name).toBe('all');
    expect(await tokensOf(app)).toEqual([0, 0]);
    // A refused call is no request, neither its own nor its wrapper's.
    expect(app.telemetry.metrics.value('llm_requests_total')).toBeUndefined();
  });

  it('decides for a wrapper that knows no model', async () => {
    const app = setUp({ budget: { limits: { name: 'all', usd: 1 } } });
    const ask = app.telemetry.llm(async (model: string[]) => (await app.ask({ model: model[0] })).status);
    expect([await ask(['gpt-4o']), await ask(['unheard-of'])]).toEqual([200, 402]);
  });

  it('is counted once where no async context leads to it', async () => {
    const app = setUp({
      budget: { limits: { name: 'all', tokens: 100_000 } },
      runtime: { context: { run: (_, fn) => fn(), get: () => undefined } },
    });
    const ask = app.telemetry.llm({ model: 'gpt-4o' }, async () => (await app.ask()).json());
    await ask();
    expect(await tokensOf(app)).toEqual([15, 0]);
  });
});

describe('budget.guard', () => {
  const call = { provider: 'acme', model: 'in-house', estimate: { usd: 0.25, tokens: 100 } };
  const limits = { name: 'all', usd: 1, tokens: 1000 };

  it('counts the estimate, and refuses what does not fit', async () => {
    const app = setUp({ budget: { limits } });
    for (let i = 0; i < 4; i++) expect(await app.telemetry.budget.guard(call, async () => 'ok')).toBe('ok');
    await expect(app.telemetry.budget.guard(call, async () => 'ok')).rejects.toBeInstanceOf(BudgetExceededError);
    expect((await app.telemetry.budget.status())[0]!.spent).toEqual({ usd: 1, tokens: 400 });
  });

  it('counts what is seen inside in its place', async () => {
    const app = setUp({ budget: { limits } });
    await app.telemetry.budget.guard(call, () => app.call());
    expect((await app.telemetry.budget.status())[0]).toMatchObject({
      spent: { usd: 0.00006, tokens: 15 },
      reserved: { usd: 0 },
    });
    await app.telemetry.budget.guard(call, async () => {
      app.telemetry.recordLlmCall({
        provider: 'acme',
        model: 'in-house',
        inputTokens: 7,
        outputTokens: 3,
        costUsd: 0.5,
      });
    });
    expect((await app.telemetry.budget.status())[0]!.spent).toEqual({ usd: 0.50006, tokens: 25 });
  });

  it('counts what is recorded inside by its total where it has no more', async () => {
    const app = setUp({ budget: { limits: { tokens: 1000 } } });
    await app.telemetry.budget.guard(call, async () => {
      app.telemetry.recordLlmCall({ provider: 'acme', model: 'in-house', totalTokens: 70 });
      app.telemetry.recordLlmCall({ provider: 'acme', model: 'in-house', inputTokens: 7, outputTokens: 3 });
    });
    expect((await app.telemetry.budget.status())[0]!.spent.tokens).toBe(80);
  });

  it('prices tokens at the dearer rate, and a model without a price by nothing else than its estimate', async () => {
    const app = setUp({ budget: { limits: { name: 'all', usd: 1 } } });
    const { guard, status } = app.telemetry.budget;
    await guard({ provider: 'openai', model: 'gpt-4o', estimate: { tokens: 1000 } }, async () => 1);
    expect((await status())[0]!.spent.usd).toBe(0.01);
    const unpriced = guard({ provider: 'acme', model: 'in-house', estimate: { tokens: 1 } }, async () => 1);
    await expect(unpriced).rejects.toMatchObject({ refusal: { reason: 'unpriced' } });
  });

  it('gives back what was held where its function fails', async () => {
    const app = setUp({ budget: { limits } });
    const failing = app.telemetry.budget.guard(call, async () => {
      throw new RangeError('mine');
    });
    await expect(failing).rejects.toThrow('mine');
    expect((await app.telemetry.budget.status())[0]).toMatchObject({ spent: { usd: 0 }, reserved: { usd: 0 } });
  });

  it('may be without an estimate, also by null', async () => {
    const { telemetry } = setUp({ budget: { limits: { tokens: 5000 } } });
    const call = { provider: 'acme', model: 'm', estimate: null as never };
    expect(await telemetry.budget.guard(call, async () => 1)).toBe(1);
    expect((await telemetry.budget.status())[0]!.spent.tokens).toBe(4096);
  });

  it.each([[{ usd: -1 }], [{ usd: Number.NaN }], [{ usd: 1e300 }], [{ tokens: 0.5 }], [{ tokens: 2 ** 53 }]])(
    'rejects an estimate that is none: %j',
    async (estimate) => {
      const app = setUp({ budget: { limits } });
      let called = false;
      const guarded = app.telemetry.budget.guard({ ...call, estimate }, async () => {
        called = true;
      });
      await expect(guarded).rejects.toMatchObject({ code: 'invalid_value' });
      expect([called, await tokensOf(app)]).toEqual([false, [0, 0]]);
    },
  );
});

describe('a body that has to be read first', () => {
  it('is read before the call is let through', async () => {
    const app = setUp({ budget: none });
    const response = await app.telemetry.fetch(new Request(chatUrl, chatRequest({ max_tokens: 5 })));
    expect([response.status, app.sent.length]).toEqual([402, 0]);
    const open = setUp({ budget: { limits: { name: 'all', tokens: 10_000 } } });
    const answer = await open.telemetry.fetch(new Request(chatUrl, chatRequest({ max_tokens: 5 })));
    expect(await tokensOf(open)).toEqual([0, estimatedTokens]);
    await answer.text();
    expect(await tokensOf(open)).toEqual([15, 0]);
  });

  it('is no model call: it passes whatever the limits', async () => {
    const app = setUp({ budget: none });
    expect((await app.telemetry.fetch('https://example.com/', { method: 'POST', body: '{}' })).status).toBe(200);
  });
});
