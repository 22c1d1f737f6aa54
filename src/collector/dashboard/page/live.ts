import type { Decoder } from '../../../stream/decoder.ts';
import { createSseDecoder } from '../../../stream/sse.ts';
import { ApiError, ask } from './api.ts';

/** `off` where the collector has no feed, or none for this key. */
export type LiveState = 'live' | 'waiting' | 'off';

export interface LiveFeed {
  /** The data of each event. */
  event(data: string): void;
  state(state: LiveState): void;
}

const firstDelayMs = 1000;
const maxDelayMs = 30_000;
const maxEventBytes = 262_144;

/**
 * Server-sent events by `fetch`, since an `EventSource` can send no key. Comes back by itself after ever longer waits.
 * The function that it answers ends it.
 */
export function followLive(path: string, feed: LiveFeed): () => void {
  const stop = new AbortController();
  let delay = firstDelayMs;

  async function follow(): Promise<void> {
    while (!stop.signal.aborted) {
      const refused = await read().catch((error: unknown) => isFinal(error));
      if (stop.signal.aborted) return;
      feed.state(refused ? 'off' : 'waiting');
      if (refused) return;
      await pause(delay, stop.signal);
      delay = Math.min(delay * 2, maxDelayMs);
    }
  }

  /** `false` once the feed has ended. */
  async function read(): Promise<boolean> {
    const response = await ask(path, stop.signal, 'text/event-stream');
    feed.state('live');
    delay = firstDelayMs;
    const decoder: Decoder = createSseDecoder(feed.event, { maxEventBytes, onError() {} });
    const reader = response.body!.getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) decoder.feed(part.value);
    return false;
  }

  void follow();
  return () => stop.abort();
}

function isFinal(error: unknown): boolean {
  return error instanceof ApiError && [401, 403, 404, 501].includes(error.status);
}

/** The time, or until the network is back. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener('online', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    addEventListener('online', done);
    signal.addEventListener('abort', done);
  });
}
