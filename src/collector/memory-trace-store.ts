import type { ReadableSpan } from '../trace/readable-span.ts';
import { weighAttributes, weighSpan } from '../trace/span-weight.ts';
import { readFacts, type SpanFacts } from './span-facts.ts';
import { matches, type Place, readCursor, readLimit, summarize, writeCursor } from './summary.ts';
import type { TraceStore, TraceSummary } from './trace-store.ts';

export interface MemoryTraceStoreOptions {
  /** 10,000, of all tenants. */
  maxTraces?: number;
  /** 500. */
  maxSpansPerTrace?: number;
  /** Their size in bytes, roughly, 64 MiB. */
  maxBytes?: number;
}

interface StoredSpan {
  readonly span: ReadableSpan;
  readonly facts: SpanFacts;
  readonly bytes: number;
}

interface StoredTrace {
  readonly tenant: string;
  readonly traceId: string;
  readonly spans: Map<string, StoredSpan>;
  bytes: number;
  summary: TraceSummary | undefined;
}

/**
 * Traces in this process's memory, gone with it.
 *
 * @example
 * createCollector({ traces: createMemoryTraceStore({ maxTraces: 1000 }) });
 */
export function createMemoryTraceStore(options: MemoryTraceStoreOptions = {}): TraceStore {
  const { maxTraces = 10_000, maxSpansPerTrace = 500, maxBytes = 64 * 2 ** 20 } = options;
  /** By tenant and id; the least recently updated comes first. */
  const traces = new Map<string, StoredTrace>();
  let bytes = 0;

  function put(span: ReadableSpan, tenant: string): void {
    const { traceId, spanId } = span.spanContext();
    const key = keyOf(tenant, traceId);
    const trace = traces.get(key) ?? { tenant, traceId, spans: new Map(), bytes: 0, summary: undefined };
    traces.delete(key);
    traces.set(key, trace);
    const before = trace.spans.get(spanId);
    if (!before && trace.spans.size >= maxSpansPerTrace) return;
    const stored = { span, facts: readFacts(span), bytes: weigh(span) };
    trace.spans.set(spanId, stored);
    grow(trace, stored.bytes - (before?.bytes ?? 0));
    trace.summary = undefined;
  }

  function grow(trace: StoredTrace, by: number): void {
    trace.bytes += by;
    bytes += by;
  }

  /** The newest trace stays, whatever its size: its spans are bounded. */
  function evict(): void {
    for (const [key, trace] of traces) {
      if (traces.size <= 1 || (traces.size <= maxTraces && bytes <= maxBytes)) return;
      traces.delete(key);
      bytes -= trace.bytes;
    }
  }

  function summaryOf(trace: StoredTrace): TraceSummary {
    trace.summary ??= summarize(
      trace.traceId,
      Array.from(trace.spans.values(), ({ facts }) => facts),
    );
    return trace.summary;
  }

  return {
    async add(spans, tenant) {
      for (const span of spans) put(span, tenant);
      evict();
    },
    size: () => traces.size,
    async get(traceId, tenant) {
      const trace = traces.get(keyOf(tenant, traceId));
      if (!trace) return undefined;
      const byStart = [...trace.spans.values()].sort((a, b) => a.facts.start - b.facts.start);
      return byStart.map(({ span }) => span);
    },
    async query(query, tenant) {
      const limit = readLimit(query);
      const after = readCursor(query.cursor);
      const found: TraceSummary[] = [];
      for (const trace of traces.values()) {
        if (trace.tenant !== tenant) continue;
        const summary = summaryOf(trace);
        if (after && !isAfter(summary, after)) continue;
        const services = new Set(Array.from(trace.spans.values(), ({ facts }) => facts.service));
        if (matches(query, summary, services)) found.push(summary);
      }
      found.sort((a, b) => b.start - a.start || (a.traceId < b.traceId ? 1 : -1));
      const page = found.slice(0, limit);
      return { traces: page, ...(found.length > limit && { cursor: writeCursor(page.at(-1)!) }) };
    },
  };
}

function weigh({ name, events, links, attributes }: ReadableSpan): number {
  return weighSpan(name, events, links) + weighAttributes(attributes);
}

/** No tenant has a line break in its name. */
function keyOf(tenant: string, traceId: string): string {
  return `${traceId}\n${tenant}`;
}

function isAfter(trace: Place, place: Place): boolean {
  return trace.start < place.start || (trace.start === place.start && trace.traceId < place.traceId);
}
