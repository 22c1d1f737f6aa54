import type { Registry } from '../metrics/registry.ts';
import { nano, type RefusalReason, type ResolvedLimit } from './options.ts';

/** What metrics say of budgets. A limit's key is never a label: there are as many as there are users. */
export interface BudgetMetrics {
  refused(limit: ResolvedLimit, reason: RefusalReason): void;
  /** A share of the limit was reached, or, as `exceeded`, a call went on beyond it. */
  alert(limit: ResolvedLimit, at: number | 'exceeded'): void;
  /** Ends of calls that no store will hear of. */
  dropped(reason: string, count: number): void;
}

/** Whether metrics tell what is spent of it. */
export function isShown({ amount, limit: { key, window } }: ResolvedLimit): boolean {
  return amount.nanoUsd !== Number.POSITIVE_INFINITY && key === undefined && window !== 'call';
}

/** `spent` answers nano-dollars of a limit without keys in its present window, `undefined` where nobody has looked. */
export function createBudgetMetrics(
  registry: Registry,
  namespace: string,
  limits: readonly ResolvedLimit[],
  spent: (limit: ResolvedLimit) => number | undefined,
): BudgetMetrics {
  const of = ['limit', 'window'];
  const limitUsd = registry.define(`${namespace}_budget_limit_usd`, 'gauge', of, {
    help: 'US dollars that a budget has for a window.',
  });
  const spentUsd = registry.define(`${namespace}_budget_spent_usd`, 'gauge', of, {
    help: 'US dollars of a budget without keys that are spent in the present window.',
  });
  const rejections = registry.define(`${namespace}_budget_rejections_total`, 'counter', [...of, 'reason'], {
    help: 'Calls that a budget refused.',
  });
  const alerts = registry.define(`${namespace}_budget_alerts_total`, 'counter', [...of, 'threshold'], {
    help: 'Shares of a budget that were reached, and calls that went on beyond it.',
  });
  const drops = registry.define('edgespan_dropped_total', 'counter', ['signal', 'reason'], {
    help: 'Spans and points that were lost, by reason.',
  });
  const labels = ({ limit: { name, window } }: ResolvedLimit) => ({ limit: name, window });

  registry.beforeCollect(() => {
    for (const limit of limits) {
      if (limit.amount.nanoUsd === Number.POSITIVE_INFINITY) continue;
      limitUsd.set(limit.amount.nanoUsd / nano, labels(limit));
      const nanoUsd = isShown(limit) ? spent(limit) : undefined;
      if (nanoUsd !== undefined) spentUsd.set(nanoUsd / nano, labels(limit));
    }
  });

  return {
    refused: (limit, reason) => rejections.add(1, { ...labels(limit), reason }, null),
    alert: (limit, at) => alerts.add(1, { ...labels(limit), threshold: String(at) }, null),
    dropped: (reason, count) => drops.add(count, { signal: 'budgets', reason }, null),
  };
}
