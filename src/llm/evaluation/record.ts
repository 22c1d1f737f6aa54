import type { Context, Span, SpanContext, Tracer } from '@opentelemetry/api';
import { TelemetryError } from '../../errors.ts';
import { asNumber, asString } from '../../json.ts';
import { getAgent } from '../../trace/context.ts';
import { rootContext } from '../../trace/otel-context.ts';
import { getSpan, isSpanContextValid, setSpanContext, spanKind } from '../../trace/otel-span.ts';
import { setSamplingHint } from '../../trace/sampling-hint.ts';
import { setTraceId } from '../../trace/trace-id.ts';
import { latestCall } from '../frame.ts';
import type { LlmInstruments } from '../instruments.ts';
import type { SpanDialect } from '../span-dialect.ts';
import { traceRefOf } from '../trace-ref.ts';
import type { Evaluation, EvaluationResult, Feedback } from './evaluator.ts';
import { describeEvaluation, resultEvent } from './semconv.ts';

export interface RecordPorts {
  readonly tracer: Tracer;
  readonly instruments: LlmInstruments;
  readonly spanDialect: SpanDialect;
}

/** Notes a score on the span that it is about; where that has ended, on a child of it. Throws for what is no score. */
export function recordEvaluation(ports: RecordPorts, given: Evaluation, context: Context): void {
  const { name, result } = readScore(given, 'evaluation');
  const asked = latestCall(context);
  const about = { name, provider: asked?.provider ?? '', model: asked?.model ?? '', agent: getAgent(context) };
  const span: Span | SpanContext | undefined = given.span ?? getSpan(context);
  const event = resultEvent(about, result);
  const isSpan = span !== undefined && 'spanContext' in span;
  const id = isSpan ? span.spanContext() : span;
  if (isSpan && span.isRecording()) span.addEvent(event.name, event.attributes);
  else if (id) {
    const described = describeEvaluation(about, {}, ports.spanDialect);
    tell(ports.tracer, described, event, setSpanContext(context, id));
  }
  const trace = id ? traceRefOf(id) : null;
  ports.instruments.evaluation.ran({ ...about, evaluation: name, score: result.score, trace });
}

/**
 * A span in the trace that the user speaks of, sampled as that was by a sampler that goes by trace ids. Throws for what
 * is no score, and for ids that are none.
 */
export function recordFeedback({ tracer, instruments }: RecordPorts, given: Feedback): void {
  const { name, result } = readScore({ ...given, explanation: given?.comment }, 'feedback');
  const traceId = asString(given.traceId)?.toLowerCase() ?? '';
  const spanId = asString(given.spanId)?.toLowerCase();
  const parent = { traceId, spanId: spanId ?? '1'.padStart(16, '0'), traceFlags: 1, isRemote: true };
  if (!isSpanContextValid(parent)) throw invalid(`feedback ${name} is ignored: its traceId or spanId is none`);
  const context = spanId === undefined ? setTraceId(rootContext, traceId) : setSpanContext(rootContext, parent);
  const described = { name: `feedback ${name}`, attributes: { 'edgespan.feedback': true } };
  tell(tracer, described, resultEvent({ name }, result), setSamplingHint(context, 'defer'));
  instruments.evaluation.feedback(name, result.score);
}

type Named = ReturnType<typeof resultEvent>;

function tell(tracer: Tracer, { name, attributes }: Named, event: Named, context: Context): void {
  const all = { ...attributes, ...event.attributes };
  const span = tracer.startSpan(name, { kind: spanKind.internal, attributes: all }, context);
  span.addEvent(event.name, event.attributes);
  span.end();
}

function readScore(
  given: { name: unknown; score: unknown; label?: unknown; explanation?: unknown },
  what: string,
): { name: string; result: EvaluationResult } {
  const name = asString(given?.name);
  const score = asNumber(given?.score);
  if (name === undefined) throw invalid(`${what} without a name is ignored`);
  if (score === undefined) throw invalid(`${what} ${name} is ignored: its score must be a number`);
  const [label, explanation] = [asString(given.label), asString(given.explanation)];
  return { name, result: { score, ...(label && { label }), ...(explanation && { explanation }) } };
}

function invalid(message: string): TelemetryError {
  return new TelemetryError('invalid_value', message);
}
