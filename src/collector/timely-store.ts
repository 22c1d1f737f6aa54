import { inTime } from '../clock.ts';
import type { TraceStore } from './trace-store.ts';

/** What a store answers; rejects where that takes too long, since whoever waits would wait for ever. */
export function askInTime<T>(ask: () => Promise<T>, timeoutMs: number): Promise<T> {
  return inTime(ask, timeoutMs, () => new Error(`no answer within ${timeoutMs} ms`));
}

/** A store of the application's own, none of whose calls holds up the queue or a page without end. */
export function createTimelyStore(store: TraceStore, timeoutMs: number): TraceStore {
  return {
    add: (spans, tenant, costOf) => askInTime(async () => store.add(spans, tenant, costOf), timeoutMs),
    get: (traceId, tenant) => askInTime(async () => store.get(traceId, tenant), timeoutMs),
    query: (query, tenant) => askInTime(async () => store.query(query, tenant), timeoutMs),
    ...(store.size && { size: () => store.size!() }),
  };
}
