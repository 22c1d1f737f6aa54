import { describe, expect, it } from 'vitest';
import { cerebras } from '../../src/llm/providers/cerebras.ts';
import * as vendor from './cerebras-wire.ts';
import { itBehaves } from './compatible.ts';
import { isInstalled, remedy } from './installed.ts';
import { json } from './loopback.ts';

const installed = isInstalled('@cerebras/cerebras_cloud_sdk');
const sdk = installed ? await import('@cerebras/cerebras_cloud_sdk') : undefined;

const { model } = vendor;
const request = { model, messages: [{ role: 'user' as const, content: 'Hi' }] };

function client(fetch: typeof globalThis.fetch | undefined) {
  return new sdk!.Cerebras({ apiKey: 'k', maxRetries: 0, warmTCPConnection: false, ...(fetch && { fetch }) });
}

describe.skipIf(!installed)(`@cerebras/cerebras_cloud_sdk with telemetry.fetch (${remedy})`, () => {
  const { run, chat } = itBehaves({
    provider: cerebras,
    model,
    wire: vendor.wire,
    prices: { [`cerebras/${model}`]: { input: 1, output: 2 } },
    costUsd: 0.002,
    calls: {
      chat: (fetch) => client(fetch).chat.completions.create(request),
      stream: async (fetch, signal) => {
        const stream = await client(fetch).chat.completions.create(
          { ...request, stream: true },
          signal ? { signal } : {},
        );
        return stream as AsyncIterable<{ choices: [] }>;
      },
    },
    notFound: { body: vendor.notFound, errorType: 'model_not_found' },
    failing: {
      error: { message: 'Gone.', type: 'server_error', code: 'internal_error' },
      errorType: 'internal_error',
      more: { status_code: 500 },
    },
  });

  it('says how long a call waited and was worked on', async () => {
    const seen = await run([json(200, vendor.wire.completion())], (fetch) =>
      client(fetch).chat.completions.create(request),
    );
    expect(seen.telemetry.spans[0]?.attributes).toMatchObject({
      'gen_ai.provider.name': 'cerebras',
      'gen_ai.usage.reasoning.output_tokens': 100,
      'cerebras.queue_time': 0.25,
      'cerebras.total_time': 0.875,
    });
  });

  it('creates a legacy completion', async () => {
    const seen = await run([json(200, vendor.legacyCompletion())], (fetch) =>
      client(fetch).completions.create({ model, prompt: 'Hi' }),
    );
    expect(seen.spans).toMatchObject([
      { ...chat, name: `text_completion ${model}`, operation: expect.any(String), finish: ['length'] },
    ]);
  });
});
