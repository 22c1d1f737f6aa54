import type { HttpOptions } from '@google/genai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { google } from '../../src/llm/providers/google.ts';
import { answered, answerMs, type CallSpan, compare } from './compare.ts';
import * as wire from './google-wire.ts';
import { isInstalled, remedy } from './installed.ts';
import { type Answer, createLoopback, json, type Loopback, redirect, sse } from './loopback.ts';

type Fetch = typeof globalThis.fetch;

const installed = isInstalled('@google/genai') && isInstalled('openai');
const sdk = installed ? await import('@google/genai') : undefined;
const openai = installed ? await import('openai') : undefined;

const model = 'gemini-2.5-flash';
const request = { model, contents: 'Hi' };
const prices = { [model]: { input: 0.3, cacheRead: 0.03, output: 2.5 } };

/** 700 fresh tokens at 0.30, 300 cached at 0.03, 500 out at 2.50 dollars per million. */
const chat: CallSpan = {
  ...answered,
  name: `generate_content ${model}`,
  provider: 'google',
  operation: 'chat',
  model,
  costUsd: 0.001469,
  finish: ['STOP'],
};
/** Interactions and OpenAI's API are chats by the conventions' word. */
const called = { name: `chat ${model}` };
const stream: CallSpan = { ...chat, operation: 'stream', firstToken: answerMs };
const unknown = { model: undefined, usage: [undefined, undefined], costUsd: undefined, finish: undefined } as const;
const failed: CallSpan = { ...chat, ...unknown, status: 'error' };
/** In the middle: 10 tokens and the thoughts, and not yet what was cached. */
const partial: CallSpan = { ...stream, usage: [1000, 410], costUsd: 0.001325, finish: ['error'] };

