import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anthropic } from '../../src/llm/providers/anthropic.ts';
import { cloudflare } from '../../src/llm/providers/cloudflare.ts';
import { openai } from '../../src/llm/providers/openai.ts';
import * as anthropicWire from './anthropic-wire.ts';
import * as wire from './cloudflare-wire.ts';
import { answered, answerMs, type CallSpan, compare } from './compare.ts';
import { isInstalled, remedy } from './installed.ts';
import { createLoopback, json, type Loopback, redirect, sse } from './loopback.ts';
import * as openaiWire from './openai-wire.ts';

type Fetch = typeof globalThis.fetch;

const names = ['cloudflare', 'openai', '@anthropic-ai/sdk'];
const installed = names.every(isInstalled);
const sdk = installed
  ? {
      ...(await import('cloudflare')),
      ...(await import('openai')),
      ...(await import('@anthropic-ai/sdk')),
    }
  : undefined;

const account_id = 'a1';
const { model } = wire;
const messages = [{ role: 'user' as const, content: 'Hi' }];
const prices = { [`cloudflare/${model}`]: { input: 0.28, output: 0.83 } };

const run: CallSpan = {
  ...answered,
  name: `chat ${model}`,
  provider: 'cloudflare',
  operation: 'chat',
  model: undefined,
  costUsd: 0.000695,
  finish: undefined,
};
const stream: CallSpan = { ...run, operation: 'stream', firstToken: answerMs };
const unknown = { usage: [undefined, undefined], costUsd: undefined } as const;

