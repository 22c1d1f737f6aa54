import type { Attributes, Context, SpanContext } from '@opentelemetry/api';
import { copyAttributes } from '../attributes.ts';
import { type Clock, fromHrTime } from '../clock.ts';
import { asNumber, asString } from '../json.ts';
import { getAgent, getModelCall } from '../trace/context.ts';
import type { ReadableSpan } from '../trace/readable-span.ts';
import { RecordingSpan } from '../trace/span.ts';
import { classifyError, errorName, isAbort } from './error-class.ts';
import { readFailure } from './failure.ts';
import { takeFaults } from './faults.ts';
import {
  type ForeignWork,
  isFailed,
  readFirstToken,
  readForeignRequest,
  readForeignResponse,
  readWork,
} from './foreign-span.ts';
import { addToolRun, latestCall, noteCall } from './frame.ts';
import { readVerdict } from './guardrail.ts';
import type { LlmInstruments } from './instruments.ts';
import type { Provider } from './provider.ts';
import { semconvNameOf } from './provider-names.ts';
import type { LlmRecorder } from './recorder.ts';
import { readResponse } from './response.ts';
import { anonymousReply, isOwn, kindOfCall } from './seen-calls.ts';
import { semconvOperation } from './semconv.ts';
import { traceRefOf } from './trace-ref.ts';

/** What its own tracer leaves unsaid about a span. */
export interface KnownOfSpan {
  /** The agent around it. */
  agent?: string | undefined;
}

export interface SpanRecordingPorts {
  readonly recorder: Pick<LlmRecorder, 'seen' | 'book'>;
  readonly instruments: LlmInstruments;
  readonly providers: readonly Provider[];
  readonly clock: Clock;
  /** Whether a span has been counted where it was made: our own, for whoever makes them. */
  readonly isOurs: (span: ReadableSpan) => boolean;
}

/** Another tracer's clock and ours may differ by so many milliseconds. */
const clockSlackMs = 20;

/** A span as it is recorded: what it is about, and when. */
interface Finished {
  readonly span: ReadableSpan;
  readonly attributes: Attributes;
  readonly id: SpanContext;
  readonly parent: SpanContext | undefined;
  readonly agent: string;
  readonly seconds: number;
  /** By our monotonic clock, in milliseconds. */
  readonly startedAt: number;
}

/**
 * Turns a GenAI span of another tracer that has ended into metrics, cost and sums, as if the call had been ours. It
 * starts no span. What we have made ourselves, have recorded already, or what only restates its parts counts nothing.
 * Answers whether the span is one that it had not seen.
 */
export function recordSpan(
  ports: SpanRecordingPorts,
  span: ReadableSpan,
  context: Context,
  known: KnownOfSpan,
): boolean {
  const { seen } = ports.recorder;
  if (ports.isOurs(span)) return false;
  const id = span.spanContext();
  const parent = parentOf(span, id);
  const attributes = copyAttributes(span.attributes);
  const work = readWork(span.name, attributes);
  const inside = seen.addSpan(id);
  if (!inside) return false;
  // A call is the same for all spans around it, up to whoever runs tools.
  if (!work || work.type === 'llm') for (const kind of inside) if (!kind.includes(' ')) seen.cover(parent, kind);
  if (!work) return true;
  const agent = known.agent ?? asString(attributes['gen_ai.agent.name']) ?? getAgent(context);
  const seconds = readSeconds(span);
  if (seconds === undefined) {
    ports.instruments.parseError(readForeignRequest(attributes).provider);
    return true;
  }
  const startedAt = ports.clock.monotonic() - (ports.clock.now() - fromHrTime(span.startTime));
  const finished: Finished = { span, attributes, id, parent, agent, seconds, startedAt };
  if (work.type !== 'llm') recordWork(ports, work, finished, context);
  else if (!inside.includes(kindOfCall(work.operation))) recordCall(ports, work, finished, context);
  return true;
}

