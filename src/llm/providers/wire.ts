import { asNumber, asObject, asString, type Json } from '../../json.ts';
import type { LlmResponse, StreamEvent, StreamReader } from '../provider.ts';

/** Entries kept of one reply, choices or tool calls: far above what any model sends. */
export const maxItems = 1024;

/** The object without its undefined fields, or `undefined` where none is left: unknown is absent, never 0. */
export function present<T extends object>(fields: T): T | undefined {
  const known: Partial<T> = {};
  let empty = true;
  for (const name in fields) {
    if (fields[name] === undefined) continue;
    known[name] = fields[name];
    empty = false;
  }
  return empty ? undefined : (known as T);
}

/** A part of a path, decoded where it can be. */
export function decodePart(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The model that a reply, a chunk or an event names. */
export function readModel(value: unknown): string | undefined {
  const body = asObject(value);
  return [body, asObject(body?.message), asObject(body?.response)].map((part) => asString(part?.model)).find(Boolean);
}

/**
 * An error in a body or an event: `{ error: { type, code, message } }`, a flat one that is marked by `type` or `object`,
 * or `{ error: 'text' }`.
 */
export function parseError(json: unknown): LlmResponse['error'] {
  const body = asObject(json);
  const nested = body?.error;
  if (asString(nested)) return { type: 'error', message: asString(nested) };
  const error = asObject(nested) ?? parseFlat(body);
  if (!error) return undefined;
  const code = asString(error.code) ?? asNumber(error.code)?.toString();
  return present({ type: asString(error.type) ?? code ?? 'error', code, message: asString(error.message) });
}

function parseFlat(body: Json | undefined): Json | undefined {
  if (body?.type === 'error') return { ...body, type: undefined };
  return body?.object === 'error' ? body : undefined;
}

/** The same reader, with another result; `look` sees each event too, and may say that it is the end. */
export function mapResult(
  reader: StreamReader,
  map: (response: LlmResponse) => LlmResponse,
  look?: (event: StreamEvent) => 'end' | void,
): StreamReader {
  return {
    event(event) {
      const outcome = reader.event(event);
      return look?.(event) ?? outcome;
    },
    ...(reader.matters && { matters: (data, type) => reader.matters!(data, type) }),
    result: (isWhole) => map(reader.result(isWhole)),
  };
}
