import { ByteBuffer } from './byte-buffer.ts';

const LF = 10;
const CR = 13;

/**
 * A body of server-sent events without those that `drop` names, by their data. Bytes are handed on event by event; of an
 * event longer than `maxEventBytes` as they come.
 */
export function filterEvents(
  body: ReadableStream<Uint8Array>,
  drop: (data: string) => boolean,
  maxEventBytes: number,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  const pending = new ByteBuffer();
  const text = new TextDecoder();
  let scanned = 0;

  /** Whether the held bytes go on. */
  function isKept(event: Uint8Array): boolean {
    const lines = text.decode(event).split(/\r\n?|\n/);
    const data = lines.filter((line) => line.startsWith('data:')).map((line) => line.slice(5).trimStart());
    return !drop(data.join('\n'));
  }

  /** The bytes of all events that are whole by now. */
  function take(end: boolean): Uint8Array | undefined {
    const bytes = pending.view();
    const kept: Uint8Array[] = [];
    let start = 0;
    for (let stop = findEnd(bytes, scanned); stop > 0; stop = findEnd(bytes, stop)) {
      const event = bytes.subarray(start, stop);
      if (isKept(event)) kept.push(event);
      start = stop;
    }
    const rest = bytes.subarray(start);
    if (rest.length > maxEventBytes || (end && isKept(rest))) {
      kept.push(rest);
      start = bytes.length;
    }
    const out = concat(kept);
    pending.drop(start);
    // An end may be cut through: its first bytes are looked at again.
    scanned = Math.max(0, pending.size - 3);
    return out.length > 0 ? out : undefined;
  }

  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        for (;;) {
          const { done, value } = await reader.read();
          if (value) pending.append(value);
          const out = take(done);
          if (out) controller.enqueue(out);
          if (done) controller.close();
          if (out || done) return;
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
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
