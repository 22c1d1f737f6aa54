import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { xai } from '../../src/llm/providers/xai.ts';
import { answered, answerMs, type CallSpan, compare } from './compare.ts';
import { isInstalled, remedy } from './installed.ts';
import { createLoopback, json, type Loopback, redirect, sse } from './loopback.ts';
import * as wire from './xai-wire.ts';

type Fetch = typeof globalThis.fetch;

const installed = isInstalled('openai') && isInstalled('@ai-sdk/xai');
const sdks = installed
  ? { ...(await import('openai')), ...(await import('@ai-sdk/xai')), ...(await import('ai')) }
  : undefined;

const model = 'grok-4';
const request = { model, messages: [{ role: 'user' as const, content: 'Hi' }] };
const streamed = { ...request, stream: true as const };

/** The cost is the one reported, whatever the tables say. */
const chat: CallSpan = {
  ...answered,
  name: 'chat grok-4',
  provider: 'xai',
  operation: 'chat',
  model,
  costUsd: 0.0025,
  finish: ['stop'],
};
const stream: CallSpan = { ...chat, operation: 'stream', firstToken: answerMs };
const response = { finish: ['completed'], tools: ['get_weather'] };
const unknown = { model: undefined, usage: [undefined, undefined], costUsd: undefined, finish: undefined } as const;

describe.skipIf(!installed)(`xAI by SDKs with telemetry.fetch (${remedy})`, () => {
  let loopback: Loopback;
  beforeAll(async () => {
    loopback = await createLoopback();
  });
  afterAll(() => loopback.close());

  const options = () => ({
    fetch: redirect(loopback),
    providers: [xai],
    prices: { 'grok-4': { input: 3, output: 15 } },
  });

  describe('openai', () => {
    function client(fetch: Fetch | undefined) {
      return new sdks!.OpenAI({ apiKey: 'k', baseURL: 'https://api.x.ai/v1', maxRetries: 0, ...(fetch && { fetch }) });
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
      expect(seen.spans).toEqual([span]);
      expect(seen.telemetry.spans[0]?.attributes).toMatchObject({
        'gen_ai.provider.name': 'x_ai',
        'gen_ai.usage.reasoning.output_tokens': 100,
        'edgespan.cost.source': 'reported',
      });
    });

    it('streams, with its usage unasked', async () => {
      const seen = await compare(
        loopback,
        [sse(wire.chunks())],
        async (fetch) => Array.fromAsync(await client(fetch).chat.completions.create(streamed)),
        options(),
      );
      expect(seen.result).toHaveLength(5);
      expect(seen.spans).toEqual([stream]);
    });

    it('streams until the caller leaves', async () => {
      const seen = await compare(
        loopback,
        [sse(wire.chunks().slice(0, 3), 'open')],
        async (fetch) => {
          let read = 0;
          for await (const _ of await client(fetch).chat.completions.create(streamed)) if (++read === 3) break;
          await loopback.lost();
        },
        options(),
      );
      expect(seen.spans).toEqual([{ ...stream, ...unknown, model, finish: ['error'], aborted: true }]);
    });

    it('creates and streams a response', async () => {
      const body = { model, input: 'Hi' };
      const whole = await compare(
        loopback,
        [json(200, wire.response())],
        (fetch) => client(fetch).responses.create(body),
        options(),
      );
      expect(whole.spans).toEqual([{ ...chat, ...response }]);
      const streamed = await compare(
        loopback,
        [sse(wire.responseEvents())],
        async (fetch) => Array.fromAsync(await client(fetch).responses.create({ ...body, stream: true })),
        options(),
      );
      expect(streamed.spans).toEqual([{ ...stream, ...response }]);
    });

    it('throws the same error', async () => {
      const seen = await compare(
        loopback,
        [json(403, wire.denied)],
        (fetch) => client(fetch).chat.completions.create(request),
        options(),
      );
      expect(seen.result).toBeUndefined();
      expect(seen.spans).toEqual([
        { ...chat, ...unknown, status: 'error', httpStatus: 403, error: ['permission-denied', 'provider_error'] },
      ]);
    });
  });

  describe('@ai-sdk/xai', () => {
    const ask = (fetch: Fetch | undefined) => ({
      model: sdks!.createXai({ apiKey: 'k', ...(fetch && { fetch }) })(model),
      prompt: 'Hi',
      maxRetries: 0,
    });

    it('generates text', async () => {
      const seen = await compare(
        loopback,
        [json(200, wire.response())],
        async (fetch) => {
          const { text, usage, finishReason } = await sdks!.generateText(ask(fetch));
          return { text, usage, finishReason };
        },
        options(),
      );
      expect(loopback.requests[0]?.path).toBe('/v1/responses');
      expect(seen.result).toMatchObject({ text: 'Hello.', usage: { inputTokens: 1000, outputTokens: 500 } });
      expect(seen.spans).toEqual([{ ...chat, ...response }]);
    });

    it('streams text', async () => {
      const seen = await compare(
        loopback,
        [sse(wire.responseEvents())],
        async (fetch) => {
          const result = sdks!.streamText(ask(fetch));
          return { texts: await Array.fromAsync(result.textStream), usage: await result.usage };
        },
        options(),
      );
      expect(seen.result.texts.join('')).toBe('Hello.');
      expect(seen.spans).toEqual([{ ...stream, ...response }]);
    });

    it('throws the same error', async () => {
      const seen = await compare(
        loopback,
        [json(403, wire.denied)],
        async (fetch) => (await sdks!.generateText(ask(fetch))).text,
        options(),
      );
      expect(seen.result).toBeUndefined();
      expect(seen.spans).toMatchObject([
        { status: 'error', httpStatus: 403, error: ['permission-denied', 'provider_error'] },
      ]);
    });
  });
});
