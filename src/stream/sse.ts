import type { Decoder, DecoderOptions, OnEvent } from './decoder.ts';
import { createLineDecoder } from './lines.ts';

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

  /** What nearly every line is, `data: …` or empty, is told without taking the line out of its block. */
  function readBlock(block: string): void {
    for (let start = 0; start < block.length; ) {
      const end = block.indexOf('\n', start);
      if (end === start) dispatch();
      else if (data === undefined && !broken && block.startsWith('data: ', start)) data = block.slice(start + 6, end);
      else readField(block.slice(start, end));
      start = end + 1;
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

/** The value of a line `name: value`, `name:value` or `name`; `undefined` where the line has another field. */
function readValue(line: string, name: string): string | undefined {
  if (!line.startsWith(name)) return undefined;
  const colon = name.length;
  if (line.length === colon) return '';
  if (line.charCodeAt(colon) !== 0x3a) return undefined;
  return line.slice(line.charCodeAt(colon + 1) === 0x20 ? colon + 2 : colon + 1);
}
