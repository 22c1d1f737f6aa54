import { toHex } from '../../digest.ts';
import { DecodeError } from './error.ts';

/** How a field is written: https://protobuf.dev/programming-guides/encoding/ */
export type Kind =
  | 'string'
  | 'bytes'
  | 'id'
  | 'double'
  | 'fixed64'
  | 'sfixed64'
  | 'fixed32'
  | 'uint64'
  | 'int64'
  | 'uint32'
  | 'sint32'
  | 'bool';

export interface Field {
  readonly name: string;
  readonly kind: Kind | (() => Message);
  readonly repeated?: boolean;
}

/** Fields of a message by their number. */
export type Message = Readonly<Record<number, Field>>;

/** Deeper messages are no telemetry. Attribute values are the only ones that nest, to 64. */
const maxDepth = 200;

/** Bytes of a string that are looked at one by one. */
const maxShort = 32;

const maxTag = 2 ** 32 - 1;

const varintType = 0;
const fixed64Type = 1;
const bytesType = 2;
/** Of another time of protobuf; what they hold is skipped. */
const groupType = 3;
const groupEndType = 4;
const fixed32Type = 5;

const wireTypes: Readonly<Record<Kind, number>> = {
  string: bytesType,
  bytes: bytesType,
  id: bytesType,
  double: fixed64Type,
  fixed64: fixed64Type,
  sfixed64: fixed64Type,
  fixed32: fixed32Type,
  uint64: varintType,
  int64: varintType,
  uint32: varintType,
  sint32: varintType,
  bool: varintType,
};

/**
 * A protobuf message as OTLP's JSON would have it, so that one reader does for both: ids in hex, bytes as they are, and
 * 64-bit integers as numbers where those hold them, else as `bigint`. Fields that the schema does not know are skipped.
 * Throws a `DecodeError` for what is no message.
 */
