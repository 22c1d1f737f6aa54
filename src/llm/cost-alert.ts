import { tell } from '../errors.ts';
import type { Cost } from '../pricing/price.ts';
import type { CallOutcome, LlmInstruments } from './instruments.ts';
import type { LlmCall } from './record-call.ts';

/** Hears of calls that cost more than `usd`. */
export interface CostAlert {
  /** US dollars of one call; what costs exactly that is not told. */
  usd: number;
  /** Gets the call as `recordLlmCall` takes one; what it throws is reported. */
  onAlert: (call: LlmCall) => void;
}

/** Counts dear calls and tells of them; without the option of nothing. */
export function createCostAlert(
  alert: CostAlert | undefined,
  instruments: LlmInstruments,
  report: (error: unknown) => void,
): (outcome: CallOutcome, cost: Cost) => void {
  if (!alert) return () => {};
  return (outcome, { totalUsd }) => {
    if (totalUsd <= alert.usd) return;
    instruments.costAlert(outcome.provider, outcome.model, outcome.agent);
    tell(() => alert.onAlert(describeCall(outcome, totalUsd)), report);
  };
}

function describeCall(
  { provider, model, operation, seconds, usage, error, errorType }: CallOutcome,
  costUsd: number,
): LlmCall {
  return {
    provider,
    model,
    operation,
    latencyMs: seconds * 1000,
    ...(usage?.input !== undefined && { inputTokens: usage.input }),
    ...(usage?.output !== undefined && { outputTokens: usage.output }),
    ...(errorType !== undefined && { errorType }),
    status: error ? 'error' : 'ok',
    costUsd,
  };
}
