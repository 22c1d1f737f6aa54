import { asArray, asObject, parseJson } from '../json.ts';
import { filterEvents } from '../stream/sse-filter.ts';
import type { FetchTarget } from './fetch-target.ts';
import type { Recognised } from './recognise.ts';

/** The arguments of a call whose stream is asked for usage; `undefined` where nothing has to be asked. */
export function askUsage(
  { provider, request }: Recognised,
  { headers: given, body: from }: FetchTarget,
  [input, init]: [RequestInfo | URL, RequestInit?],
): [RequestInfo | URL, RequestInit] | undefined {
  const asked = provider.includeUsage?.(request);
  if (asked === undefined) return undefined;
  const headers = new Headers(init instanceof Request ? given : (init?.headers ?? given));
  headers.delete('content-length');
  const text = JSON.stringify(asked);
  const body = typeof from === 'string' ? text : new TextEncoder().encode(text);
  return init instanceof Request ? [new Request(input, init), { headers, body }] : [input, { ...init, headers, body }];
}

/** The stream without the chunk that has the usage and nothing else: whoever did not ask for it does not expect it. */
export function hideUsage(body: ReadableStream<Uint8Array>, maxEventBytes: number): ReadableStream<Uint8Array> {
  return filterEvents(body, isUsageChunk, maxEventBytes);
}

function isUsageChunk(data: string): boolean {
  if (!data.includes('"usage"')) return false;
  const chunk = asObject(parseJson(data));
  return Array.isArray(chunk?.choices) && asArray(chunk.choices).length === 0 && asObject(chunk.usage) !== undefined;
}
