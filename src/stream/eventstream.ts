import { ByteBuffer } from './byte-buffer.ts';
import type { Decoder, DecoderOptions, OnEvent } from './decoder.ts';

/** Length, headers length and their checksum before the headers; another checksum at the very end. */
const PRELUDE = 12;
const OVERHEAD = 16;
const STRING = 7;
/** Bytes of a header's value by type; types 6 and 7 say their length themselves. */
const WIDTHS: Readonly<Record<number, number>> = { 0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16 };

/**
 * Frames of `application/vnd.amazon.eventstream`,
 * https://smithy.io/2.0/aws/amazon-eventstream.html. The type is the event's, else the exception's, else the code of
 * an error. TCP and TLS guard the bytes, so the checksums are left alone. A broken frame ends the decoding: there is
 * no mark to find the next one by.
 */
export function createEventStreamDecoder(onEvent: OnEvent, { maxEventBytes, onError }: DecoderOptions): Decoder {
  const text = new TextDecoder();
  const pending = new ByteBuffer();
  let stopped = false;

  function parseHeaders(bytes: Uint8Array): Record<string, string> {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const headers: Record<string, string> = {};
    for (let at = 0; at < bytes.length; ) {
      const nameEnd = at + 1 + view.getUint8(at);
      const type = view.getUint8(nameEnd);
      const width = WIDTHS[type];
      const start = nameEnd + (width === undefined ? 3 : 1);
      const end = start + (width ?? view.getUint16(nameEnd + 1));
      if (type > 9 || end > bytes.length) throw new RangeError();
      if (type === STRING)
        headers[text.decode(bytes.subarray(at + 1, nameEnd))] = text.decode(bytes.subarray(start, end));
      at = end;
    }
    return headers;
  }

  function emit(headersBytes: Uint8Array, payload: Uint8Array): void {
    const headers = parseHeaders(headersBytes);
    const type = headers[':event-type'] ?? headers[':exception-type'] ?? headers[':error-code'];
    const message = headers[':error-message'];
    const data = message === undefined ? text.decode(payload) : JSON.stringify({ message });
    onEvent(data, type);
  }

  /** Where the frame at `at` ends, 0 while it is incomplete. */
  function decodeFrame(bytes: Uint8Array, at: number): number {
    if (bytes.length - at < PRELUDE) return 0;
    const view = new DataView(bytes.buffer, bytes.byteOffset + at, PRELUDE);
    const total = view.getUint32(0);
    const headersLength = view.getUint32(4);
    if (total < OVERHEAD + headersLength) throw new RangeError();
    if (total > maxEventBytes) {
      stopped = true;
      onError('event_too_long');
    }
    if (stopped || bytes.length - at < total) return 0;
    const headersEnd = at + PRELUDE + headersLength;
    emit(bytes.subarray(at + PRELUDE, headersEnd), bytes.subarray(headersEnd, at + total - 4));
    return at + total;
  }

  return {
    feed(bytes) {
      if (stopped) return;
      pending.append(bytes);
      let done = 0;
      try {
        for (let end = decodeFrame(pending.view(), 0); end > 0; end = decodeFrame(pending.view(), done)) done = end;
      } catch {
        stopped = true;
        onError('malformed');
      }
      pending.drop(stopped ? pending.size : done);
    },
    end() {},
  };
}
