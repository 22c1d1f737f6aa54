import type { MetricsSnapshot, Point } from '../metrics/snapshot.ts';

/** A limit in US dollars as its service pushes it, `llm_budget_limit_usd`, with what is spent of it where that is known. */
export interface BudgetFigure {
  readonly name: string;
  readonly window: string;
  readonly service: string;
  readonly environment: string;
  readonly limit_usd: number;
  readonly spent_usd?: number;
}

/** Of as many as are told. */
const maxBudgets = 200;
const family = /^(.*_budget_)(limit|spent)_usd$/;

/** The budgets among pushed metrics, whatever their namespace, by service and name. */
export function readBudgets({ metrics }: MetricsSnapshot): BudgetFigure[] {
  const spent = new Map<string, number>();
  const limits: [key: string, point: Point][] = [];
  for (const { name, points } of metrics) {
    const [, namespace, what] = family.exec(name) ?? [];
    for (const point of namespace ? points : []) {
      const key = [namespace, ...labelsOf(point)].join('\n');
      if (what === 'limit') limits.push([key, point]);
      else if (point.value !== undefined) spent.set(key, point.value);
    }
  }
  const found = limits.slice(0, maxBudgets).flatMap(([key, point]): BudgetFigure[] => {
    const [name, window, service, environment] = labelsOf(point);
    const spentUsd = spent.get(key);
    if (point.value === undefined) return [];
    const figures = { limit_usd: point.value, ...(spentUsd !== undefined && { spent_usd: spentUsd }) };
    return [{ name, window, service, environment, ...figures }];
  });
  return found.sort((a, b) => (`${a.service}\n${a.name}` < `${b.service}\n${b.name}` ? -1 : 1));
}

/** Presets call an environment `env`. */
function labelsOf({ labels }: Point): [limit: string, window: string, service: string, environment: string] {
  return [labels.limit ?? '', labels.window ?? '', labels.service ?? '', labels.environment ?? labels.env ?? ''];
}
