import { describe, expect, it } from 'vitest';
import { fireworks } from '../../src/llm/providers/fireworks.ts';
import { type Chunk, itBehaves, type Vendor } from './compatible.ts';
import * as vendor from './fireworks-wire.ts';
import { isInstalled, remedy } from './installed.ts';
import { json, sse } from './loopback.ts';

type Fetch = typeof globalThis.fetch;

const installed = isInstalled('openai') && isInstalled('@ai-sdk/fireworks');
const sdk = installed ? { ...(await import('openai')), ...(await import('@ai-sdk/fireworks')) } : undefined;
const ai = installed ? await import('ai') : undefined;

const { model } = vendor;
const request = { model, messages: [{ role: 'user' as const, content: 'Hi' }] };
/** 600 fresh tokens at 1, 400 cached at 0.5, 500 out at 2 dollars per million. */
const prices = { [`fireworks/${model}`]: { input: 1, output: 2, cacheRead: 0.5 } };

const common: Omit<Vendor, 'calls'> = {
  provider: fireworks,
  model,
  wire: vendor.wire,
  prices,
  costUsd: 0.0018,
  notFound: { body: vendor.notFound, errorType: 'NOT_FOUND' },
  failing: { error: { message: 'Gone.', type: 'server_error', code: null }, errorType: 'server_error' },
};

describe.skipIf(!installed)(`the openai SDK on Fireworks with telemetry.fetch (${remedy})`, () => {
  function client(fetch: Fetch | undefined) {
    const baseURL = 'https://api.fireworks.ai/inference/v1';
    return new sdk!.OpenAI({ apiKey: 'k', baseURL, maxRetries: 0, ...(fetch && { fetch }) });
  }

  const { run, chat } = itBehaves({
    ...common,
    calls: {
      chat: (fetch) => client(fetch).chat.completions.create(request),
      stream: (fetch, signal) =>
        client(fetch).chat.completions.create({ ...request, stream: true }, signal ? { signal } : {}),
    },
  });

  it('finds cached tokens in the headers', async () => {
    const seen = await run([json(200, vendor.withoutDetails(), vendor.headers)], (fetch) =>
      client(fetch).chat.completions.create(request),
    );
    expect(seen.spans).toEqual([chat]);
    expect(seen.telemetry.spans[0]?.attributes['gen_ai.usage.cache_read.input_tokens']).toBe(400);
  });

  it('creates embeddings', async () => {
    const seen = await run([json(200, vendor.embeddings())], (fetch) =>
      client(fetch).embeddings.create({ model: vendor.embeddingModel, input: 'Hi', encoding_format: 'float' }),
    );
    expect(seen.spans).toMatchObject([
      { name: `embeddings ${vendor.embeddingModel}`, operation: 'embed', usage: [1000, undefined], error: undefined },
    ]);
  });
});

describe.skipIf(!installed)(`@ai-sdk/fireworks with telemetry.fetch (${remedy})`, () => {
  const options = { maxRetries: 0, prompt: 'Hi' };
  const provider = (fetch: Fetch | undefined) => sdk!.createFireworks({ apiKey: 'k', ...(fetch && { fetch }) });

  it('generates text', async () => {
    const { run, chat } = behaviour;
    const seen = await run([json(200, vendor.wire.completion())], async (fetch) => {
      const { text, finishReason, usage } = await ai!.generateText({ ...options, model: provider(fetch)(model) });
      return { text, finishReason, usage };
    });
    expect(seen.result).toMatchObject({ text: 'Hello.', finishReason: 'stop' });
    expect(seen.spans).toEqual([chat]);
  });

  it('streams text', async () => {
    const { run, stream } = behaviour;
    const seen = await run([sse(vendor.wire.chunks())], async (fetch) => {
      const result = ai!.streamText({ ...options, model: provider(fetch)(model) });
      return { parts: await Array.fromAsync(result.textStream), usage: await result.usage };
    });
    expect(seen.result.parts.join('')).toBe('Hello.');
    expect(seen.spans).toEqual([stream]);
  });

  const behaviour = itBehaves({
    ...common,
    goesOn: true,
    calls: {
      chat: async (fetch) => {
        const { text, toolCalls, usage } = await ai!.generateText({
          ...options,
          model: provider(fetch)(model),
          tools: { get_weather: ai!.tool({ inputSchema: ai!.jsonSchema({ type: 'object' }) }) },
        });
        return { text, toolCalls, usage };
      },
      async stream(fetch, abortSignal) {
        const result = ai!.streamText({
          ...options,
          model: provider(fetch)(model),
          onError: () => {},
          ...(abortSignal && { abortSignal }),
        });
        return toChunks(result.textStream);
      },
    },
  });
});

async function* toChunks(texts: AsyncIterable<string>): AsyncGenerator<Chunk> {
  for await (const content of texts) yield { choices: [{ delta: { content } }] };
}
