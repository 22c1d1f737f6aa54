import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ModelServer, startModelServer } from '../../support/model-server.ts';
import { type StartedWorker, startWorker } from '../../support/worker.ts';

const program = `export * from './examples/worker-shared/worker.ts';
  export { default } from './examples/worker-shared/worker.ts';`;

describe('the example of a Worker whose isolates share', () => {
  let model: ModelServer;
  let worker: StartedWorker;
  beforeAll(async () => {
    model = await startModelServer();
    worker = await startWorker(program, {
      bindings: { OPENAI_URL: model.url, METRICS_TOKEN: 'secret' },
      durableObjects: {
        METRICS: { className: 'MetricsAggregator', useSQLite: true },
        BUDGETS: { className: 'BudgetLedger', useSQLite: true },
      },
    });
  });
  afterAll(() => Promise.all([worker.stop(), model.stop()]));

  const chat = (user: string) =>
    fetch(new URL('/chat', worker.url), { method: 'POST', body: JSON.stringify({ message: 'Hi', user }) });
  const page = () => fetch(new URL('/metrics', worker.url), { headers: { authorization: 'Bearer secret' } });

  it('streams its answers, and counts them where every isolate does', async () => {
    for (const user of ['a', 'b', 'a']) expect(await (await chat(user)).text()).toContain('data: [DONE]');
    expect((await fetch(new URL('/metrics', worker.url))).status).toBe(401);
    await expect
      .poll(async () => (await page()).text(), { timeout: 30_000 })
      .toMatch(/^llm_requests_total\{.*status="ok".*\} 3$/m);
  });
});
