import { checkValues, count } from '../checks.ts';
import { fromHrTime } from '../clock.ts';
import { readLimit } from '../paging.ts';
import type { ReadableSpan } from '../trace/readable-span.ts';
import { weighAttributes, weighSpan } from '../trace/span-weight.ts';
import { readFacts } from './span-facts.ts';
import { defaultLimit, matches, type Place, readCursor, summarize, writeCursor } from './summary.ts';
import type { CostOf, TraceStore, TraceSummary } from './trace-store.ts';

export interface MemoryTraceStoreOptions {
  /** Traces of all tenants, 10,000; the least recently updated leave. */
  maxTraces?: number;
  /** Spans of a trace, 500; more are not kept. */
  maxSpansPerTrace?: number;
  /** Their size in bytes, roughly, 64 MiB. */
  maxBytes?: number;
}

interface StoredSpan {
  readonly span: ReadableSpan;
  readonly bytes: number;
}

interface StoredTrace {
  readonly tenant: string;
  readonly traceId: string;
  readonly spans: Map<string, StoredSpan>;
  bytes: number;
  /** Made when it is asked for: most traces leave without. */
  overview: Overview | undefined;
  /** Of whoever updated it. */
  costOf: CostOf | undefined;
}

interface Overview {
  readonly summary: TraceSummary;
  readonly services: ReadonlySet<string>;
}

/**
 * Traces in this process's memory, gone with it. Throws a `TelemetryError` for wrong options.
 *
 * @example
 * createCollector({ traces: createMemoryTraceStore({ maxTraces: 1000 }) });
 */
export function createMemoryTraceStore(options: MemoryTraceStoreOptions = {}): TraceStore {
  checkValues(options, { maxTraces: count, maxSpansPerTrace: count, maxBytes: count });
  const { maxTraces = 10_000, maxSpansPerTrace = 500, maxBytes = 64 * 2 ** 20 } = options;
  /** By tenant and id; the least recently updated comes first. */
  const traces = new Map<string, StoredTrace>();
  let bytes = 0;
  let newest: StoredTrace | undefined;

  /** The trace, now the most recently updated one: as a rule the one that it was before. */
  function touch(traceId: string, tenant: string): StoredTrace {
    if (newest?.traceId === traceId && newest.tenant === tenant) return newest;
    const key = keyOf(tenant, traceId);
    newest = traces.get(key) ?? { tenant, traceId, spans: new Map(), bytes: 0, overview: undefined, costOf: undefined };
    traces.delete(key);
    traces.set(key, newest);
    return newest;
  }

  function put(span: ReadableSpan, tenant: string, costOf: CostOf | undefined): void {
    const { traceId, spanId } = span.spanContext();
    // Before anything is touched: what can't be weighed leaves nothing behind.
    const stored = { span, bytes: weigh(span) };
    const trace = touch(traceId, tenant);
    const before = trace.spans.get(spanId);
    if (!before && trace.spans.size >= maxSpansPerTrace) return;
    trace.spans.set(spanId, stored);
    grow(trace, stored.bytes - (before?.bytes ?? 0));
    trace.overview = undefined;
    trace.costOf = costOf;
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

  function overviewOf(trace: StoredTrace): Overview {
    if (!trace.overview) {
      const facts = Array.from(trace.spans.values(), ({ span }) => readFacts(span, trace.costOf));
      const services = new Set(facts.map(({ service }) => service));
      trace.overview = { summary: summarize(trace.traceId, facts), services };
    }
    return trace.overview;
  }

  return {
    async add(spans, tenant, costOf) {
      for (const span of spans) put(span, tenant, costOf);
      evict();
    },
    size: () => traces.size,
    async get(traceId, tenant) {
      const trace = traces.get(keyOf(tenant, traceId));
      if (!trace) return undefined;
      const all = Array.from(trace.spans.values(), ({ span }) => span);
      return all.sort((a, b) => fromHrTime(a.startTime) - fromHrTime(b.startTime));
    },
    async query(query, tenant) {
      const limit = readLimit(query.limit, defaultLimit);
      const after = readCursor(query.cursor);
      const found: TraceSummary[] = [];
      for (const trace of traces.values()) {
        if (trace.tenant !== tenant) continue;
        const { summary, services } = overviewOf(trace);
        if (after && !isAfter(summary, after)) continue;
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
