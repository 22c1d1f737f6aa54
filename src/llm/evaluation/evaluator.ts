import type { Span, SpanContext } from '@opentelemetry/api';

/** What was said in a model call, for somebody who judges it. Each text has at most 16,000 characters. */
export interface EvaluationInput {
  /** What the user asked last. */
  prompt: string;
  completion: string;
  /** What else the model was given: instructions, earlier turns, what tools answered. */
  context?: string;
}

export interface EvaluationResult {
  /** Any finite number; the judges of `edgespan/judges` answer 0 to 1. */
  score: number;
  /** A word for the score, as `pass`. */
  label?: string;
  explanation?: string;
}

/** What an evaluator may work with. */
export interface EvaluationTools {
  /** The telemetry's `fetch`: model calls through it are priced, marked `edgespan.judge`, and judged by nobody. */
  readonly fetch: typeof globalThis.fetch;
  /** Aborts when the time is over. */
  readonly signal: AbortSignal;
}

/**
 * Judges an answer. What it throws, and an answer without a score, is a failure and no score.
 *
 * @example
 * const brevity: Evaluator = {
 *   name: 'brevity',
 *   evaluate: ({ completion }) => ({ score: completion.length < 500 ? 1 : 0 }),
 * };
 */
export interface Evaluator {
  /** Of the score: the label `evaluation`. */
  name: string;
  /** Who judges, where that is a model: labels of the Rastir preset. */
  provider?: string;
  /** The model that judges, likewise. */
  model?: string;
  /** May answer at once or later. */
  evaluate(input: EvaluationInput, tools: EvaluationTools): EvaluationResult | Promise<EvaluationResult>;
}

export interface EvaluationOptions {
  /** Those of `edgespan/judges`, or of one's own. */
  evaluators: readonly Evaluator[];
  /** Share of the calls that are judged, 0 to 1; 1 by default. `telemetry.llm({ evaluate })` says it for a function. */
  sampleRate?: number;
  /** Milliseconds for one evaluator and one call, 20,000: Workers end what runs 30 seconds after the response. */
  timeoutMs?: number;
  /** Evaluations that are under way; more than so many are dropped and counted, 100. */
  maxQueue?: number;
}

/** A score that was given elsewhere. */
export interface Evaluation {
  /** What was judged, as `relevance`: the label `evaluation`. */
  name: string;
  /** Any finite number. */
  score: number;
  /** A word for the score, as `pass`. */
  label?: string;
  explanation?: string;
  /** What was judged; the active span by default. */
  span?: Span | SpanContext;
}

/** What a user thinks of an answer. */
export interface Feedback {
  /** What it is about, as `thumbs`: the label `evaluation`. */
  name: string;
  /** Any finite number. */
  score: number;
  comment?: string;
  /** Of the trace that the answer came from, 32 hex digits: `telemetry.logFields().trace_id`. */
  traceId: string;
  /** Of the span in it, 16 hex digits. */
  spanId?: string;
}