describe.skipIf(!installed)(`the @google/genai SDK with telemetry.fetch (${remedy})`, () => {
  let loopback: Loopback;
  beforeAll(async () => {
    loopback = await createLoopback();
  });
  afterAll(() => loopback.close());

  const run = <T>(script: readonly Answer[], program: (fetch: Fetch | undefined) => Promise<T>) =>
    compare(loopback, script, program, { fetch: redirect(loopback), providers: [google], prices });

  function client(fetch: Fetch | undefined, httpOptions: HttpOptions = {}) {
    return new sdk!.GoogleGenAI({ apiKey: 'test', httpOptions: { ...(fetch && { fetch }), ...httpOptions } });
  }

  it('generates content', async () => {
    const seen = await run([json(200, wire.answer())], (fetch) => client(fetch).models.generateContent(request));
    expect(seen.result.text).toBe('Hello there.');
    expect(seen.spans).toEqual([chat]);
    expect(seen.requests).toEqual({ ok: 1, error: 0 });
    const [span] = seen.telemetry.spans;
    expect(span?.attributes).toMatchObject({
      'gen_ai.provider.name': 'gcp.gemini',
      'gen_ai.response.id': 'r-1',
      'gen_ai.usage.reasoning.output_tokens': 400,
      'gen_ai.usage.cache_read.input_tokens': 300,
      'server.address': 'generativelanguage.googleapis.com',
    });
    expect(JSON.stringify(span?.attributes)).not.toContain('test');
  });

  it('reads what the SDK sends of a config', async () => {
    const config = {
      temperature: 0.5,
      topK: 3,
      maxOutputTokens: 64,
      stopSequences: ['END'],
      thinkingConfig: { thinkingLevel: sdk!.ThinkingLevel.LOW },
    };
    const seen = await run([json(200, wire.answer())], (fetch) =>
      client(fetch).models.generateContent({ ...request, config }),
    );
    expect(seen.telemetry.spans[0]?.attributes).toMatchObject({
      'gen_ai.request.temperature': 0.5,
      'gen_ai.request.top_k': 3,
      'gen_ai.request.max_tokens': 64,
      'gen_ai.request.stop_sequences': ['END'],
      'gen_ai.request.reasoning.level': 'LOW',
    });
  });

  it('names the functions a model calls', async () => {
    const seen = await run([json(200, wire.answer([{ functionCall: wire.functionCall }]))], (fetch) =>
      client(fetch).models.generateContent(request),
    );
    expect(seen.result.functionCalls).toEqual([wire.functionCall]);
    expect(seen.spans).toEqual([{ ...chat, tools: ['get_weather'] }]);
  });

  it('says that a prompt was blocked, and no tokens', async () => {
    const seen = await run([json(200, wire.blocked)], (fetch) => client(fetch).models.generateContent(request));
    expect(seen.spans).toEqual([{ ...chat, ...unknown, model, finish: ['PROHIBITED_CONTENT'] }]);
  });

  it('reads the very value that the SDK returned', async () => {
    const seen = await run([json(200, wire.answer())], (fetch) => client(fetch).models.generateContent(request));
    expect(google.accepts!(seen.result)).toBe(true);
    expect(google.read!(seen.result)).toMatchObject({ id: 'r-1', model, usage: { input: 1000, output: 500 } });
  });

  it('embeds', async () => {
    const seen = await run([json(200, wire.embeddings)], (fetch) =>
      client(fetch).models.embedContent({ model: 'gemini-embedding-001', contents: ['Hi'] }),
    );
    expect(seen.result.embeddings).toHaveLength(1);
    expect(seen.spans).toMatchObject([
      { name: 'embeddings gemini-embedding-001', operation: 'embed', status: 'ok', usage: [4, undefined] },
    ]);
    expect(google.accepts!(seen.result)).toBe(true);
  });

  it('counts tokens, which costs nothing', async () => {
    const seen = await run([json(200, { totalTokens: 12 })], (fetch) => client(fetch).models.countTokens(request));
    expect(seen.result.totalTokens).toBe(12);
    expect(seen.spans).toMatchObject([{ name: `count_tokens ${model}`, ...unknown, status: 'ok' }]);
  });

  describe('streams', () => {
    const readAll = async (fetch: Fetch | undefined) =>
      Array.fromAsync(await client(fetch).models.generateContentStream(request));

    it('to their end', async () => {
      const seen = await run([sse(wire.answerEvents())], readAll);
      expect(seen.result.map(({ text }) => text).join('')).toBe('Hello there.');
      expect(seen.spans).toEqual([stream]);
      expect(seen.requests).toEqual({ ok: 1, error: 0 });
    });

    it('with a function call', async () => {
      const seen = await run([sse(wire.callEvents())], readAll);
      expect(seen.spans).toEqual([{ ...stream, tools: ['get_weather'] }]);
    });

    it('that the caller aborts in the middle', async () => {
      const seen = await run([sse(wire.answerEvents().slice(0, 1), 'open')], async (fetch) => {
        const controller = new AbortController();
        const config = { abortSignal: controller.signal };
        for await (const _ of await client(fetch).models.generateContentStream({ ...request, config })) {
          controller.abort();
        }
      });
      await loopback.lost();
      expect(seen.spans).toEqual([{ ...partial, aborted: true }]);
      expect(seen.requests).toEqual({ ok: 1, error: 0 });
      expect(seen.aborted).toBe(1);
    });

    it('that stop without saying why', async () => {
      const seen = await run([sse(wire.answerEvents().slice(0, 1))], readAll);
      const error = ['incomplete_stream', 'provider_error'] as const;
      expect(seen.spans).toEqual([{ ...partial, status: 'error', error }]);
    });

    it('that fail in the middle', async () => {
      const overloaded = wire.googleError(503, 'UNAVAILABLE', 'The model is overloaded.');
      const seen = await run([sse([wire.answerEvents()[0]!, wire.event(overloaded)])], readAll);
      expect(seen.result).toBeUndefined();
      expect(seen.spans).toEqual([{ ...partial, status: 'error', error: ['503', 'provider_error'] }]);
    });
  });

  it.each([
    [429, 'RESOURCE_EXHAUSTED', 'rate_limit'],
    [404, 'NOT_FOUND', 'validation_error'],
    [503, 'UNAVAILABLE', 'provider_error'],
  ] as const)('throws the SDK’s own error for %i', async (code, status, errorClass) => {
    const seen = await run([json(code, wire.googleError(code, status, 'no'))], (fetch) =>
      client(fetch).models.generateContent(request),
    );
    expect(seen.result).toBeUndefined();
    expect(seen.spans).toEqual([{ ...failed, httpStatus: code, error: [String(code), errorClass] }]);
    expect(seen.requests).toEqual({ ok: 0, error: 1 });
  });

  it('is recognised behind an address of one’s own', async () => {
    const seen = await run([json(200, wire.answer())], (fetch) =>
      client(fetch, { baseUrl: 'https://gateway.corp.internal/gemini' }).models.generateContent(request),
    );
    expect(seen.spans).toEqual([chat]);
    expect(seen.telemetry.spans[0]?.attributes['server.address']).toBe('gateway.corp.internal');
  });

  it('creates an interaction', async () => {
    let value: unknown;
    const seen = await run([json(200, wire.interaction)], async (fetch) => {
      value = await client(fetch).interactions.create({ model, input: 'Hi' });
      // It carries the response, of which no two are equal.
      return JSON.stringify(value);
    });
    expect(JSON.parse(seen.result)).toMatchObject({ id: 'v1_abc', status: 'completed' });
    expect(seen.spans).toEqual([{ ...chat, ...called, finish: ['completed'] }]);
    expect(google.accepts!(value)).toBe(true);
  });

  it('streams an interaction', async () => {
    const seen = await run([sse(wire.interactionEvents())], async (fetch) =>
      Array.fromAsync(await client(fetch).interactions.create({ model, input: 'Hi', stream: true })),
    );
    expect(seen.result.at(-1)).toMatchObject({ event_type: 'interaction.completed' });
    expect(seen.spans).toEqual([{ ...stream, ...called, finish: ['completed'] }]);
  });

  describe('by the openai SDK', () => {
    const messages = [{ role: 'user' as const, content: 'Hi' }];
    const compatible = (fetch: Fetch | undefined) =>
      new openai!.OpenAI({
        apiKey: 'test',
        baseURL: 'https://generativelanguage.googleapis.com/v1beta/openai/',
        maxRetries: 0,
        ...(fetch && { fetch }),
      });
    /** Nothing is cached as far as it says. */
    const completion: CallSpan = { ...chat, ...called, costUsd: 0.00155, finish: ['stop'] };

    it('completes a chat', async () => {
      const seen = await run([json(200, wire.completion)], (fetch) =>
        compatible(fetch).chat.completions.create({ model, messages }),
      );
      expect(seen.spans).toEqual([completion]);
    });

    it('streams one', async () => {
      const seen = await run([sse(wire.completionEvents())], async (fetch) =>
        Array.fromAsync(await compatible(fetch).chat.completions.create({ model, messages, stream: true })),
      );
      expect(seen.spans).toEqual([{ ...completion, operation: 'stream', firstToken: answerMs }]);
    });

    it('throws its own error', async () => {
      const error = wire.googleError(400, 'INVALID_ARGUMENT', 'API key not valid.');
      const seen = await run([json(400, [error])], (fetch) =>
        compatible(fetch).chat.completions.create({ model, messages }),
      );
      expect(seen.spans).toEqual([{ ...failed, ...called, httpStatus: 400, error: ['400', 'validation_error'] }]);
    });
  });
});
