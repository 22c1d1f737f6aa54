/** Changes between two writes of the whole state. */
export const changesPerSnapshot = 64;

/**
 * Changes since the whole state was last written. Each is one row, in a place that is used again once the state has been
 * written, so that nothing has to be deleted: Cloudflare bills rows that are written or deleted, whatever their size
 * (https://developers.cloudflare.com/durable-objects/platform/pricing/).
 */
export interface Journal<C> {
  /** What the written state does not have, in its order. */
  read(): C[];
  /** Inside a transaction. Calls `writeAll` instead where it is time to, or where the change is too large for a row. */
  write(change: C, writeAll: () => void): void;
  /** Inside a transaction: the whole state is written now. */
  close(writeAll: () => void): void;
}

interface Entry<C> {
  readonly sequence: number;
  readonly change: C;
}

export function createJournal<C>({ kv }: DurableObjectStorage): Journal<C> {
  let sequence = 0;

  /** A row takes 2 MB. Where something else is wrong, writing the whole state fails too. */
  function put(entry: Entry<C>): boolean {
    try {
      kv.put(`change:${sequence % changesPerSnapshot}`, entry);
      return true;
    } catch {
      return false;
    }
  }

  function close(writeAll: () => void): void {
    writeAll();
    kv.put('written', sequence);
  }

  return {
    close,
    read() {
      const written = kv.get<number>('written') ?? 0;
      const entries = Array.from(kv.list<Entry<C>>({ prefix: 'change:' }), ([, entry]) => entry);
      const later = entries.filter((entry) => entry.sequence > written).sort((a, b) => a.sequence - b.sequence);
      sequence = written + later.length;
      return later.map(({ change }) => change);
    },
    write(change, writeAll) {
      sequence++;
      if (sequence % changesPerSnapshot === 0 || !put({ sequence, change })) close(writeAll);
    },
  };
}
