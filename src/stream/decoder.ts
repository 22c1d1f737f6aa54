/** An event's text and, where the framing has one, its type. */
export type OnEvent = (data: string, type: string | undefined) => void;

export interface DecoderOptions {
  /** An event above this is dropped. */
  maxEventBytes: number;
  onError(reason: 'event_too_long' | 'malformed'): void;
}

/** Turns the bytes of a stream into events, however they are cut. Never throws over its input. */
export interface Decoder {
  feed(bytes: Uint8Array): void;
  /** Hands out what the end of the stream completes. */
  end(): void;
}
