import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { vertex } from '../../src/llm/providers/vertex.ts';
import * as messages from './anthropic-wire.ts';
import { answered, answerMs, type CallSpan, compare } from './compare.ts';
import * as wire from './google-wire.ts';
import { isInstalled, remedy } from './installed.ts';
import { type Answer, createLoopback, json, type Loopback, redirect, sse } from './loopback.ts';

type Fetch = typeof globalThis.fetch;

const installed = isInstalled('@google/genai') && isInstalled('@anthropic-ai/vertex-sdk');
const genai = installed ? await import('@google/genai') : undefined;
const anthropic = installed ? await import('@anthropic-ai/vertex-sdk') : undefined;

/** Credentials that are there, so that nobody asks Google for them. */
const authClient = { getRequestHeaders: async () => new Headers({ authorization: 'Bearer test' }) } as never;

const gemini = 'gemini-2.5-flash';
const claude = 'claude-sonnet-4-6';
const prices = {
  [gemini]: { input: 0.3, cacheRead: 0.03, output: 2.5 },
  [claude]: { input: 3, cacheRead: 0.3, cacheWrite: 3.75, output: 15 },
};

const chat: CallSpan = {
  ...answered,
  name: `generate_content ${gemini}`,
  provider: 'vertex',
  operation: 'chat',
  model: gemini,
  costUsd: 0.001469,
  finish: ['STOP'],
};
const streamed = { operation: 'stream', firstToken: answerMs };
const unknown = { model: undefined, usage: [undefined, undefined], costUsd: undefined, finish: undefined } as const;
const message: CallSpan = { ...chat, name: `chat ${claude}`, model: claude, costUsd: 0.009765, finish: ['end_turn'] };

