import fc from 'fast-check';
import { expect } from 'vitest';
import type { LlmRequest, LlmResponse, Provider } from '../../../src/llm/provider.ts';
import { createReplyReader } from '../../../src/llm/reply-reader.ts';

/** A reply as it came: where from, with what, in which pieces. */
export interface Replay {
  readonly url: string;
  readonly body: string;
  readonly request?: unknown;
  readonly status?: number;
  readonly headers?: Record<string, string>;
  /** Places where the bytes are cut. */
  readonly cuts?: readonly number[];
}

export interface Replayed {
  readonly response: LlmResponse;
  readonly contents: number;
  readonly ends: number;
  readonly parseErrors: number;
}

/** Reads a reply as the observed `fetch` does, byte by byte where it is cut so. */
export function replay(
  provider: Provider,
  { url: href, body, request, status = 200, headers, cuts }: Replay,
): Replayed {
  const url = new URL(href);
  const seen = { contents: 0, ends: 0, parseErrors: 0 };
  const known = provider.request({ url, method: 'POST', headers: new Headers(), body: request ?? {} });
  const asked: LlmRequest = { provider: provider.name, model: undefined, operation: 'chat', stream: false, ...known };
  const reader = createReplyReader(
    provider,
    { status, headers: new Headers(headers), request: asked, url },
    {
      maxBodyBytes: 1 << 20,
      maxEventBytes: 1 << 20,
      onContent: () => seen.contents++,
      onEnd: () => seen.ends++,
      onParseError: () => seen.parseErrors++,
    },
  );
  const bytes = new TextEncoder().encode(body);
  const edges = [0, ...[...(cuts ?? [])].sort((a, b) => a - b), bytes.length];
  for (const [i, end] of edges.slice(1).entries()) reader.chunk(bytes.slice(edges[i], end));
  return { response: reader.finish(), ...seen };
}

/** An unstreamed reply. */
export function replayJson(provider: Provider, url: string, json: unknown, rest: Partial<Replay> = {}): Replayed {
  return replay(provider, {
    url,
    body: JSON.stringify(json),
    headers: { 'content-type': 'application/json' },
    ...rest,
  });
}

/** Server-sent events; an entry of two names the event's type. */
export type Events = readonly (unknown | readonly [type: string, json: unknown])[];

export function toSse(events: Events): string {
  const frames = events.map((event) => {
    const [type, json] = Array.isArray(event) ? event : [undefined, event];
    return `${type ? `event: ${type}\n` : ''}data: ${typeof json === 'string' ? json : JSON.stringify(json)}\n\n`;
  });
  return frames.join('');
}

/** A streamed reply. */
export function replaySse(provider: Provider, url: string, events: Events, rest: Partial<Replay> = {}): Replayed {
  const headers = { 'content-type': 'text/event-stream', ...rest.headers };
  return replay(provider, { url, body: toSse(events), request: { stream: true }, ...rest, headers });
}

/** A stream gives what its unstreamed twin gives, cut anywhere, and counts no parse error. */
export function expectTwins(provider: Provider, url: string, json: unknown, events: Events, cuts: number[]): void {
  const whole = replayJson(provider, url, json);
  const length = new TextEncoder().encode(toSse(events)).length;
  const streamed = replaySse(provider, url, events, { cuts: cuts.map((cut) => cut % length) });
  expect(streamed.response).toEqual(whole.response);
  expect([whole.parseErrors, streamed.parseErrors, streamed.ends]).toEqual([0, 0, 1]);
}

/** Places to cut a stream at. */
export const anyCuts = fc.array(fc.nat(100_000), { maxLength: 12 });
export const count = fc.nat(100_000);
/** Words that a cheap look at the text could mistake for the vendor's own. */
export const anyText = fc.constantFrom(
  'hello',
  '"usage":{',
  '"finish_reason":"stop"',
  'tool_calls',
  '😀',
  '\n\ndata: ',
);

const words = [
  ...['choices', 'usage', 'error', 'delta', 'message', 'content', 'output', 'outputs', 'response', 'type', 'detail'],
  ...['index', 'tool_calls', 'x_groq', 'usage_breakdown', 'models', 'text', 'thinking', 'conversation_id', 'code'],
];
const anything = fc.jsonValue({ maxDepth: 4 });
const likely = fc.dictionary(
  fc.constantFrom(...words),
  fc.oneof(
    anything,
    fc.array(fc.dictionary(fc.constantFrom(...words), anything)),
    fc.dictionary(fc.constantFrom(...words), anything),
  ),
);

/** Whatever JSON comes, requested, whole or streamed, nothing is thrown. */
export function expectNeverThrows(provider: Provider, url: string, types: readonly string[] = []): void {
  const type = fc.constantFrom(undefined, 'error', ...types);
  fc.assert(
    fc.property(fc.array(fc.tuple(type, fc.oneof(anything, likely))), (events) => {
      const request = { provider: provider.name, model: undefined, operation: 'chat', stream: true };
      const reply = { status: 200, headers: new Headers(), request, url: new URL(url) };
      const reader = provider.stream!(reply);
      for (const [type, json] of events) {
        reader.event({ ...(type && { type }), json });
        provider.response(json, reply);
        provider.request({ url: new URL(url), method: 'POST', headers: new Headers(), body: json });
        if (provider.accepts!(json)) provider.read!(json);
      }
      reader.result();
    }),
  );
}
