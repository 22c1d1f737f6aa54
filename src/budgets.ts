import { type Budget, type BudgetParts, createBudget } from './budget/budget.ts';
import { resolveBudget } from './budget/options.ts';
import type { Clock } from './clock.ts';
import { metricDialect } from './llm/presets.ts';
import type { Registry } from './metrics/registry.ts';
import { isOn } from './observed-fetch.ts';
import type { TelemetryOptions } from './options.ts';
import type { Shared } from './parts.ts';
import type { PriceBook } from './pricing/book.ts';
import type { CompleteRuntime } from './runtime.ts';
import type { ContextView } from './trace/context.ts';
import type { IdGenerator } from './trace/ids.ts';

export interface BudgetAssembly {
  readonly options: TelemetryOptions;
  readonly enabled: boolean;
  readonly runtime: CompleteRuntime;
  readonly clock: Clock;
  readonly registry: Registry;
  readonly prices: PriceBook;
  readonly ids: IdGenerator;
  readonly report: (error: unknown) => void;
}

/** The budgets that the options ask for; of what is off, they are only checked. */
export function assembleBudget({ options, enabled, runtime, clock, registry, prices, ids, report }: BudgetAssembly) {
  const { budget, metrics: { preset, namespace } = {}, pricingProfile } = options;
  const resolved = budget && resolveBudget(budget);
  if (!resolved || !enabled) return undefined;
  return createBudget({
    options: resolved,
    clock,
    registry,
    namespace: namespace ?? metricDialect(preset, pricingProfile).namespace,
    prices,
    newId: ids.traceId,
    ephemeral: runtime.ephemeral,
    waitUntil: runtime.waitUntil,
    report,
  });
}

/** `telemetry.budget` of a view. Without limits nothing is held, and every call passes. */
export function createViewBudget(shared: Shared, view: ContextView): Budget {
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
