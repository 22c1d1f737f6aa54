import { safely } from '../errors.ts';
import { asObject, parseJson } from '../json.ts';
import { ByteBuffer } from '../stream/byte-buffer.ts';
import type { Decoder } from '../stream/decoder.ts';
import { createFraming } from '../stream/framing.ts';
import type { ContentFormat, ContentReader } from './content/message.ts';
import { isMissing, takeFaults } from './faults.ts';
import type { LlmResponse, Provider, Reply, StreamEvent, StreamReader } from './provider.ts';
import { isComplete } from './response.ts';

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
  return new Reader(provider, reply, options);
}

/** A class, since a stream takes less memory without closures of its own for each step. */
class Reader implements ReplyReader {
  body: unknown;
  readonly #provider: Provider;
  readonly #reply: Reply;
  readonly #options: ReplyReaderOptions;
  readonly #content: ContentFormat | undefined;
  readonly #fail = () => this.#failOnce();
  #framing: Decoder | undefined;
  #reader: StreamReader | undefined;
  #said: ContentReader | undefined;
  #held: ByteBuffer | undefined;
  #size = 0;
  #decided: boolean;
  #hasContent = false;
  #terminated: boolean;
  #flushing = false;
  #failed = false;
  #result: LlmResponse | undefined;

  constructor(provider: Provider, reply: Reply, options: ReplyReaderOptions) {
    this.#provider = provider;
    this.#reply = reply;
    this.#options = options;
    this.#decided = reply.status >= 400;
    // Nothing to read in pictures and sounds.
    this.#terminated = /^(image|audio|video)\//.test(reply.headers.get('content-type') ?? '');
    const isSaid = options.maxText && reply.url && !this.#decided;
    this.#content = isSaid ? provider.content?.at(reply.url!) : undefined;
  }

  chunk(bytes: Uint8Array): void {
    if (this.#result || this.#terminated) return;
    try {
      if (!this.#decided) this.#decide(bytes);
      if (this.#framing) this.#framing.feed(bytes);
      else if (this.#decided) this.#keep(bytes);
    } catch {
      this.#fail();
    }
  }

  finish(isCut = false): LlmResponse {
    if (this.#result) return this.#result;
    let result: LlmResponse | undefined;
    try {
      this.#flushing = true;
      if (!this.#terminated) this.#framing?.end();
      this.#flushing = false;
      result = this.#reader ? this.#readStream(this.#reader, isCut) : this.#readBody(isCut);
    } catch {
      this.#flushing = false;
      this.#fail();
    }
    this.#held = undefined;
    this.#result = result ?? {};
    return this.#result;
  }

  #failOnce(): void {
    const { status } = this.#reply;
    // What an error page or a cut-off last event says is no news about the parser.
    if (this.#failed || this.#flushing || status < 200 || status > 299) return;
    this.#failed = true;
    this.#options.onParseError();
  }

  /** What the provider says; fields that it found missing or mistyped count as one parse error. */
  #ask<T>(read: () => T): T {
    takeFaults();
    const answer = read();
    if (takeFaults()) this.#fail();
    return answer;
  }

  /** Waits for the first byte that says something: a JSON array is a stream, an object is not. */
  #decide(bytes: Uint8Array): void {
    const { headers, request } = this.#reply;
    const firstByte = bytes.find((byte) => byte > 0x20);
    const contentType = headers.get('content-type');
    // Frames begin with their length, whose first byte is 0.
    const isBinary = bytes[0] === 0;
    if (firstByte === undefined && !isBinary && !contentType?.includes('eventstream')) return;
    this.#decided = true;
    if (!this.#provider.stream) return;
    const onEvent = (data: string, type: string | undefined) => this.#onEvent(data, type);
    const telling = isBinary ? 0 : firstByte;
    this.#framing = createFraming(contentType, request.stream, onEvent, {
      maxEventBytes: this.#options.maxEventBytes,
      ...(telling !== undefined && { firstByte: telling }),
      onError: this.#fail,
    });
    if (this.#framing) this.#reader = this.#open(this.#provider.stream(this.#reply));
  }

  #open(reader: StreamReader): StreamReader {
    this.#said = this.#content?.stream(this.#options.maxText!);
    return reader;
  }

  #onEvent(data: string, type: string | undefined): void {
    if (this.#result || this.#terminated) return;
    try {
      const outcome = this.#fold(data, type);
      if (outcome === 'end') {
        this.#terminated = true;
        this.#options.onEnd();
      } else if (outcome === 'content') {
        if (!this.#hasContent) this.#options.onContent();
        this.#hasContent = true;
        this.#options.onChunk?.();
      }
    } catch {
      this.#fail();
    }
  }

  #fold(data: string, type: string | undefined) {
    if (data.startsWith('[DONE]')) return 'end';
    // So some keep a connection alive.
    if (data === '') return;
    const reader = this.#reader!;
    const said = this.#said;
    const event = said && new LazyEvent(data, type, this.#fail);
    if (event) safely(() => said.event(event), this.#fail);
    if (this.#hasContent && reader.matters?.(data, type) === false) return 'content';
    return this.#ask(() => reader.event(event ?? new LazyEvent(data, type, this.#fail)));
  }

  #keep(bytes: Uint8Array): void {
    this.#size += bytes.length;
    if (this.#size <= this.#options.maxBodyBytes) {
      this.#held ??= new ByteBuffer();
      this.#held.append(bytes);
    } else {
      this.#held = undefined;
      this.#fail();
    }
  }

  #readStream(reader: StreamReader, isCut: boolean): LlmResponse {
    const response = this.#ask(() => reader.result(this.#terminated));
    if (this.#terminated || (!isCut && isComplete(response))) this.#check(response);
    return this.#withSaid(response, () => this.#said?.result());
  }

  #readBody(isCut: boolean): LlmResponse {
    const text = this.#held ? new TextDecoder().decode(this.#held.view()) : '';
    const json = parseJson(text);
    this.body = json;
    if (json !== undefined) {
      const response = this.#ask(() => this.#provider.response(json, this.#reply));
      this.#check(response);
      return this.#withSaid(response, () => this.#content?.response(json));
    }
    const reader = this.#reply.request.stream
      ? this.#readLines(text.split('\n').filter((line) => line.trim()))
      : undefined;
    if (reader) return this.#readStream(reader, isCut);
    if (this.#size > 0 && !isCut) this.#fail();
    return {};
  }

  /** A stream of lines of JSON under a type that does not say so. When they came is not known any more. */
  #readLines(lines: readonly string[]): StreamReader | undefined {
    if (!this.#provider.stream || lines.length < 2 || !asObject(parseJson(lines[0]!))) return undefined;
    this.#reader = this.#open(this.#provider.stream(this.#reply));
    this.#terminated = lines.some((line) => this.#fold(line, undefined) === 'end');
    return this.#reader;
  }

  /** A field that always comes and is not there has another name now, or another type. */
  #check(response: LlmResponse): void {
    const always = response.error ? undefined : this.#provider.always?.(this.#reply);
    if (always?.some((field) => isMissing(response, field))) this.#fail();
  }

  /** With what was said, where that is captured. */
  #withSaid(response: LlmResponse, read: () => readonly unknown[] | undefined): LlmResponse {
    const messages = safely(read, this.#fail);
    return messages?.length ? { ...response, messages } : response;
  }
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
