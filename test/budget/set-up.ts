import { createMemoryBudgetStore } from '../../src/budget/memory-store.ts';
import type { BudgetOptions } from '../../src/budget/options.ts';
import type { BudgetStore } from '../../src/budget/store.ts';
import type { TelemetryError, TelemetryOptions } from '../../src/index.ts';
import { chatCompletion, chatRequest, chatUrl, createAlsTelemetry, createManualClock } from '../support/telemetry.ts';

/** $1 a million tokens of input, $10 of output. */
export const prices = { 'gpt-4o': { input: 1, output: 10 }, 'gpt-4o-2024-08-06': { input: 1, output: 10 } };

/** Half past twelve, where the clock of a test begins. */
export const startMs = Date.UTC(2026, 10, 21, 12, 30);

/** A call of `ask` is estimated at 17 tokens in, 5 out. */
export const estimatedTokens = 22;

/** What `chatCompletion` costs: 10 tokens in, 5 out. */
export const costUsd = 0.00006;

export interface SetUp extends TelemetryOptions {
  budget: BudgetOptions;
  answer?: (request: RequestInit | undefined) => Response | Promise<Response>;
}

/** A telemetry with budgets, its clock, what it sent and what it reported. */
export function setUp({ answer = () => Response.json(chatCompletion()), ...options }: SetUp) {
  const clock = createManualClock(startMs);
  const errors: TelemetryError[] = [];
  const sent: (RequestInit | undefined)[] = [];
  const { now, monotonic } = clock;
  const telemetry = createAlsTelemetry({
    prices,
    onError: (error) => errors.push(error),
    fetch: async (_, init) => {
      sent.push(init);
      return answer(init);
    },
    ...options,
    runtime: { now, monotonic, ...options.runtime },
  });
  const ask = (body: Record<string, unknown> = {}) => telemetry.fetch(chatUrl, chatRequest({ max_tokens: 5, ...body }));
  /** To its last byte, so that its spend is counted. */
  const call = async (body?: Record<string, unknown>) => {
    const response = await ask(body);
    await response.text();
    return response.status;
  };
  return { telemetry, clock, errors, sent, ask, call };
}

/** A store that must be waited for, and its memory. */
export function createAsyncStore(now = () => startMs, over: Partial<BudgetStore> = {}): BudgetStore {
  const memory = createMemoryBudgetStore({ now });
  const { reserve, settle, release, read, reset } = memory;
  return { reserve, settle, release, read, reset, ...over };
}
