import { describe, it } from 'vitest';
import { createMemoryBudgetStore } from '../../src/budget/memory-store.ts';
import { budgetStoreContract } from '../suites/budget-store.ts';

describe('a store of budgets in memory', () => {
  for (const { name, run } of budgetStoreContract) it(name, () => run(async () => createMemoryBudgetStore()));
});
