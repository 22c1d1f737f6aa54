import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mistral } from '../../src/llm/providers/mistral.ts';
import { answered, answerMs, type CallSpan, compare } from './compare.ts';
import { isInstalled, remedy } from './installed.ts';
import { createLoopback, json, type Loopback, redirect, sse } from './loopback.ts';
import * as wire from './mistral-wire.ts';

type Fetch = typeof globalThis.fetch;

const installed = isInstalled('@mistralai/mistralai');
const sdk = installed ? await import('@mistralai/mistralai') : undefined;

const model = 'mistral-small-latest';
const request = { model, messages: [{ role: 'user' as const, content: 'Hi' }] };
const prices = { 'mistral-small': { input: 0.1, cacheRead: 0.01, output: 0.3 } };

const chat: CallSpan = {
  ...answered,
  name: `chat ${model}`,
  provider: 'mistral',
  operation: 'chat',
  model,
  costUsd: 0.000214,
  finish: ['stop'],
};
const stream: CallSpan = { ...chat, operation: 'stream', firstToken: answerMs };
const unknown = { model: undefined, usage: [undefined, undefined], costUsd: undefined, finish: undefined } as const;

describe.skipIf(!installed)(`@mistralai/mistralai with telemetry.fetch (${remedy})`, () => {
  let loopback: Loopback;
  beforeAll(async () => {
    loopback = await createLoopback();
  });
  afterAll(() => loopback.close());

  const options = () => ({ fetch: redirect(loopback), providers: [mistral], prices });

  /** This SDK calls its fetcher with a `Request`. */
  function client(fetch: Fetch | undefined) {
    const httpClient = new sdk!.HTTPClient(fetch && { fetcher: fetch });
    return new sdk!.Mistral({ apiKey: 'k', httpClient });
  }

  it('completes a chat', async () => {
    const seen = await compare(
      loopback,
      [json(200, wire.completion())],
      (fetch) => client(fetch).chat.complete(request),
      options(),
    );
    expect(seen.result.choices?.[0]?.message?.content).toHaveLength(2);
    expect(seen.spans).toEqual([chat]);
    expect(seen.telemetry.spans[0]?.attributes).toMatchObject({
      'gen_ai.provider.name': 'mistral_ai',
      'gen_ai.usage.cache_read.input_tokens': 400,
    });
  });

  it('names the tools a model asks for', async () => {
    const seen = await compare(
      loopback,
      [json(200, wire.completion(true))],
      (fetch) => client(fetch).agents.complete({ agentId: 'ag_1', messages: request.messages }),
      options(),
    );
    expect(loopback.requests[0]?.path).toBe('/v1/agents/completions');
    expect(seen.spans).toEqual([{ ...chat, name: 'chat', finish: ['tool_calls'], tools: ['get_weather'] }]);
  });

  it.each([
    ['text', wire.chunks(), stream],
    ['a tool call', wire.toolChunks(), { ...stream, finish: ['tool_calls'], tools: ['get_weather'] }],
  ])('streams %s', async (_, chunks, span) => {
    const seen = await compare(
      loopback,
      [sse(chunks)],
      async (fetch) => Array.fromAsync(await client(fetch).chat.stream(request)),
      options(),
    );
    expect(seen.result).toHaveLength(chunks.length - 1);
    expect(seen.spans).toEqual([span]);
  });

  it('streams until the caller leaves', async () => {
    const seen = await compare(
      loopback,
      [sse(wire.chunks().slice(0, 3), 'open')],
      async (fetch) => {
        let read = 0;
        for await (const _ of await client(fetch).chat.stream(request)) if (++read === 3) break;
        await loopback.lost();
      },
      options(),
    );
    expect(seen.spans).toEqual([{ ...stream, ...unknown, model, finish: ['error'], aborted: true }]);
    expect(seen.aborted).toBe(1);
  });

  it.each([
    [422, wire.invalid, ['missing', 'validation_error']],
    [401, wire.unauthorized, ['401', 'provider_error']],
    [429, wire.limited, ['1300', 'rate_limit']],
  ])('throws the same error for status %i', async (status, body, error) => {
    const seen = await compare(
      loopback,
      [json(status, body)],
      (fetch) => client(fetch).chat.complete(request, { retries: { strategy: 'none' } }),
      options(),
    );
    expect(seen.result).toBeUndefined();
    expect(seen.spans).toEqual([{ ...chat, ...unknown, status: 'error', httpStatus: status, error }]);
  });

  it('completes in the middle of a text', async () => {
    const seen = await compare(
      loopback,
      [json(200, wire.completion())],
      (fetch) => client(fetch).fim.complete({ model: 'codestral-latest', prompt: 'a', suffix: 'c' }),
      options(),
    );
    expect(seen.spans).toMatchObject([{ name: 'text_completion codestral-latest', usage: [1000, 500] }]);
  });

  it('creates embeddings', async () => {
    const seen = await compare(
      loopback,
      [json(200, wire.embeddings())],
      (fetch) => client(fetch).embeddings.create({ model: 'mistral-embed', inputs: ['Hi'] }),
      options(),
    );
    expect(seen.spans).toMatchObject([
      { name: 'embeddings mistral-embed', operation: 'embed', model: 'mistral-embed' },
    ]);
  });

  it('starts a conversation', async () => {
    const seen = await compare(
      loopback,
      [json(200, wire.conversation())],
      (fetch) => client(fetch).beta.conversations.start({ model, inputs: 'Hi' }),
      options(),
    );
    expect(seen.result.conversationId).toBe('conv_1');
    expect(seen.spans).toEqual([{ ...chat, costUsd: 0.00025, finish: undefined }]);
    expect(seen.telemetry.spans[0]?.attributes['gen_ai.conversation.id']).toBe('conv_1');
  });

  it('streams what a conversation goes on with', async () => {
    const seen = await compare(
      loopback,
      [sse(wire.conversationEvents())],
      async (fetch) => {
        const options = { conversationId: 'conv_1', conversationAppendStreamRequest: { inputs: 'Hi' } };
        return Array.fromAsync(await client(fetch).beta.conversations.appendStream(options));
      },
      options(),
    );
    expect(seen.result.at(-1)?.event).toBe('conversation.response.done');
    expect(seen.spans).toEqual([{ ...stream, name: 'chat', costUsd: 0.00025, finish: undefined }]);
  });
});
