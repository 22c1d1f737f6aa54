import type { Attributes, Tracer } from '@opentelemetry/api';
import { type Clock, secondsSince } from '../clock.ts';
import type { PriceBook } from '../pricing/book.ts';
import type { Cost } from '../pricing/price.ts';
import { getAgent } from '../trace/context.ts';
import { spanKind, statusError } from '../trace/otel-span.ts';
import { type Attempts, isTimeout, mayRetry } from './attempts.ts';
import type { CallEnd, CallStart, ModelCall } from './call.ts';
import { callAttributes } from './call-attributes.ts';
import { type CallBook, type CallFacts, calledOf, createCallBook } from './call-book.ts';
import type { ContentKeeper } from './content/silence.ts';
import type { Evaluations } from './evaluation/evaluations.ts';
import type { ExpectedCalls } from './expected-calls.ts';
import { readFailure, timeout } from './failure.ts';
import { addRetry, noteCall, previewLength } from './frame.ts';
import { getFrameworkCall } from './framework-call.ts';
import { createVerdictReader, type GuardrailHook } from './guardrail.ts';
import type { CallOutcome, LlmInstruments } from './instruments.ts';
import type { LlmResponse } from './provider.ts';
import { readResponse } from './response.ts';
import { createSeenCalls, kindOfCall, markOwn, type SeenCalls, spansAround } from './seen-calls.ts';
import { type SemconvNames, semconvOperation } from './semconv.ts';
import type { SpanDialect } from './span-dialect.ts';
import { traceRef } from './trace-ref.ts';