describe.skipIf(!installed)(`SDKs of Vertex AI with telemetry.fetch (${remedy})`, () => {
  let loopback: Loopback;
  beforeAll(async () => {
    loopback = await createLoopback();
  });
  afterAll(() => loopback.close());

  const run = <T>(script: readonly Answer[], program: (fetch: Fetch | undefined) => Promise<T>) =>
    compare(loopback, script, program, { fetch: redirect(loopback), providers: [vertex], prices });

  describe('@google/genai', () => {
    const request = { model: gemini, contents: 'Hi' };
    const inProject = (fetch: Fetch | undefined, location = 'europe-west4') =>
      new genai!.GoogleGenAI({
        vertexai: true,
        project: 'p',
        location,
        googleAuthOptions: { authClient },
        httpOptions: fetch ? { fetch } : {},
      });
    const express = (fetch: Fetch | undefined) =>
      new genai!.GoogleGenAI({ vertexai: true, apiKey: 'test', httpOptions: fetch ? { fetch } : {} });

    it.each([
      ['europe-west4', 'europe-west4-aiplatform.googleapis.com'],
      ['global', 'aiplatform.googleapis.com'],
      ['eu', 'aiplatform.eu.rep.googleapis.com'],
    ])('generates content in %s', async (location, host) => {
      const seen = await run([json(200, wire.answer())], (fetch) =>
        inProject(fetch, location).models.generateContent(request),
      );
      expect(seen.result.text).toBe('Hello there.');
      expect(seen.spans).toEqual([chat]);
      expect(seen.telemetry.spans[0]?.attributes).toMatchObject({
        'gen_ai.provider.name': 'gcp.vertex_ai',
        'cloud.region': location,
        'server.address': host,
      });
    });

    it('generates content in express mode', async () => {
      const seen = await run([json(200, wire.answer())], (fetch) => express(fetch).models.generateContent(request));
      expect(loopback.requests[0]?.path).toBe(`/v1beta1/publishers/google/models/${gemini}:generateContent`);
      expect(seen.spans).toEqual([chat]);
      expect(seen.telemetry.spans[0]?.attributes['cloud.region']).toBeUndefined();
    });

    it('streams', async () => {
      const seen = await run([sse(wire.callEvents())], async (fetch) =>
        Array.fromAsync(await inProject(fetch).models.generateContentStream(request)),
      );
      expect(seen.spans).toEqual([{ ...chat, ...streamed, tools: ['get_weather'] }]);
    });

    it('embeds by :predict', async () => {
      const model = 'text-embedding-005';
      const seen = await run([json(200, wire.predictions)], (fetch) =>
        inProject(fetch).models.embedContent({ model, contents: ['a', 'b'], config: { outputDimensionality: 2 } }),
      );
      expect(loopback.requests[0]?.path).toContain(':predict');
      expect(seen.spans).toMatchObject([{ name: `embeddings ${model}`, operation: 'embed', usage: [9, undefined] }]);
      expect(seen.telemetry.spans[0]?.attributes['gen_ai.embeddings.dimension.count']).toBe(2);
      expect(vertex.accepts!(seen.result)).toBe(true);
      expect(vertex.read!(seen.result).usage).toEqual({ input: 9 });
    });

    it('throws its own error', async () => {
      const error = wire.googleError(429, 'RESOURCE_EXHAUSTED', 'no');
      const seen = await run([json(429, error)], (fetch) => express(fetch).models.generateContent(request));
      expect(seen.spans).toEqual([
        { ...chat, ...unknown, status: 'error', httpStatus: 429, error: ['429', 'rate_limit'] },
      ]);
    });

    it('creates an interaction', async () => {
      const seen = await run([json(200, wire.interaction)], async (fetch) =>
        JSON.stringify(await inProject(fetch).interactions.create({ model: gemini, input: 'Hi' })),
      );
      expect(JSON.parse(seen.result)).toMatchObject({ id: 'v1_abc' });
      expect(seen.spans).toEqual([{ ...chat, name: `chat ${gemini}`, finish: ['completed'] }]);
    });
  });

  describe('@anthropic-ai/vertex-sdk', () => {
    const request = { model: claude, max_tokens: 1024, messages: [{ role: 'user' as const, content: 'Hi' }] };
    const client = (fetch: Fetch | undefined) =>
      new anthropic!.AnthropicVertex({
        region: 'us-east5',
        projectId: 'p',
        authClient,
        maxRetries: 0,
        ...(fetch && { fetch }),
      });

    it('creates a message', async () => {
      const seen = await run([json(200, messages.message())], (fetch) => client(fetch).messages.create(request));
      expect(loopback.requests[0]?.path).toContain(`/publishers/anthropic/models/${claude}:rawPredict`);
      expect(seen.spans).toEqual([message]);
      expect(seen.telemetry.spans[0]?.attributes).toMatchObject({
        'gen_ai.provider.name': 'gcp.vertex_ai',
        'gen_ai.request.model': claude,
        'gen_ai.request.max_tokens': 1024,
        'cloud.region': 'us-east5',
      });
    });

    it('streams one with a tool call', async () => {
      const seen = await run([sse(messages.toolEvents())], async (fetch) =>
        Array.fromAsync(await client(fetch).messages.create({ ...request, stream: true })),
      );
      expect(loopback.requests[0]?.path).toContain(':streamRawPredict');
      expect(seen.spans).toEqual([{ ...message, ...streamed, finish: ['tool_use'], tools: ['get_weather'] }]);
    });

    it('aborts a stream', async () => {
      const script = [sse(messages.messageEvents().slice(0, 4), 'open')];
      const seen = await run(script, async (fetch) => {
        for await (const event of await client(fetch).messages.create({ ...request, stream: true })) {
          if (event.type === 'content_block_delta') break;
        }
        await loopback.lost();
      });
      expect(seen.spans).toMatchObject([{ status: 'ok', aborted: true, usage: [1000, 1], finish: ['error'] }]);
      expect(seen.aborted).toBe(1);
    });

    it('counts tokens of the model in the body', async () => {
      const { max_tokens: _, ...counted } = request;
      const seen = await run([json(200, { input_tokens: 12 })], (fetch) => client(fetch).messages.countTokens(counted));
      expect(seen.spans).toMatchObject([{ ...unknown, name: `count_tokens ${claude}`, status: 'ok' }]);
    });

    it.each([
      ['Anthropic’s', messages.anthropicError('rate_limit_error', 'no')],
      ['Google’s', wire.googleError(429, 'RESOURCE_EXHAUSTED', 'no')],
      ['a list of Google’s', [wire.googleError(429, 'RESOURCE_EXHAUSTED', 'no')]],
    ])('throws its own error for %s', async (_, body) => {
      const seen = await run([json(429, body)], (fetch) => client(fetch).messages.create(request));
      expect(seen.spans).toMatchObject([{ ...unknown, status: 'error', httpStatus: 429 }]);
      expect(seen.spans[0]?.error?.[1]).toBe('rate_limit');
    });
  });
});
