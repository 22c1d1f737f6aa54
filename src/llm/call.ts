import type { Attributes, Context, Span } from '@opentelemetry/api';
import type { Attempt } from './attempts.ts';
import type { Capture } from './content/capture.ts';
import type { SpokenCall } from './content/said.ts';
import type { LlmRequest, LlmResponse } from './provider.ts';

/** How a model call ended. Of `thrown`, `status` and `response.error` at most one makes it an error. */
export interface CallEnd {
  response?: LlmResponse;
  /** What was answered, whole and parsed, for who wants to see it. */
  body?: unknown;
  /** HTTP status and headers of the answer. */
  status?: number;
  headers?: Headers;
  thrown?: unknown;
  /** The caller left before the end. */
  aborted?: boolean;
  /** The stream stopped without saying so. */
  incomplete?: boolean;
  /** An instrumented call inside has been recorded in its place: tokens, cost and metrics are that call's. */
  delegated?: boolean;
}

/** A model call that is under way. */
export interface ModelCall {
  readonly span: Span;
  /** The first token of a stream has come, so many seconds after the beginning: by default, now. */
  firstToken(afterSeconds?: number): void;
  /** An event with content has come. */
  chunk(): void;
  /** Characters to hold of each text that is answered, 0 where nobody wants them. */
  readonly maxText: number;
  /** The head of the answer has come; nobody may ever read the rest. */
  answered?(status: number): void;
  /** Ends the span and counts the call, once. */
  end(end: CallEnd): void;
}

export interface CallStart {
  readonly request: LlmRequest;
  /** `gen_ai.provider.name` where it differs from the short name. */
  readonly semconvProvider?: string | undefined;
  readonly attempt?: Attempt | undefined;
  /** `server.address` and the like. */
  readonly attributes?: Attributes;
  readonly context: Context;
  /** What was asked, parsed, for who wants to see it. */
  readonly body?: unknown;
  /** What of it is said, read where that is captured. */
  readonly said?: SpokenCall['said'];
  readonly capture?: Capture | undefined;
  /** Of a call that is already over: milliseconds since it began. */
  readonly startedMsAgo?: number;
  /** A function around a call, which may have been instrumented inside. */
  readonly isWrapper?: boolean;
  /** In place of the name that the conventions make. */
  readonly spanName?: string | undefined;
  /** The function that is wrapped as a model call. */
  readonly functionName?: string | undefined;
}
