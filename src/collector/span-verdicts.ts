import { asArray, asNumber, asString } from '../json.ts';
import { fromHrTime } from '../clock.ts';
import { readForeignRequest, readForeignResponse } from '../llm/foreign-span.ts';
import type { LlmInstruments } from '../llm/instruments.ts';
import { traceRefOf } from '../llm/trace-ref.ts';
import { statusError } from '../trace/otel-span.ts';
import type { ReadableSpan } from '../trace/readable-span.ts';

/** Counts what a span says of guardrails and evaluations. */
export function recordVerdict(span: ReadableSpan, instruments: LlmInstruments, agent: string): void {
  recordGuardrail(span, instruments, agent);
  recordEvaluations(span, instruments, agent);
}

function recordGuardrail({ attributes, ...span }: ReadableSpan, instruments: LlmInstruments, agent: string): void {
}
