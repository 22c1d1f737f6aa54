import type { Decoder, DecoderOptions, OnEvent } from './decoder.ts';
import { createLineDecoder } from './lines.ts';

const LF = 10;
const prefix = 'data: ';

/**
 * Server-sent events, https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream, with one
 * difference: an event that the end of the stream leaves without its blank line is handed out, since vendors do so.
 */
export function createSseDecoder(onEvent: OnEvent, { maxEventBytes, onError }: DecoderOptions): Decoder {
  let data: string | undefined;
  let type: string | undefined;
  let broken = false;

  function dispatch(): void {
    const text = data;
    const name = type;
    data = type = undefined;
    broken = false;
    if (text !== undefined) onEvent(text, name);
  }

  function refuse(): void {
    if (!broken) onError('event_too_long');
    broken = true;
    data = undefined;
  }

  function readField(line: string): void {
    const text = readValue(line, 'data');
    if (text === undefined) {
      const name = readValue(line, 'event');
      if (name !== undefined) type = name || undefined;
    } else if (!broken) {
      data = data === undefined ? text : `${data}\n${text}`;
      if (data.length > maxEventBytes) refuse();
    }
  }

  function readLine(line: string | undefined): void {
    if (line === undefined) refuse();
    else if (line === '') dispatch();
    else readField(line);
  }

  /** Nearly every line is empty or `data: …`, which is told without taking it out of its block. */
  function readBlock(block: string): void {
    for (let start = 0; start < block.length; start++) {
      if (block.charCodeAt(start) === LF) {
        dispatch();
        continue;
      }
      const end = block.indexOf('\n', start);
      if (data === undefined && !broken && isData(block, start)) data = block.slice(start + prefix.length, end);
      else readField(block.slice(start, end));
      start = end;
    }
  }

  const lines = createLineDecoder(readLine, maxEventBytes, readBlock);

  return {
    feed: lines.feed,
    end() {
      lines.end();
      dispatch();
    },
  };
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
