import type { SpanFacts } from './span-facts.ts';
import type { TraceQuery, TraceSummary } from './trace-store.ts';

/** Models of a trace that are named. */
const maxModels = 20;

/** A trace as a list shows it, from its spans, of which there is at least one. */
export function summarize(traceId: string, spans: readonly SpanFacts[]): TraceSummary {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const first = earliest(spans)!;
  const root =
    earliest(spans.filter(({ parentId }) => parentId === undefined)) ??
    earliest(spans.filter(({ parentId = '' }) => !ids.has(parentId))) ??
    first;
  const start = first.start;
  const end = spans.reduce((latest, span) => Math.max(latest, span.end), start);
  const models = new Set(spans.flatMap(({ model }) => model ?? []));
  return {
    traceId,
    name: root.name,
    service: root.service,
    start,
    // As fine as a time since 1970 is in a double.
    durationMs: Math.round((end - start) * 1000) / 1000,
    spanCount: spans.length,
    status: spans.some(({ failed }) => failed) ? 'error' : 'ok',
    models: [...models].sort().slice(0, maxModels),
    // Beyond that a database would give them back as what is no number.
    tokens: atMost(
      Number.MAX_SAFE_INTEGER,
      total(spans, ({ tokens }) => tokens),
    ),
    costUsd: total(spans, ({ costUsd }) => costUsd),
  };
}

/** Of those that begin at once the first. */
function earliest(spans: readonly SpanFacts[]): SpanFacts | undefined {
  return spans.reduce<SpanFacts | undefined>((a, b) => (a && a.start <= b.start ? a : b), undefined);
}

/** The sum over spans that say it, but for those around one that says it too: they restate it. */
function total(spans: readonly SpanFacts[], read: (span: SpanFacts) => number | undefined): number | undefined {
  const saying = spans.filter((span) => read(span) !== undefined);
  if (saying.length === 0) return undefined;
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const around = new Set<string>();
  for (const span of saying) {
    // A parent that was seen has been followed to the root already, which also ends a cycle.
    for (let id = span.parentId; id !== undefined && !around.has(id); id = byId.get(id)?.parentId) around.add(id);
  }
  return saying.reduce((sum, span) => (around.has(span.spanId) ? sum : sum + read(span)!), 0);
}

function atMost(max: number, value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.min(value, max);
}

/** Whether a trace is looked for; `services` are those of all its spans. */
export function matches(query: TraceQuery, trace: TraceSummary, services: ReadonlySet<string>): boolean {
  const { service, model, status, minDurationMs, minCostUsd, since } = query;
  return (
    (service === undefined || services.has(service)) &&
    (model === undefined || trace.models.includes(model)) &&
    (status === undefined || trace.status === status) &&
    (minDurationMs === undefined || trace.durationMs >= minDurationMs) &&
    (minCostUsd === undefined || (trace.costUsd ?? -1) >= minCostUsd) &&
    (since === undefined || trace.start + trace.durationMs >= since)
  );
}

/** Traces of a page that says no limit. */
export const defaultLimit = 20;

/** Where a page ends: newest traces first, of equal start by their id. */
export interface Place {
  readonly start: number;
  readonly traceId: string;
}

export function writeCursor({ start, traceId }: Place): string {
  return `${start}.${traceId}`;
}

/** `undefined` for what was no cursor: the first page. */
export function readCursor(cursor: string | undefined): Place | undefined {
  const [, start, traceId] = /^(\d{1,16}(?:\.\d{1,17})?)\.([\da-f]{32})$/.exec(cursor ?? '') ?? [];
  return start && traceId ? { start: Number(start), traceId } : undefined;
}
