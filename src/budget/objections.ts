import { safely, tell } from '../errors.ts';
import type { Entered } from '../llm/gate.ts';
import { getSpan } from '../trace/otel-span.ts';
import type { Entry, Place } from './entry.ts';
import { BudgetExceededError, refusalResponse } from './exceeded.ts';
import { type BudgetRefusal, type CircuitState, type RefusalReason, toUsd } from './options.ts';
import { release } from './pass.ts';
import type { Amount } from './store.ts';
import type { Vault } from './vault.ts';

interface Objection {
  readonly reason: RefusalReason;
  readonly spent: Amount;
  readonly circuit?: CircuitState;
  /** Where the call goes on nevertheless, what it costs is yet to be counted. */
  readonly counts: boolean;
}

/** What a limit that a call does not fit leads to. */
export function createObjections({ options, account, metrics, report }: Vault) {
  /** A refusal, unless `onExceeded` lets the call go on. */
  function object(entry: Entry, { limit, key, storeKey, windowEnd }: Place, objection: Objection) {
    const { reason, spent, circuit = 'closed', counts } = objection;
    const refusal: BudgetRefusal = {
      limit: limit.limit,
      key,
      spent: toUsd(spent),
      requested: toUsd(entry.amount),
      resetsAt: Number.isFinite(windowEnd) ? new Date(windowEnd) : undefined,
      circuit,
      reason,
    };
    if (!mayPass(refusal)) return refusal;
    metrics.alert(limit, 'exceeded');
    if (!counts || limit.limit.window === 'call') return undefined;
    const { amount, keepAlive } = entry;
    const hold = account.unreserved({ key: storeKey, windowEnd, limit: limit.amount, amount, keepAlive });
    entry.pass.add({ storeKey, windowEnd, amount, hold });
    return undefined;
  }

  function mayPass(refusal: BudgetRefusal): boolean {
    const { onExceeded } = options;
    if (onExceeded === 'warn') report(new BudgetExceededError(refusal));
    if (typeof onExceeded !== 'function') return onExceeded === 'warn';
    return tell(() => onExceeded(refusal), report) === 'allow';
  }

  /** Final: nothing is held any longer, and the span around the call knows of it. */
  function refuse({ pass, outer, around, call, context }: Entry, refusal: BudgetRefusal): Entered {
    const borrowed = [...around, ...pass.refuse()];
    if (outer) outer.takeBack(borrowed);
    else borrowed.forEach(release);
    const limit = options.limits.find((resolved) => resolved.limit === refusal.limit)!;
    metrics.refused(limit, refusal.reason);
    const attributes = {
      'edgespan.budget.limit': limit.limit.name,
      'edgespan.budget.window': limit.limit.window,
      'edgespan.budget.reason': refusal.reason,
      'gen_ai.request.model': call.model,
    };
    safely(() => getSpan(context)?.addEvent('edgespan.budget.refused', attributes), report);
    const refused = new BudgetExceededError(refusal);
    return { refused, response: () => refusalResponse(refused) };
  }

  return { object, refuse };
}
