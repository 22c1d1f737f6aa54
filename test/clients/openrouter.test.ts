import { describe, expect, it } from 'vitest';
import { openrouter } from '../../src/llm/providers/openrouter.ts';
import { type Chunk, type Fetch, itBehaves, type Vendor } from './compatible.ts';
import { isInstalled, remedy } from './installed.ts';
import { json, sse } from './loopback.ts';
import * as vendor from './openrouter-wire.ts';

const installed = isInstalled('@openrouter/sdk') && isInstalled('openai');
const own = installed
  ? { ...(await import('@openrouter/sdk')), ...(await import('@openrouter/sdk/lib/http.js')) }
  : undefined;
const sdk = installed ? await import('openai') : undefined;

const { model } = vendor;
const request = { model, messages: [{ role: 'user' as const, content: 'Hi' }] };

const common: Omit<Vendor, 'calls'> = {
  provider: openrouter,
  model,
  wire: vendor.wire,
  costUsd: 0.00125,
  notFound: { body: vendor.notFound, errorType: '404' },
  failing: { error: { code: 502, message: 'Upstream gone.' }, errorType: '502' },
};

describe.skipIf(!installed)(`@openrouter/sdk with telemetry.fetch (${remedy})`, () => {
  function client(fetch: Fetch | undefined) {
    const httpClient = fetch && new own!.HTTPClient({ fetcher: fetch });
    return new own!.OpenRouter({
      apiKey: 'k',
      retryConfig: { strategy: 'none' },
      ...(httpClient && { httpClient }),
    });
  }

  const { run, chat, stream } = itBehaves({
    ...common,
    calls: {
      chat: (fetch) => client(fetch).chat.send({ chatRequest: request }),
      async stream(fetch, signal) {
        const chatRequest = { ...request, stream: true as const };
        const chunks = await client(fetch).chat.send({ chatRequest }, signal ? { signal } : {});
        return chunks as AsyncIterable<Chunk>;
      },
    },
  });

  it('reports the cost of OpenRouter and who served', async () => {
    const seen = await run([json(200, vendor.wire.completion())], (fetch) =>
      client(fetch).chat.send({ chatRequest: request }),
    );
    expect(seen.telemetry.spans[0]?.attributes).toMatchObject({
      'gen_ai.provider.name': 'openrouter',
      'llm.cost_usd': 0.00125,
      'edgespan.upstream': 'OpenAI',
      'gen_ai.usage.cache_read.input_tokens': 400,
      'gen_ai.usage.reasoning.output_tokens': 100,
    });
    expect(seen.telemetry.metrics.value('llm_cost_usd_total')).toBeCloseTo(0.00125, 9);
  });

  it('streams between comments', async () => {
    const chatRequest = { ...request, stream: true as const };
    const seen = await run([sse(vendor.chunks())], async (fetch) =>
      Array.fromAsync((await client(fetch).chat.send({ chatRequest })) as AsyncIterable<Chunk>),
    );
    expect(seen.spans).toEqual([stream]);
  });

  it('has the usage of a stream that fails', async () => {
    const chatRequest = { ...request, stream: true as const };
    const seen = await run([sse(vendor.failingChunks())], async (fetch) =>
      Array.fromAsync((await client(fetch).chat.send({ chatRequest })) as AsyncIterable<Chunk>),
    );
    expect(seen.spans).toEqual([{ ...stream, status: 'error', finish: ['error'], error: ['502', 'provider_error'] }]);
  });

  it('creates a response', async () => {
    const seen = await run([json(200, vendor.response())], (fetch) =>
      client(fetch).responses.send({ responsesRequest: { model, input: 'Hi' } }),
    );
    expect(seen.spans).toEqual([{ ...chat, finish: ['completed'] }]);
  });

  it('creates embeddings', async () => {
    const seen = await run([json(200, vendor.embeddings())], (fetch) =>
      client(fetch).embeddings.generate({ requestBody: { model: vendor.embeddingModel, input: 'Hi' } }),
    );
    expect(seen.spans).toMatchObject([
      { name: `embeddings ${vendor.embeddingModel}`, operation: 'embed', usage: [1000, undefined], costUsd: 0.00002 },
    ]);
  });
});

describe.skipIf(!installed)(`the openai SDK on OpenRouter with telemetry.fetch (${remedy})`, () => {
  function client(fetch: Fetch | undefined) {
    const baseURL = 'https://openrouter.ai/api/v1';
    return new sdk!.OpenAI({ apiKey: 'k', baseURL, maxRetries: 0, ...(fetch && { fetch }) });
  }

  itBehaves({
    ...common,
    calls: {
      chat: (fetch) => client(fetch).chat.completions.create(request),
      stream: (fetch, signal) =>
        client(fetch).chat.completions.create({ ...request, stream: true }, signal ? { signal } : {}),
    },
  });
});
