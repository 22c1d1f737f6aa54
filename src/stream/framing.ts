import type { Decoder, DecoderOptions, OnEvent } from './decoder.ts';
import { createEventStreamDecoder } from './eventstream.ts';
import { createJsonArrayDecoder } from './json-array.ts';
import { createNdjsonDecoder } from './ndjson.ts';
import { createSseDecoder } from './sse.ts';

export interface FramingOptions extends DecoderOptions {
  /** The body's first byte that is not white space: tells a JSON array from an object. */
  firstByte?: number;
}

/**
 * The decoder for a body, by its content type; `undefined` where the body is one JSON text. Without a content type, as
 * some proxies send it, a streamed reply is taken for server-sent events unless it begins like JSON.
 */
export function createFraming(
  contentType: string | null,
  streamRequested: boolean,
  onEvent: OnEvent,
  options: FramingOptions,
): Decoder | undefined {
  const type = contentType?.replace(/;.*/s, '').trim().toLowerCase();
  if (type === 'text/event-stream') return createSseDecoder(onEvent, options);
  if (type === 'application/vnd.amazon.eventstream') return createEventStreamDecoder(onEvent, options);
  if (type && /\b(ndjson|jsonl|jsonlines)$/.test(type)) return createNdjsonDecoder(onEvent, options);
  if (!streamRequested || options.firstByte === 0x7b) return undefined;
  if (options.firstByte === 0x5b) return createJsonArrayDecoder(onEvent, options);
  return type ? undefined : createSseDecoder(onEvent, options);
}