export interface RecorderOptions {
  readonly tracer: Tracer;
  readonly clock: Clock;
  readonly instruments: LlmInstruments;
  readonly attempts: Attempts;
  readonly prices: PriceBook;
  readonly pricingProfile?: string | undefined;
  readonly semconv: SemconvNames;
  readonly legacyAttributes: boolean;
  readonly dialect: SpanDialect;
  /** Told of every cost. */
  readonly onCost: (outcome: CallOutcome, cost: Cost) => void;
  readonly content: ContentKeeper;
  /** Reads a verdict off a call that is over. */
  readonly guardrail?: GuardrailHook | undefined;
  readonly evaluations?: Evaluations | undefined;
  readonly report: (error: unknown) => void;
}

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
  const { clock, instruments, attempts } = options;
  const leaves = new WeakMap<object, { costUsd: number | undefined }>();
  const book = createCallBook(options);
  const seen = createSeenCalls();

  function start({
    request,
    semconvProvider,
    attempt,
    attributes,
    context,
    isWrapper,
    startedMsAgo = 0,
    spanName,
    functionName,
    body,
    said,
    capture,
  }: CallStart): ModelCall {
    const { provider, model } = request;
    const operation = semconvOperation(request.operation);
    const standard: Attributes = {
      'gen_ai.operation.name': operation,
      // A vendor may have several names, by the API that is asked.
      'gen_ai.provider.name': request.parameters?.['gen_ai.provider.name'] ?? semconvProvider ?? provider,
      ...(model && { 'gen_ai.request.model': model }),
      ...attributes,
    };
    const startAttributes: Attributes = {
      ...standard,
      ...request.parameters,
      ...options.dialect.attributes?.start('llm', attributes ?? {}),
    };
    if (attempt?.number) startAttributes['http.request.resend_count'] = attempt.number;
    const own = spanName ?? (model ? `${operation} ${model}` : operation);
    const name = options.dialect.callName(own, request.operation, functionName);
    const times = startedMsAgo > 0 ? { startTime: clock.now() - startedMsAgo } : {};
    const span = options.tracer.startSpan(
      name,
      { kind: spanKind.client, attributes: startAttributes, ...times },
      context,
    );
    markOwn(span);
    const judged = options.evaluations?.wants(context, request.operation) === true;
    const spoken = { request, said, capture, isWrapper, preview: previewLength(context), judged };
    const content = options.content.followCall(span, spoken);
    const around = spansAround(context);
    const kind = kindOfCall(request.operation);
    const semconvName = String(standard['gen_ai.provider.name']);
    const answered = noteCall(context, { provider, model: model ?? '', semconvProvider: semconvName });
    const startedAt = clock.monotonic() - startedMsAgo;
    const begun = attempts.start(attempt);
    const { earlierSeconds, counted } = begun;
    const seconds = () => secondsSince(startedAt, clock.monotonic);
    const agent = getAgent(context);
    const ref = traceRef(span);
    let firstTokenSeconds: number | undefined;
    let lastChunk: number | undefined;
    let ended = false;

    /** Where the async context got lost, the reply's id or another tracer tells that the call has been counted. */
    function isCounted(id: string | undefined): boolean {
      if (around.some((parent) => seen.isCounted(parent))) return true;
      return isWrapper === true && (seen.hasReply(id, startedAt) || seen.isCovered(span.spanContext(), kind));
    }

    const readVerdict = createVerdictReader(options, request, body);

    function end(how: CallEnd): void {
      if (ended) return;
      ended = true;
      try {
        record(how);
      } catch (error) {
        options.report(error);
      }
      span.end();
    }

    function record(how: CallEnd): void {
      const whole = readResponse(how.response);
      const vendor = whole.attributes?.['gen_ai.provider.name'];
      if (vendor !== undefined) standard['gen_ai.provider.name'] = vendor;
      const delegated = how.delegated || isCounted(whole.id);
      for (const parent of around) seen.cover(parent, kind);
      const { usage: _usage, costUsd: _cost, ...withoutUsage } = whole;
      const response: LlmResponse = delegated ? withoutUsage : whole;
      const duration = seconds();
      const timedOut = how.aborted === true && how.status === undefined && isTimeout(begun, duration);
      // A caller who leaves because of the vendor's error has not aborted.
      const aborted = how.aborted === true && !response.error && !timedOut;
      const failure = timedOut ? timeout : aborted ? undefined : readFailure(how, response);
      const facts: CallFacts = {
        request,
        response,
        cost: book.price(request, response),
        agent,
        failure,
        aborted,
        seconds: duration + earlierSeconds,
        firstTokenSeconds: firstTokenSeconds === undefined ? undefined : firstTokenSeconds + earlierSeconds,
        attributes: standard,
        verdict: delegated ? undefined : readVerdict(response, how.body),
        trace: ref,
        counted,
        preview: content.preview,
      };
      span.setAttributes(callAttributes(facts, { seconds: duration, firstTokenSeconds }, how.status, options));
      content.end(response.messages, delegated);
      if (failure) span.setStatus({ code: statusError, message: failure.type });
      if (delegated) return;
      const input = failure || aborted ? undefined : content.exchange(response.messages);
      if (input) options.evaluations?.judge({ ...calledOf(facts), span, context, input });
      leaves.set(span, { costUsd: facts.cost?.totalUsd });
      if (!isWrapper) seen.addReply(response.id, startedAt);
      answered({ ...calledOf(facts), semconvProvider: String(standard['gen_ai.provider.name']) });
      if (attempt?.number) addRetry(context);
      // Before headers came, an SDK's own timeout looks like a caller who left, until it tries again.
      const unfinished = failure !== undefined || (aborted && how.status === undefined);
      const waits = attempt !== undefined && unfinished && mayRetry(how.status, how.headers);
      book.count(facts, context, attempt, waits);
    }

    return {
      span,
      maxText: content.held,
      firstToken(afterSeconds) {
        firstTokenSeconds ??= afterSeconds ?? seconds();
      },
      chunk() {
        const now = seconds();
        if (lastChunk !== undefined) instruments.chunk(now - lastChunk, standard, ref);
        lastChunk = now;
      },
      end,
    };
  }

  const recorder: LlmRecorder = {
    start: (call) => getFrameworkCall(call.context)?.attempt(call) ?? start(recorder.expected?.adopt(call) ?? call),
    leaf: (span) => leaves.get(span),
    book,
    content: options.content,
    seen,
    evaluations: options.evaluations,
  };
  return recorder;
}
