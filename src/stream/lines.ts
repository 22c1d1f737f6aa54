import { ByteBuffer } from './byte-buffer.ts';
import type { Decoder } from './decoder.ts';

const LF = 10;
const CR = 13;

/**
 * UTF-8 lines ending in LF, CR or CRLF; `undefined` stands for a line longer than `maxBytes`. Only whole lines are
 * decoded: a character never spans a line end, so that the fast non-streaming path of `TextDecoder` does. `onBlock`
 * takes several at once, each with its LF: most chunks are such a block, and its reader can save itself the lines.
 */
export function createLineDecoder(
  onLine: (line: string | undefined) => void,
  maxBytes: number,
  onBlock?: (lines: string) => void,
): Decoder {
  const text = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true });
  const pending = new ByteBuffer();
  let tooLong = false;
  let afterCr = false;
  let first = true;

  function emit(line: string): void {
    if (first && line.charCodeAt(0) === 0xfeff) line = line.slice(1);
    first = false;
    onLine(line);
  }

  function hold(bytes: Uint8Array): void {
    tooLong ||= pending.size + bytes.length > maxBytes;
    if (tooLong) pending.drop(pending.size);
    else if (bytes.length > 0) pending.append(bytes);
  }

  /** Ends the line that is held; `bytes` are its rest. */
  function finish(bytes: Uint8Array): void {
    hold(bytes);
    if (tooLong) onLine(undefined);
    else emit(text.decode(pending.view()));
    tooLong = first = false;
    pending.drop(pending.size);
  }

  /** `bytes` are whole lines, and together below the limit. */
  function split(bytes: Uint8Array): void {
    const block = text.decode(bytes);
    if (first || block.includes('\r')) for (const line of block.split(/\r\n?|\n/).slice(0, -1)) emit(line);
    else (onBlock ?? splitBlock)(block);
  }

  function splitBlock(block: string): void {
    for (let start = 0; start < block.length; ) {
      const end = block.indexOf('\n', start);
      onLine(block.slice(start, end));
      start = end + 1;
    }
  }

  /** Where the last line of the chunk ends: most often with the chunk itself. */
  function findEnd(bytes: Uint8Array): number {
    if (bytes[bytes.length - 1] === LF) return bytes.length;
    const end = bytes.lastIndexOf(LF) + 1;
    return end + bytes.subarray(end).lastIndexOf(CR) + 1;
  }

  return {
    feed(bytes) {
      if (bytes.length === 0) return;
      let start = afterCr && bytes[0] === LF ? 1 : 0;
      afterCr = bytes[bytes.length - 1] === CR;
      const end = findEnd(bytes);
      while (start < end) {
        if (!tooLong && pending.size === 0 && end - start <= maxBytes) {
          split(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end));
          start = end;
        } else {
          let stop = start;
          while (bytes[stop] !== LF && bytes[stop] !== CR) stop++;
          finish(bytes.subarray(start, stop));
          start = stop + (bytes[stop] === CR && bytes[stop + 1] === LF ? 2 : 1);
        }
      }
      if (start < bytes.length) hold(bytes.subarray(start));
    },
    end() {
      if (tooLong || pending.size > 0) finish(new Uint8Array(0));
    },
  };
}
