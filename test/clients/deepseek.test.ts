import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deepseek } from '../../src/llm/providers/deepseek.ts';
import { answered, answerMs, type CallSpan, compare } from './compare.ts';
import * as wire from './deepseek-wire.ts';
import { isInstalled, remedy } from './installed.ts';
import { createLoopback, json, type Loopback, redirect, sse } from './loopback.ts';

type Fetch = typeof globalThis.fetch;

const installed = isInstalled('openai') && isInstalled('@ai-sdk/deepseek');
const sdks = installed
  ? {
      ...(await import('openai')),
      ...(await import('@anthropic-ai/sdk')),
      ...(await import('@ai-sdk/deepseek')),
      ...(await import('ai')),
    }
  : undefined;

const model = 'deepseek-reasoner';
const request = { model, messages: [{ role: 'user' as const, content: 'Hi' }] };
const streamed = { ...request, stream: true as const, stream_options: { include_usage: true } };
const prices = { 'deepseek-reasoner': { input: 0.28, cacheRead: 0.028, output: 0.42 } };

const chat: CallSpan = {
  ...answered,
  name: `chat ${model}`,
  provider: 'deepseek',
  operation: 'chat',
  model,
  costUsd: 0.0003892,
  finish: ['stop'],
};
const stream: CallSpan = { ...chat, operation: 'stream', firstToken: answerMs };
const unknown = { model: undefined, usage: [undefined, undefined], costUsd: undefined, finish: undefined } as const;
/** What the SDK counted; what it makes of a stream is nothing that two runs could share. */
const counted = { inputTokens: 1000, outputTokens: 500 };

describe.skipIf(!installed)(`DeepSeek by SDKs with telemetry.fetch (${remedy})`, () => {
  let loopback: Loopback;
  beforeAll(async () => {
    loopback = await createLoopback();
  });
  afterAll(() => loopback.close());

  const options = () => ({ fetch: redirect(loopback), providers: [deepseek], prices });

  describe('openai', () => {
    function client(fetch: Fetch | undefined) {
      const baseURL = 'https://api.deepseek.com';
      return new sdks!.OpenAI({ apiKey: 'k', baseURL, maxRetries: 0, ...(fetch && { fetch }) });
    }

    it.each([
      [false, chat],
      [true, { ...chat, finish: ['tool_calls'], tools: ['get_weather'] }],
    ])('creates a chat completion (with a tool call: %s)', async (withTool, span) => {
      const seen = await compare(
        loopback,
        [json(200, wire.completion(withTool))],
        (fetch) => client(fetch).chat.completions.create(request),
        options(),
      );
      expect(loopback.requests[0]?.path).toBe('/chat/completions');
      expect(seen.spans).toEqual([span]);
      expect(seen.telemetry.spans[0]?.attributes).toMatchObject({
        'gen_ai.usage.cache_read.input_tokens': 400,
        'gen_ai.usage.reasoning.output_tokens': 100,
      });
    });

    it.each([
      ['text', wire.chunks(), stream],
      ['a tool call', wire.toolChunks(), { ...stream, finish: ['tool_calls'], tools: ['get_weather'] }],
    ])('streams %s', async (_, chunks, span) => {
      const seen = await compare(
        loopback,
        [sse(chunks)],
        async (fetch) => Array.fromAsync(await client(fetch).chat.completions.create(streamed)),
        options(),
      );
      expect(seen.result.at(-1)?.usage?.total_tokens).toBe(1500);
      expect(seen.spans).toEqual([span]);
    });

    it('streams until the caller leaves', async () => {
      const seen = await compare(
        loopback,
        [sse(wire.chunks().slice(0, 4), 'open')],
        async (fetch) => {
          let read = 0;
          for await (const _ of await client(fetch).chat.completions.create(streamed)) if (++read === 3) break;
          await loopback.lost();
        },
        options(),
      );
      expect(seen.spans).toEqual([{ ...stream, ...unknown, model, finish: ['error'], aborted: true }]);
      expect(seen.aborted).toBe(1);
    });

    it('throws the same error', async () => {
      const seen = await compare(
        loopback,
        [json(402, wire.broke)],
        (fetch) => client(fetch).chat.completions.create(request),
        options(),
      );
      expect(seen.spans).toMatchObject([{ ...unknown, status: 'error', httpStatus: 402 }]);
      expect(seen.spans[0]?.error?.[0]).toBe('invalid_request_error');
    });
  });

  it('@anthropic-ai/sdk creates a message', async () => {
    const baseURL = 'https://api.deepseek.com/anthropic';
    const seen = await compare(
      loopback,
      [json(200, wire.message)],
      (fetch) =>
        new sdks!.Anthropic({ apiKey: 'k', baseURL, maxRetries: 0, ...(fetch && { fetch }) }).messages.create({
          ...request,
          max_tokens: 9,
        }),
      options(),
    );
    expect(seen.spans).toEqual([{ ...chat, finish: ['end_turn'] }]);
  });

  describe('@ai-sdk/deepseek', () => {
    const ask = (fetch: Fetch | undefined) => ({
      model: sdks!.createDeepSeek({ apiKey: 'k', ...(fetch && { fetch }) })(model),
      prompt: 'Hi',
      maxRetries: 0,
    });

    it('generates text', async () => {
      const seen = await compare(
        loopback,
        [json(200, wire.completion())],
        async (fetch) => {
          const { text, reasoningText, usage, finishReason } = await sdks!.generateText(ask(fetch));
          return { text, reasoningText, usage, finishReason };
        },
        options(),
      );
      expect(seen.result).toMatchObject({ text: 'Hello.', reasoningText: 'A greeting.', usage: counted });
      expect(seen.spans).toEqual([chat]);
    });

    it('streams text', async () => {
      const seen = await compare(
        loopback,
        [sse(wire.chunks())],
        async (fetch) => {
          const result = sdks!.streamText(ask(fetch));
          return { texts: await Array.fromAsync(result.textStream), usage: await result.usage };
        },
        options(),
      );
      expect(seen.result.texts.join('')).toBe('Hello.');
      expect(seen.result.usage).toMatchObject(counted);
      expect(seen.spans).toEqual([stream]);
    });

    it('throws the same error', async () => {
      const seen = await compare(
        loopback,
        [json(402, wire.broke)],
        async (fetch) => (await sdks!.generateText(ask(fetch))).text,
        options(),
      );
      expect(seen.result).toBeUndefined();
      expect(seen.spans).toMatchObject([{ status: 'error', httpStatus: 402 }]);
    });
  });
});
