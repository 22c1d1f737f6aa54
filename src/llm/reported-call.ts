import type { Clock } from '../clock.ts';
import { getModelCall } from '../trace/context.ts';
import type { CallEnd, CallStart } from './call.ts';
import { createExpectedCalls, type ExpectedCall } from './expected-calls.ts';
import type { LlmRecorder } from './recorder.ts';

/** A model call of which a framework tells the beginning and the end, and runs in between what no context reaches. */
export interface ReportedCall {
  /** The first token of a stream has come. */
  firstToken(): void;
  /** Records the call, unless an observed request has been it; once. `more` is what was not known at its start. */
  end(how: CallEnd, more?: Partial<CallStart>): void;
}

export interface ReportedCallPorts {
  readonly recorder: LlmRecorder;
  readonly clock: Clock;
}

export function startReportedCall(
  { recorder, clock }: ReportedCallPorts,
  start: CallStart,
  expected: Omit<ExpectedCall, 'context'>,
): ReportedCall {
  const startedAt = clock.monotonic();
  recorder.expected ??= createExpectedCalls();
  const expectation = recorder.expected.expect({ ...expected, context: start.context });
  const sinceStart = () => Math.max(0, clock.monotonic() - startedAt);
  let firstTokenMs: number | undefined;
  let ended = false;

  return {
    firstToken() {
      firstTokenMs ??= sinceStart();
    },
    end(how, more) {
      if (ended) return;
      ended = true;
      expectation.end();
      if (expectation.isClaimed || recorder.seen.hasReply(how.response?.id, startedAt)) return;
      const mark = getModelCall(start.context);
      if (mark) mark.counted = true;
      const call = recorder.start({ ...start, ...more, startedMsAgo: sinceStart() });
      if (firstTokenMs !== undefined) call.firstToken(firstTokenMs / 1000);
      call.end(how);
    },
  };
}
