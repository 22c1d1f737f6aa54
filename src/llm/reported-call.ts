import type { Clock } from '../clock.ts';
import { ignore, safely } from '../errors.ts';
import { getModelCall } from '../trace/context.ts';
import type { CallEnd, CallStart } from './call.ts';
import { createExpectedCalls, type ExpectedCall } from './expected-calls.ts';
import type { LlmRecorder } from './recorder.ts';

/** A model call of which a framework tells the beginning and the end, and runs in between what no context reaches. */
export interface ReportedCall {
  /** An observed request has been this call. */
  readonly isClaimed: boolean;
  /** The first token of a stream has come. */
  firstToken(): void;
  /**
   * Records the call, unless an observed request has been it; once. `more` is what was not known at its start, `said`
   * reads what was answered, where somebody wants to know.
   */
  end(how: CallEnd, more?: Partial<CallStart>, said?: () => unknown): void;
}

export interface ReportedCallPorts {
  readonly recorder: LlmRecorder;
  readonly clock: Clock;
}

export function startReportedCall(
  { recorder, clock }: ReportedCallPorts,
  start: CallStart,
  /** By which its request is known again. */
  expected: Omit<ExpectedCall, 'context'> | undefined,
): ReportedCall {
  const startedAt = clock.monotonic();
  if (expected) recorder.expected ??= createExpectedCalls();
  const expectation = expected && recorder.expected?.expect({ ...expected, context: start.context });
  const sinceStart = () => Math.max(0, clock.monotonic() - startedAt);
  let firstTokenMs: number | undefined;
  let ended = false;

  return {
    get isClaimed() {
      return expectation?.isClaimed === true;
    },
    firstToken() {
      firstTokenMs ??= sinceStart();
    },
    end(how, more, said) {
      if (ended) return;
      ended = true;
      expectation?.end();
      if (expectation?.isClaimed || recorder.seen.hasReply(how.response?.id, startedAt)) return;
      const mark = getModelCall(start.context);
      if (mark) mark.counted = true;
      const call = recorder.start({ ...start, ...more, startedMsAgo: sinceStart() });
      if (firstTokenMs !== undefined) call.firstToken(firstTokenMs / 1000);
      const messages = call.maxText > 0 ? safely(() => said?.(), ignore) : undefined;
      call.end(messages === undefined ? how : { ...how, response: { ...how.response, messages } });
    },
  };
}
