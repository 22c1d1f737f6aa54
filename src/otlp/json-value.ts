import type { Attributes, HrTime } from '@opentelemetry/api';
import { toWellFormed } from '../attributes.ts';
import { toBase64 } from '../digest.ts';

/** Deeper arrays and maps become an empty value, which also ends one that contains itself. */
export const maxValueDepth = 64;
/** Keys beyond it are written anew each time. */
const maxCachedKeys = 512;

/** Control characters, `"` and `\`. */
const special = /[^ !#-[\]-\uffff]/;

/**
 * What stands between the quotes of a JSON string. Half a surrogate pair becomes U+FFFD: the TextEncoder does it, except
 * where JSON.stringify would have written it as an escape, which strict readers refuse.
 */
export function escapeText(text: string): string {
  return special.test(text) ? JSON.stringify(toWellFormed(text)).slice(1, -1) : text;
}

/** A double: https://protobuf.dev/programming-guides/json/ */
export function encodeDouble(value: number): string {
  return Number.isFinite(value) ? `${value}` : `"${value}"`;
}

/** Integer nanoseconds in decimal. */
export function encodeTime([seconds, nanos]: HrTime): string {
  if (seconds > 0 && nanos >= 0 && nanos < 1e9 && Number.isInteger(nanos) && Number.isInteger(seconds)) {
    return seconds + String(nanos + 1e9).slice(1);
  }
  return `${toInteger(seconds) * 1_000_000_000n + toInteger(nanos)}`;
}

function toInteger(value: number): bigint {
  return Number.isFinite(value) ? BigInt(Math.trunc(value)) : 0n;
}

/** What is written of a key, by key: a batch repeats its few keys thousands of times. */
export type KeyCache = Map<string, string>;

/*
 * The append functions below take all that is written so far and answer it with their part at the end: engines flatten
 * one long chain of short strings twice as fast as a tree of them.
 */

/** Appends `"attributes":[…]`, a list of KeyValue. */
export function appendAttributes(json: string, attributes: Attributes | undefined, keys: KeyCache): string {
  const before = `${json}"attributes":[`;
  return `${attributes ? appendEntries(before, attributes, keys, 0) : before}]`;
}

function appendEntries(before: string, attributes: Attributes, keys: KeyCache, depth: number): string {
  let json = before;
  let separator = '';
  for (const key of Object.keys(attributes)) {
    json += separator;
    json += keys.get(key) ?? encodeKey(key, keys);
    json = appendValue(json, attributes[key], keys, depth);
    separator = '},';
  }
  return separator ? `${json}}` : json;
}

function encodeKey(key: string, keys: KeyCache): string {
  // Joined, since a string made by `+` would be flattened again at each use.
  const json = ['{"key":"', escapeText(key), '","value":'].join('');
  if (keys.size < maxCachedKeys) keys.set(key, json);
  return json;
}

/** AnyValue: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding */
function appendValue(before: string, value: unknown, keys: KeyCache, depth: number): string {
  let json = before;
  switch (typeof value) {
    case 'string':
      json += '{"stringValue":"';
      json += escapeText(value);
      return `${json}"}`;
    case 'number':
      return appendNumber(json, value);
    case 'boolean':
      return json + (value ? '{"boolValue":true}' : '{"boolValue":false}');
    case 'bigint':
      // What exceeds 64 bits: https://opentelemetry.io/docs/specs/otel/common/attribute-type-mapping/#integer-values
      return `${json}{"${BigInt.asIntN(64, value) === value ? 'intValue' : 'stringValue'}":"${value}"}`;
    case 'object':
      return value === null || depth >= maxValueDepth ? `${json}{}` : appendObject(json, value, keys, depth + 1);
    default:
      return `${json}{}`;
  }
}

function appendNumber(before: string, value: number): string {
  let json = before;
  if (Number.isInteger(value) && value >= -(2 ** 63) && value < 2 ** 63) {
    json += '{"intValue":"';
    json += Number.isSafeInteger(value) ? value : BigInt(value);
    return `${json}"}`;
  }
  json += '{"doubleValue":';
  json += encodeDouble(value);
  return `${json}}`;
}

function appendObject(before: string, value: object, keys: KeyCache, depth: number): string {
  if (value instanceof Uint8Array) return `${before}{"bytesValue":"${toBase64(value)}"}`;
  if (!Array.isArray(value)) {
    return `${appendEntries(`${before}{"kvlistValue":{"values":[`, value as Attributes, keys, depth)}]}}`;
  }
  let json = `${before}{"arrayValue":{"values":[`;
  for (let i = 0; i < value.length; i++) {
    if (i > 0) json += ',';
    json = appendValue(json, value[i], keys, depth);
  }
  return `${json}]}}`;
}
