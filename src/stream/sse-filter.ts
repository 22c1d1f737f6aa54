import { ByteBuffer } from './byte-buffer.ts';

const LF = 10;
const CR = 13;
/** So much of what has been looked at is looked at again: the next byte may make an event's end of it. */
const heldBytes = 2;

/**
 * A body of server-sent events without those that `drop` names, by their data. All other bytes are handed on as they
 * are, event by event; those of an event longer than `maxEventBytes` as they come. Nothing is read ahead.
 */
export function filterEvents(
  body: ReadableStream<Uint8Array>,
  drop: (data: string) => boolean,
  maxEventBytes: number,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  const splitter = new EventSplitter(drop, maxEventBytes);
  let failure: { readonly error: unknown } | undefined;
  let left = false;

  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        while (!failure) {
          const { done, value } = await reader.read().catch((error: unknown) => {
            failure = { error };
            return { done: true, value: undefined };
          });
          if (left) return;
          const out = splitter.take(value, done, failure !== undefined);
          if (out) controller.enqueue(out);
          if (done && !failure) controller.close();
          if (out || (done && !failure)) return;
        }
        throw failure.error;
      },
      cancel(reason) {
        left = true;
        return reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}

/** Cuts bytes into events and leaves out some of them. */
class EventSplitter {
  readonly #drop: (data: string) => boolean;
  readonly #maxBytes: number;
  readonly #text = new TextDecoder();
  readonly #pending = new ByteBuffer();
  /** No event ends before this place. */
  #scanned = 0;
  /** Inside of an event that is too long to be held back. */
  #passing = false;

  constructor(drop: (data: string) => boolean, maxBytes: number) {
    this.#drop = drop;
    this.#maxBytes = maxBytes;
  }

  /** The bytes that go on by now. Of a body that broke off all do that are left. */
  take(bytes: Uint8Array | undefined, end: boolean, broken: boolean): Uint8Array | undefined {
    if (bytes) this.#pending.append(bytes);
    const held = this.#pending.view();
    const kept: Uint8Array[] = [];
    let start = 0;
    for (let stop = findEnd(held, this.#scanned); stop > 0; stop = findEnd(held, stop)) {
      this.#keep(held.subarray(start, stop), kept);
      start = stop;
    }
    if (broken) kept.push(held.subarray(start));
    else if (end) this.#keep(held.subarray(start), kept);
    else start = this.#pass(held, start, kept);
    const out = concat(kept);
    this.#pending.drop(end ? held.length : start);
    this.#scanned = Math.max(0, this.#pending.size - heldBytes);
    return out.length > 0 ? out : undefined;
  }

  #keep(event: Uint8Array, kept: Uint8Array[]): void {
    if (this.#passing || !this.#drop(this.#readData(event))) kept.push(event);
    this.#passing = false;
  }

  /** Lets the beginning of an event go that is too long. Answers where what is held begins. */
  #pass(held: Uint8Array, start: number, kept: Uint8Array[]): number {
    this.#passing ||= held.length - start > this.#maxBytes;
    const stop = this.#passing ? Math.max(start, held.length - heldBytes) : start;
    kept.push(held.subarray(start, stop));
    return stop;
  }

  #readData(event: Uint8Array): string {
    const lines = this.#text.decode(event).split(/\r\n?|\n/);
    const data = lines.filter((line) => line.startsWith('data:')).map((line) => line.slice('data:'.length).trimStart());
    return data.join('\n');
  }
}

/** The place after the next empty line, 0 where there is none. */
function findEnd(bytes: Uint8Array, from: number): number {
  for (let at = from; at < bytes.length; at++) {
    const first = lineEnd(bytes, at);
    const second = first && lineEnd(bytes, at + first);
    if (second) return at + first + second;
  }
  return 0;
}

/** Bytes of the line end at this place. A CR at the very end may be half of one. */
function lineEnd(bytes: Uint8Array, at: number): number {
  if (bytes[at] === LF) return 1;
  if (bytes[at] !== CR || at + 1 === bytes.length) return 0;
  return bytes[at + 1] === LF ? 2 : 1;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
