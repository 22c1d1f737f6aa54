import { describe, expect, it } from 'vitest';
import { createTelemetry, TelemetryError, type TelemetryOptions } from '../../src/index.ts';
import { chatCompletion, chatRequest, chatUrl, createAlsTelemetry, createManualClock } from '../support/telemetry.ts';

/** 10 tokens in at 2.50, 5 out at 10 dollars per million. */
const costUsd = 0.000075;
const oneCall = { calls: 1, inputTokens: 10, outputTokens: 5, totalTokens: 15, costUsd, unpricedCalls: 0 };
const nothing = { calls: 0, inputTokens: 0, outputTokens: 0, totalTokens: 0, costUsd: 0, unpricedCalls: 0 };

function create(options: TelemetryOptions = {}, answer: () => Response = () => Response.json(chatCompletion())) {
  const telemetry = createAlsTelemetry({ fetch: async () => answer(), ...options });
  const ask = async (fetch = telemetry.fetch) => void (await (await fetch(chatUrl, chatRequest())).text());
  return { telemetry, ask };
}

function times(count: number, { costUsd, ...usage }: typeof oneCall) {
  const tokens = Object.entries(usage).map(([name, value]) => [name, value * count]);
  return { ...Object.fromEntries(tokens), costUsd: expect.closeTo(costUsd * count, 12) };
}

describe('a session', () => {
  it('counts the calls inside of it, and no others', async () => {
    const { telemetry, ask } = create();
    const session = telemetry.session();
    await ask();
    expect(session.usage()).toEqual(nothing);
    await session.run(ask);
    await session.run(ask);
    expect(session.usage()).toEqual(times(2, oneCall));
    await ask();
    expect(session.usage().calls).toBe(2);
    session.reset();
    expect(session.usage()).toEqual(nothing);
    expect(session.costs()).toEqual([]);
  });

  it('counts what goes through its fetch, on runtimes without async context too', async () => {
    const telemetry = createTelemetry({ fetch: async () => Response.json(chatCompletion()) });
    const [one, other] = [telemetry.session(), telemetry.session()];
    const ask = async (fetch: typeof globalThis.fetch) => void (await (await fetch(chatUrl, chatRequest())).text());
    await Promise.all([ask(one.fetch), ask(one.fetch), ask(other.fetch), ask(telemetry.fetch)]);
    expect([one.usage().calls, other.usage().calls]).toEqual([2, 1]);
    await one.run(() => ask(one.fetch));
    expect(one.usage().calls).toBe(3);
  });

  it('keeps a record of each call', async () => {
    const clock = createManualClock();
    const { telemetry, ask } = create({ runtime: clock }, () => {
      clock.advance(1500);
      return Response.json(chatCompletion());
    });
    const session = telemetry.session();
    await session.scope('rag', () => ask());
    expect(session.costs()).toEqual([
      {
        scope: 'rag',
        provider: 'openai',
        model: 'gpt-4o-2024-08-06',
        inputTokens: 10,
        outputTokens: 5,
        inputCostUsd: 0.000025,
        outputCostUsd: 0.00005,
        costUsd,
        latencyMs: 1500,
        timestamp: new Date(1_700_000_001_500),
      },
    ]);
  });

  it('keeps a bounded number of them, and all in its sums', async () => {
    const { telemetry, ask } = create();
    const session = telemetry.session({ maxRecords: 2 });
    await session.run(ask);
    await session.scope('b', ask);
    await session.scope('c', ask);
    expect(session.costs().map(({ scope }) => scope)).toEqual(['b', 'c']);
    expect(session.usage().calls).toBe(3);
  });

  it('adds nothing for what is unknown', async () => {
    const unpriced = create({}, () => Response.json(chatCompletion({ model: 'homemade', usage: null })));
    const session = unpriced.telemetry.session();
    await session.run(unpriced.ask);
    expect(session.usage()).toEqual({ ...nothing, calls: 1, unpricedCalls: 1 });
    expect(session.costs()[0]).toMatchObject({ inputTokens: undefined, costUsd: undefined, inputCostUsd: undefined });
  });

  it('knows a stream once it is over', async () => {
    const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };
    const chunk = { id: 'c', model: 'gpt-4o-2024-08-06', choices: [], usage };
    const { telemetry } = create({}, () => {
      const text = `data: ${JSON.stringify(chunk)}\n\ndata: [DONE]\n\n`;
      return new Response(text, { headers: { 'content-type': 'text/event-stream' } });
    });
    const session = telemetry.session();
    const response = await session.run(() => telemetry.fetch(chatUrl, chatRequest({ stream: true })));
    expect(session.usage().calls).toBe(0);
    await response.text();
    expect(session.usage()).toEqual(oneCall);
  });

  it('takes the attempts of an SDK for one call', async () => {
    let attempts = 0;
    const { telemetry } = create({}, () =>
      attempts++ === 0 ? Response.json({}, { status: 429 }) : Response.json(chatCompletion()),
    );
    const session = telemetry.session();
    for (const number of ['0', '1']) {
      const request = chatRequest();
      const headers = { 'x-stainless-retry-count': number };
      await (await session.fetch(chatUrl, { ...request, headers })).text();
    }
    expect(session.usage()).toEqual(oneCall);
  });

  it('tells its cost in another currency', async () => {
    const { telemetry, ask } = create({ currency: { code: 'EUR', perUsd: 0.8 } });
    const session = telemetry.session();
    await session.scope('a', ask);
    expect(session.usage().converted).toEqual({ code: 'EUR', amount: costUsd * 0.8 });
    expect(session.usageByScope().get('a')?.converted?.amount).toBeCloseTo(0.00006, 12);
  });

  it('refuses impossible limits', () => {
    const { telemetry } = create();
    expect(() => telemetry.session({ maxRecords: 0 })).toThrow(TelemetryError);
    expect(() => telemetry.session({ qualityWindow: 1 })).toThrow(
      /session.qualityWindow is 1: it must be an integer from 2/,
    );
  });
});

