import { safely } from '../errors.ts';
import { parseJson } from '../json.ts';
import { ByteBuffer } from '../stream/byte-buffer.ts';
import type { Decoder } from '../stream/decoder.ts';
import { createFraming } from '../stream/framing.ts';
import type { ContentReader } from './content/message.ts';
import { takeFaults } from './faults.ts';
import type { LlmResponse, Provider, Reply, StreamEvent, StreamReader } from './provider.ts';

export interface ReplyReaderOptions {
  /** A body of one JSON text above this is not read. */
  maxBodyBytes: number;
  /** An event of a stream above this is not read. */
  maxEventBytes: number;
  /** Characters that are held of each text of the answer, which is not read without. */
  maxText?: number;
  /** The first token. */
  onContent(): void;
  /** Every event that carries content, the first one too. */
  onChunk?(): void;
  /** The vendor's terminator: SDKs stop reading here. */
  onEnd(): void;
  /** At most once a reply. */
  onParseError(): void;
}

/** Reads one reply as its bytes pass by. */
export interface ReplyReader {
  chunk(bytes: Uint8Array): void;
  /**
   * May be called at any time, and answers what is known by then. `isCut` says that the body did not come to its end:
   * half of a JSON text is then no news about the parser.
   */
  finish(isCut?: boolean): LlmResponse;
  /** Of an unstreamed answer, once it is finished. */
  readonly body: unknown;
}

/**
 * What a vendor answered, streamed or not. An unstreamed body is copied up to its bound and read in `finish`; events of a
 * stream are folded as they come.
 */
export function createReplyReader(provider: Provider, reply: Reply, options: ReplyReaderOptions): ReplyReader {
  let framing: Decoder | undefined;
  let reader: StreamReader | undefined;
  const held = new ByteBuffer();
  let size = 0;
  let decided = reply.status >= 400;
  let hasContent = false;
  let terminated = false;
  let flushing = false;
  let failed = false;
  let result: LlmResponse | undefined;
  let body: unknown;
  const content = options.maxText && reply.url && reply.status < 400 ? provider.content?.at(reply.url) : undefined;
  let said: ContentReader | undefined;

  function fail(): void {
    // What an error page or a cut-off last event says is no news about the parser.
    if (failed || flushing || reply.status < 200 || reply.status > 299) return;
    failed = true;
    options.onParseError();
  }

  /** What the provider says; fields that it found missing or mistyped count as one parse error. */
  function ask<T>(read: () => T): T {
    takeFaults();
    const answer = read();
    if (takeFaults()) fail();
    return answer;
  }

  function fold(data: string, type: string | undefined) {
    if (data === '[DONE]') return 'end';
    const event = said && new LazyEvent(data, type, fail);
    if (event) safely(() => said!.event(event), fail);
    if (hasContent && reader!.matters?.(data, type) === false) return 'content';
    return ask(() => reader!.event(event ?? new LazyEvent(data, type, fail)));
  }

  function onEvent(data: string, type: string | undefined): void {
    if (result || terminated) return;
    try {
      const outcome = fold(data, type);
      if (outcome === 'end') {
        terminated = true;
        options.onEnd();
      } else if (outcome === 'content') {
        if (!hasContent) options.onContent();
        hasContent = true;
        options.onChunk?.();
      }
    } catch {
      fail();
    }
  }

  /** Waits for the first byte that says something: a JSON array is a stream, an object is not. */
  function decide(bytes: Uint8Array): void {
    const firstByte = bytes.find((byte) => byte > 0x20);
    const contentType = reply.headers.get('content-type');
    // Frames begin with their length, whose first bytes are 0.
    if (firstByte === undefined && !contentType?.includes('eventstream')) return;
    decided = true;
    if (!provider.stream) return;
    const { maxEventBytes } = options;
    const stream = reply.request.stream;
    framing = createFraming(contentType, stream, onEvent, {
      maxEventBytes,
      ...(firstByte !== undefined && { firstByte }),
      onError: fail,
    });
    if (!framing) return;
    reader = provider.stream(reply);
    said = content?.stream(options.maxText!);
  }

  function keep(bytes: Uint8Array): void {
    size += bytes.length;
    if (size <= options.maxBodyBytes) held.append(bytes);
    else {
      held.drop(held.size);
      fail();
    }
  }

  function chunk(bytes: Uint8Array): void {
    if (result || terminated) return;
    if (!decided) decide(bytes);
    if (framing) framing.feed(bytes);
    else if (decided) keep(bytes);
  }

  /** With what was said, where that is captured. */
  function withSaid(response: LlmResponse, read: () => readonly unknown[] | undefined): LlmResponse {
    const messages = safely(read, fail);
    return messages?.length ? { ...response, messages } : response;
  }

  function parseBody(isCut: boolean): LlmResponse {
    const json = parseJson(new TextDecoder().decode(held.view()));
    body = json;
    if (json !== undefined)
      return withSaid(
        ask(() => provider.response(json, reply)),
        () => content?.response(json),
      );
    if (size > 0 && !isCut) fail();
    return {};
  }

  return {
    get body() {
      return body;
    },
    chunk(bytes) {
      try {
        chunk(bytes);
      } catch {
        fail();
      }
    },
    finish(isCut = false) {
      if (result) return result;
      try {
        flushing = true;
        if (!terminated) framing?.end();
        flushing = false;
        result = reader
          ? withSaid(
              ask(() => reader!.result()),
              () => said?.result(),
            )
          : parseBody(isCut);
      } catch {
        flushing = false;
        fail();
      }
      held.drop(held.size);
      result ??= {};
      return result;
    },
  };
}

/** A class, since a getter in a literal would cost a hidden class of its own for each event. */
class LazyEvent implements StreamEvent {
  readonly type?: string;
  readonly #data: string;
  readonly #fail: () => void;
  #json: unknown;
  #parsed = false;

  constructor(data: string, type: string | undefined, fail: () => void) {
    this.#data = data;
    this.#fail = fail;
    if (type !== undefined) this.type = type;
  }

  get json(): unknown {
    if (!this.#parsed) {
      this.#parsed = true;
      this.#json = parseJson(this.#data);
      if (this.#json === undefined) this.#fail();
    }
    return this.#json;
  }
}
