import { asObject, parseJson } from '../json.ts';
import { ByteBuffer } from './byte-buffer.ts';
import { crc32 } from './crc32.ts';
import type { Decoder, DecoderOptions, OnEvent } from './decoder.ts';

/** Length, headers length and their checksum before the headers; another checksum at the very end. */
const PRELUDE = 12;
const CHECKSUM = 4;
const OVERHEAD = PRELUDE + CHECKSUM;
const STRING = 7;
/** Bytes of a header's value by type; types 6 and 7 say their length themselves. */
const WIDTHS: Readonly<Record<number, number>> = { 0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16 };

/**
 * Frames of `application/vnd.amazon.eventstream`,
 * https://smithy.io/2.0/aws/amazon-eventstream.html. The type is the event's; of an exception or an error its code,
 * and the data then has that code as `__type`, as AWS writes errors in bodies: `{"__type":"…","message":"…"}`.
 * A frame that is broken, by its checksum or in its headers, is left out. One whose lengths can't be trusted ends the
 * decoding: there is no mark to find the next one by.
 */
export function createEventStreamDecoder(onEvent: OnEvent, { maxEventBytes, onError }: DecoderOptions): Decoder {
  const text = new TextDecoder();
  const pending = new ByteBuffer();
  let stopped = false;

  /** The headers that are text; `undefined` where they are broken. */
  function parseHeaders(bytes: Uint8Array): Record<string, string> | undefined {
    try {
      return readHeaders(bytes);
    } catch {
      return undefined;
    }
  }

  function readHeaders(bytes: Uint8Array): Record<string, string> {
    const view = viewOf(bytes);
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

  function emit(headers: Record<string, string>, payload: Uint8Array): void {
    const data = text.decode(payload);
    const failure = headers[':exception-type'] ?? headers[':error-code'];
    const details = failure && (asObject(parseJson(data)) ?? { message: headers[':error-message'] ?? data });
    if (details) onEvent(JSON.stringify({ ...details, __type: failure }), failure);
    else onEvent(data, headers[':event-type']);
  }

  /** A broken frame is left out: where the next one begins is known all the same. */
  function readFrame(frame: Uint8Array, headersLength: number): void {
    const end = frame.length - CHECKSUM;
    const headersEnd = PRELUDE + headersLength;
    const whole = crc32(frame.subarray(0, end)) === viewOf(frame).getUint32(end);
    const headers = whole ? parseHeaders(frame.subarray(PRELUDE, headersEnd)) : undefined;
    if (headers) emit(headers, frame.subarray(headersEnd, end));
    else onError('malformed');
  }

  /** Where the frame at `at` ends, 0 while it is incomplete. */
  function decodeFrame(bytes: Uint8Array, at: number): number {
    if (bytes.length - at < PRELUDE) return 0;
    const prelude = viewOf(bytes.subarray(at, at + PRELUDE));
    const total = prelude.getUint32(0);
    const headersLength = prelude.getUint32(4);
    if (total < OVERHEAD + headersLength || crc32(bytes.subarray(at, at + 8)) !== prelude.getUint32(8)) {
      throw new RangeError();
    }
    if (total > maxEventBytes) {
      stopped = true;
      onError('event_too_long');
    }
    if (stopped || bytes.length - at < total) return 0;
    readFrame(bytes.subarray(at, at + total), headersLength);
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

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
