import { ignore, safely } from '../errors.ts';
import { parseJson } from '../json.ts';
import type { Decoder } from '../stream/decoder.ts';
import { createFraming } from '../stream/framing.ts';
import type { ItemReader, LlmResponse, Provider } from './provider.ts';
import { sumReplies } from './shapes/shape.ts';
import { watchEmitter } from './value-emitter.ts';
import { readItems, readValue } from './values.ts';

export interface ItemsOptions {
  readonly providers: readonly Provider[];
  /** Whom the call goes to, where that is known. */
  readonly vendor?: string | undefined;
  /** An item with content has come; of a stream that nobody knows each is taken for one. */
  readonly onContent: () => void;
  /** Each item, parsed where the stream is one of bytes. */
  readonly onItem?: (item: unknown) => void;
}

/** What a stream or a generator yields, folded by the provider that knows it. */
export interface Items {
  add(value: unknown): void;
  /** One of several replies is whole. */
  reply(value: unknown): void;
  /** Whether the vendor has said that this is all. */
  readonly isWhole: boolean;
  result(): LlmResponse | undefined;
}

/** So many items are looked at to find out whose stream it is: some begin with what says nothing. */
const maxUnknown = 16;
const maxEventBytes = 1_048_576;
/** Replies in one stream that are told apart. */
const maxReplies = 1024;

export function createItems(options: ItemsOptions): Items {
  const { providers, vendor, onContent, onItem } = options;
  /** Replies that are whole. */
  const replies: LlmResponse[] = [];
  /** Replies that are streams of their own. */
  const streams: Items[] = [];
  let reader: ItemReader | undefined;
  let unknown = 0;
  let isWhole = false;
  /** `null` where the bytes are none of a stream of events. */
  let decoder: Decoder | null | undefined;

  function endReply(value: unknown): void {
    const response = reader?.result() ?? readValue(value, providers, vendor);
    reader = undefined;
    if (response && replies.length < maxReplies) replies.push(response);
  }

  /** A loop over tools yields whole replies, one after the other; one that comes again has grown. */
  function addReply(item: unknown): boolean {
    const response = readValue(item, providers, vendor);
    if (!response) return false;
    if (replies.at(-1)?.id === response.id) replies.pop();
    if (replies.length < maxReplies) replies.push(response);
    onContent();
    return true;
  }

  function addStream(item: unknown): boolean {
    if (typeof item !== 'object' || item === null || streams.length >= maxReplies) return false;
    const inner = createItems(options);
    const isStream = watchEmitter(item, { pull: ignore, item: inner.add, reply: inner.reply, end: ignore });
    if (isStream) streams.push(inner);
    return isStream;
  }

  function addItem(item: unknown): void {
    if (!reader && addStream(item)) return;
    onItem?.(item);
    if (!reader && (unknown < maxUnknown || replies.length > 0)) {
      reader = readItems(item, providers, vendor);
      unknown++;
      if (!reader && addReply(item)) return;
    }
    const outcome = reader ? reader.item(item) : 'content';
    if (outcome === 'content') onContent();
    else if (outcome === 'end') isWhole = true;
  }

  function addEvent(data: string): void {
    if (data === '[DONE]') {
      isWhole = true;
      return;
    }
    const json = parseJson(data);
    if (json !== undefined) addItem(json);
  }

  /** The first byte that says something tells what the bytes are. */
  function addBytes(bytes: Uint8Array): void {
    const firstByte = bytes.find((byte) => byte > 0x20);
    if (decoder === undefined && firstByte !== undefined) {
      decoder = createFraming(null, true, addEvent, { maxEventBytes, firstByte, onError: ignore }) ?? null;
    }
    if (decoder) decoder.feed(bytes);
    else if (decoder === null) onContent();
  }

  return {
    add: (value) => safely(() => (value instanceof Uint8Array ? addBytes(value) : addItem(value)), ignore),
    reply: (value) => void safely(() => endReply(value), ignore),
    get isWhole() {
      return isWhole;
    },
    result() {
      safely(() => decoder?.end(), ignore);
      decoder = null;
      const open = [...streams.map((stream) => stream.result()), reader?.result()].filter((one) => one !== undefined);
      const all = [...replies, ...open];
      return all.length > 1 ? sumReplies(all) : all[0];
    },
  };
}
