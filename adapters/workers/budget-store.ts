import { checkKey } from '../../src/budget/check.ts';
import type { BudgetStore } from '../../src/budget/store.ts';
import { unwrap } from './answer.ts';
import type { BudgetLedger } from './budget-ledger.ts';
import { checkNamespace } from './namespace.ts';

/**
 * Budgets in Durable Objects, one for each key: what a key may spend is decided in one place, whichever isolate asks.
 * Throws a `TelemetryError` (`invalid_option`) where there is no such binding.
 *
 * @example
 * export { BudgetLedger } from 'edgespan/workers';
 * createTelemetry((env) => ({ budget: { store: createDurableObjectBudgetStore(env.BUDGETS), limits: { usd: 5 } } }));
 */
/* @__NO_SIDE_EFFECTS__ */
export function createDurableObjectBudgetStore<T extends Rpc.DurableObjectBranded | undefined>(
  namespace: DurableObjectNamespace<T>,
): BudgetStore {
  const ledgers = checkNamespace<BudgetLedger>(namespace, 'createDurableObjectBudgetStore', 'BudgetLedger');
  /** Made for each call, since a stub belongs to the request that made it. */
  function ledgerOf(key: string): DurableObjectStub<BudgetLedger> {
    checkKey(key);
    return ledgers.getByName(key);
  }
  return {
    reserve: async (request) => unwrap(await ledgerOf(request.key).reserve(request)),
    async settle(reservation, actual) {
      unwrap(await ledgerOf(reservation.key).settle(reservation, actual));
    },
    async release(reservation) {
      unwrap(await ledgerOf(reservation.key).release(reservation));
    },
    read: async (key, windowEnd) => unwrap(await ledgerOf(key).read(windowEnd)),
    reset: async (key) => ledgerOf(key).reset(),
  };
}
