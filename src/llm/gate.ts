import type { Attributes, Context } from '@opentelemetry/api';
import type { CallEnd, ModelCall } from './call.ts';
import { classifyError, isAbort } from './error-class.ts';
import type { LlmRequest, LlmUsage } from './provider.ts';
import type { LlmRecorder } from './recorder.ts';

/** A model call that is about to be made. */
export interface GateCall {
  readonly request: LlmRequest;
  /** What is asked, parsed: its length tells what it may cost. */
  readonly body: unknown;
  readonly attributes?: Attributes | undefined;
  readonly context: Context;
  /** A function around a call, which may not know the model that it asks. */
  readonly isWrapper?: boolean;
}

/** What a call came to; absent is unknown. */
export interface CallSpend {
  readonly usage?: LlmUsage | undefined;
  readonly costUsd?: number | undefined;
}

/** A call may be made. Of `settle` and `release` the first counts; a pass with neither lapses. */
export interface Pass {
  /** The call was made; what is unknown of it counts as it was estimated. */
  settle(spend: CallSpend): void;
  /** The call was never made, or has been counted by a call inside. */
  release(): void;
}

/** A call may not be made: what is thrown in its place, or answered where errors would be retried. */
export interface Refused {
  readonly refused: Error;
  response(): Response;
}

export type Entered = Pass | Refused;

/** Whose call has a pass. */
export interface Followed {
  readonly recorder: LlmRecorder;
  readonly request: LlmRequest;
  readonly isWrapper?: boolean;
}

/** Who decides whether a model call may be made. It never throws. */
export interface Gate {
  /** At once where nobody has to be asked, so that what is synchronous stays so. */
  enter(call: GateCall): Entered | Promise<Entered>;
  /** The context of what the call runs: the first call inside takes the pass over in the place of one of its own. */
  within(context: Context, pass: Pass): Context;
  /** The call, whose end gives its pass back. */
  follow(call: ModelCall, pass: Pass, about: Followed): ModelCall;
  /** Whether this, or what is behind it, is a refusal. */
  isRefusal(thrown: unknown): boolean;
  /** Where `fetch` throws a refusal in the place of answering it. */
  readonly throws: boolean;
}

/** Gives a pass back as its call has ended; `begun` says that some of the answer has come. */
export function leave(pass: Pass, how: CallEnd, spend: CallSpend, begun: boolean): void {
  const counted = how.delegated ? undefined : toSpend(how, spend, begun);
  if (counted) pass.settle(counted);
  else pass.release();
}

/** No tokens were billed. */
const nothing: CallSpend = { usage: { input: 0, output: 0 }, costUsd: 0 };

/**
 * What a call counts for: an answer that is an error is not billed. What failed before an answer came was not made,
 * unless it timed out or its caller left, since the vendor may go on with it.
 */
function toSpend(how: CallEnd, spend: CallSpend, begun: boolean): CallSpend | undefined {
  if (spend.usage || spend.costUsd !== undefined) return spend;
  const status = how.status ?? statusOf(how.thrown);
  if (status !== undefined && (status < 200 || status >= 300)) return nothing;
  const failed = how.status === undefined && 'thrown' in how && !begun;
  const mayGoOn = failed && (isAbort(how.thrown) || classifyError({ thrown: how.thrown }) === 'timeout');
  return failed && !mayGoOn ? undefined : {};
}

/** SDKs put the status of an answer on what they throw. */
function statusOf(thrown: unknown): number | undefined {
  try {
    const { status, statusCode } = thrown as { status?: unknown; statusCode?: unknown };
    const found = status ?? statusCode;
    return typeof found === 'number' && Number.isInteger(found) ? found : undefined;
  } catch {
    return undefined;
  }
}
