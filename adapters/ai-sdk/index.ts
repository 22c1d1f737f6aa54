import { boolean, checkValues } from '../../src/checks.ts';
import type { Telemetry } from '../../src/telemetry.ts';
import { createOperations } from './operations.ts';

export { type AiSdkMiddleware, aiSdkMiddleware } from './middleware.ts';

export interface AiSdkOptions {
  /** `false` leaves out what is asked, also where the option `capture` keeps it. */
  recordInputs?: boolean;
}

type Listener = (event: unknown) => void;

/** Assignable to the type `Telemetry` of `ai`, of which version 7 is the first to have it. */
export interface AiSdkTelemetry {
  onStart: Listener;
  onLanguageModelCallStart: Listener;
  onLanguageModelCallEnd: Listener;
  onObjectStepStart: Listener;
  onObjectStepEnd: Listener;
  onToolExecutionEnd: Listener;
  onEmbedStart: Listener;
  onEmbedEnd: Listener;
  onRerankStart: Listener;
  onRerankEnd: Listener;
  experimental_onDecideStart: Listener;
  experimental_onDecideEnd: Listener;
  experimental_onDecisionModelCallStart: Listener;
  experimental_onDecisionModelCallEnd: Listener;
  onStepError: Listener;
  onEnd: Listener;
  onAbort: Listener;
  onError: Listener;
  executeLanguageModelCall<T>(options: { callId: string; execute: () => PromiseLike<T> }): PromiseLike<T>;
  executeTool<T>(options: { callId: string; toolCallId: string; execute: () => PromiseLike<T> }): PromiseLike<T>;
}

/**
 * The telemetry integration of the AI SDK 7: an operation (`generateText`, `streamText`, `embed`, …) is a span, the calls
 * of models, the tools and the embeddings in it are its children, whoever the provider is. `functionId` names the agent.
 * A `telemetry.fetch` underneath adds what only the wire tells, and counts nothing a second time.
 *
 * @example
 * registerTelemetry(aiSdkTelemetry(telemetry));
 * const openai = createOpenAI({ fetch: telemetry.fetch });
 */
export function aiSdkTelemetry(telemetry: Telemetry, options: AiSdkOptions = {}): AiSdkTelemetry {
  checkValues(options, { recordInputs: boolean });
  return createOperations(telemetry, options);
}
