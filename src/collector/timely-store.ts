import { withTimeout } from '../clock.ts';
import type { TraceStore } from './trace-store.ts';

/** What a store answers; rejects where that takes too long, since whoever waits would wait for ever. */
export async function inTime<T>(ask: () => Promise<T>, timeoutMs: number): Promise<T> {
  let answer: { value: T } | undefined;
  const asked = ask().then((value) => {
    answer = { value };
  });
  await withTimeout(asked, timeoutMs);
  if (!answer) throw new Error(`no answer within ${timeoutMs} ms`);
  return (answer as { value: T }).value;
}

/** A store of the application's own, none of whose calls holds up the queue or a page without end. */
export function createTimelyStore(store: TraceStore, timeoutMs: number): TraceStore {
  return {
    add: (spans, tenant) => inTime(async () => store.add(spans, tenant), timeoutMs),
    get: (traceId, tenant) => inTime(async () => store.get(traceId, tenant), timeoutMs),
    query: (query, tenant) => inTime(async () => store.query(query, tenant), timeoutMs),
    ...(store.size && { size: () => store.size!() }),
  };
}
