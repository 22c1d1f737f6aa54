import type { Attributes, Context, Span, Tracer } from '@opentelemetry/api';
import type { Clock } from '../clock.ts';
import type { TraceRef } from '../metrics/instrument.ts';
import type { PriceBook } from '../pricing/book.ts';
import { priceUsage } from '../pricing/cost.ts';
import type { Cost } from '../pricing/price.ts';
import { getAgent } from '../trace/context.ts';
import { isSpanContextValid, spanKind, statusError } from '../trace/otel-span.ts';
import { type Attempt, type Attempts, isTimeout, mayRetry } from './attempts.ts';
import { readFailure, timeout } from './failure.ts';
import { addToFrames } from './frame.ts';
import type { CallOutcome, LlmInstruments } from './instruments.ts';
import type { LlmRequest, LlmResponse } from './provider.ts';
import { legacyAttributes, readResponse, responseAttributes, round } from './response.ts';
import { llmOperation, type SemconvNames, semconvOperation } from './semconv.ts';

/** How a model call ended. Of `thrown`, `status` and `response.error` at most one makes it an error. */
export interface CallEnd {
  response?: LlmResponse;
  /** HTTP status and headers of the answer. */
  status?: number;
  headers?: Headers;
  thrown?: unknown;
  /** The caller left before the end. */
  aborted?: boolean;
  /** The stream stopped without saying so. */
  incomplete?: boolean;
  /** An instrumented call inside has been recorded in its place: tokens, cost and metrics are that call's. */
  delegated?: boolean;
}

/** A model call that is under way. */
export interface ModelCall {
  readonly span: Span;
  /** The first token of a stream has come. */
  firstToken(): void;
  /** An event with content has come. */
  chunk(): void;
  /** Ends the span and counts the call, once. */
  end(end: CallEnd): void;
}

export interface CallStart {
  readonly request: LlmRequest;
  /** `gen_ai.provider.name` where it differs from the short name. */
  readonly semconvProvider?: string | undefined;
  readonly attempt?: Attempt | undefined;
  /** `server.address` and the like. */
  readonly attributes?: Attributes;
  readonly context: Context;
  /** Of a call that is already over: milliseconds since it began. */
  readonly startedMsAgo?: number;
  /** A function around a call, which may have been instrumented inside. */
  readonly isWrapper?: boolean;
  /** Of a function that has a name of its own. */
  readonly spanName?: string;
}

export interface RecorderOptions {
  readonly tracer: Tracer;
  readonly clock: Clock;
  readonly instruments: LlmInstruments;
  readonly attempts: Attempts;
  readonly prices: PriceBook;
  readonly pricingProfile?: string | undefined;
  readonly semconv: SemconvNames;
  readonly legacyAttributes: boolean;
  /** Told of every cost. */
  readonly onCost: (outcome: CallOutcome, cost: Cost) => void;
  readonly report: (error: unknown) => void;
}

/** The one place where model calls become spans, metrics and cost; it never reads a vendor's field. */
export interface LlmRecorder {
  start(call: CallStart): ModelCall;
  /** The unrounded cost, where it is known, of a model call that is nobody's parent; `undefined` for any other span. */
  leaf(span: object): { readonly costUsd: number | undefined } | undefined;
}

/** Replies that a wrapper without async context around it may find to be counted already. */
const maxReplies = 100;

