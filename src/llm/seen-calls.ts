import type { Context, SpanContext } from '@opentelemetry/api';
import { activeHostContext } from '../trace/otel-global.ts';
import { getSpan, isSpanContextValid, spanKey } from '../trace/otel-span.ts';
import type { LlmUsage } from './provider.ts';
import { Recent } from './recent.ts';

/**
 * Work that two spans tell of, ours and another tracer's, or a span and the one around it. `what` is the kind of the
 * work, and for tools and the like their name too: a chat around an embedding is another call.
 */
export interface SeenCalls {
  /** In a call that began from `since` to `until` by the monotonic clock, a reply with this id has been counted. */
  hasReply(id: string | undefined, since: number, until?: number): boolean;
  addReply(id: string | undefined, startedAt: number): void;
  /** What has been counted inside of a span, without what it counted for itself; `undefined` where it was seen before. */
  addSpan(span: SpanContext): readonly string[] | undefined;
  /** Says that this work has been counted inside of the span. */
  cover(span: SpanContext | undefined, what: string): void;
  isCovered(span: SpanContext | undefined, what: string): boolean;
  /** Says that the span itself has been counted as a model call of this kind, or is part of one that has. */
  count(span: SpanContext, kind: string): void;
  isCounted(span: SpanContext, kind: string): boolean;
}

/** What is known of a span. */
interface Mark {
  seen: boolean;
  /** The kind of call that it has been counted as. */
  counted: string | undefined;
  /** Work inside of it; most have none. */
  inside: readonly string[];
}

/** Newest names of replies, and newest spans, that are remembered. */
const maxReplies = 300;
const maxSpans = 4096;
/** Works inside of a span that are told apart. */
const maxInside = 128;
const nothing: readonly string[] = [];

export function createSeenCalls(max = maxSpans): SeenCalls {
  /** Ids of replies, and when their calls began. */
  const replies = new Recent<number>(maxReplies);
  const marks = new Recent<Mark>(max);

  function markOf(span: SpanContext): Mark {
    const key = spanKey(span);
    const known = marks.get(key);
    if (known) return known;
    const mark = { seen: false, counted: undefined, inside: nothing };
    if (isSpanContextValid(span)) marks.set(key, mark);
    return mark;
  }

  return {
    hasReply(id, since, until = Number.POSITIVE_INFINITY) {
      const startedAt = replies.get(id ?? '') ?? Number.NaN;
      return startedAt >= since && startedAt <= until;
    },
    addReply(id, startedAt) {
      if (id !== undefined) replies.set(id, startedAt);
    },
    addSpan(span) {
      const mark = markOf(span);
      if (mark.seen) return undefined;
      mark.seen = true;
      return mark.inside;
    },
    cover(span, what) {
      if (!span) return;
      const mark = markOf(span);
      if (mark.inside.length < maxInside && !mark.inside.includes(what)) mark.inside = [...mark.inside, what];
    },
    isCovered: (span, what) => span !== undefined && marks.get(spanKey(span))?.inside.includes(what) === true,
    count(span, kind) {
      markOf(span).counted = kind;
    },
    isCounted: (span, kind) => marks.get(spanKey(span))?.counted === kind,
  };
}

/** Names a reply for those who say no id of it: by a model, the one asked or the one that answered, and what was counted. */
export function anonymousReply(model: string | undefined, usage: LlmUsage | undefined): string | undefined {
  return usage && `${model} ${usage.input} ${usage.output}`;
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
