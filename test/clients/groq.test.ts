import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { groq } from '../../src/llm/providers/groq.ts';
import { answered, answerMs, type CallSpan, compare } from './compare.ts';
import * as wire from './groq-wire.ts';
import { isInstalled, remedy } from './installed.ts';
import { createLoopback, json, type Loopback, redirect, sse } from './loopback.ts';

type Fetch = typeof globalThis.fetch;

const installed = isInstalled('groq-sdk');
const sdk = installed ? await import('groq-sdk') : undefined;

const model = 'openai/gpt-oss-120b';
const request = { model, messages: [{ role: 'user' as const, content: 'Hi' }] };
const streamed = { ...request, stream: true as const };
const prices = { [`groq/${model}`]: { input: 0.1, output: 0.4 } };

const chat: CallSpan = {
  ...answered,
  name: `chat ${model}`,
  provider: 'groq',
  operation: 'chat',
  model,
  costUsd: 0.0003,
  finish: ['stop'],
};
const stream: CallSpan = { ...chat, operation: 'stream', firstToken: answerMs };
const unknown = { model: undefined, usage: [undefined, undefined], costUsd: undefined, finish: undefined } as const;
const left: CallSpan = { ...stream, ...unknown, model, finish: ['error'] };

describe.skipIf(!installed)(`groq-sdk with telemetry.fetch (${remedy})`, () => {
  let loopback: Loopback;
  beforeAll(async () => {
    loopback = await createLoopback();
  });
  afterAll(() => loopback.close());

  const options = () => ({ fetch: redirect(loopback), providers: [groq], prices });

  function client(fetch: Fetch | undefined) {
    return new sdk!.Groq({ apiKey: 'gsk', maxRetries: 0, ...(fetch && { fetch }) });
  }

  it('creates a chat completion', async () => {
    const seen = await compare(
      loopback,
      [json(200, wire.completion())],
      (fetch) => client(fetch).chat.completions.create(request),
      options(),
    );
    expect(seen.result.choices[0]?.message.content).toBe('Hello.');
    expect(seen.spans).toEqual([chat]);
    expect(seen.telemetry.spans[0]?.attributes).toMatchObject({
      'gen_ai.provider.name': 'groq',
      'gen_ai.usage.reasoning.output_tokens': 100,
      'groq.queue_time': 0.25,
      'groq.total_time': 0.625,
    });
  });

  it('names the tools a model asks for', async () => {
    const seen = await compare(
      loopback,
      [json(200, wire.completion(true))],
      (fetch) => client(fetch).chat.completions.create(request),
      options(),
    );
    expect(seen.spans).toEqual([{ ...chat, finish: ['tool_calls'], tools: ['get_weather'] }]);
  });

  it.each([false, true])('streams, with its usage unasked (twice: %s)', async (twice) => {
    const seen = await compare(
      loopback,
      [sse(wire.chunks(twice))],
      async (fetch) => Array.fromAsync(await client(fetch).chat.completions.create(streamed)),
      options(),
    );
    expect(seen.result.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toBe('Hello.');
    expect(seen.spans).toEqual([stream]);
  });

  it('streams a tool call', async () => {
    const seen = await compare(
      loopback,
      [sse(wire.toolChunks())],
      async (fetch) => Array.fromAsync(await client(fetch).chat.completions.create(streamed)),
      options(),
    );
    expect(seen.spans).toEqual([{ ...stream, finish: ['tool_calls'], tools: ['get_weather'] }]);
  });

  it('throws the error inside a stream', async () => {
    const seen = await compare(
      loopback,
      [sse(wire.failingChunks())],
      async (fetch) => Array.fromAsync(await client(fetch).chat.completions.create(streamed)),
      options(),
    );
    expect(seen.result).toBeUndefined();
    expect(seen.spans).toEqual([
      { ...left, status: 'error', finish: undefined, error: ['tool_use_failed', expect.any(String)] },
    ]);
    expect(seen.requests).toEqual({ ok: 0, error: 1 });
  });

  it('streams until the caller leaves', async () => {
    const seen = await compare(
      loopback,
      [sse(wire.chunks(true).slice(0, 3), 'open')],
      async (fetch) => {
        let read = 0;
        for await (const _ of await client(fetch).chat.completions.create(streamed)) if (++read === 3) break;
        await loopback.lost();
      },
      options(),
    );
    expect(seen.spans).toEqual([{ ...left, aborted: true }]);
    expect(seen.aborted).toBe(1);
  });

  it('throws the same error', async () => {
    const seen = await compare(
      loopback,
      [json(429, wire.limited)],
      (fetch) => client(fetch).chat.completions.create(request),
      options(),
    );
    expect(seen.spans).toEqual([
      { ...chat, ...unknown, status: 'error', httpStatus: 429, error: ['rate_limit_exceeded', 'rate_limit'] },
    ]);
  });

  it('creates embeddings', async () => {
    const seen = await compare(
      loopback,
      [json(200, wire.embeddings())],
      (fetch) => client(fetch).embeddings.create({ model: 'nomic-embed-text-v1_5', input: 'Hi' }),
      options(),
    );
    expect(seen.spans).toMatchObject([
      { name: 'embeddings nomic-embed-text-v1_5', operation: 'embed', usage: [1000, undefined] },
    ]);
  });
});