export function readMessage(bytes: Uint8Array, message: Message): Record<string, unknown> {
  return new Reader(bytes).message(message, bytes.length, 0);
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  // A string may begin with what looks like a byte order mark, and keeps it.
  readonly #text = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true });
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** A message that comes in parts is all of them together: later ones are read into the `result` of the first. */
  message(schema: Message, end: number, depth: number, result: Record<string, unknown> = {}): Record<string, unknown> {
    if (depth > maxDepth) throw new DecodeError('', 'nested too deep');
    let where = '';
    try {
      while (this.#at < end) {
        where = '';
        const tag = this.#varint();
        if (tag > maxTag) throw new DecodeError('', 'has a tag that is too long');
        const wireType = tag & 7;
        const field = schema[tag >>> 3];
        if (!field) {
          this.#skip(wireType, depth);
          continue;
        }
        where = field.name;
        if (field.repeated) {
          result[where] ??= [];
          this.#readInto(result[where] as unknown[], field, wireType, depth);
        } else result[where] = this.#field(field, wireType, depth, result[where]);
      }
      where = '';
      if (this.#at !== end) throw new DecodeError('', 'ends in the middle of a field');
      return result;
    } catch (error) {
      if (!where || !(error instanceof DecodeError)) throw error;
      const list = result[where];
      throw error.inside(Array.isArray(list) ? `${where}[${list.length}]` : where);
    }
  }

  /** A repeated field: one value, or numbers packed into one. */
  #readInto(list: unknown[], field: Field, wireType: number, depth: number): void {
    const { kind } = field;
    if (typeof kind === 'function' || wireTypes[kind] === bytesType || wireType !== bytesType) {
      list.push(this.#field(field, wireType, depth));
      return;
    }
    const end = this.#end();
    while (this.#at < end) list.push(this.#value(kind));
    if (this.#at !== end) throw new DecodeError('', 'ends in the middle of a value');
  }

  #field({ kind }: Field, wireType: number, depth: number, before?: unknown): unknown {
    if (wireType !== (typeof kind === 'function' ? bytesType : wireTypes[kind])) {
      throw new DecodeError('', `has wire type ${wireType}`);
    }
    if (typeof kind !== 'function') return this.#value(kind);
    return this.message(kind(), this.#end(), depth + 1, before as Record<string, unknown> | undefined);
  }

  #value(kind: Kind): unknown {
    switch (kind) {
      case 'string':
        return this.#string();
      case 'bytes':
        return this.#take().slice();
      case 'id':
        return toHex(this.#take());
      case 'double':
        return this.#view.getFloat64(this.#move(8), true);
      case 'fixed64':
        return toInteger(this.#view.getBigUint64(this.#move(8), true));
      case 'sfixed64':
        return toInteger(this.#view.getBigInt64(this.#move(8), true));
      case 'fixed32':
        return this.#view.getUint32(this.#move(4), true);
      case 'uint64':
        return toInteger(this.#bigVarint());
      case 'int64':
        return this.#int64();
      case 'uint32':
        return this.#varint() >>> 0;
      case 'sint32': {
        const value = this.#varint() >>> 0;
        return (value >>> 1) ^ -(value & 1);
      }
      case 'bool':
        return this.#int64() !== 0;
    }
  }

  /** Most are short and of ASCII, which is read faster than a decoder is called. */
  #string(): string {
    const end = this.#end();
    const start = this.#at;
    if (end - start <= maxShort) {
      let text = '';
      for (let at = start; ; at++) {
        if (at === end) {
          this.#at = end;
          return text;
        }
        const byte = this.#bytes[at]!;
        if (byte > 127) break;
        text += String.fromCharCode(byte);
      }
    }
    this.#at = end;
    return this.#text.decode(this.#bytes.subarray(start, end));
  }

  /** Bytes whose length is written before them. */
  #take(): Uint8Array {
    const end = this.#end();
    const bytes = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return bytes;
  }

  /** Where the value ends whose length is written here. */
  #end(): number {
    const end = this.#varint() + this.#at;
    if (end > this.#bytes.length) throw new DecodeError('', 'is longer than the body');
    return end;
  }

  /** Goes on by so many bytes, and answers where they begin. */
  #move(length: number): number {
    const start = this.#at;
    if (start + length > this.#bytes.length) throw new DecodeError('', 'is longer than the body');
    this.#at = start + length;
    return start;
  }

  /** Up to 56 bits, of which a number holds 53; tags and lengths have 32 at most. */
  #varint(): number {
    const first = this.#bytes[this.#at];
    if (first !== undefined && first < 128) {
      this.#at++;
      return first;
    }
    let value = 0;
    for (let factor = 1; factor <= 2 ** 49; factor *= 128) {
      const byte = this.#bytes[this.#move(1)]!;
      value += (byte & 0x7f) * factor;
      if (byte < 128) return value;
    }
    throw new DecodeError('', 'has an integer that is too long');
  }

  #bigVarint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.#move(1)]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 128) return BigInt.asUintN(64, value);
    }
    throw new DecodeError('', 'has an integer that is too long');
  }

  /** Counts are small, and one byte tells that they are. */
  #int64(): number | bigint {
    for (let at = this.#at; at < this.#at + 7; at++) if (this.#bytes[at]! < 128) return this.#varint();
    return toInteger(BigInt.asIntN(64, this.#bigVarint()));
  }

  #skip(wireType: number, depth: number): void {
    if (wireType === varintType) this.#bigVarint();
    else if (wireType === fixed64Type) this.#move(8);
    else if (wireType === bytesType) this.#at = this.#end();
    else if (wireType === fixed32Type) this.#move(4);
    else if (wireType === groupType && depth < maxDepth) this.#skipGroup(depth + 1);
    else throw new DecodeError('', `has wire type ${wireType}`);
  }

  #skipGroup(depth: number): void {
    for (let tag = this.#varint(); (tag & 7) !== groupEndType; tag = this.#varint()) this.#skip(tag & 7, depth);
  }
}

function toInteger(value: bigint): number | bigint {
  const number = Number(value);
  return BigInt(number) === value ? number : value;
}
