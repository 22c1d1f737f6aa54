import type { Attributes, Span, SpanContext, Tracer } from '@opentelemetry/api';
import { type Clock, secondsSince } from '../clock.ts';
import type { TraceRef } from '../metrics/instrument.ts';
import { getAgent } from '../trace/context.ts';
import { spanKind, statusError } from '../trace/otel-span.ts';
import { type AttemptStart, type Attempts, isTimeout, mayRetry } from './attempts.ts';
import type { CallEnd, CallStart, ModelCall } from './call.ts';
import { type AttributeStyle, callAttributes } from './call-attributes.ts';
import { type CallBook, type CallFacts, calledOf } from './call-book.ts';
import type { Said } from './content/said.ts';
import type { ContentKeeper } from './content/silence.ts';
import type { Evaluations } from './evaluation/evaluations.ts';
import { readFailure, timeout } from './failure.ts';
import { addRetry, noteCall, previewLength } from './frame.ts';
import { createVerdictReader, type GuardrailHook } from './guardrail.ts';
import type { LlmInstruments } from './instruments.ts';
import type { LlmResponse } from './provider.ts';
import { readResponse } from './response.ts';
import { anonymousReply, kindOfCall, markOwn, type SeenCalls, spansAround } from './seen-calls.ts';
import { semconvOperation } from './semconv.ts';
import { traceRef } from './trace-ref.ts';

/** What all calls of a recorder share. */
export interface Recording extends AttributeStyle {
  readonly tracer: Tracer;
  readonly clock: Clock;
  readonly instruments: LlmInstruments;
  readonly attempts: Attempts;
  readonly content: ContentKeeper;
  /** Reads a verdict off a call that is over. */
  readonly guardrail?: GuardrailHook | undefined;
  readonly evaluations: Evaluations | undefined;
  readonly book: CallBook;
  readonly seen: SeenCalls;
  /** Told of the span of each call that was counted, and of what it cost. */
  readonly addLeaf: (span: Span, costUsd: number | undefined) => void;
  readonly report: (error: unknown) => void;
}

/** A model call from its start to its one end. Of what was asked it holds no more than names: a stream may be long. */
export class RecordedCall implements ModelCall {
  readonly span: Span;
  readonly #recording: Recording;
  readonly #call: Pick<CallStart, 'request' | 'context' | 'attempt' | 'isWrapper'>;
  /** What the conventions put on its span and its metrics. */
  readonly #standard: Attributes;
  readonly #content: Said;
  readonly #around: readonly SpanContext[];
  readonly #agent: string;
  readonly #answered: ReturnType<typeof noteCall>;
  readonly #readVerdict: ReturnType<typeof createVerdictReader>;
  readonly #begun: AttemptStart;
  readonly #startedAt: number;
  readonly #trace: TraceRef | null;
  #firstTokenSeconds: number | undefined;
  #lastChunk: number | undefined;
  #ended = false;

