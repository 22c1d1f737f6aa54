import fc from 'fast-check';
import { expect } from 'vitest';
import type { LlmRequest, LlmResponse, Provider } from '../../../src/llm/provider.ts';
import { createReplyReader } from '../../../src/llm/reply-reader.ts';

type Fields = Record<string, unknown>;

/** What came out of one reply, and how often its reader called. */
export interface Reading {
  readonly response: LlmResponse;
  readonly contents: number;
  readonly ends: number;
  readonly parseErrors: number;
}

/** A vendor's reply as its bytes come. */
export interface WireReply {
  readonly url: string;
  readonly body: string;
  readonly status?: number;
  readonly headers?: Record<string, string>;
  /** Where the bytes are cut; nowhere by default. */
  readonly cuts?: readonly number[];
}

/** Reads a reply as `telemetry.fetch` would: the content type tells a stream. */
export function readReply(
  provider: Provider,
  { url, body, status = 200, headers = {}, cuts = [] }: WireReply,
): Reading {
  const stream = body.startsWith('data:') || body.startsWith('event:') || body.startsWith(':');
  const type = stream ? 'text/event-stream' : 'application/json';
  const request: LlmRequest = { provider: provider.name, model: 'm', operation: 'chat', stream };
  const seen = { contents: 0, ends: 0, parseErrors: 0 };
  const reader = createReplyReader(
    provider,
    { status, headers: new Headers({ 'content-type': type, ...headers }), request, url: new URL(url) },
    {
      maxBodyBytes: 1 << 20,
      maxEventBytes: 1 << 20,
      onContent: () => seen.contents++,
      onEnd: () => seen.ends++,
      onParseError: () => seen.parseErrors++,
    },
  );
  const bytes = new TextEncoder().encode(body);
  const edges = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  for (const [i, end] of edges.slice(1).entries()) reader.chunk(bytes.slice(edges[i], end));
  return { response: reader.finish(), ...seen };
}

/** Events without a type, and the usual terminator. */
export function frames(...events: readonly unknown[]): string {
  return [...events.map((json) => JSON.stringify(json)), '[DONE]'].map((data) => `data: ${data}\n\n`).join('');
}

/** Events that name their type, without a terminator. */
export function typedFrames(...events: readonly ({ type: string } & Fields)[]): string {
  return events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('');
}

export interface Dressing {
  /** Fields of the whole reply, and of every chunk of a stream. */
  readonly head?: Fields;
  /** Fields of the whole reply's only choice, and of the last chunk's. */
  readonly choice?: Fields;
  readonly usage: (counts: { input: number; output: number; cached: number; reasoning: number }) => Fields;
  /** Whether every chunk has the usage up to it. */
  readonly cumulative?: boolean;
}

const count = fc.nat(100_000);
const word = fc.stringMatching(/^[a-z_]{1,12}$/);
/** Words that a cheap look at the text could mistake for the vendor's own. */
const text = fc.constantFrom('', 'hello', '"usage":{', '"finish_reason":"stop"', 'tool_calls', '😀', '\n\ndata: ');
const exchange = fc.record({
  counts: fc.record({ input: count, output: count, cached: count, reasoning: count }),
  texts: fc.array(text),
  calls: fc.array(fc.record({ id: word, name: word }), { maxLength: 3 }),
  reason: fc.constantFrom('stop', 'tool_calls', 'length'),
  cuts: fc.array(fc.nat(10_000), { maxLength: 20 }),
});

/** Any chat completion in a vendor's dress gives the same response streamed as whole, however its bytes are cut. */
export function expectChatTwins(provider: Provider, url: string, dressing: Dressing): void {
  const { head = {}, choice = {}, usage: toUsage, cumulative } = dressing;
  const property = fc.property(exchange, ({ counts, texts, calls, reason, cuts }) => {
    const usage = toUsage(counts);
    const common = { id: 'id-1', model: 'model-x', ...head };
    const toolCalls = calls.map(({ id, name }) => ({ id, type: 'function', function: { name, arguments: '{}' } }));
    const message = { role: 'assistant', content: texts.join(''), tool_calls: toolCalls };
    const chunk = (delta: unknown, more: Fields = { finish_reason: null }, rest: Fields = {}) => ({
      ...common,
      object: 'chat.completion.chunk',
      ...(cumulative && { usage: toUsage({ ...counts, output: 1 }) }),
      choices: [{ index: 0, delta, ...more }],
      ...rest,
    });
    const last = { ...choice, finish_reason: reason };
    const streamed = frames(
      chunk({ role: 'assistant', content: '' }),
      ...texts.map((content) => chunk({ content })),
      ...toolCalls.flatMap((call, index) => [
        chunk({ tool_calls: [{ index, ...call }] }),
        chunk({ tool_calls: [{ index, function: { arguments: '{}' } }] }),
      ]),
      chunk({ content: '' }, last, { usage }),
    );
    const choices = [{ index: 0, message, ...last }];
    const whole = JSON.stringify({ ...common, object: 'chat.completion', choices, usage });
    const expected = readReply(provider, { url, body: whole });
    const reading = readReply(provider, { url, body: streamed, cuts });
    expect(reading.response).toEqual(expected.response);
    expect(expected.response.finishReasons).toEqual([reason]);
    expect(reading.parseErrors).toBe(0);
  });
  fc.assert(property);
}

const keys = ['choices', 'usage', 'error', 'delta', 'message', 'cost', 'timings', 'response', 'type', 'index', 'model'];
const any = fc.jsonValue({ maxDepth: 4 });
const likely = fc.dictionary(
  fc.constantFrom(...keys),
  fc.oneof(any, fc.dictionary(fc.constantFrom(...keys, 'is_byok', 'prompt_tokens'), any)),
);

/** No JSON makes a provider throw, or say a count that is none. */
export function expectUnshakable(provider: Provider, url: string): void {
  const property = fc.property(fc.array(fc.oneof(any, likely)), (events) => {
    const readings = [frames(...events), JSON.stringify(events[0] ?? null)].map((body) =>
      readReply(provider, { url, body }),
    );
    for (const { response } of readings) {
      const amounts = [...Object.values(response.usage ?? {}), response.costUsd ?? 0];
      expect(amounts.every((amount) => typeof amount === 'number' && amount >= 0)).toBe(true);
    }
    const [body] = events;
    provider.request({ url: new URL(url), method: 'POST', headers: new Headers(), body });
    if (provider.accepts!(body)) provider.read!(body);
  });
  fc.assert(property);
}
