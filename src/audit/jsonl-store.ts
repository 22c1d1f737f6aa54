import { taken } from './memory-store.ts';
import { type AuditRecord, type AuditStore, parseRecord, toPage, unreadable } from './record.ts';

/** An open file, as a runtime's adapter has it. */
export interface AppendFile {
  size(): number;
  /** Up to `length` bytes from `at`. */
  read(at: number, length: number): Uint8Array;
  /** Adds at the end, and has it on the disk when it returns. */
  append(bytes: Uint8Array): void;
  truncate(size: number): void;
}

const chunkBytes = 65_536;
const newLine = 10;

/**
 * One record a line. A line that was cut off by a crash, and so never confirmed, is taken away when the file is
 * opened, one that could not be written whole at once.
 */
export function createJsonlStore(open: () => AppendFile): AuditStore {
  let file: AppendFile | undefined;
  let last: AuditRecord | undefined;

  /** Opened at the first use, since nothing is done while a log is being set up. */
  async function opened(): Promise<AppendFile> {
    if (file) return file;
    const fresh = open();
    let end = 0;
    for (const { record, next } of readLines(fresh)) {
      last = record ?? last;
      end = next;
    }
    if (end < fresh.size()) fresh.truncate(end);
    file = fresh;
    return fresh;
  }

  async function* records(): AsyncGenerator<AuditRecord> {
    for (const { record } of readLines(await opened())) if (record) yield record;
  }

  /** A line that is no record stands for the one that it was. */
  async function* read(): AsyncGenerator<AuditRecord> {
    let index = -1;
    for (const { record } of readLines(await opened())) {
      index = record?.index ?? index + 1;
      yield record ?? unreadable(index);
    }
  }

  return {
    async append(record) {
      const target = await opened();
      if (last && record.index <= last.index) throw taken(record.index);
      const size = target.size();
      try {
        target.append(new TextEncoder().encode(`${JSON.stringify(record)}\n`));
      } catch (error) {
        // Half a line would take the next one with it.
        target.truncate(size);
        throw error;
      }
      last = record;
    },
    async last() {
      await opened();
      return last;
    },
    query: (query) => toPage(records(), query),
    read,
  };
}

/** Whole lines, and where the next one begins. A line that is no record has none. */
function* readLines(file: AppendFile): Generator<{ record: AuditRecord | undefined; next: number }> {
  const decoder = new TextDecoder();
  let rest = new Uint8Array(0);
  for (let at = 0; ; ) {
    const chunk = file.read(at, chunkBytes);
    if (chunk.length === 0) return;
    const bytes = new Uint8Array(rest.length + chunk.length);
    bytes.set(rest);
    bytes.set(chunk, rest.length);
    const base = at - rest.length;
    at += chunk.length;
    let from = 0;
    for (let to = bytes.indexOf(newLine); to >= 0; to = bytes.indexOf(newLine, from)) {
      const record = parseRecord(decoder.decode(bytes.subarray(from, to)));
      from = to + 1;
      yield { record, next: base + from };
    }
    rest = bytes.slice(from);
  }
}