describe('scopes', () => {
  it('have paths, and roll up', async () => {
    const { telemetry, ask } = create();
    const session = telemetry.session({ name: 'job' });
    await session.run(async () => {
      await ask();
      await session.scope('rag', async () => {
        await ask();
        await session.scope('rerank', ask);
        await telemetry.agent({ name: 'a' }, () => session.scope('rerank', ask))();
      });
    });
    expect(session.costs().map(({ scope }) => scope)).toEqual(['job', 'rag', 'rag/rerank', 'rag/rerank']);
    const calls = [...session.usageByScope()].map(([path, usage]) => [path, usage.calls]);
    expect(calls).toEqual([
      ['job', 4],
      ['rag', 3],
      ['rag/rerank', 2],
    ]);
  });

  it('that run at the same time do not mix', async () => {
    const { telemetry, ask } = create();
    const session = telemetry.session();
    const part = (name: string, calls: number) =>
      session.scope(name, async () => {
        for (let i = 0; i < calls; i++) await ask();
      });
    await Promise.all([part('a', 1), part('b', 2), part('c', 3)]);
    const calls = Object.fromEntries([...session.usageByScope()].map(([path, usage]) => [path, usage.calls]));
    expect(calls).toEqual({ '(root)': 6, a: 1, b: 2, c: 3 });
  });

  it('of two sessions around one call both know it', async () => {
    const { telemetry, ask } = create();
    const [outer, inner] = [telemetry.session(), telemetry.session()];
    await outer.scope('o', () => inner.scope('i', ask));
    expect(outer.costs().map(({ scope }) => scope)).toEqual(['o']);
    expect(inner.costs().map(({ scope }) => scope)).toEqual(['i']);
  });
});

describe('the quality trend', () => {
  const trend = (...scores: number[]) => {
    const session = create().telemetry.session();
    for (const score of scores) session.recordQuality({ faithfulness: score, relevancy: score });
    return session.qualityTrend();
  };

  it.each([
    ['improving', [0.5, 0.5, 0.53, 0.53, 0.53]],
    ['stable', [0.5, 0.5, 0.529, 0.529, 0.529]],
    ['degrading', [0.9, 0.9, 0.8, 0.8, 0.8]],
    ['stable', [0.1, 0.9, 0.9, 0.9]],
    // Of six the oldest is out of the window.
    ['stable', [0.1, 0.9, 0.9, 0.9, 0.9, 0.9]],
  ])('is %s for %j', (expected, scores) => {
    expect(trend(...scores)).toBe(expected);
  });

  it('takes what is given, and nothing for nothing', () => {
    const session = create().telemetry.session({ qualityWindow: 2 });
    session.recordQuality({ faithfulness: 0.2 });
    session.recordQuality({});
    session.recordQuality({ relevancy: Number.NaN });
    expect(session.qualityTrend()).toBe('stable');
    session.recordQuality({ relevancy: 0.6 });
    expect(session.qualityTrend()).toBe('improving');
    session.reset();
    expect(session.qualityTrend()).toBe('stable');
  });
});
