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

const varintType = 0;
const fixed64Type = 1;
const bytesType = 2;
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
 * A protobuf message as OTLP's JSON would have it, so that one reader does for both: ids in hex, 64-bit integers as
 * numbers where those hold them and else as decimal strings, bytes as they are. Fields that the schema does not know are
 * skipped. Throws a `DecodeError` for what is no message.
 */
export function readMessage(bytes: Uint8Array, message: Message): Record<string, unknown> {
  return new Reader(bytes).message(message, bytes.length, '', 0);
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

  message(schema: Message, end: number, path: string, depth: number): Record<string, unknown> {
    if (depth > maxDepth) throw new DecodeError(path, 'nested too deep');
    const result: Record<string, unknown> = {};
    while (this.#at < end) {
      const tag = this.#varint(path);
      const wireType = tag % 8;
      const field = schema[Math.floor(tag / 8)];
      if (!field) {
        this.#skip(wireType, path);
        continue;
      }
      const here = path ? `${path}.${field.name}` : field.name;
      if (field.repeated) {
        const list = (result[field.name] as unknown[] | undefined) ?? [];
        result[field.name] = list;
        this.#readInto(list, field, wireType, here, depth);
      } else result[field.name] = this.#field(field, wireType, here, depth);
    }
    if (this.#at !== end) throw new DecodeError(path, 'ends in the middle of a field');
    return result;
  }

  /** A repeated field: one value, or numbers packed into one. */
  #readInto(list: unknown[], field: Field, wireType: number, path: string, depth: number): void {
    const { kind } = field;
    if (typeof kind === 'function' || wireTypes[kind] === bytesType || wireType !== bytesType) {
      list.push(this.#field(field, wireType, typeof kind === 'function' ? `${path}[${list.length}]` : path, depth));
      return;
    }
    const end = this.#length(path);
    while (this.#at < end) list.push(this.#value(kind, path));
    if (this.#at !== end) throw new DecodeError(path, 'ends in the middle of a value');
  }

  #field({ kind }: Field, wireType: number, path: string, depth: number): unknown {
    if (wireType !== (typeof kind === 'function' ? bytesType : wireTypes[kind])) {
      throw new DecodeError(path, `has wire type ${wireType}`);
    }
    return typeof kind === 'function'
      ? this.message(kind(), this.#length(path), path, depth + 1)
      : this.#value(kind, path);
  }

  #value(kind: Kind, path: string): unknown {
    switch (kind) {
      case 'string':
        return this.#text.decode(this.#take(this.#length(path) - this.#at, path));
      case 'bytes':
        return this.#take(this.#length(path) - this.#at, path).slice();
      case 'id':
        return toHex(this.#take(this.#length(path) - this.#at, path));
      case 'double':
        return this.#view.getFloat64(this.#move(8, path), true);
      case 'fixed64':
        return toInteger(this.#view.getBigUint64(this.#move(8, path), true));
      case 'sfixed64':
        return toInteger(this.#view.getBigInt64(this.#move(8, path), true));
      case 'fixed32':
        return this.#view.getUint32(this.#move(4, path), true);
      case 'uint64':
        return toInteger(this.#bigVarint(path));
      case 'int64':
        return toInteger(BigInt.asIntN(64, this.#bigVarint(path)));
      case 'uint32':
        return this.#varint(path) % 2 ** 32;
      case 'sint32': {
        const value = this.#varint(path) >>> 0;
        return (value >>> 1) ^ -(value & 1);
      }
      case 'bool':
        return this.#bigVarint(path) !== 0n;
    }
  }

  /** Where the value ends whose length is written here. */
  #length(path: string): number {
    const end = this.#varint(path) + this.#at;
    if (end > this.#bytes.length) throw new DecodeError(path, 'is longer than the body');
    return end;
  }

  #take(length: number, path: string): Uint8Array {
    const start = this.#move(length, path);
    return this.#bytes.subarray(start, start + length);
  }

  /** Goes on by so many bytes, and answers where they begin. */
  #move(length: number, path: string): number {
    const start = this.#at;
    if (start + length > this.#bytes.length) throw new DecodeError(path, 'is longer than the body');
    this.#at = start + length;
    return start;
  }

  /** Up to 53 bits; tags and lengths have 32 at most. */
  #varint(path: string): number {
    let value = 0;
    for (let factor = 1; factor <= 2 ** 49; factor *= 128) {
      const byte = this.#bytes[this.#move(1, path)]!;
      value += (byte & 0x7f) * factor;
      if (byte < 128) return value;
    }
    throw new DecodeError(path, 'has an integer that is too long');
  }

  #bigVarint(path: string): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.#move(1, path)]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 128) return BigInt.asUintN(64, value);
    }
    throw new DecodeError(path, 'has an integer that is too long');
  }

  #skip(wireType: number, path: string): void {
    if (wireType === varintType) this.#bigVarint(path);
    else if (wireType === fixed64Type) this.#move(8, path);
    else if (wireType === bytesType) this.#at = this.#length(path);
    else if (wireType === fixed32Type) this.#move(4, path);
    else throw new DecodeError(path, `has wire type ${wireType}`);
  }
}

function toInteger(value: bigint): number | string {
  const number = Number(value);
  return BigInt(number) === value ? number : String(value);
}

const digits = /* @__PURE__ */ Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

function toHex(bytes: Uint8Array): string {
  let hex = '';
  for (const byte of bytes) hex += digits[byte];
  return hex;
}
