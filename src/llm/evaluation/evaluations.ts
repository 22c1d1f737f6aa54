import type { Context, Span, Tracer } from '@opentelemetry/api';
import { type Clock, maxTimerMs, secondsSince, withTimeout } from '../../clock.ts';
import { ignore, messageOf, safely, TelemetryError } from '../../errors.ts';
import { asNumber, asObject, asString } from '../../json.ts';
import type { CompleteRuntime } from '../../runtime.ts';
import { getInvocation, getScopeAttributes, invocationKey, scopeAttributesKey } from '../../trace/context.ts';
import { createContextKey, rootContext } from '../../trace/otel-context.ts';
import { setSpan, spanKind, statusError } from '../../trace/otel-span.ts';
import { errorName } from '../error-class.ts';
import type { SpanDialect } from '../span-dialect.ts';
import { traceRef } from '../trace-ref.ts';
import type { EvaluationInput, EvaluationOptions, EvaluationResult, EvaluationTools, Evaluator } from './evaluator.ts';
import type { EvaluationMetrics } from './metrics.ts';
import { describeEvaluation, judgeMark, resultEvent } from './semconv.ts';

/** A model call that is to be judged. */
export interface Judged {
  readonly span: Span;
  readonly context: Context;
  readonly provider: string;
  readonly model: string;
  readonly agent: string;
  readonly responseId?: string | undefined;
  readonly input: EvaluationInput;
}

/** Has answers judged, after they were given and beside the application's work. Never throws. */
export interface Evaluations {
  /** Whether a call that starts now will be judged if all goes well: what is said in it has to be kept until then. */
  wants(context: Context, operation: string): boolean;
  judge(call: Judged): void;
  /**
   * Settles when nothing is under way any more, or after so many milliseconds; `undefined` where nothing is, and where
   * instances come and go: what one request began is not awaited by another.
   */
  settled(timeoutMs: number): Promise<void> | undefined;
}

export interface EvaluationsPorts {
  readonly options: EvaluationOptions;
  readonly tracer: Tracer;
  readonly clock: Clock;
  readonly runtime: CompleteRuntime;
  readonly metrics: EvaluationMetrics;
  readonly dialect: SpanDialect;
  readonly run: <T>(context: Context, fn: () => T) => T;
  /** A `fetch` whose calls belong to this context. */
  readonly createFetch: (context: Context) => typeof globalThis.fetch;
  readonly report: (error: unknown) => void;
}

const defaults = { sampleRate: 1, timeoutMs: 20_000, maxQueue: 100 };
/** What `telemetry.llm({ evaluate })` says of the calls inside: judge all of them, or none. */
const wishKey = /* @__PURE__ */ createContextKey('edgespan evaluate');

/** The wish of a wrapper, for the calls inside of it; the innermost counts. */
export function setEvaluationWish(context: Context, wish: boolean | undefined): Context {
  return wish === undefined ? context : context.setValue(wishKey, wish);
}

