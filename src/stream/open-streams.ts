import { withTimeout } from '../clock.ts';

/** A body that somebody may still read. */
export interface OpenStream {
  /** A byte was asked for. */
  touch(): void;
  close(): void;
}

/**
 * The bodies that one invocation (or, outside of any, a telemetry) has handed out. Holds callbacks, no streams: on
 * Workers another request may not touch those.
 */
export interface OpenStreams {
  open(abandon: () => void): OpenStream;
  /** Ends what nobody has started to read for this long, so that no span stays open for ever. */
  abandonUnread(olderThanMs: number): void;
  readonly size: number;
  /** Settles when no stream is open, or all that are left have not been read for `unreadMs`. */
  settled(unreadMs: number): Promise<void>;
}

interface Entry {
  readonly since: number;
  readonly abandon: () => void;
}

/** Bodies that nobody reads; beyond it the oldest are given up before their time. */
const maxUnread = 1000;

export function createOpenStreams(monotonic: () => number, onIdle?: () => void): OpenStreams {
  /** Oldest first. */
  const unread = new Set<Entry>();
  const reading = new Set<Entry>();
  const waiting: (() => void)[] = [];

  function remove(entry: Entry): void {
    const known = unread.delete(entry) || reading.delete(entry);
    if (!known || unread.size + reading.size > 0) return;
    for (const resolve of waiting.splice(0)) resolve();
    onIdle?.();
  }

  function abandon(entry: Entry): void {
    remove(entry);
    try {
      entry.abandon();
    } catch {}
  }

  function abandonUnread(olderThanMs: number): void {
    const limit = monotonic() - olderThanMs;
    for (const entry of unread) if (entry.since <= limit) abandon(entry);
  }

  return {
    get size() {
      return unread.size + reading.size;
    },
    open(give) {
      const entry: Entry = { since: monotonic(), abandon: give };
      unread.add(entry);
      if (unread.size > maxUnread) abandon(unread.values().next().value!);
      return {
        touch: () => {
          if (unread.delete(entry)) reading.add(entry);
        },
        close: () => remove(entry),
      };
    },
    abandonUnread,
    async settled(unreadMs) {
      while (unread.size + reading.size > 0) {
        const done = new Promise<void>((resolve) => {
          waiting.push(resolve);
        });
        await withTimeout(done, unreadMs);
        abandonUnread(unreadMs);
      }
    },
  };
}
