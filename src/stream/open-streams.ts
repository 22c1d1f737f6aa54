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
  touched: boolean;
  readonly abandon: () => void;
}

export function createOpenStreams(monotonic: () => number): OpenStreams {
  const entries = new Set<Entry>();
  let idle: (() => void) | undefined;

  function remove(entry: Entry): void {
    if (entries.delete(entry) && entries.size === 0) idle?.();
  }

  function abandonUnread(olderThanMs: number): void {
    const limit = monotonic() - olderThanMs;
    for (const entry of entries) {
      if (entry.touched || entry.since > limit) continue;
      remove(entry);
      entry.abandon();
    }
  }

  return {
    get size() {
      return entries.size;
    },
    open(abandon) {
      const entry: Entry = { since: monotonic(), touched: false, abandon };
      entries.add(entry);
      return {
        touch: () => {
          entry.touched = true;
        },
        close: () => remove(entry),
      };
    },
    abandonUnread,
    async settled(unreadMs) {
      while (entries.size > 0) {
        const done = new Promise<void>((resolve) => {
          idle = resolve;
        });
        await withTimeout(done, unreadMs);
        abandonUnread(unreadMs);
      }
    },
  };
}

/** Settles with the promise or after `ms`, whichever comes first; the timer keeps no process alive. */
export async function withTimeout(promise: Promise<unknown>, ms: number): Promise<void> {
  let expire = (): void => {};
  const timeout = new Promise<void>((resolve) => {
    expire = resolve;
  });
  const timer = setTimeout(expire, ms);
  (timer as { unref?: () => void }).unref?.();
  try {
    await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
