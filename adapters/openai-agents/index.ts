import { ignore, safely } from '../../src/errors.ts';
import { isOn } from '../../src/observed-fetch.ts';
import { getParts } from '../../src/parts.ts';
import type { Telemetry } from '../../src/telemetry.ts';
import { createRuns } from './runs.ts';

/** A processor for the traces of the OpenAI Agents SDK. */
export interface AgentsProcessor {
  onTraceStart(trace: unknown): Promise<void>;
  onTraceEnd(trace: unknown): Promise<void>;
  onSpanStart(span: unknown): Promise<void>;
  onSpanEnd(span: unknown): Promise<void>;
  /** Sends what is buffered; never rejects. */
  forceFlush(): Promise<void>;
  /** Sends what is buffered. The telemetry goes on: it is its owner's to end. */
  shutdown(timeout?: number): Promise<void>;
}

/**
 * Records what the OpenAI Agents SDK traces: runs, agents, calls of models, tools, handoffs and guardrails. Where the
 * client of a model has `telemetry.fetch`, the request is recorded in the place of the SDK's span, once.
 *
 * @example
 * addTraceProcessor(createTraceProcessor(telemetry));
 */
export function createTraceProcessor(telemetry: Telemetry): AgentsProcessor {
  const parts = getParts(telemetry);
  const runs = createRuns(parts);

  function hook(hear: (given: unknown) => void): (given: unknown) => Promise<void> {
    return async (given) => {
      if (isOn(parts)) safely(() => hear(given), parts.engine.diagnostics.report);
    };
  }

  async function flush(timeoutMs?: number): Promise<void> {
    await telemetry.flush(timeoutMs === undefined ? {} : { timeoutMs }).catch(ignore);
  }

  return {
    onTraceStart: hook(runs.startTrace),
    onTraceEnd: hook(runs.endTrace),
    onSpanStart: hook(runs.startSpan),
    onSpanEnd: hook(runs.endSpan),
    forceFlush: () => flush(),
    shutdown: flush,
  };
}
