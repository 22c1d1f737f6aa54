import type { Context, Span, SpanContext } from '@opentelemetry/api';
import { safely } from './errors.ts';
import { need } from './features/feature.ts';
import type { Evaluation, Feedback } from './llm/evaluation/evaluator.ts';
import { latestCall } from './llm/frame.ts';
import { type GuardrailResult, guardrailAttributes, readVerdict } from './llm/guardrail.ts';
import { type CacheLookup, type LlmCall, recordCall } from './llm/record-call.ts';
import type { KnownOfSpan } from './llm/record-span.ts';
import { traceRefOf } from './llm/trace-ref.ts';
import { isOn } from './observed-fetch.ts';
import type { Shared } from './parts.ts';
import { type ContextView, getAgent } from './trace/context.ts';
import { getSpan } from './trace/otel-span.ts';
import type { ReadableSpan } from './trace/readable-span.ts';

/** Records of what was done elsewhere, under the context that is active. None of them throws. */
export function recordWith(shared: Shared, view: ContextView) {
  const { engine } = shared;
  const { report } = engine.diagnostics;
  const record = (fn: (context: Context) => void): void => {
    if (isOn(shared)) safely(() => fn(view.active()), report);
  };
  return {
    call: (call: LlmCall) => record((context) => recordCall(engine.recorder, call, context, report)),
    cacheLookup: (lookup: CacheLookup) =>
      record((context) => engine.instruments.cacheLookup(lookup.type, lookup.hit, getAgent(context))),
    span: (span: ReadableSpan, known: KnownOfSpan) =>
      record((context) => need(engine.features, 'foreignSpans', 'recordSpan').record(engine, span, context, known)),
    evaluation: (result: Evaluation) =>
      record((context) => need(engine.features, 'evaluations', 'recordEvaluation').record(engine, result, context)),
    feedback: (feedback: Feedback) =>
      record(() => need(engine.features, 'evaluations', 'recordFeedback').recordFeedback(engine, feedback)),
    guardrail: (result: GuardrailResult) => record((context) => recordGuardrail(shared, result, context)),
  };
}

function recordGuardrail({ engine }: Shared, result: GuardrailResult, context: Context): void {
  const asked = latestCall(context);
  const provider = result.provider ?? asked?.provider ?? '';
  const model = result.model ?? asked?.model ?? '';
  const verdict = readVerdict({ provider, model, operation: 'chat', stream: false }, {}, result);
  if (!verdict) return;
  const span: Span | SpanContext | undefined = result.span ?? getSpan(context);
  const isSpan = span !== undefined && 'spanContext' in span;
  if (isSpan) {
    const also = engine.spanDialect.attributes?.guardrail(verdict);
    span.setAttributes({ ...guardrailAttributes(verdict), ...also });
  }
  const id = isSpan ? span.spanContext() : span;
  const trace = id ? traceRefOf(id) : null;
  engine.instruments.guardrail(verdict, { provider, model, agent: getAgent(context) }, trace);
}
