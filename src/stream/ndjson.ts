import type { Decoder, DecoderOptions, OnEvent } from './decoder.ts';
import { LineDecoder } from './lines.ts';

/** One JSON text a line, https://github.com/ndjson/ndjson-spec; blank lines are skipped. */
export function createNdjsonDecoder(onEvent: OnEvent, { maxEventBytes, onError }: DecoderOptions): Decoder {
  const readLine = (line: string | undefined) => {
    if (line === undefined) onError('event_too_long');
    else if (line.trim() !== '') onEvent(line, undefined);
  };
  return new LineDecoder({ readLine }, maxEventBytes);
}
