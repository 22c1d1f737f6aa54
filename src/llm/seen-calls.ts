import type { Context, SpanContext } from '@opentelemetry/api';
import { activeHostContext } from '../trace/otel-global.ts';
import { getSpan, isSpanContextValid } from '../trace/otel-span.ts';

/**
 * Work that two spans tell of, ours and another tracer's, or a span and the one around it. `what` is the kind of the
 * work, and for tools and the like their name too: a chat around an embedding is another call.
 */
export interface SeenCalls {
  /** In a call that began at `since` or later by the monotonic clock, a reply with this id has been counted. */
  hasReply(id: string | undefined, since: number): boolean;
  addReply(id: string | undefined, startedAt: number): void;
  /** Whether this span is seen for the first time. */
  addSpan(span: SpanContext): boolean;
  /** Says that this work has been counted inside of the span. */
  cover(span: SpanContext | undefined, what: string): void;
  isCovered(span: SpanContext | undefined, what: string): boolean;
  /** What has been counted inside of a span, without what it counted for itself. */
  coveredIn(span: SpanContext): readonly string[];
}

/** Newest replies, and newest spans, that are remembered. */
const maxReplies = 100;
const maxSpans = 4096;
const seen = 'seen';
/** The span itself has been counted as a model call. */
export const countedItself = 'counted';

export function createSeenCalls(max = maxSpans): SeenCalls {
  /** Ids of the newest replies, and when their calls began. */
  const replies = new Map<string, number>();
  const marks = new Map<string, Set<string>>();

  function mark(span: SpanContext, what: string): void {
    const key = keyOf(span);
    const set = marks.get(key) ?? new Set();
    keep(marks, key, set.add(what), max);
  }

  const has = (span: SpanContext, what: string) => marks.get(keyOf(span))?.has(what) === true;

  return {
    hasReply: (id, since) => id !== undefined && (replies.get(id) ?? Number.NEGATIVE_INFINITY) >= since,
    addReply(id, startedAt) {
      if (id !== undefined) keep(replies, id, startedAt, maxReplies);
    },
    addSpan(span) {
      if (has(span, seen)) return false;
      if (isSpanContextValid(span)) mark(span, seen);
      return true;
    },
    cover(span, what) {
      if (span && isSpanContextValid(span)) mark(span, what);
    },
    isCovered: (span, what) => span !== undefined && has(span, what),
    coveredIn: (span) => [...(marks.get(keyOf(span)) ?? [])].filter((what) => what !== seen && what !== countedItself),
  };
}

function keyOf({ traceId, spanId }: SpanContext): string {
  return `${traceId} ${spanId}`;
}

/** Puts an entry last, and drops the first where there are too many. */
function keep<V>(map: Map<string, V>, key: string, value: V, max: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > max) for (const oldest of map.keys()) return void map.delete(oldest);
}

/**
 * Spans of other tracers that may tell of the same work: the one that work under this context is a child of, and the
 * one that is active in the host's own OpenTelemetry.
 */
export function spansAround(context: Context): readonly SpanContext[] {
  const around = [getSpan(context), getSpan(activeHostContext())].filter((span) => span !== undefined && !isOwn(span));
  return around.length > 0 ? around.map((span) => span!.spanContext()) : nobody;
}

/** One for all, since most calls have no other tracer around them. */
const nobody: readonly SpanContext[] = [];

/** Chats of all kinds are one: what one tracer calls `generate_content` is a `chat` to another. */
export function kindOfCall(operation: string): string {
  return ['stream', 'text_completion', 'generate_content'].includes(operation) ? 'chat' : operation;
}

/** Spans of calls, agents, tools and so on that a telemetry of ours has made. */
const ownSpans = new WeakSet<object>();

export function markOwn(span: object): void {
  ownSpans.add(span);
}

export function isOwn(span: object): boolean {
  return ownSpans.has(span);
}
