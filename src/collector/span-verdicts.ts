import { fromHrTime } from '../clock.ts';
import { asNumber, asString } from '../json.ts';
import { readForeignRequest, readForeignResponse } from '../llm/foreign-span.ts';
import type { LlmInstruments } from '../llm/instruments.ts';
import { traceRefOf } from '../llm/trace-ref.ts';
import type { ReadableSpan, SpanEvent } from '../trace/readable-span.ts';

const maxResults = 20;

/**
 * Counts what a span says of evaluations: an event for each result, as the conventions have it.
 * https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/gen-ai-events.md
 */
export function recordEvaluations(span: ReadableSpan, { evaluation }: LlmInstruments, agent: string): void {
  const results = span.events.filter(({ name }) => name === 'gen_ai.evaluation.result').slice(0, maxResults);
  for (const result of results) {
    const name = asString(result.attributes?.['gen_ai.evaluation.name']);
    if (name === undefined) continue;
    const score = asNumber(result.attributes?.['gen_ai.evaluation.score.value']);
    if (span.attributes['edgespan.feedback'] === true) {
      if (score !== undefined) evaluation.feedback(name, score);
    } else evaluation.ran({ ...describe(span, result), evaluation: name, agent, score });
  }
}

/** Whose answer it was, and who judged it for how long. */
function describe(span: ReadableSpan, { attributes: said = {} }: SpanEvent) {
  const { attributes } = span;
  const request = readForeignRequest(attributes);
  const rastir = (name: string) => asString(said[`rastir.${name}`]) ?? asString(attributes[`rastir.${name}`]);
  // A span of its own is the evaluation; one that was judged took its time for something else.
  const isItself = attributes['gen_ai.evaluation.name'] !== undefined;
  return {
    provider: request.provider === 'unknown' ? (rastir('provider') ?? '') : request.provider,
    model: readForeignResponse(attributes).model ?? request.model ?? rastir('model') ?? '',
    judgeProvider: rastir('evaluator_provider'),
    judgeModel: rastir('evaluator_model'),
    seconds: isItself ? fromHrTime(span.duration) / 1000 : undefined,
    trace: traceRefOf(span.spanContext()),
  };
}
