import type { Attributes, Context, Span, Tracer } from '@opentelemetry/api';
import type { Clock } from '../clock.ts';
import { getModelCall, type ModelCallMark, modelCallKey } from '../trace/context.ts';
import { createContextKey } from '../trace/otel-context.ts';
import { setSpan, spanKind, statusError } from '../trace/otel-span.ts';
import type { CallEnd, CallStart, ModelCall } from './call.ts';
import { readFailure } from './failure.ts';
import type { Gate, Pass } from './gate.ts';
import type { LlmResponse } from './provider.ts';
import type { LlmRecorder } from './recorder.ts';
import { readResponse } from './response.ts';
import { markOwn } from './seen-calls.ts';

const frameworkCallKey = /* @__PURE__ */ createContextKey('edgespan framework call');

/**
 * A model call that a framework makes, and counts. What is observed inside of it are its attempts: they add what only
 * the wire tells and count nothing.
 */
export interface FrameworkCall extends ModelCallMark {
  /** For the code that makes the call. */
  readonly context: Context;
  readonly span: Span;
  /** Characters to hold of each text that is answered, 0 where nobody wants them. */
  readonly maxText: number;
  /** An observed request of this call. */
  attempt(call: CallStart): ModelCall;
  firstToken(afterSeconds?: number): void;
  chunk(): void;
  /** Ends the span and counts the call, once. */
  end(how: CallEnd): void;
}

export interface FrameworkCallPorts {
  readonly recorder: LlmRecorder;
  readonly tracer: Tracer;
  readonly clock: Clock;
}

/** One request, as it is told where there were several. */
interface Attempt {
  readonly startedAt: number;
  readonly attributes: Attributes;
  endedAt?: number;
  how?: CallEnd;
}

/** Requests of one call that are kept. */
const maxAttempts = 16;

export function getFrameworkCall(context: Context): FrameworkCall | undefined {
  return context.getValue(frameworkCallKey) as FrameworkCall | undefined;
}

/** For what counts its own calls inside of another one: that one leaves it to them. */
export function leaveFrameworkCall(context: Context): Context {
  const outer = getFrameworkCall(context);
  return outer ? context.setValue(frameworkCallKey, undefined).setValue(modelCallKey, outer) : context;
}

/** A call that a budget has let through. */
export interface Admission {
  readonly gate: Gate;
  readonly pass: Pass;
}

export function startFrameworkCall(
  { recorder, tracer, clock }: FrameworkCallPorts,
  start: CallStart,
  admission?: Admission,
): FrameworkCall {
  const startedAt = clock.monotonic();
  const isInner = getFrameworkCall(start.context) !== undefined;
  const outer = getModelCall(start.context);
  if (outer) outer.counted = true;
  const { request } = start;
  const started = recorder.start({ ...start, isWrapper: true });
  const model = admission?.gate.follow(started, admission.pass, { recorder, request, isWrapper: true }) ?? started;
  const { span } = model;
  const attempts: Attempt[] = [];
  let ended = false;

  function attempt({ attributes = {} }: CallStart): ModelCall {
    const one: Attempt = { startedAt: clock.now(), attributes };
    if (attempts.length < maxAttempts) attempts.push(one);
    return {
      span,
      maxText: 0,
      firstToken: () => call.firstToken(),
      chunk: () => call.chunk(),
      end(how) {
        one.how ??= how;
        one.endedAt ??= clock.now();
      },
    };
  }

  /** Several attempts are children; of a single one all is said by the call itself. */
  function tellAttempts(): void {
    const last = attempts.at(-1);
    if (last) span.setAttributes(last.attributes);
    if (attempts.length < 2) return;
    span.setAttribute('http.request.resend_count', attempts.length - 1);
    for (const [index, one] of attempts.entries()) tellAttempt(tracer, call.context, one, index, clock.now());
  }

  function end(how: CallEnd): void {
    if (ended) return;
    ended = true;
    tellAttempts();
    const wire = attempts.at(-1)?.how;
    const response = merge(wire?.response, how.response);
    const { id } = response;
    const delegated = how.delegated || call.counted || recorder.seen.hasReply(id, startedAt);
    model.end({ ...(wire?.status !== undefined && { status: wire.status }), ...how, response, delegated });
    // One inside of another is an attempt of that.
    if (!delegated && !isInner) recorder.seen.addReply(id, startedAt);
  }

  const call: FrameworkCall = {
    counted: false,
    context: start.context,
    span,
    maxText: model.maxText,
    attempt,
    firstToken: (afterSeconds) => model.firstToken(afterSeconds),
    chunk: () => model.chunk(),
    end,
  };
  // A request inside is no call of its own, so it marks none.
  const marked = setSpan(start.context, span).setValue(frameworkCallKey, call).setValue(modelCallKey, undefined);
  const context = admission ? admission.gate.within(marked, admission.pass) : marked;
  return Object.assign(call, { context });
}

/** What the framework leaves unsaid comes from the wire. */
function merge(wire: LlmResponse | undefined, said: LlmResponse | undefined): LlmResponse {
  const known = (response: LlmResponse | undefined) => withoutUnknown(readResponse(response));
  const [inner, outer] = [known(wire), known(said)];
  const usage = { ...inner.usage, ...withoutUnknown(outer.usage ?? {}) };
  return {
    ...inner,
    ...outer,
    ...(Object.keys(usage).length > 0 && { usage }),
    ...((inner.attributes || outer.attributes) && { attributes: { ...inner.attributes, ...outer.attributes } }),
  };
}

function withoutUnknown<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}

/** By the conventions for HTTP: https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-client-span */
function tellAttempt(tracer: Tracer, context: Context, attempt: Attempt, index: number, now: number): void {
  const { how = {}, startedAt, attributes, endedAt = now } = attempt;
  const failure = how.aborted ? undefined : readFailure(how, readResponse(how.response));
  const span = tracer.startSpan(
    'POST',
    {
      kind: spanKind.client,
      startTime: startedAt,
      attributes: {
        'http.request.method': 'POST',
        ...attributes,
        ...(index > 0 && { 'http.request.resend_count': index }),
        ...(how.status !== undefined && { 'http.response.status_code': how.status }),
        ...(failure && { 'error.type': failure.type, 'edgespan.error_class': failure.class }),
      },
    },
    context,
  );
  markOwn(span);
  if (failure) span.setStatus({ code: statusError, message: failure.type });
  span.end(endedAt);
}
