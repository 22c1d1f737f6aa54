import { crc32 } from '../../src/stream/crc32.ts';

/** AWS's event streams as they stand on the wire: https://smithy.io/2.0/aws/amazon-eventstream.html */

export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

/** A header of type 7, a string. */
export function encodeHeader(name: string, value: string): Uint8Array {
  const [key, text] = [new TextEncoder().encode(name), new TextEncoder().encode(value)];
  return concat([Uint8Array.of(key.length), key, Uint8Array.of(7, text.length >> 8, text.length & 255), text]);
}

export function encodeFrame(headers: Uint8Array, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const lengths = concat([uint32(16 + headers.length + payload.length), uint32(headers.length)]);
  const message = concat([lengths, uint32(crc32(lengths)), headers, payload]);
  return concat([message, uint32(crc32(message))]);
}

export function eventFrame(headers: Readonly<Record<string, string>>, payload: string): Uint8Array<ArrayBuffer> {
  const encoded = Object.entries(headers).map(([name, value]) => encodeHeader(name, value));
  return encodeFrame(concat(encoded), new TextEncoder().encode(payload));
}
