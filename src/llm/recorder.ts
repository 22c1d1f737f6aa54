import type { CallStart, ModelCall } from './call.ts';
import { type CallBook, type CallBookOptions, createCallBook } from './call-book.ts';
import type { ContentKeeper } from './content/silence.ts';
import type { Evaluations } from './evaluation/evaluations.ts';
import type { ExpectedCalls } from './expected-calls.ts';
import { getFrameworkCall } from './framework-call.ts';
import { RecordedCall, type Recording } from './recorded-call.ts';
import { createSeenCalls, type SeenCalls } from './seen-calls.ts';

export interface RecorderOptions extends Omit<Recording, 'book' | 'seen' | 'addLeaf'>, CallBookOptions {}

/** The one place where model calls become spans, metrics and cost; it never reads a vendor's field. */
export interface LlmRecorder {
  start(call: CallStart): ModelCall;
  /** The unrounded cost, where it is known, of a model call that is nobody's parent; `undefined` for any other span. */
  leaf(span: object): { readonly costUsd: number | undefined } | undefined;
  /** Where calls are counted, those too of which another tracer has the span. */
  readonly book: CallBook;
  readonly content: ContentKeeper;
  readonly seen: SeenCalls;
  /** Made by whoever announces calls. */
  expected?: ExpectedCalls;
  readonly evaluations: Evaluations | undefined;
}

export function createLlmRecorder(options: RecorderOptions): LlmRecorder {
  const leaves = new WeakMap<object, { costUsd: number | undefined }>();
  const { content, evaluations } = options;
  const book = createCallBook(options);
  const seen = createSeenCalls();
  const recording: Recording = { ...options, book, seen, addLeaf: (span, costUsd) => leaves.set(span, { costUsd }) };
  const recorder: LlmRecorder = {
    start(call) {
      const attempt = getFrameworkCall(call.context)?.attempt(call);
      return attempt ?? new RecordedCall(recording, recorder.expected?.adopt(call) ?? call);
    },
    leaf: (span) => leaves.get(span),
    book,
    content,
    seen,
    evaluations,
  };
  return recorder;
}