describe.skipIf(!installed)(`Cloudflare with telemetry.fetch (${remedy})`, () => {
  let loopback: Loopback;
  beforeAll(async () => {
    loopback = await createLoopback();
  });
  afterAll(() => loopback.close());

  const options = () => ({ fetch: redirect(loopback), providers: [cloudflare, openai, anthropic], prices });

  describe('its own SDK', () => {
    const client = (fetch: Fetch | undefined) =>
      new sdk!.Cloudflare({ apiToken: 'cf', maxRetries: 0, ...(fetch && { fetch }) });

    it('runs a model', async () => {
      const seen = await compare(
        loopback,
        [json(200, wire.answer)],
        (fetch) => client(fetch).ai.run(model, { account_id, messages, max_tokens: 64 }),
        options(),
      );
      expect(seen.result).toEqual(wire.answer.result);
      expect(seen.spans).toEqual([run]);
      expect(seen.telemetry.spans[0]?.attributes).toMatchObject({
        'gen_ai.request.max_tokens': 64,
        'server.address': 'api.cloudflare.com',
      });
      expect(seen.telemetry.spans[0]?.attributes['edgespan.gateway']).toBeUndefined();
    });

    it('names the tools a model asks for', async () => {
      const seen = await compare(
        loopback,
        [json(200, wire.toolAnswer)],
        (fetch) => client(fetch).ai.run(model, { account_id, messages }),
        options(),
      );
      expect(seen.spans).toEqual([{ ...run, tools: ['get_weather'] }]);
    });

    it('streams', async () => {
      const seen = await compare(
        loopback,
        [sse(wire.answerEvents())],
        async (fetch) => {
          const call = client(fetch).ai.run(model, { account_id, messages, stream: true });
          return (await call.asResponse()).text();
        },
        options(),
      );
      expect(seen.result).toBe(wire.answerEvents().join(''));
      expect(seen.spans).toEqual([stream]);
    });

    it('is left in the middle of a stream', async () => {
      const seen = await compare(
        loopback,
        [sse(wire.answerEvents().slice(0, 2), 'open')],
        async (fetch) => {
          const call = client(fetch).ai.run(model, { account_id, messages, stream: true });
          const reader = (await call.asResponse()).body!.getReader();
          await reader.read();
          await reader.cancel();
          await loopback.lost();
        },
        options(),
      );
      expect(seen.spans).toEqual([{ ...stream, ...unknown, aborted: true }]);
      expect(seen.aborted).toBe(1);
    });

    it('embeds', async () => {
      const embedder = '@cf/baai/bge-base-en-v1.5';
      const seen = await compare(
        loopback,
        [json(200, wire.embeddings)],
        (fetch) => client(fetch).ai.run(embedder, { account_id, text: ['Hi'] }),
        options(),
      );
      expect(seen.spans).toEqual([{ ...run, ...unknown, name: `embeddings ${embedder}`, operation: 'embed' }]);
      expect(seen.telemetry.spans[0]?.attributes['gen_ai.embeddings.dimension.count']).toBe(3);
    });

    it('throws the same error', async () => {
      const seen = await compare(
        loopback,
        [json(429, wire.busy)],
        (fetch) => client(fetch).ai.run(model, { account_id, messages }),
        options(),
      );
      expect(seen.result).toBeUndefined();
      expect(seen.spans).toEqual([
        { ...run, ...unknown, status: 'error', httpStatus: 429, error: ['3040', 'rate_limit'] },
      ]);
    });
  });

  const gateway = 'https://gateway.ai.cloudflare.com/v1/a1/g1';

  function openaiAt(baseURL: string, fetch: Fetch | undefined, defaultHeaders = {}) {
    return new sdk!.OpenAI({ apiKey: 'sk', maxRetries: 0, baseURL, defaultHeaders, ...(fetch && { fetch }) });
  }

  describe('the openai SDK', () => {
    const rest = `https://api.cloudflare.com/client/v4/accounts/${account_id}/ai/v1`;

    it('streams from Workers AI, whose chunks each count for themselves', async () => {
      const seen = await compare(
        loopback,
        [sse(wire.chunkEvents())],
        async (fetch) =>
          Array.fromAsync(await openaiAt(rest, fetch).chat.completions.create({ model, messages, stream: true })),
        options(),
      );
      expect(seen.spans).toEqual([{ ...stream, model, finish: ['stop'] }]);
    });

    const completed: CallSpan = {
      ...run,
      name: 'chat gpt-4o-mini',
      provider: 'openai',
      model: 'gpt-4o-mini-2024-07-18',
      costUsd: 0.00045,
      finish: ['stop'],
    };

    it.each([
      ['AI Gateway', `${gateway}/openai`, 'gpt-4o-mini'],
      ['the gateway’s address for all', `${gateway}/compat`, 'openai/gpt-4o-mini'],
      ['the REST API', rest, 'openai/gpt-4o-mini'],
    ])('goes through %s', async (_, baseURL, asked) => {
      const script = [json(200, openaiWire.chatCompletion(null, [openaiWire.toolCall])), sse(openaiWire.chatChunks())];
      const seen = await compare(
        loopback,
        script,
        async (fetch) => {
          const client = openaiAt(baseURL, fetch);
          const whole = await client.chat.completions.create({ model: asked, messages });
          const parts = await client.chat.completions.create({ model: asked, messages, stream: true });
          return [whole, await Array.fromAsync(parts)];
        },
        options(),
      );
      expect(seen.spans).toEqual([
        { ...completed, finish: ['tool_calls'], tools: ['get_weather'] },
        { ...completed, operation: 'stream', firstToken: answerMs },
      ]);
      for (const { attributes } of seen.telemetry.spans) expect(attributes['edgespan.gateway']).toBe('cloudflare');
      expect(loopback.requests[0]?.body).toMatchObject({ model: asked });
    });

    it('is answered out of the gateway’s cache', async () => {
      const answer = json(200, openaiWire.chatCompletion(), { 'cf-aig-cache-status': 'HIT' });
      const seen = await compare(
        loopback,
        [answer],
        (fetch) => openaiAt(`${gateway}/openai`, fetch).chat.completions.create({ model: 'gpt-4o-mini', messages }),
        options(),
      );
      expect(seen.result.usage?.total_tokens).toBe(1500);
      expect(seen.spans).toEqual([{ ...completed, usage: [0, 0], costUsd: 0 }]);
      expect(seen.requests).toEqual({ ok: 1, error: 0 });
    });

    it('throws the gateway’s error', async () => {
      const limited = { success: false, result: [], messages: [], error: [{ code: 2003, message: 'Rate limited' }] };
      const seen = await compare(
        loopback,
        [json(429, limited)],
        (fetch) => openaiAt(`${gateway}/openai`, fetch).chat.completions.create({ model: 'gpt-4o-mini', messages }),
        options(),
      );
      const failed = { model: undefined, finish: undefined, status: 'error', httpStatus: 429 } as const;
      expect(seen.spans).toEqual([{ ...completed, ...unknown, ...failed, error: ['2003', 'rate_limit'] }]);
    });
  });

  it('the Anthropic SDK goes through AI Gateway', async () => {
    const asked = { model: 'claude-sonnet-4-6', max_tokens: 64, messages };
    const seen = await compare(
      loopback,
      [json(200, anthropicWire.message()), sse(anthropicWire.messageEvents())],
      async (fetch) => {
        const baseURL = `${gateway}/anthropic`;
        const client = new sdk!.Anthropic({ apiKey: 'k', maxRetries: 0, baseURL, ...(fetch && { fetch }) });
        return [await client.messages.create(asked), await client.messages.stream(asked).finalMessage()];
      },
      options(),
    );
    const chat = { ...run, name: 'chat claude-sonnet-4-6', provider: 'anthropic', model: 'claude-sonnet-4-6' };
    expect(seen.spans).toMatchObject([
      { ...chat, costUsd: expect.any(Number), finish: ['end_turn'] },
      { ...chat, costUsd: expect.any(Number), operation: 'stream', firstToken: answerMs, finish: ['end_turn'] },
    ]);
    for (const { attributes } of seen.telemetry.spans) expect(attributes['edgespan.gateway']).toBe('cloudflare');
  });
});
