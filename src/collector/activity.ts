import type { ReadableSpan } from '../trace/readable-span.ts';

const windowMs = 60_000;
/** Traces of a window that are told apart. */
const maxTraces = 100_000;

/** How much has come in lately. */
export interface Activity {
  add(spans: readonly ReadableSpan[]): void;
  /** Spans a second, over the last minute. */
  rate(): number;
  /** Traces that got a span within the last minute or two. */
  traces(): number;
}

export function createActivity(monotonic: () => number): Activity {
  let startedAt: number | undefined;
  let spans = 0;
  let lastRate: number | undefined;
  let current = new Set<string>();
  let previous = new Set<string>();

  function turn(): void {
    const now = monotonic();
    startedAt ??= now;
    const elapsed = now - startedAt;
    if (elapsed < windowMs) return;
    lastRate = elapsed < 2 * windowMs ? spans / (elapsed / 1000) : 0;
    previous = elapsed < 2 * windowMs ? current : new Set();
    current = new Set();
    spans = 0;
    startedAt = now;
  }

  return {
    add(given) {
      turn();
      spans += given.length;
      for (const span of given) if (current.size < maxTraces) current.add(span.spanContext().traceId);
    },
    rate() {
      turn();
      return lastRate ?? spans / Math.max(1, (monotonic() - (startedAt ?? 0)) / 1000);
    },
    traces() {
      turn();
      const both = new Set(previous);
      for (const id of current) both.add(id);
      return both.size;
    },
  };
}
