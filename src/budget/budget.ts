import { withTimeout } from '../clock.ts';
import { TelemetryError } from '../errors.ts';
import { type Frame, type FramedCall, getFrame, setFrame } from '../llm/frame.ts';
import { type Gate, type GateCall, leave } from '../llm/gate.ts';
import { type ContextView, getScopeAttributes } from '../trace/context.ts';
import { estimateGiven } from './estimate.ts';
import { createGuard } from './guard.ts';
import type { BudgetPass } from './pass.ts';
import { type BudgetStatus, createStatus } from './status.ts';
import { createVault, type VaultOptions } from './vault.ts';

/** A call that only its maker knows: what it may cost, as far as the price tables do not tell. */
export interface GuardedCall {
  provider: string;
  model: string;
  /** `usd` by the price tables where it is absent, `tokens` as `estimateOutputTokens`. */
  estimate?: { usd?: number; tokens?: number };
}

/** Limits of what model calls may cost. */
export interface Budget {
  /**
   * How things stand in the present windows: of all limits, or of the one with this name; of limits with keys for this
   * key, else for all that calls were counted for here. Rejects with a `TelemetryError` where the store does not answer.
   *
   * @example
   * const [day] = await telemetry.budget.status('day');
   * day?.spent.usd;
   */
  status(limit?: string, key?: string): Promise<readonly BudgetStatus[]>;
  /**
   * Runs a function that asks a model in a way nobody sees: it is refused with a `BudgetExceededError` where its estimate
   * does not fit, and the estimate counts as spent. Calls inside that are seen, or recorded by `recordLlmCall`, count
   * instead. What rejects without such a call counts nothing, unless it timed out or was aborted.
   *
   * @example
   * await telemetry.budget.guard({ provider: 'acme', model: 'acme-1', estimate: { usd: 0.01 } }, () => ask());
   */
  guard<T>(call: GuardedCall, fn: () => Promise<T>): Promise<T>;
  /** Begins anew: with a key the limits that have keys, for this one; without one all limits and known keys. */
  reset(key?: string): Promise<void>;
}

/** Budgets as a telemetry holds them; views of it run guarded calls in their own context. */
export interface BudgetParts {
  readonly gate: Gate;
  readonly status: Budget['status'];
  readonly reset: Budget['reset'];
  guard<T>(view: ContextView, call: GuardedCall, fn: () => Promise<T>): Promise<T>;
  /** What metrics show is asked of a store that others share, unless it was less than `everyMs` ago. */
  refresh(everyMs: number): Promise<void>;
  /** Delivers what stores have not heard of yet, and returns what is left of leases. */
  flush(deadline: number): Promise<void>;
}

export function createBudget(options: VaultOptions): BudgetParts {
  const vault = createVault(options);
  const gate = createGuard(vault);

  async function guard<T>(view: ContextView, call: GuardedCall, fn: () => Promise<T>): Promise<T> {
    const { provider, model, estimate: given } = checkCall(call);
    const context = view.active();
    const known = { provider, model, operation: 'chat', attributes: { ...getScopeAttributes(context) } };
    const estimate = estimateGiven({ provider, model, ...given }, vault.prices, vault.options.estimateOutputTokens);
    const asked: GateCall = { request: { ...known, stream: false }, body: undefined, context };
    const pass = await gate.enterWith(known, estimate, asked);
    if ('refused' in pass) throw pass.refused;
    const frame = new GuardFrame(getFrame(context));
    const how: { thrown?: unknown } = {};
    try {
      return await view.run(setFrame(gate.within(context, pass), frame), fn);
    } catch (error) {
      how.thrown = error;
      throw error;
    } finally {
      const delegated = (pass as BudgetPass).isTaken;
      leave(pass, { ...how, delegated }, frame.spend(), false);
    }
  }

  const status = createStatus(vault);

  return {
    gate,
    guard,
    ...status,
    async flush(deadline) {
      vault.leases.flush();
      await vault.account.flush(deadline);
      // Where a flush ends each request, pages alone ask.
      const left = deadline - vault.clock.monotonic();
      if (!vault.ephemeral && left > 0) await withTimeout(status.refresh(refreshEveryMs), left);
    },
  };
}

/** What calls inside that have no pass of their own come to. */
class GuardFrame implements Frame {
  readonly outer: Frame | undefined;
  #calls: FramedCall[] = [];

  constructor(outer: Frame | undefined) {
    this.outer = outer;
  }

  add(call: FramedCall): void {
    if (this.#calls.length < maxFramedCalls) this.#calls.push(call);
  }

  spend() {
    const costs = this.#calls.flatMap(({ cost }) => cost?.totalUsd ?? []);
    const usages = this.#calls.flatMap(({ usage }) => usage ?? []);
    const sum = (counts: (number | undefined)[]) => counts.reduce<number>((total, count = 0) => total + count, 0);
    const totals = usages.map(({ input = 0, output = 0, total = 0 }) => Math.max(total, input + output));
    return {
      ...(costs.length > 0 && { costUsd: sum(costs) }),
      ...(usages.length > 0 && {
        usage: {
          input: sum(usages.map(({ input }) => input)),
          output: sum(usages.map(({ output }) => output)),
          total: sum(totals),
        },
      }),
    };
  }
}

/** Between two looks at what a shared store has, for metrics that are pushed. */
const refreshEveryMs = 15_000;

/** Recorded calls of one guarded call. */
const maxFramedCalls = 1000;

function checkCall(call: GuardedCall): GuardedCall {
  const { provider, model, estimate } = call ?? {};
  const names = [provider, model].every((name) => typeof name === 'string' && name !== '');
  const { usd, tokens } = estimate ?? {};
  const isUsd = usd === undefined || (typeof usd === 'number' && usd >= 0 && usd * 1e9 <= Number.MAX_SAFE_INTEGER);
  const isTokens = tokens === undefined || (Number.isSafeInteger(tokens) && tokens >= 0);
  if (names && isUsd && isTokens) return call;
  const what = names
    ? `estimate.${isUsd ? 'tokens' : 'usd'} must be a number from 0`
    : 'provider and model must be texts';
  throw new TelemetryError('invalid_value', `budget.guard: ${what}`);
}
