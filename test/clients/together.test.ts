import { describe, expect, it } from 'vitest';
import { together } from '../../src/llm/providers/together.ts';
import { itBehaves } from './compatible.ts';
import { isInstalled, remedy } from './installed.ts';
import { json, sse } from './loopback.ts';
import * as vendor from './together-wire.ts';

const installed = isInstalled('together-ai');
const sdk = installed ? await import('together-ai') : undefined;

const { model } = vendor;
const request = { model, messages: [{ role: 'user' as const, content: 'Hi' }] };

function client(fetch: typeof globalThis.fetch | undefined) {
  return new sdk!.Together({ apiKey: 'k', maxRetries: 0, ...(fetch && { fetch }) });
}

describe.skipIf(!installed)(`together-ai with telemetry.fetch (${remedy})`, () => {
  const { run, chat, stream } = itBehaves({
    provider: together,
    model,
    wire: vendor.wire,
    prices: { [`together/${model}`]: { input: 1, output: 2 } },
    costUsd: 0.002,
    finish: 'eos',
    calls: {
      chat: (fetch) => client(fetch).chat.completions.create(request),
      stream: (fetch, signal) =>
        client(fetch).chat.completions.create({ ...request, stream: true }, signal ? { signal } : {}),
    },
    notFound: { body: vendor.notFound, errorType: 'model_not_available' },
    failing: { error: { message: 'Gone.', type: 'server_error', code: null }, errorType: 'server_error' },
  });

  it('streams by the helper', async () => {
    const seen = await run([sse(vendor.wire.chunks())], (fetch) =>
      client(fetch).chat.completions.stream(request).finalContent(),
    );
    expect(seen.result).toBe('Hello.');
    expect(seen.spans).toEqual([stream]);
  });

  it.each([false, true])('creates a legacy completion (streamed: %s)', async (streamed) => {
    const answer = streamed ? sse(vendor.completionChunks()) : json(200, vendor.legacyCompletion());
    const seen = await run([answer], async (fetch) => {
      const legacy = { model, prompt: 'Hi' };
      const { completions } = client(fetch);
      if (!streamed) return completions.create(legacy);
      return Array.fromAsync(await completions.create({ ...legacy, stream: true }));
    });
    expect(seen.spans).toMatchObject([
      { name: `text_completion ${model}`, usage: [1000, 500], finish: ['stop'], model, error: undefined },
    ]);
  });

  it('creates embeddings, whose usage stays unknown', async () => {
    const seen = await run([json(200, vendor.embeddings())], (fetch) =>
      client(fetch).embeddings.create({ model: vendor.embeddingModel, input: 'Hi' }),
    );
    expect(seen.result.data[0]?.embedding).toEqual([0.5, 1]);
    expect(seen.spans).toEqual([
      {
        ...chat,
        name: `embeddings ${vendor.embeddingModel}`,
        operation: 'embed',
        model: vendor.embeddingModel,
        usage: [undefined, undefined],
        costUsd: undefined,
        finish: undefined,
      },
    ]);
  });
});