  constructor(recording: Recording, call: CallStart) {
    const { clock, attempts, content, evaluations } = recording;
    const { request, context, attempt, isWrapper, said, capture, startedMsAgo = 0 } = call;
    const { provider, model = '' } = request;
    this.#recording = recording;
    this.#call = { request, context, attempt, isWrapper };
    this.#standard = standardAttributes(call);
    this.span = startSpan(recording, call, this.#standard);
    markOwn(this.span);
    const judged = evaluations?.wants(context, request.operation) === true;
    const spoken = { request, said, capture, isWrapper, preview: previewLength(context), judged };
    this.#content = content.followCall(this.span, spoken);
    this.#around = spansAround(context);
    this.#agent = getAgent(context);
    this.#answered = noteCall(context, { provider, model, semconvProvider: this.#semconvProvider() });
    this.#readVerdict = createVerdictReader(recording, request, call.body);
    this.#startedAt = clock.monotonic() - startedMsAgo;
    this.#begun = attempts.start(attempt);
    this.#trace = traceRef(this.span);
  }

  get maxText(): number {
    return this.#content.held;
  }

  firstToken(afterSeconds?: number): void {
    this.#firstTokenSeconds ??= afterSeconds ?? this.#seconds();
  }

  chunk(): void {
    const now = this.#seconds();
    const before = this.#lastChunk;
    if (before !== undefined) this.#recording.instruments.chunk(now - before, this.#standard, this.#trace);
    this.#lastChunk = now;
  }

  end(how: CallEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    try {
      this.#record(how);
    } catch (error) {
      this.#recording.report(error);
    }
    this.span.end();
  }

  #seconds(): number {
    return secondsSince(this.#startedAt, this.#recording.clock.monotonic);
  }

  #semconvProvider(): string {
    return String(this.#standard['gen_ai.provider.name']);
  }

  #record(how: CallEnd): void {
    const recording = this.#recording;
    const whole = readResponse(how.response);
    const vendor = whole.attributes?.['gen_ai.provider.name'];
    if (vendor !== undefined) this.#standard['gen_ai.provider.name'] = vendor;
    const kind = kindOfCall(this.#call.request.operation);
    const delegated = how.delegated || this.#isCounted(whole.id, kind);
    for (const parent of this.#around) recording.seen.cover(parent, kind);
    const response = delegated ? withoutUsage(whole) : whole;
    const seconds = this.#seconds();
    const facts = this.#facts(how, response, seconds, delegated ? undefined : this.#readVerdict(response, how.body));
    const times = { seconds, firstTokenSeconds: this.#firstTokenSeconds };
    this.span.setAttributes(callAttributes(facts, times, how.status, recording));
    this.#content.end(response.messages, delegated);
    if (facts.failure) this.span.setStatus({ code: statusError, message: facts.failure.type });
    if (!delegated) this.#count(facts, how);
  }

  /** Where the async context got lost, the reply's id or another tracer tells that the call has been counted. */
  #isCounted(id: string | undefined, kind: string): boolean {
    const { seen } = this.#recording;
    if (this.#around.some((parent) => seen.isCounted(parent, kind))) return true;
    if (!this.#call.isWrapper) return false;
    return seen.hasReply(id, this.#startedAt) || seen.isCovered(this.span.spanContext(), kind);
  }

  /** What the call came to; `seconds` are those of this attempt. */
  #facts(how: CallEnd, response: LlmResponse, seconds: number, verdict: CallFacts['verdict']): CallFacts {
    const { request } = this.#call;
    const { earlierSeconds, counted } = this.#begun;
    const first = this.#firstTokenSeconds;
    const timedOut = how.aborted === true && how.status === undefined && isTimeout(this.#begun, seconds);
    // A caller who leaves because of the vendor's error has not aborted.
    const aborted = how.aborted === true && !response.error && !timedOut;
    return {
      request,
      response,
      cost: this.#recording.book.price(request, response),
      agent: this.#agent,
      failure: timedOut ? timeout : aborted ? undefined : readFailure(how, response),
      aborted,
      seconds: seconds + earlierSeconds,
      firstTokenSeconds: first === undefined ? undefined : first + earlierSeconds,
      attributes: this.#standard,
      verdict,
      trace: this.#trace,
      counted,
      preview: this.#content.preview,
    };
  }

  /** Tells those who count, and those around. */
  #count(facts: CallFacts, { status, headers }: CallEnd): void {
    const { addLeaf, book, evaluations, seen } = this.#recording;
    const { attempt, context, isWrapper, request } = this.#call;
    const { response, failure, aborted, cost } = facts;
    const called = calledOf(facts);
    const input = failure || aborted ? undefined : this.#content.exchange(response.messages);
    if (input) evaluations?.judge({ ...called, span: this.span, context, input });
    addLeaf(this.span, cost?.totalUsd);
    const { id, model, usage } = response;
    const names = isWrapper ? [] : [id, anonymousReply(model, usage), anonymousReply(request.model, usage)];
    for (const name of names) seen.addReply(name, this.#startedAt);
    this.#answered({ ...called, semconvProvider: this.#semconvProvider() });
    if (attempt?.number) addRetry(context);
    // Before headers came, an SDK's own timeout looks like a caller who left, until it tries again.
    const unfinished = failure !== undefined || (aborted && status === undefined);
    book.count(facts, context, attempt, attempt !== undefined && unfinished && mayRetry(status, headers));
  }
}

function standardAttributes({ request, semconvProvider, attributes }: CallStart): Attributes {
  const { provider, model, operation, parameters } = request;
  return {
    'gen_ai.operation.name': semconvOperation(operation),
    // A vendor may have several names, by the API that is asked.
    'gen_ai.provider.name': parameters?.['gen_ai.provider.name'] ?? semconvProvider ?? provider,
    ...(model && { 'gen_ai.request.model': model }),
    ...attributes,
  };
}

function startSpan({ tracer, clock, dialect }: Recording, call: CallStart, standard: Attributes): Span {
  const { request, attempt, context, startedMsAgo = 0, spanName, functionName } = call;
  const attributes: Attributes = {
    ...standard,
    ...request.parameters,
    ...dialect.attributes?.start('llm', call.attributes ?? {}),
  };
  if (attempt?.number) attributes['http.request.resend_count'] = attempt.number;
  const operation = semconvOperation(request.operation);
  const own = spanName ?? (request.model ? `${operation} ${request.model}` : operation);
  const name = dialect.callName(own, request.operation, functionName);
  const times = startedMsAgo > 0 ? { startTime: clock.now() - startedMsAgo } : {};
  return tracer.startSpan(name, { kind: spanKind.client, attributes, ...times }, context);
}

function withoutUsage({ usage: _usage, costUsd: _cost, ...rest }: LlmResponse): LlmResponse {
  return rest;
}
