import { describe, expect, it } from 'vitest';
import { readBudgets } from '../../src/collector/budget-figures.ts';
import type { MetricFamily } from '../../src/metrics/snapshot.ts';

const labels = { limit: 'team', window: 'day', service: 'shop', environment: 'live' };
const gauge = (name: string, points: [Record<string, string>, number][]): MetricFamily => ({
  ...{ name, type: 'gauge' },
  points: points.map(([of, value]) => ({ labels: of, value, startUnixNano: 0n, timeUnixNano: 0n })),
});
const read = (...metrics: MetricFamily[]) => readBudgets({ temporality: 'cumulative', resource: {}, metrics });

describe('budgets among pushed metrics', () => {
  it('are limits with what is spent of them, where that is known', () => {
    const keyed = { ...labels, limit: 'each user' };
    const figures = { name: 'team', window: 'day', service: 'shop', environment: 'live' };
    expect(
      read(
        gauge('llm_budget_spent_usd', [[labels, 4]]),
        gauge('llm_budget_limit_usd', [
          [labels, 10],
          [keyed, 1],
        ]),
        gauge('llm_requests', [[labels, 1]]),
      ),
    ).toEqual([
      { ...figures, name: 'each user', limit_usd: 1 },
      { ...figures, limit_usd: 10, spent_usd: 4 },
    ]);
  });

  it('are told apart by service and namespace, and are no more than 200', () => {
    const other = { ...labels, service: 'other' };
    const [first, second] = read(
      gauge('shop_budget_limit_usd', [[labels, 10]]),
      gauge('llm_budget_limit_usd', [[other, 20]]),
      gauge('llm_budget_spent_usd', [[labels, 4]]),
    );
    expect([first?.service, first?.spent_usd]).toEqual(['other', undefined]);
    expect([second?.service, second?.spent_usd]).toEqual(['shop', undefined]);
    const many = Array.from({ length: 300 }, (_, i): [Record<string, string>, number] => [{ limit: `l${i}` }, i]);
    expect(read(gauge('llm_budget_limit_usd', many))).toHaveLength(200);
  });
});
