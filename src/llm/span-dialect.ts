import type { Attributes } from '@opentelemetry/api';
import type { CallFacts } from './call-book.ts';
import type { Verdict } from './guardrail.ts';

/** What a preset changes about spans: their names, and what its system says of them besides. */
export interface SpanDialect {
  /** Of a model call; `own` is our name, `called` the function that is wrapped as one. */
  callName(own: string, operation: string, called: string | undefined): string;
  /** Of an agent, a tool or other work. */
  workName(own: string, called: string): string;
  /** The system's own attributes: what a span is about, and later what has come of it. */
  readonly attributes?: SpanAttributes | undefined;
}

export interface SpanAttributes {
  /** The system's word for a provider by our short name. */
  provider(name: string, model: string): string;
  /** At the start of any span. */
  start(type: string, given: Attributes): Attributes;
  add(given: Attributes): Attributes;
  guardrail(verdict: Verdict): Attributes;
  call(facts: CallFacts, firstTokenSeconds: number | undefined): Attributes;
}

const keep = (own: string) => own;

/** Our own way. */
export const ownSpans: SpanDialect = { callName: keep, workName: keep };
