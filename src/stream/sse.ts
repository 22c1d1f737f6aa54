import type { Decoder, DecoderOptions, OnEvent } from './decoder.ts';
import { LineDecoder, type LineReader } from './lines.ts';

const LF = 10;
const prefix = 'data: ';

/**
 * Server-sent events, https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream, with one
 * difference: an event that the end of the stream leaves without its blank line is handed out, since vendors do so.
 */
export function createSseDecoder(onEvent: OnEvent, options: DecoderOptions): Decoder {
  return new SseDecoder(onEvent, options);
}

class SseDecoder implements Decoder, LineReader {
  readonly #onEvent: OnEvent;
  readonly #options: DecoderOptions;
  readonly #lines: LineDecoder;
  #data: string | undefined;
  #type: string | undefined;
  #broken = false;

  constructor(onEvent: OnEvent, options: DecoderOptions) {
    this.#onEvent = onEvent;
    this.#options = options;
    this.#lines = new LineDecoder(this, options.maxEventBytes);
  }

  feed(bytes: Uint8Array): void {
    this.#lines.feed(bytes);
  }

  end(): void {
    this.#lines.end();
    this.#dispatch();
  }

  readLine(line: string | undefined): void {
    if (line === undefined) this.#refuse();
    else if (line === '') this.#dispatch();
    else this.#readField(line);
  }

  /** Nearly every line is empty or `data: …`, which is told without taking it out of its block. */
  readBlock(block: string): void {
    for (let start = 0; start < block.length; start++) {
      if (block.charCodeAt(start) === LF) {
        this.#dispatch();
        continue;
      }
      const end = block.indexOf('\n', start);
      const isFirst = this.#data === undefined && !this.#broken;
      if (isFirst && isData(block, start)) this.#data = block.slice(start + prefix.length, end);
      else this.#readField(block.slice(start, end));
      start = end;
    }
  }

  #readField(line: string): void {
    const text = readValue(line, 'data');
    if (text === undefined) {
      const name = readValue(line, 'event');
      if (name !== undefined) this.#type = name || undefined;
    } else if (!this.#broken) {
      this.#data = this.#data === undefined ? text : `${this.#data}\n${text}`;
      if (this.#data.length > this.#options.maxEventBytes) this.#refuse();
    }
  }

  #dispatch(): void {
    const data = this.#data;
    const type = this.#type;
    this.#data = this.#type = undefined;
    this.#broken = false;
    if (data !== undefined) this.#onEvent(data, type);
  }

  #refuse(): void {
    if (!this.#broken) this.#options.onError('event_too_long');
    this.#broken = true;
    this.#data = undefined;
  }
}

/** Whether the text at `start` is `data: `; by characters, since `startsWith` takes three times as long. */
function isData(text: string, start: number): boolean {
  for (let i = 0; i < prefix.length; i++) if (text.charCodeAt(start + i) !== prefix.charCodeAt(i)) return false;
  return true;
}

/** The value of a line `name: value`, `name:value` or `name`; `undefined` where the line has another field. */
function readValue(line: string, name: string): string | undefined {
  if (!line.startsWith(name)) return undefined;
  const colon = name.length;
  if (line.length === colon) return '';
  if (line.charCodeAt(colon) !== 0x3a) return undefined;
  return line.slice(line.charCodeAt(colon + 1) === 0x20 ? colon + 2 : colon + 1);
}
