import { afterAll, beforeAll, describe } from 'vitest';
import { budgetStoreContract } from '../../suites/budget-store.ts';
import { metricStoreContract } from '../../suites/metric-store.ts';
import { itPasses, tellAnswer } from '../../support/results.ts';
import { type StartedWorker, startWorker } from '../../support/worker.ts';

const program = "export { default, BudgetLedger, MetricsAggregator } from './test/runtimes/workers/stores.worker.ts';";
const durableObjects = {
  METRICS: { className: 'MetricsAggregator', useSQLite: true },
  BUDGETS: { className: 'BudgetLedger', useSQLite: true },
};

/** What each object holds by itself: its bound, and what it has of a family before it can refuse another. */
const perObject = [
  'counts series beyond the bound in one series of their own',
  'refuses other bounds, types and units by name, and applies nothing of that batch',
];

describe('stores in Durable Objects of a real workerd', () => {
  let worker: StartedWorker;
  beforeAll(async () => {
    worker = await startWorker(program, { durableObjects });
  });
  afterAll(() => worker.stop());

  describe.each([
    ['metrics in one object', '/metrics', metricStoreContract],
    [
      'metrics in three objects',
      '/metrics?shards=3',
      metricStoreContract.filter(({ name }) => !perObject.includes(name)),
    ],
    ['budgets', '/budgets', budgetStoreContract],
  ])('%s', (_, path, contract) => {
    const names = contract.map(({ name }) => name);
    itPasses(names, (tell) => tellAnswer(new URL(path, worker.url), tell));
  });
});
