import { ByteBuffer } from './byte-buffer.ts';
import type { Decoder, DecoderOptions, OnEvent } from './decoder.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const isOpening = (byte: number) => byte === 0x5b || byte === 0x7b;
const isClosing = (byte: number) => byte === 0x5d || byte === 0x7d;

/**
 * The elements of one JSON array, each as soon as it is complete. Scans bytes: in UTF-8 no byte of a longer character
 * looks like JSON's own punctuation.
 */
export function createJsonArrayDecoder(onEvent: OnEvent, { maxEventBytes, onError }: DecoderOptions): Decoder {
  const text = new TextDecoder();
  const pending = new ByteBuffer();
  let depth = 0;
  let inString = false;
  let escaped = false;
  let inElement = false;
  let tooLong = false;
  let closed = false;

  /** Says at once what is too long: its end may never come. */
  function hold(bytes: Uint8Array): void {
    if (tooLong) return;
    tooLong = pending.size + bytes.length > maxEventBytes;
    if (tooLong) {
      pending.drop(pending.size);
      onError('event_too_long');
    } else pending.append(bytes);
  }

  function finish(bytes: Uint8Array): void {
    hold(bytes);
    const element = tooLong ? undefined : text.decode(pending.view());
    inElement = tooLong = false;
    pending.drop(pending.size);
    if (element !== undefined) onEvent(element, undefined);
  }

  return {
    feed(bytes) {
      let start = 0;
      for (let i = 0; i < bytes.length && !closed; i++) {
        const byte = bytes[i]!;
        if (inString) {
          if (escaped) escaped = false;
          else if (byte === BACKSLASH) escaped = true;
          else if (byte === QUOTE) inString = false;
          continue;
        }
        // White space, and what a byte order mark is made of, is nothing but between elements.
        if (byte <= 0x20 || (depth === 0 && byte > 0x7f)) continue;
        if (depth === 0) {
          if (byte === 0x5b) depth = 1;
          else {
            closed = true;
            onError('malformed');
          }
          continue;
        }
        if (depth === 1 && (byte === COMMA || isClosing(byte))) {
          if (inElement) finish(bytes.subarray(start, i));
          closed = byte !== COMMA;
          continue;
        }
        if (!inElement) {
          inElement = true;
          start = i;
        }
        if (byte === QUOTE) inString = true;
        else if (isOpening(byte)) depth++;
        else if (isClosing(byte) && --depth === 1) finish(bytes.subarray(start, i + 1));
      }
      if (inElement && !closed) hold(bytes.subarray(start));
    },
    end() {},
  };
}
