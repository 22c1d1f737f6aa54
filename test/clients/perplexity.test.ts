import { describe, expect, it } from 'vitest';
import { perplexity } from '../../src/llm/providers/perplexity.ts';
import { answerMs } from './compare.ts';
import { type Chunk, itBehaves } from './compatible.ts';
import { isInstalled, remedy } from './installed.ts';
import { json, sse } from './loopback.ts';
import * as vendor from './perplexity-wire.ts';

const installed = isInstalled('@perplexity-ai/perplexity_ai');
const sdk = installed ? await import('@perplexity-ai/perplexity_ai') : undefined;

const { model, agentModel } = vendor;
const request = { model, messages: [{ role: 'user' as const, content: 'Hi' }] };

function client(fetch: typeof globalThis.fetch | undefined) {
  return new sdk!.Perplexity({ apiKey: 'k', maxRetries: 0, ...(fetch && { fetch }) });
}

describe.skipIf(!installed)(`@perplexity-ai/perplexity_ai with telemetry.fetch (${remedy})`, () => {
  const { run, chat, stream } = itBehaves({
    provider: perplexity,
    model,
    wire: vendor.wire,
    costUsd: 0.0165,
    calls: {
      chat: (fetch) => client(fetch).chat.completions.create(request),
      stream: async (fetch, signal) => {
        const stream = await client(fetch).chat.completions.create(
          { ...request, stream: true },
          signal ? { signal } : {},
        );
        return stream as AsyncIterable<Chunk>;
      },
    },
    notFound: { body: vendor.notFound, errorType: '404' },
    failing: { error: { message: 'Gone.', type: 'server_error', code: 500 }, errorType: '500' },
  });

  it('streams usage that grows, to an end without a terminator', async () => {
    const seen = await run([sse(vendor.chunks())], async (fetch) =>
      Array.fromAsync(await client(fetch).chat.completions.create({ ...request, stream: true })),
    );
    expect(seen.result.at(-1)).toMatchObject({ object: 'chat.completion.done' });
    expect(seen.spans).toEqual([stream]);
  });

  it('has no call aborted that is left at its last object', async () => {
    const seen = await run([sse(vendor.chunks(), 'open')], async (fetch) => {
      for await (const chunk of await client(fetch).chat.completions.create({ ...request, stream: true })) {
        if ((chunk as { object?: string }).object === 'chat.completion.done') break;
      }
    });
    expect(seen.spans).toEqual([stream]);
    expect(seen.aborted).toBe(0);
  });

  const agent = {
    ...chat,
    name: `chat ${agentModel}`,
    model: agentModel,
    finish: ['completed'],
    costUsd: 0.04,
  };

  it('asks the agent', async () => {
    const seen = await run([json(200, vendor.response())], (fetch) =>
      client(fetch).responses.create({ model: agentModel, input: 'Hi' }),
    );
    expect(seen.result).toMatchObject({ output_text: 'Hello.' });
    expect(seen.spans).toEqual([agent]);
    expect(seen.telemetry.spans[0]?.attributes['gen_ai.usage.cache_read.input_tokens']).toBe(400);
  });

  it('asks the agent for a stream', async () => {
    const seen = await run([sse(vendor.responseEvents())], async (fetch) => {
      const events = await client(fetch).responses.create({ model: agentModel, input: 'Hi', stream: true });
      return Array.fromAsync(events);
    });
    expect(seen.result).toHaveLength(4);
    expect(seen.spans).toEqual([{ ...agent, operation: 'stream', firstToken: answerMs }]);
  });

  it('creates embeddings', async () => {
    const seen = await run([json(200, vendor.embeddings())], (fetch) =>
      client(fetch).embeddings.create({ model: vendor.embeddingModel as 'pplx-embed-v1-0.6b', input: 'Hi' }),
    );
    expect(seen.spans).toMatchObject([{ operation: 'embed', usage: [1000, undefined], costUsd: 0.004 }]);
  });

  it('leaves alone what is answered later', async () => {
    const seen = await run([json(200, vendor.submitted())], (fetch) =>
      client(fetch).async.chat.completions.create({ request }),
    );
    expect(seen.spans).toEqual([]);
    expect(seen.requests).toEqual({ ok: 0, error: 0 });
  });
});
