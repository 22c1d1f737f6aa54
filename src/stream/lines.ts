import { ByteBuffer } from './byte-buffer.ts';
import type { Decoder } from './decoder.ts';

const LF = 10;
const CR = 13;

/** Takes what a `LineDecoder` finds. */
export interface LineReader {
  /** `undefined` stands for a line that is too long, as soon as it is: its end may never come. */
  readLine(line: string | undefined): void;
  /** Several lines, each with its LF: most chunks are such a block, and its reader can save itself the lines. */
  readBlock?(lines: string): void;
}

/**
 * UTF-8 lines ending in LF, CR or CRLF. Only whole lines are decoded: a character never spans a line end, so that the
 * fast non-streaming path of `TextDecoder` does. A class, since a stream takes less memory without closures of its own.
 */
export class LineDecoder implements Decoder {
  readonly #reader: LineReader;
  readonly #maxBytes: number;
  readonly #text = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true });
  readonly #pending = new ByteBuffer();
  #tooLong = false;
  #afterCr = false;
  #first = true;

  constructor(reader: LineReader, maxBytes: number) {
    this.#reader = reader;
    this.#maxBytes = maxBytes;
  }

  feed(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    let start = this.#afterCr && bytes[0] === LF ? 1 : 0;
    this.#afterCr = bytes[bytes.length - 1] === CR;
    const end = findEnd(bytes);
    while (start < end) {
      if (!this.#tooLong && this.#pending.size === 0 && end - start <= this.#maxBytes) {
        this.#split(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end));
        start = end;
      } else {
        let stop = start;
        while (bytes[stop] !== LF && bytes[stop] !== CR) stop++;
        this.#finish(bytes.subarray(start, stop));
        start = stop + (bytes[stop] === CR && bytes[stop + 1] === LF ? 2 : 1);
      }
    }
    if (start < bytes.length) this.#hold(bytes.subarray(start));
  }

  end(): void {
    if (this.#pending.size > 0) this.#finish(new Uint8Array(0));
  }

  #emit(line: string): void {
    const text = this.#first && line.charCodeAt(0) === 0xfeff ? line.slice(1) : line;
    this.#first = false;
    this.#reader.readLine(text);
  }

  #hold(bytes: Uint8Array): void {
    if (this.#tooLong) return;
    this.#tooLong = this.#pending.size + bytes.length > this.#maxBytes;
    if (this.#tooLong) {
      this.#pending.drop(this.#pending.size);
      this.#reader.readLine(undefined);
    } else this.#pending.append(bytes);
  }

  /** Ends the line that is held; `bytes` are its rest. */
  #finish(bytes: Uint8Array): void {
    this.#hold(bytes);
    if (!this.#tooLong) this.#emit(this.#text.decode(this.#pending.view()));
    this.#tooLong = this.#first = false;
    this.#pending.drop(this.#pending.size);
  }

  /** `bytes` are whole lines, and together below the limit. */
  #split(bytes: Uint8Array): void {
    const block = this.#text.decode(bytes);
    const onlyLf = !block.includes('\r');
    if (onlyLf && !this.#first && this.#reader.readBlock) this.#reader.readBlock(block);
    else for (const line of block.split(onlyLf ? '\n' : /\r\n?|\n/).slice(0, -1)) this.#emit(line);
  }
}

/** Where the last line of the chunk ends: most often with the chunk itself. */
function findEnd(bytes: Uint8Array): number {
  if (bytes[bytes.length - 1] === LF) return bytes.length;
  const end = bytes.lastIndexOf(LF) + 1;
  return end + bytes.subarray(end).lastIndexOf(CR) + 1;
}
