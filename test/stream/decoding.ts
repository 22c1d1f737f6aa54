import fc from 'fast-check';
import type { Decoder, DecoderOptions, OnEvent } from '../../src/stream/decoder.ts';

export interface Decoded {
  events: (readonly [data: string, type: string | undefined])[];
  errors: string[];
}

export type CreateDecoder = (onEvent: OnEvent, options: DecoderOptions) => Decoder;

/** What a decoder makes of the chunks. */
export function decode(create: CreateDecoder, chunks: readonly Uint8Array[], maxEventBytes = 1 << 20): Decoded {
  const decoded: Decoded = { events: [], errors: [] };
  const decoder = create((data, type) => decoded.events.push([data, type]), {
    maxEventBytes,
    onError: (reason) => decoded.errors.push(reason),
  });
  for (const chunk of chunks) decoder.feed(chunk);
  decoder.end();
  return decoded;
}

export const utf8 = (text: string) => new TextEncoder().encode(text);

/** Bytes cut at positions of fast-check's choice, empty chunks among them. */
export function cutAt(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const edges = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return edges.slice(1).map((end, i) => bytes.slice(edges[i], end));
}

export const anyCuts = fc.array(fc.nat(), { maxLength: 12 });

/** Text with what is hard about it: line ends, quotes, escapes, characters of up to four bytes. */
export const anyText = fc
  .array(fc.constantFrom('a', 'data', ':', ' ', '"', '\\', '{', '}', '[', ']', ',', 'ä', '€', '😀', '\ufeff'), {
    maxLength: 12,
  })
  .map((parts) => parts.join(''));
