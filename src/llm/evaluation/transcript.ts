import { ignore, safely } from '../../errors.ts';
import { type Message, type Part, type RequestContent, readMessages } from '../content/message.ts';
import type { EvaluationInput } from './evaluator.ts';

/** Characters of each text that a judge gets. */
export const maxJudgedText = 16_000;
/** Characters that are put together before they are cut. */
const maxRaw = 4 * maxJudgedText;

/** Takes secrets out of a text, and then what is too long. */
export type Cut = (text: string, length: number) => string;

/** What was asked, as far as a judge needs it: texts alone, which are all that is held until the answer is there. */
export type Asked = Pick<EvaluationInput, 'prompt' | 'context'>;

/** The last question, and all else that the model was given. */
export function readAsked(content: RequestContent | undefined, cut: Cut): Asked | undefined {
  if (!content) return undefined;
  const { messages = [], system = [], raw } = content;
  const last = messages.findLastIndex(({ role, parts }) => role === 'user' && textOf(parts) !== '');
  const question = messages[last] ? textOf(messages[last].parts) : readRaw(raw);
  if (question === '') return undefined;
  const rest = messages.filter((_, index) => index !== last).map(describe);
  const given = [textOf(system), ...rest].filter(Boolean);
  // The newest is what the answer is about.
  const context = cut(given.join('\n\n').slice(-maxRaw), maxRaw).slice(-maxJudgedText);
  return { prompt: cut(question, maxJudgedText), ...(context && { context }) };
}

/** What the model said; empty where it only called tools. */
export function readCompletion(messages: unknown, cut: Cut): string {
  if (typeof messages === 'string') return cut(messages, maxJudgedText);
  const known = readMessages(messages) ?? [];
  return cut(known.map(({ parts }) => textOf(parts)).join('\n'), maxJudgedText);
}

function describe({ role, parts }: Message): string {
  const text = [textOf(parts), ...parts.map(answered)].filter(Boolean).join('\n');
  return text && `${role}: ${text}`;
}

function textOf(parts: readonly Part[]): string {
  const texts = parts.flatMap(({ type, content }) => (type === 'text' && typeof content === 'string' ? [content] : []));
  return texts.join('\n');
}

/** What a tool answered is what a model may rely on. */
function answered({ type, response }: Part): string {
  if (type !== 'tool_call_response' || response === undefined) return '';
  return typeof response === 'string' ? response : (safely(() => JSON.stringify(response), ignore) ?? '');
}

/** What a function was given that is no request of a known form. */
function readRaw(raw: unknown): string {
  const [first] = Array.isArray(raw) ? raw : [raw];
  return typeof first === 'string' ? first : '';
}
