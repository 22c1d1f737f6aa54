import type { Attributes, HrTime } from '@opentelemetry/api';
import { fromUnixNano } from '../../clock.ts';
import { asArray, asObject, asString, type Json } from '../../json.ts';
import { DecodeError } from './error.ts';

/** Deeper attribute values are empty: https://opentelemetry.io/docs/specs/otel/common/#attribute-limits */
const maxDepth = 64;

/** A list of KeyValue. Of equal keys the last stays. */
export function readAttributes(value: unknown, path: string, depth = 0): Attributes {
  const attributes: Record<string, unknown> = {};
  const list = readList(value, path);
  for (let i = 0; i < list.length; i++) {
    const entry = asObject(list[i]);
    const key = entry?.key;
    if (typeof key !== 'string') throw new DecodeError(`${path}[${i}].key`, 'is no string');
    // An assignment to this would make no attribute.
    if (key !== '__proto__') attributes[key] = readAnyValue(entry!.value, depth);
  }
  return attributes as Attributes;
}

/** An AnyValue: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding. What is none of them is empty. */
function readAnyValue(value: unknown, depth: number): unknown {
  const any = asObject(value);
  if (!any || depth > maxDepth) return null;
  if (typeof any.stringValue === 'string') return any.stringValue;
  if (typeof any.boolValue === 'boolean') return any.boolValue;
  if (any.intValue !== undefined) return readInteger(any.intValue);
  if (any.doubleValue !== undefined) return readDouble(any.doubleValue) ?? null;
  if (any.bytesValue !== undefined) return readBytes(any.bytesValue);
  const list = asObject(any.arrayValue);
  if (list) return asArray(list.values).map((item) => readAnyValue(item, depth + 1));
  const map = asObject(any.kvlistValue);
  if (map) return readAttributes(map.values, 'kvlistValue.values', depth + 1);
  return null;
}

/** 64 bits, as a number where that holds it. */
function readInteger(value: unknown): number | bigint | null {
  if (typeof value === 'number') return Number.isInteger(value) ? value : null;
  if (typeof value === 'bigint') return value;
  if (typeof value !== 'string' || !/^-?\d{1,20}$/.test(value)) return null;
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  return BigInt(number) === BigInt(value) ? number : BigInt(value);
}

/** A double is a number, or one of the names of what JSON has no number for. */
export function readDouble(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'string' || value.trim() === '') return undefined;
  const number = Number(value);
  return Number.isNaN(number) && value !== 'NaN' ? undefined : number;
}

function readBytes(value: unknown): Uint8Array | null {
  if (value instanceof Uint8Array) return value;
  try {
    if (typeof value !== 'string') return null;
    // Both alphabets, as protobuf's JSON reads them: https://protobuf.dev/programming-guides/json/
    const base64 = value.replaceAll('-', '+').replaceAll('_', '/');
    return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  } catch {
    return null;
  }
}

/** A repeated field, which JSON may leave out. */
export function readList(value: unknown, path: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new DecodeError(path, 'is no list');
  return value;
}

/** A repeated field whose entries are objects. What is wrong inside of one is named from the list on. */
export function readEach<T>(value: unknown, path: string, read: (entry: Json) => T): T[] {
  return readList(value, path).map((entry, i) => {
    try {
      return read(readObject(entry, ''));
    } catch (error) {
      throw error instanceof DecodeError ? error.inside(`${path}[${i}]`) : error;
    }
  });
}

export function readObject(value: unknown, path: string): Json {
  const object = asObject(value);
  if (!object) throw new DecodeError(path, 'is no object');
  return object;
}

/** A count, written as a number or in decimal. 0 where it is absent. */
export function readCount(value: unknown, path: string): number {
  if (value === undefined || value === null) return 0;
  const number =
    typeof value === 'bigint' || (typeof value === 'string' && /^\d{1,20}$/.test(value)) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isInteger(number) || number < 0) throw new DecodeError(path, 'is no count');
  return number;
}

/** A number of an enum. OTLP's JSON has no names for them, but who writes protobuf's own JSON does. */
export function readEnum(value: unknown, prefix: string, names: readonly string[]): number {
  if (typeof value === 'number') return value;
  return names.findIndex((name) => value === prefix + name) + 1;
}

const maxNanos = 2n ** 64n;

/** Nanoseconds since 1970, which JSON writes in decimal. 0 where they are absent. */
export function readNanos(value: unknown, path: string): bigint {
  if (value === undefined || value === null) return 0n;
  const isWhole = typeof value === 'string' ? /^\d{1,20}$/.test(value) : isWholeNumber(value);
  const nanos = isWhole ? BigInt(value as string | number | bigint) : maxNanos;
  if (nanos < 0n || nanos >= maxNanos) throw new DecodeError(path, 'is no time in nanoseconds');
  return nanos;
}

/** The same as seconds and the nanoseconds beyond them. */
export function readTime(value: unknown, path: string): HrTime {
  // As all write it nowadays: what is read without big integers.
  if (typeof value === 'string' && /^\d{19}$/.test(value)) return [Number(value.slice(0, 10)), Number(value.slice(10))];
  return fromUnixNano(readNanos(value, path));
}

function isWholeNumber(value: unknown): boolean {
  return typeof value === 'bigint' || Number.isInteger(value);
}

const zeros = { 16: '0'.repeat(16), 32: '0'.repeat(32) };

/** An id in lower case; `undefined` where it is empty or all zeros, which no span has. Throws where it is none. */
export function readId(value: unknown, length: 16 | 32, path: string): string | undefined {
  const text = asString(value);
  if (text === undefined && (value === undefined || value === null || value === '')) return undefined;
  if (!text || text.length !== length || !/^[\da-f]+$/i.test(text)) {
    throw new DecodeError(path, `is no id of ${length} hex digits`);
  }
  return text === zeros[length] ? undefined : text.toLowerCase();
}
