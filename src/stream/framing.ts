import type { Decoder, DecoderOptions, OnEvent } from './decoder.ts';
import { createEventStreamDecoder } from './eventstream.ts';
import { createJsonArrayDecoder } from './json-array.ts';
import { createNdjsonDecoder } from './ndjson.ts';
import { createSseDecoder } from './sse.ts';

export interface FramingOptions extends DecoderOptions {
  /** The body's first byte that is not white space: tells a JSON array from an object, and 0 frames from a text. */
  firstByte?: number;
}

/** Of `{` and `[`: no line of an event begins so. */
const isJson = (byte: number | undefined) => byte === 0x7b || byte === 0x5b;
/** Of `data`, `event`, `id`, `retry` and a comment: no JSON text begins so. */
const isEvents = (byte: number | undefined) => byte !== undefined && 'deir:'.includes(String.fromCharCode(byte));

/**
 * The decoder for a body, by its content type; `undefined` where the body is one JSON text. Where the first byte shows
 * that the type is wrong or missing, as proxies send it, the byte decides between JSON and server-sent events.
 */
export function createFraming(
  contentType: string | null,
  streamRequested: boolean,
  onEvent: OnEvent,
  options: FramingOptions,
): Decoder | undefined {
  const type = contentType?.replace(/;.*/s, '').trim().toLowerCase();
  const { firstByte } = options;
  const isSse = type === 'text/event-stream';
  if (isSse && !isJson(firstByte)) return createSseDecoder(onEvent, options);
  const isBinary = type === 'application/vnd.amazon.eventstream' || (streamRequested && firstByte === 0);
  if (isBinary) return createEventStreamDecoder(onEvent, options);
  if (type && /\b(ndjson|jsonl|jsonlines|stream\+json)$/.test(type)) return createNdjsonDecoder(onEvent, options);
  if (!streamRequested || firstByte === 0x7b) return undefined;
  if (firstByte === 0x5b) return createJsonArrayDecoder(onEvent, options);
  return type && !isEvents(firstByte) ? undefined : createSseDecoder(onEvent, options);
}
