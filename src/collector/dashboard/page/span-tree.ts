import { summarize } from '../../summary.ts';
import type { TraceSummary } from '../../trace-store.ts';
import { type SpanView, tokensOf } from './answers.ts';

/** A span as a line of the waterfall. */
export interface SpanRow {
  readonly span: SpanView;
  /** From 0. */
  readonly depth: number;
  /** Spans inside, at any depth. */
  readonly inside: number;
  /** Whether a span inside failed. */
  readonly failedInside: boolean;
}

/**
 * Spans in the order of a waterfall: each followed by those inside, siblings by their start. One whose parent is not
 * there stands at the top, and so does one of a circle, which is cut there.
 */
export function layOut(spans: readonly SpanView[]): SpanRow[] {
  const ids = new Set(spans.map(({ id }) => id));
  const byParent = new Map<string | undefined, SpanView[]>();
  for (const span of [...spans].sort((a, b) => a.start - b.start || b.end - a.end)) {
    const parent = span.parentId !== undefined && ids.has(span.parentId) ? span.parentId : undefined;
    const siblings = byParent.get(parent);
    if (siblings) siblings.push(span);
    else byParent.set(parent, [span]);
  }
  const rows: SpanRow[] = [];
  const placed = new Set<string>();

  function add(span: SpanView, depth: number): void {
    if (placed.has(span.id)) return;
    placed.add(span.id);
    const at = rows.push({ span, depth, inside: 0, failedInside: false }) - 1;
    for (const child of byParent.get(span.id) ?? []) add(child, depth + 1);
    const inside = rows.slice(at + 1);
    rows[at] = { span, depth, inside: inside.length, failedInside: inside.some((row) => row.span.failed) };
  }

  for (const span of byParent.get(undefined) ?? []) add(span, 0);
  for (const span of spans) add(span, 0);
  return rows;
}

/** Without what is inside of folded spans. */
export function visibleRows(rows: readonly SpanRow[], folded: ReadonlySet<string>): SpanRow[] {
  const visible: SpanRow[] = [];
  let hiddenBelow = Number.POSITIVE_INFINITY;
  for (const row of rows) {
    if (row.depth > hiddenBelow) continue;
    hiddenBelow = folded.has(row.span.id) ? row.depth : Number.POSITIVE_INFINITY;
    visible.push(row);
  }
  return visible;
}

/** The sums and names that the list shows too, reckoned the same way. */
export function summaryOf(traceId: string, spans: readonly SpanView[]): TraceSummary {
  const facts = spans.map((span) => ({
    ...{ spanId: span.id, parentId: span.parentId, name: span.name, service: span.service },
    ...{ start: span.start, end: span.end, failed: span.failed, model: span.model },
    ...{ tokens: tokensOf(span.usage), costUsd: span.costUsd },
  }));
  return summarize(traceId, facts);
}

/** Round steps for a time axis: about `count` of them up to `totalMs`. */
export function ticks(totalMs: number, count: number): number[] {
  if (totalMs <= 0) return [0];
  const rough = totalMs / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough)!;
  return Array.from({ length: Math.floor(totalMs / step + 1e-9) + 1 }, (_, i) => i * step);
}
