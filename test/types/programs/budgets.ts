import {
  type Amount,
  BudgetExceededError,
  type BudgetStatus,
  type BudgetStore,
  createMemoryBudgetStore,
  createTelemetry,
} from 'edgespan/node';

/** Limits of one call and of a day, as a budget guard of another system had them. */
export const telemetry = createTelemetry({
  budget: {
    limits: [
      { usd: 0.5, window: 'call' },
      { usd: 20, window: 'day' },
    ],
    timeZone: 'Europe/Berlin',
    onExceeded: 'raise',
    cooldownMs: 60_000,
    warnAt: [0.8],
    onWarn: ({ limit, at, spent }) => console.warn(limit.name, at, spent.usd),
  },
});

export const answer: Promise<string> = telemetry.budget.guard(
  { provider: 'acme', model: 'in-house', estimate: { usd: 0.01 } },
  async () => 'ok',
);

/** A store of one's own. */
const spent = new Map<string, Amount>();
const none: Amount = { nanoUsd: 0, tokens: 0 };
const store: BudgetStore = {
  async reserve({ key, limit, amount }) {
    const known = spent.get(key) ?? none;
    if (known.nanoUsd + amount.nanoUsd > limit.nanoUsd) return { ok: false, spent: known, reserved: none };
    return { ok: true };
  },
  async settle({ key }, actual) {
    const known = spent.get(key) ?? none;
    spent.set(key, { nanoUsd: known.nanoUsd + actual.nanoUsd, tokens: known.tokens + actual.tokens });
  },
  async release() {},
  async reset(key) {
    spent.delete(key);
  },
  async read(key) {
    return { spent: spent.get(key) ?? none, reserved: none };
  },
};
export const hourly = createTelemetry({ budget: { store, limits: { usd: 1, window: 'hour' } } });

/** Each user by himself, in memory, with somebody to decide. */
export const users = createTelemetry({
  budget: {
    store: createMemoryBudgetStore({ maxKeys: 100_000 }),
    limits: {
      name: 'user',
      usd: 1,
      tokens: 1e6,
      window: 'month',
      key: (call) => call.attributes['user.id']?.toString(),
    },
    onExceeded: (refusal) => (refusal.key === 'admin' ? 'allow' : 'refuse'),
    lease: { usd: 0.1 },
    unpriced: 'allow',
    onStoreError: 'allow',
    refuseFetch: 'throw',
  },
});

export async function until(call: () => Promise<unknown>): Promise<Date | undefined> {
  try {
    await call();
    return undefined;
  } catch (error) {
    const exceeded = BudgetExceededError.from(error);
    if (!exceeded) throw error;
    return exceeded.refusal.resetsAt;
  }
}

export async function show(user: string): Promise<readonly BudgetStatus[]> {
  return users.budget.status('user', user);
}