function recordCall(
  ports: SpanRecordingPorts,
  work: ForeignWork & { type: 'llm' },
  of: Finished,
  context: Context,
): void {
  const { recorder, instruments, providers } = ports;
  const { attributes, startedAt } = of;
  const request = readForeignRequest(attributes, work);
  takeFaults();
  const response = readResponse(readForeignResponse(attributes));
  if (takeFaults()) instruments.parseError(request.provider);
  const { seen } = recorder;
  const kind = kindOfCall(work.operation);
  // Who is around is told of it even where a call of ours has been counted in its place.
  seen.cover(of.parent, kind);
  const since = startedAt - clockSlackMs;
  if (seen.hasReply(response.id, since)) return;
  // Some neither say an id nor stand around the request.
  const name = response.id ? undefined : anonymousReply(response.model ?? request.model, response.usage);
  if (seen.hasReply(name, since, startedAt + of.seconds * 1000)) return;
  seen.count(of.id, kind);
  // Some spans end after the one around them that says the same.
  if (of.parent && seen.isCounted(of.parent, kind)) return;
  const mark = getModelCall(context);
  if (mark) mark.counted = true;
  seen.addReply(response.id, startedAt + clockSlackMs);
  const { thrown, aborted } = readError(of);
  const semconvProvider = semconvNameOf(request.provider, providers);
  const model = response.model ?? request.model ?? '';
  const asked = { provider: request.provider, model, semconvProvider };
  noteCall(context, asked)(asked);
  recorder.book.count(
    {
      request,
      response,
      cost: recorder.book.price(request, response),
      agent: of.agent,
      failure: thrown && !aborted ? readFailure({ thrown }, {}) : undefined,
      aborted,
      seconds: of.seconds,
      firstTokenSeconds: readFirstToken(attributes, fromHrTime(of.span.startTime)),
      attributes: {
        'gen_ai.operation.name': asString(attributes['gen_ai.operation.name']) ?? semconvOperation(request.operation),
        'gen_ai.provider.name': semconvProvider,
        ...(request.model && { 'gen_ai.request.model': request.model }),
        ...pickAddress(attributes),
      },
      verdict: readVerdict(request, response),
      trace: traceRefOf(of.id),
      // Logfire says what a stream used by a log of its own, after the span of its request.
      counted: attributes['logfire.span_type'] === 'log',
    },
    context,
  );
}

function recordWork(
  { instruments, recorder: { seen } }: SpanRecordingPorts,
  { type, name }: ForeignWork & { type: 'agent' | 'tool' | 'retrieval' },
  of: Finished,
  context: Context,
): void {
  const work = `${type} ${name}`;
  if (seen.isCovered(of.id, work)) return;
  seen.cover(of.parent, work);
  if (type === 'tool') addToolRun(context);
  const { thrown, aborted } = readError(of);
  const { provider = '', model = '', semconvProvider } = (type !== 'agent' && latestCall(context)) || {};
  instruments.span({
    type,
    seconds: of.seconds,
    agent: type === 'agent' ? name : of.agent,
    error: thrown && !aborted ? classifyError({ thrown }) : undefined,
    errorType: thrown && !aborted ? errorName(thrown) : undefined,
    provider,
    model,
    semconvProvider,
    trace: traceRefOf(of.id),
    ...(type === 'tool' && { tool: name }),
  });
}

/** Ours are those that our recorder made, and those that another copy of this library did. */
export function isOurs(span: ReadableSpan, scopeName: string): boolean {
  if (isOwn(span)) return true;
  const name = span.instrumentationScope?.name;
  return !(span instanceof RecordingSpan) && (name === 'edgespan' || name === scopeName);
}

/** The first major version of OpenTelemetry's SDK has the parent's id alone. */
function parentOf(span: ReadableSpan, { traceId, traceFlags }: SpanContext): SpanContext | undefined {
  const spanId = asString((span as { parentSpanId?: unknown }).parentSpanId);
  return span.parentSpanContext ?? (spanId ? { traceId, spanId, traceFlags } : undefined);
}

/** `undefined` for what is no time, or has not ended. */
function readSeconds(span: ReadableSpan): number | undefined {
  if (span.ended === false || !Array.isArray(span.duration) || !Array.isArray(span.startTime)) return undefined;
  const seconds = fromHrTime(span.duration) / 1000;
  return Number.isFinite(seconds) && seconds >= 0 && Number.isFinite(fromHrTime(span.startTime)) ? seconds : undefined;
}

/** What was thrown, as far as the span tells: its status, `error.type`, an `exception` event. */
function readError({ span, attributes }: Finished): { thrown?: object; aborted: boolean } {
  const said = asString(attributes['error.type']);
  if (!isFailed(span) && said === undefined) return { aborted: false };
  const exception = span.events?.findLast(({ name }) => name === 'exception')?.attributes;
  const type = said ?? asString(exception?.['exception.type']) ?? '_OTHER';
  const thrown = {
    name: type,
    code: type,
    message:
      asString(span.status?.message) ??
      asString(exception?.['exception.message']) ??
      asString(attributes['langfuse.observation.status_message']) ??
      '',
    status: asNumber(attributes['http.response.status_code']),
  };
  return { thrown, aborted: isAbort(thrown) };
}

function pickAddress(attributes: Attributes): Attributes {
  const { 'server.address': address, 'server.port': port } = attributes;
  return {
    ...(address !== undefined && { 'server.address': address }),
    ...(port !== undefined && { 'server.port': port }),
  };
}