export function createEvaluations(ports: EvaluationsPorts): Evaluations {
  const { options, tracer, clock, runtime, metrics, dialect, report } = ports;
  const { evaluators } = options;
  const sampleRate = options.sampleRate ?? defaults.sampleRate;
  const timeoutMs = options.timeoutMs ?? defaults.timeoutMs;
  const maxQueue = options.maxQueue ?? defaults.maxQueue;
  const underway = new Set<Promise<void>>();
  let size = 0;

  /** What judges do is marked, belongs to no agent and no session, and is not judged in turn. */
  function contextFor({ context, span }: Judged): Context {
    const marked = { ...getScopeAttributes(context), [judgeMark]: true };
    return setSpan(rootContext, span)
      .setValue(invocationKey, getInvocation(context))
      .setValue(scopeAttributesKey, marked)
      .setValue(wishKey, false);
  }

  async function evaluate(evaluator: Evaluator, call: Judged): Promise<void> {
    const about = { name: evaluator.name, ...call };
    const { name, attributes } = describeEvaluation(about, evaluator, dialect);
    const context = contextFor(call);
    const span = tracer.startSpan(name, { kind: spanKind.internal, attributes }, context);
    const inside = setSpan(context, span);
    const startedAt = clock.monotonic();
    let result: EvaluationResult | undefined;
    let failure: { thrown: unknown } | undefined;
    try {
      const answer = await within(timeoutMs, (signal) => {
        const tools: EvaluationTools = { fetch: ports.createFetch(inside), signal };
        return ports.run(inside, () => evaluator.evaluate({ ...call.input }, tools));
      });
      result = readResult(evaluator.name, answer);
    } catch (thrown) {
      failure = { thrown };
      const type = errorType(thrown);
      span.setStatus({ code: statusError, message: messageOf(thrown) });
      span.setAttribute('error.type', type);
    }
    const event = resultEvent(about, result, failure && errorType(failure.thrown));
    span.addEvent(event.name, event.attributes);
    span.setAttributes(event.attributes);
    metrics.ran({
      ...call,
      evaluation: evaluator.name,
      judgeProvider: evaluator.provider,
      judgeModel: evaluator.model,
      score: result?.score,
      seconds: secondsSince(startedAt, clock.monotonic),
      trace: traceRef(span),
    });
    span.end();
    if (failure) report(failed(evaluator.name, failure.thrown));
  }

  /** Keeps the work alive: by the invocation that it belongs to, else by the runtime. */
  function keep(context: Context, work: Promise<void>): void {
    const invocation = getInvocation(context);
    const open = invocation?.streams.open(ignore);
    open?.touch();
    const waitUntil = invocation?.waitUntil ?? (invocation ? undefined : runtime.waitUntil);
    safely(() => waitUntil?.(work), report);
    if (!runtime.ephemeral) underway.add(work);
    work.then(() => {
      underway.delete(work);
      open?.close();
    });
  }

  function change(by: number): void {
    size += by;
    metrics.queue(size, maxQueue);
  }

  return {
    wants(context, operation) {
      if (operation === 'embed') return false;
      const wish = context.getValue(wishKey);
      if (typeof wish === 'boolean') return wish;
      return sampleRate > 0 && (sampleRate >= 1 || draw(runtime.random) < sampleRate);
    },
    judge(call) {
      for (const evaluator of evaluators) {
        if (size >= maxQueue) {
          metrics.dropped({ ...call, evaluation: evaluator.name, trace: traceRef(call.span) });
          continue;
        }
        change(1);
        const work = afterNow()
          .then(() => evaluate(evaluator, call))
          .catch(report)
          .then(() => change(-1));
        keep(call.context, work);
      }
    },
    settled: (ms) => (underway.size > 0 ? withTimeout(Promise.all(underway), ms) : undefined),
  };
}

/** Once the answer is in the application's hands: an evaluator may take its time. */
function afterNow(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** From 0 to 1, 1 left out. */
function draw(random: CompleteRuntime['random']): number {
  const [a = 0, b = 0, c = 0, d = 0] = random(new Uint8Array(4));
  return (a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d) / 2 ** 32;
}

/** What the work comes to, or a `TimeoutError` where that takes too long. */
async function within<T>(ms: number, work: (signal: AbortSignal) => T | Promise<T>): Promise<T> {
  const controller = new AbortController();
  let fail = (_reason: unknown): void => {};
  const late = new Promise<never>((_, reject) => {
    fail = reject;
  });
  const timer = setTimeout(
    () => {
      const reason = new DOMException(`no answer within ${ms} ms`, 'TimeoutError');
      controller.abort(reason);
      fail(reason);
    },
    Math.min(ms, maxTimerMs),
  );
  (timer as { unref?: () => void }).unref?.();
  try {
    return await Promise.race([work(controller.signal), late]);
  } finally {
    clearTimeout(timer);
  }
}

function readResult(name: string, answer: unknown): EvaluationResult {
  const { score, label, explanation } = asObject(answer) ?? {};
  const known = asNumber(score);
  if (known === undefined) {
    const failure = new TelemetryError('evaluation_failed', `the evaluator ${name} answered no score`);
    throw Object.assign(failure, { type: 'no_score' });
  }
  return {
    score: known,
    ...(asString(label) && { label: asString(label)! }),
    ...(asString(explanation) && { explanation: asString(explanation)! }),
  };
}

/** What an evaluator says of its failure, as a status, else the class. */
function errorType(thrown: unknown): string {
  return asString(asObject(thrown)?.type) ?? errorName(thrown);
}

function failed(name: string, thrown: unknown): TelemetryError {
  if (thrown instanceof TelemetryError && thrown.code === 'evaluation_failed') return thrown;
  return new TelemetryError('evaluation_failed', `the evaluation ${name} failed: ${messageOf(thrown)}`, {
    cause: thrown,
  });
}
