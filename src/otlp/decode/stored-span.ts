import type { ReadableSpan } from '../../trace/readable-span.ts';
import { json } from '../json.ts';
import { decodeTraces } from './decode.ts';

const decoder = /* @__PURE__ */ new TextDecoder();

/** A span with its resource and scope as one line of OTLP JSON, for stores. */
export function encodeStoredSpan(span: ReadableSpan): string {
  return decoder.decode(json.traces([span]));
}

/** The span that `encodeStoredSpan` wrote; `undefined` for what is none. */
export function decodeStoredSpan(text: string): ReadableSpan | undefined {
  try {
    return decodeTraces(new TextEncoder().encode(text), 'json').spans[0];
  } catch {
    return undefined;
  }
}