export function createLlmRecorder(options: RecorderOptions): LlmRecorder {
  const { clock, instruments, attempts, semconv } = options;
  const leaves = new WeakMap<object, { costUsd: number | undefined }>();
  /** Ids of the newest replies, and when their calls began. */
  const replies = new Map<string, number>();

  /** Where the async context got lost, the reply's id tells a wrapper that a call inside has been counted. */
  function isRepeated(id: string | undefined, since: number): boolean {
    return id !== undefined && (replies.get(id) ?? Number.NEGATIVE_INFINITY) >= since;
  }

  function remember(id: string | undefined, startedAt: number): void {
    if (id === undefined) return;
    replies.delete(id);
    replies.set(id, startedAt);
    if (replies.size > maxReplies) for (const oldest of replies.keys()) return void replies.delete(oldest);
  }

  function price(request: LlmRequest, response: LlmResponse): Cost | undefined {
    if (response.costUsd !== undefined) return { inputUsd: 0, outputUsd: 0, totalUsd: response.costUsd };
    if (!response.usage) return undefined;
    const provider = response.provider ?? request.provider;
    // A model that another one stood in for is priced as that one.
    const serving = response.attributes?.['edgespan.pricing.model'];
    for (const model of typeof serving === 'string' ? [serving] : [response.model, request.model]) {
      const found = model === undefined ? undefined : options.prices.find(model, provider);
      if (found) return priceUsage(response.usage, found);
    }
    return undefined;
  }

  function start({
    request,
    semconvProvider,
    attempt,
    attributes,
    context,
    isWrapper,
    startedMsAgo = 0,
    spanName,
  }: CallStart): ModelCall {
    const { provider, model } = request;
    const operation = semconvOperation(request.operation);
    const standard: Attributes = {
      'gen_ai.operation.name': operation,
      'gen_ai.provider.name': semconvProvider ?? provider,
      ...(model && { 'gen_ai.request.model': model }),
      ...attributes,
    };
    const startAttributes: Attributes = { ...standard, ...request.parameters };
    if (attempt?.number) startAttributes['http.request.resend_count'] = attempt.number;
    const name = spanName ?? (model ? `${operation} ${model}` : operation);
    const times = startedMsAgo > 0 ? { startTime: clock.now() - startedMsAgo } : {};
    const span = options.tracer.startSpan(
      name,
      { kind: spanKind.client, attributes: startAttributes, ...times },
      context,
    );
    const startedAt = clock.monotonic() - startedMsAgo;
    const begun = attempts.start(attempt);
    const { earlierSeconds, counted } = begun;
    const seconds = () => Math.max(0, clock.monotonic() - startedAt) / 1000;
    const agent = getAgent(context);
    const ref = traceRef(span);
    let firstTokenSeconds: number | undefined;
    let lastChunk: number | undefined;
    let ended = false;

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
      const delegated = how.delegated || (isWrapper && isRepeated(whole.id, startedAt));
      const { usage: _usage, costUsd: _cost, ...withoutUsage } = whole;
      const response: LlmResponse = delegated ? withoutUsage : whole;
      // A wrapper learns only from the first item that its function streams.
      const label = llmOperation(request.operation, request.stream);
      const duration = seconds();
      const timedOut = how.aborted === true && how.status === undefined && isTimeout(begun, duration);
      // A caller who leaves because of the vendor's error has not aborted.
      const aborted = how.aborted === true && !response.error && !timedOut;
      const failure = timedOut ? timeout : aborted ? undefined : readFailure(how, response);
      const cost = price(request, response);
      const attributes = responseAttributes(response, semconv);
      if (request.stream) attributes['gen_ai.request.stream'] = true;
      if (firstTokenSeconds !== undefined) attributes['gen_ai.response.time_to_first_chunk'] = firstTokenSeconds;
      if (cost) attributes['llm.cost_usd'] = round(cost.totalUsd, 8);
      if (response.costUsd !== undefined) attributes['edgespan.cost.source'] = 'reported';
      else if (response.usage && !cost) attributes['edgespan.pricing.missing'] = true;
      if (cost && options.pricingProfile) attributes['edgespan.pricing.profile'] = options.pricingProfile;
      if (aborted) attributes['edgespan.aborted'] = true;
      if (how.status !== undefined) attributes['http.response.status_code'] = how.status;
      if (failure) Object.assign(attributes, { 'error.type': failure.type, 'edgespan.error_class': failure.class });
      if (options.legacyAttributes) {
        Object.assign(attributes, legacyAttributes(request, response, label, duration, failure?.name));
      }
      span.setAttributes(attributes);
      if (failure) span.setStatus({ code: statusError, message: failure.type });
      if (delegated) return;
      leaves.set(span, { costUsd: cost?.totalUsd });
      if (!isWrapper) remember(response.id, startedAt);
      const outcome: CallOutcome = {
        provider: response.provider ?? provider,
        model: response.model ?? model ?? '',
        operation: label,
        agent,
        error: failure?.class,
        aborted,
        seconds: duration + earlierSeconds,
        firstTokenSeconds: firstTokenSeconds === undefined ? undefined : firstTokenSeconds + earlierSeconds,
        usage: response.usage,
        cost,
        cacheHit: response.cacheHit,
        toolNames: response.toolCalls?.map(({ name }) => name) ?? [],
        attributes: response.model ? { ...standard, 'gen_ai.response.model': response.model } : standard,
        errorType: failure?.type,
        trace: ref,
        counted,
      };
      // Before headers came, an SDK's own timeout looks like a caller who left, until it tries again.
      const unfinished = failure !== undefined || (aborted && how.status === undefined);
      const waits = attempt !== undefined && unfinished && mayRetry(how.status, how.headers);
      attempts.finish(attempt, outcome, waits);
      if (!waits) addToFrames(context, outcome);
      if (cost) options.onCost(outcome, cost);
    }

    return {
      span,
      firstToken() {
        firstTokenSeconds ??= seconds();
      },
      chunk() {
        const now = seconds();
        if (lastChunk !== undefined) instruments.chunk(now - lastChunk, standard, ref);
        lastChunk = now;
      },
      end,
    };
  }

  return { start, leaf: (span) => leaves.get(span) };
}

export function traceRef(span: Span): TraceRef | null {
  const context = span.spanContext();
  return (context.traceFlags & 1) === 1 && isSpanContextValid(context) ? context : null;
}
