import { asString } from '../json.ts';
import { spanKey } from '../trace/otel-span.ts';
import type { ReadableSpan } from '../trace/readable-span.ts';
import { readWork } from './foreign-span.ts';
import type { KnownOfSpan } from './record-span.ts';

/** OpenTelemetry's `SpanProcessor`, in the shape of its SDK 3, 2 and 1. */
export interface GenAiSpanProcessor {
  onStart(span: object, parentContext?: unknown): void;
  onEnd(span: ReadableSpan): void;
  forceFlush(): Promise<void>;
  /** Records no more. The telemetry goes on. */
  shutdown(): Promise<void>;
}

/** Who records, as a telemetry does. */
export interface SpanSink {
  recordSpan(span: ReadableSpan, known?: KnownOfSpan): void;
  flush(): Promise<unknown>;
}

/** Agents under way whose spans know of them. */
const maxOpen = 4096;

/**
 * Records what other tracers say of GenAI in their spans: put it beside the processors that export them. It sees spans
 * that its tracer samples, no others.
 *
 * @example
 * new NodeTracerProvider({ spanProcessors: [createSpanProcessor(telemetry), new BatchSpanProcessor(exporter)] });
 */
export function createSpanProcessor(telemetry: SpanSink): GenAiSpanProcessor {
  /** The agent around what is under way, by span. */
  const agents = new Map<string, string>();
  let isShut = false;

  function onStart(span: ReadableSpan): void {
    const work = readWork(span.name, span.attributes);
    const named = work?.type === 'agent' ? asString(work.name) : undefined;
    const outer = span.parentSpanContext;
    const agent = named ?? (outer && agents.get(spanKey(outer)));
    if (agent === undefined) return;
    agents.set(spanKey(span.spanContext()), agent);
    if (agents.size > maxOpen) for (const oldest of agents.keys()) return void agents.delete(oldest);
  }

  async function flush(): Promise<void> {
    await telemetry.flush();
  }

  return {
    onStart(span) {
      // The tracer that calls is somebody else's, and goes on whatever its spans hold.
      try {
        if (!isShut) onStart(span as ReadableSpan);
      } catch {}
    },
    onEnd(span) {
      if (isShut) return;
      try {
        const key = spanKey(span.spanContext());
        const agent = agents.get(key);
        agents.delete(key);
        telemetry.recordSpan(span, agent === undefined ? {} : { agent });
      } catch {}
    },
    forceFlush: flush,
    shutdown() {
      isShut = true;
      agents.clear();
      return flush();
    },
  };
}
