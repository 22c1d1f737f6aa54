import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cohere } from '../../src/llm/providers/cohere.ts';
import * as wire from './cohere-wire.ts';
import { answered, answerMs, type CallSpan, compare } from './compare.ts';
import { isInstalled, remedy } from './installed.ts';
import { createLoopback, json, type Loopback, redirect, sse } from './loopback.ts';

type Fetch = typeof globalThis.fetch;

const installed = isInstalled('cohere-ai');
const sdk = installed ? await import('cohere-ai') : undefined;

const { model } = wire;
const request = { model, messages: [{ role: 'user' as const, content: 'Hi' }] };
const prices = {
  [`cohere/${model}`]: { input: 2.5, output: 10 },
  'embed-v4.0': { input: 0.12 },
  'rerank-v4.0-pro': { input: 0, perRequest: 0.0025 },
};

const chat: CallSpan = {
  ...answered,
  name: `chat ${model}`,
  provider: 'cohere',
  operation: 'chat',
  model: undefined,
  costUsd: 0.0075,
  finish: ['COMPLETE'],
};
const stream: CallSpan = { ...chat, operation: 'stream', firstToken: answerMs };
const unknown = { usage: [undefined, undefined], costUsd: undefined, finish: undefined } as const;

describe.skipIf(!installed)(`cohere-ai with telemetry.fetch (${remedy})`, () => {
  let loopback: Loopback;
  beforeAll(async () => {
    loopback = await createLoopback();
  });
  afterAll(() => loopback.close());

  const options = () => ({ fetch: redirect(loopback), providers: [cohere], prices });

  function client(fetch: Fetch | undefined) {
    return new sdk!.CohereClientV2({ token: 'co', maxRetries: 0, ...(fetch && { fetch }) });
  }

  it('chats', async () => {
    const seen = await compare(loopback, [json(200, wire.chat())], (fetch) => client(fetch).chat(request), options());
    expect(seen.result.message.content).toEqual([{ type: 'text', text: 'Hello there.' }]);
    expect(seen.spans).toEqual([chat]);
    expect(seen.telemetry.spans[0]?.attributes).toMatchObject({
      'gen_ai.provider.name': 'cohere',
      'edgespan.usage.consumed_input_tokens': 1062,
      'edgespan.usage.consumed_output_tokens': 502,
    });
  });

  it('names the tools a model asks for', async () => {
    const seen = await compare(
      loopback,
      [json(200, wire.chat([wire.toolCall]))],
      (fetch) => client(fetch).chat(request),
      options(),
    );
    expect(seen.result.message.toolCalls).toMatchObject([wire.toolCall]);
    expect(seen.spans).toEqual([{ ...chat, finish: ['TOOL_CALL'], tools: ['get_weather'] }]);
  });

  it('streams', async () => {
    const seen = await compare(
      loopback,
      [sse(wire.chatEvents())],
      async (fetch) => Array.fromAsync(await client(fetch).chatStream(request)),
      options(),
    );
    const texts = seen.result.map((event) =>
      event.type === 'content-delta' ? event.delta?.message?.content?.text : '',
    );
    expect(texts.join('')).toBe('Hello there.');
    expect(seen.spans).toEqual([stream]);
  });

  it('streams a tool call', async () => {
    const seen = await compare(
      loopback,
      [sse(wire.toolEvents())],
      async (fetch) => Array.fromAsync(await client(fetch).chatStream(request)),
      options(),
    );
    expect(seen.result.map((event) => event.type)).toContain('tool-call-start');
    expect(seen.spans).toEqual([{ ...stream, finish: ['TOOL_CALL'], tools: ['get_weather'] }]);
  });

  it('is left in the middle of a stream', async () => {
    const seen = await compare(
      loopback,
      [sse(wire.chatEvents().slice(0, 3), 'open')],
      async (fetch) => {
        const leaving = new AbortController();
        const texts: unknown[] = [];
        try {
          for await (const event of await client(fetch).chatStream(request, { abortSignal: leaving.signal })) {
            texts.push(event.type);
            if (event.type === 'content-delta') leaving.abort();
          }
        } catch {
          texts.push('left');
        }
        await loopback.lost();
        return texts;
      },
      options(),
    );
    expect(seen.result).toContain('content-delta');
    expect(seen.spans).toEqual([{ ...stream, ...unknown, finish: ['error'], aborted: true }]);
    expect(seen.aborted).toBe(1);
  });

  it('embeds and ranks', async () => {
    const seen = await compare(
      loopback,
      [json(200, wire.embeddings), json(200, wire.ranking)],
      async (fetch) => [
        await client(fetch).embed({
          model: 'embed-v4.0',
          texts: ['Hi'],
          inputType: 'search_document',
          embeddingTypes: ['float'],
        }),
        await client(fetch).rerank({ model: 'rerank-v4.0-pro', query: 'Hi', documents: ['a', 'b'] }),
      ],
      options(),
    );
    expect(seen.result).toHaveLength(2);
    const rest = { finish: undefined, usage: [1000, undefined] } as const;
    expect(seen.spans).toEqual([
      { ...chat, ...rest, name: 'embeddings embed-v4.0', operation: 'embed', costUsd: 0.00012 },
      {
        ...chat,
        ...unknown,
        name: 'rerank rerank-v4.0-pro',
        operation: 'rerank',
        // Two searches.
        costUsd: 0.005,
      },
    ]);
    expect(seen.telemetry.spans[0]?.attributes['gen_ai.embeddings.dimension.count']).toBe(4);
  });

  it('throws the same error', async () => {
    const seen = await compare(loopback, [json(429, wire.limited)], (fetch) => client(fetch).chat(request), options());
    expect(seen.result).toBeUndefined();
    expect(seen.spans).toEqual([
      { ...chat, ...unknown, status: 'error', httpStatus: 429, error: ['429', 'rate_limit'] },
    ]);
  });
});
