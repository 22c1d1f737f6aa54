import { asArray, asObject, parseJson } from '../json.ts';
import { filterEvents } from '../stream/sse-filter.ts';
import type { FetchTarget } from './fetch-target.ts';
import type { ProviderRequest } from './provider.ts';
import type { Recognised } from './recognise.ts';

/** A call whose stream may be asked for usage. */
export interface Asking {
  readonly recognised: Recognised;
  /** As it goes out, to a gateway if there is one. */
  readonly outer: ProviderRequest;
  readonly target: FetchTarget;
  /** The body's text. */
  readonly text: string | undefined;
}

/** Headers that vouch for the body as it is: another body would be refused. */
const seals = ['x-amz-content-sha256', 'content-digest', 'digest', 'content-md5', 'signature'];

/** The arguments of a call whose stream is asked for usage; `undefined` where nothing has to be asked. */
export function askUsage(
  { recognised: { provider, request }, outer, target, text }: Asking,
  [input, init]: [RequestInfo | URL, RequestInit?],
): [RequestInfo | URL, RequestInit] | undefined {
  // What a gateway takes out of a body of its own can't be put back.
  if (text === undefined || request.body !== outer.body || isSealed(target.headers)) return undefined;
  const asked = provider.includeUsage?.(request);
  if (asked === undefined) return undefined;
  const headers = new Headers(init instanceof Request ? target.headers : (init?.headers ?? target.headers));
  headers.delete('content-length');
  const changed = write(asked, outer.body, text);
  const body = typeof target.body === 'string' ? changed : new TextEncoder().encode(changed);
  return init instanceof Request ? [new Request(input, init), { headers, body }] : [input, { ...init, headers, body }];
}

function isSealed(headers: Headers): boolean {
  return seals.some((name) => headers.has(name)) || /^AWS4-/.test(headers.get('authorization') ?? '');
}

/** New members are written behind the others, whose text stays as it is: numbers beyond a double's among them. */
function write(asked: unknown, body: unknown, text: string): string {
  const known = asObject(body) ?? {};
  const wanted = asObject(asked) ?? {};
  const members = Object.entries(wanted).filter(([name]) => !Object.hasOwn(known, name));
  const names = Object.keys(known);
  const onlyAdds = members.length > 0 && names.length > 0 && names.every((name) => known[name] === wanted[name]);
  if (!onlyAdds) return JSON.stringify(asked);
  const end = text.lastIndexOf('}');
  return `${text.slice(0, end)},${JSON.stringify(Object.fromEntries(members)).slice(1, -1)}${text.slice(end)}`;
}

/** Whether a reply is a stream of events, or may be one: errors are not. */
export function isEventStream({ ok, headers }: Response): boolean {
  const type = headers.get('content-type');
  return ok && (!type || /^\s*text\/event-stream\b/i.test(type));
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
