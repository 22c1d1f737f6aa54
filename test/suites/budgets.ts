import type { BudgetOptions, TelemetryOptions } from '../../src/index.ts';
import { equal, ok, thrown } from './assert.ts';
import { budgetStoreContract } from './budget-store.ts';
import { createClock, createTelemetry, type Suite, type SuiteEnv, tick } from './suite.ts';
import { chatCompletion, chatStream, createSource, post, sse } from './upstream.ts';

const prices = { 'gpt-4o-mini': { input: 1, output: 10 } };
const openai = 'https://api.openai.com/v1/chat/completions';

function setUp(env: SuiteEnv, budget: BudgetOptions, answer: () => Response, options: TelemetryOptions = {}) {
  const clock = createClock(Date.UTC(2026, 2, 28, 22, 30));
  const fetch = async () => {
    await tick();
    return answer();
  };
  const telemetry = createTelemetry(env, { clock, prices, fetch, budget, onError: () => {}, ...options });
  const ask = () => telemetry.fetch(openai, post({ model: 'gpt-4o-mini', max_tokens: 5, messages: [] }));
  return { clock, telemetry, ask };
}

const tokensLeft = async ({ telemetry }: ReturnType<typeof setUp>) => {
  const [status] = await telemetry.budget.status();
  return [status!.spent.tokens, status!.reserved.tokens];
};

export const budgets: Suite = [
  ...budgetStoreContract.map(({ name, run }) => ({
    name: `budgets: a store in memory ${name}`,
    run: (env: SuiteEnv) => run(async () => env.edgespan.createMemoryBudgetStore()),
  })),
  {
    name: 'budgets: 20 calls in parallel against a limit for some, streams among them',
    async run(env) {
      let count = 0;
      const answer = () =>
        count++ % 2 ? Response.json(chatCompletion) : new Response(createSource(chatStream).body, { headers: sse });
      const app = setUp(env, { limits: { tokens: 100, window: 'day' } }, answer);
      const responses = await Promise.all(Array.from({ length: 20 }, app.ask));
      const passed = responses.filter(({ status }) => status === 200);
      const [spent, reserved] = await tokensLeft(app);
      equal(spent, 0, 'nothing is spent before its end');
      ok(passed.length > 0 && reserved! <= 100 && reserved! + reserved! / passed.length > 100, 'as many as fit');
      await Promise.all(passed.map((response) => response.text()));
      equal(await tokensLeft(app), [19 * passed.length, 0], 'spent');
      equal(responses.filter(({ status }) => status === 402).length, 20 - passed.length, 'refused');
    },
  },
  {
    name: 'budgets: a refusal is an error with what is spent and when it resets, by the clocks of its zone',
    async run(env) {
      const budget: BudgetOptions = {
        limits: { usd: 0, window: 'day' },
        timeZone: 'Europe/Berlin',
        refuseFetch: 'throw',
      };
      const { telemetry, ask } = setUp(env, budget, () => Response.json(chatCompletion));
      const error = await thrown(ask);
      ok(error instanceof env.edgespan.BudgetExceededError, 'its class');
      const { refusal } = env.edgespan.BudgetExceededError.from(error)!;
      equal(refusal.resetsAt?.toISOString(), '2026-03-28T23:00:00.000Z', 'midnight in Berlin');
      equal(telemetry.metrics.value('llm_budget_rejections_total'), 1, 'counted');
    },
  },
  {
    name: 'budgets: a month ends by the clocks of its zone, over the change of the clocks',
    async run(env) {
      const budget: BudgetOptions = { limits: { tokens: 30, window: 'month' }, timeZone: 'America/New_York' };
      const app = setUp(env, budget, () => Response.json(chatCompletion));
      await (await app.ask()).text();
      equal((await app.ask()).status, 402, 'used up');
      // 1 April, 00:00 in New York.
      app.clock.advance(Date.UTC(2026, 3, 1, 4) - app.clock.now() - 1);
      equal((await app.ask()).status, 402, 'a millisecond before');
      app.clock.advance(1);
      equal((await app.ask()).status, 200, 'the next month');
    },
  },
  {
    name: 'budgets: guard runs what fits, and counts its estimate',
    async run(env) {
      const { telemetry } = setUp(env, { limits: { usd: 1 } }, () => Response.json({}));
      const call = { provider: 'acme', model: 'in-house', estimate: { usd: 0.75 } };
      equal(await telemetry.budget.guard(call, async () => 'ok'), 'ok', 'result');
      const error = (await thrown(() => telemetry.budget.guard(call, async () => 'ok'))) as { code?: unknown };
      equal(error.code, 'budget_exceeded', 'refused');
    },
  },
];
