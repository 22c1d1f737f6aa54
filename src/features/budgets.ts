import { type Budget, type BudgetParts, createBudget } from '../budget/budget.ts';
import { dollars, resolveBudget } from '../budget/options.ts';
import {
  type Checks,
  checkValues,
  count,
  either,
  fn,
  group,
  list,
  methods,
  needed,
  object,
  oneOf,
  ratio,
  string,
  whole,
} from '../checks.ts';
import type { Clock } from '../clock.ts';
import type { MetricDialect } from '../llm/metric-dialect.ts';
import type { Registry } from '../metrics/registry.ts';
import { isOn } from '../observed-fetch.ts';
import type { TelemetryOptions } from '../options.ts';
import type { Shared } from '../parts.ts';
import type { PriceBook } from '../pricing/book.ts';
import type { CompleteRuntime } from '../runtime.ts';
import type { ContextView } from '../trace/context.ts';
import type { IdGenerator } from '../trace/ids.ts';
import type { Feature } from './feature.ts';

/** What limits and stores may be is said where they are read. */
const checks: Checks = {
  limits: needed(either(object, list(object))),
  store: methods(['reserve', 'settle', 'release', 'read', 'reset']),
  timeZone: string,
  onExceeded: either(oneOf('raise', 'warn'), fn),
  refuseFetch: oneOf('response', 'throw'),
  onStoreError: oneOf('allow', 'refuse'),
  unpriced: oneOf('allow', 'refuse'),
  warnAt: list({ allowed: 'numbers above 0 up to 1', test: (v) => ratio.test(v) && v !== 0 }),
  onWarn: fn,
  cooldownMs: whole,
  reservationTtlMs: count,
  lease: group({ usd: needed(dollars) }),
  estimateOutputTokens: whole,
};

interface BudgetAssembly {
  readonly options: TelemetryOptions;
  readonly enabled: boolean;
  readonly runtime: CompleteRuntime;
  readonly clock: Clock;
  readonly registry: Registry;
  readonly dialect: MetricDialect;
  readonly prices: PriceBook;
  readonly ids: IdGenerator;
  readonly report: (error: unknown) => void;
}

/** The budgets that the options ask for; of what is off, they are only checked. */
function assemble({ options, enabled, runtime, clock, registry, dialect, prices, ids, report }: BudgetAssembly) {
  const { budget } = options;
  if (!budget) return undefined;
  checkValues(budget, checks, 'budget.');
  const resolved = resolveBudget(budget);
  if (!enabled) return undefined;
  return createBudget({
    options: resolved,
    clock,
    registry,
    namespace: options.metrics?.namespace ?? dialect.namespace,
    prices,
    newId: ids.traceId,
    ephemeral: runtime.ephemeral,
    waitUntil: runtime.waitUntil,
    report,
  });
}

/** `telemetry.budget` of a view. Without limits nothing is held, and every call passes. */
function createView(shared: Shared, view: ContextView): Budget {
  const parts = (): BudgetParts | undefined => shared.engine.budget;
  return {
    status: async (limit, key) => (await parts()?.status(limit, key)) ?? [],
    guard: async (call, fn) => {
      const budget = isOn(shared) ? parts() : undefined;
      // What is leased goes back by interval too.
      if (budget) shared.engine.onActivity(0);
      return budget ? budget.guard(view, call, fn) : fn();
    },
    reset: async (key) => parts()?.reset(key),
  };
}

export const budgetPart = { assemble, createView };

/** Limits of what calls may cost: the option `budget`, and `telemetry.budget`. */
export const budgets: Feature = { budgets: budgetPart };
