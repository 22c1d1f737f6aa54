import type { Span } from '@opentelemetry/api';
import { ignore, safely } from '../../errors.ts';
import type { EvaluationInput } from '../evaluation/evaluator.ts';
import { maxJudgedText, readAsked, readCompletion } from '../evaluation/transcript.ts';
import type { LlmRequest } from '../provider.ts';
import type { Capture, ContentCapture } from './capture.ts';
import { type Message, type RequestContent, readMessages } from './message.ts';
import { noLimits, silentCall } from './silence.ts';

/** What is said in a model call, while that is under way. */
export interface Said {
  /** Characters that have to be held of each text of the answer; 0 where nobody wants any. */
  readonly held: number;
  /** The beginning of the prompt, for a session that shows it. */
  readonly preview: string | undefined;
  /** `messages` is what was answered, as far as it is known. */
  end(messages: unknown, delegated: boolean): void;
  /** What was asked and answered, where somebody is to judge it and there is something to judge. */
  exchange(messages: unknown): EvaluationInput | undefined;
}

export interface SpokenCall {
  readonly request: LlmRequest;
  /** Reads what goes into the call; asked only where somebody wants to know. */
  readonly said?: (() => RequestContent | undefined) | undefined;
  readonly capture?: Capture | undefined;
  readonly isWrapper?: boolean | undefined;
  /** Characters of the prompt that a session wants. */
  readonly preview: number;
  /** Somebody is to judge the answer. */
  readonly judged?: boolean;
}

/**
 * Writes onto the span what goes into a call and, at its end, what came out. A wrapper leaves it to the instrumented call
 * inside, unless it was told itself what to capture.
 */
export function followSaid(capture: ContentCapture, span: Span, call: SpokenCall): Said {
  const limits = span.isRecording() ? capture.limits(call.capture) : noLimits;
  const { judged = false } = call;
  if (limits.inputs === 0 && limits.outputs === 0 && call.preview === 0 && !judged) return silentCall;
  const isWanted = limits.inputs > 0 || call.preview > 0 || judged;
  const content = isWanted ? readContent(call) : undefined;
  const given = content ? capture.request(content, limits.inputs) : {};
  const asked = judged ? readAsked(content, capture.text) : undefined;
  const waits = call.isWrapper === true && call.capture === undefined;
  if (!waits) span.setAttributes(given);
  return {
    held: capture.held(Math.max(limits.outputs, asked ? maxJudgedText : 0)),
    preview: content && call.preview > 0 ? capture.text(findPrompt(content), call.preview) : undefined,
    end(messages, delegated) {
      if (waits && delegated) return;
      if (waits) span.setAttributes(given);
      if (limits.outputs === 0 || messages === undefined) return;
      const known = readMessages(messages);
      span.setAttributes(
        known ? capture.response(known, limits.outputs) : capture.value('edgespan.output', messages, limits.outputs),
      );
    },
    exchange(messages) {
      const completion = asked ? readCompletion(messages, capture.text) : '';
      return asked && completion !== '' ? { ...asked, completion } : undefined;
    },
  };
}

/** Apart, so that what is held for as long as a stream takes does not hold the request too. */
function readContent({ said, request }: SpokenCall): RequestContent | undefined {
  return safely(() => said?.(), ignore) ?? readOwn(request.messages);
}

/** What a provider of one's own has read by itself. */
function readOwn(messages: unknown): RequestContent | undefined {
  if (messages === undefined) return undefined;
  const known = readMessages(messages);
  return known ? { messages: known } : { raw: messages };
}

/** What was asked last. */
function findPrompt({ messages = [], raw }: RequestContent): string {
  const asked: Message | undefined = messages.findLast(({ role }) => role === 'user') ?? messages.at(-1);
  const texts = (asked?.parts ?? []).flatMap(({ type, content }) => (type === 'text' ? [String(content)] : []));
  return asked ? texts.join(' ') : typeof raw === 'string' ? raw : '';
}
