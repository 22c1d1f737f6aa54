import { ignore, safely } from '../errors.ts';
import { parseJson } from '../json.ts';
import type { Decoder } from '../stream/decoder.ts';
import { createFraming } from '../stream/framing.ts';
import type { ItemReader, LlmResponse, Provider } from './provider.ts';
import { readItems } from './values.ts';

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
  /** Whether the vendor has said that this is all. */
  readonly isWhole: boolean;
  result(): LlmResponse | undefined;
}

/** So many items are looked at to find out whose stream it is: some begin with what says nothing. */
const maxUnknown = 16;
const maxEventBytes = 1_048_576;
export function createItems({ providers, vendor, onContent, onItem }: ItemsOptions): Items {
  let reader: ItemReader | undefined;
  let unknown = 0;
  let isWhole = false;
  /** `null` where the bytes are none of a stream of events. */
  let decoder: Decoder | null | undefined;

  function addItem(item: unknown): void {
    onItem?.(item);
    if (!reader && unknown < maxUnknown) {
      reader = readItems(item, providers, vendor);
      unknown++;
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
    get isWhole() {
      return isWhole;
    },
    result() {
      safely(() => decoder?.end(), ignore);
      decoder = null;
      return reader?.result();
    },
  };
}
