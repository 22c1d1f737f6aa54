import {
  BudgetLedger,
  createDurableObjectBudgetStore,
  createDurableObjectMetricStore,
  MetricsAggregator,
} from 'edgespan/workers';
import { budgetStoreContract } from '../../suites/budget-store.ts';
import { metricStoreContract } from '../../suites/metric-store.ts';
import { answerCases } from '../../suites/suite.ts';

export { BudgetLedger, MetricsAggregator };

interface Env {
  METRICS: DurableObjectNamespace<MetricsAggregator>;
  BUDGETS: DurableObjectNamespace<BudgetLedger>;
}

let made = 0;

/** The namespace with names that nobody else has. */
function own<T extends Rpc.DurableObjectBranded>(namespace: DurableObjectNamespace<T>): DurableObjectNamespace<T> {
  const prefix = `store-${++made}`;
  return { getByName: (name: string) => namespace.getByName(`${prefix} ${name}`) } as DurableObjectNamespace<T>;
}

/** The contracts of both ports against real objects, in a request each. */
export default {
  fetch(request: Request, env: Env): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const shards = Number(searchParams.get('shards') ?? 1);
    const cases =
      pathname === '/metrics'
        ? metricStoreContract.map(({ name, run }) => ({
            name,
            run: () => run(async (options) => createDurableObjectMetricStore(own(env.METRICS), { shards, ...options })),
          }))
        : budgetStoreContract.map(({ name, run }) => ({
            name,
            run: () => run(async () => createDurableObjectBudgetStore(own(env.BUDGETS))),
          }));
    return answerCases(cases);
  },
};
