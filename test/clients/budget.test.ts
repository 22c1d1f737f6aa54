import { describe, expect, it } from 'vitest';
import { BudgetExceededError, type BudgetOptions } from '../../src/index.ts';
import { createTestTelemetry } from '../../src/testing.ts';
import { isInstalled, remedy } from './installed.ts';

type Fetch = typeof globalThis.fetch;

/** A call by a vendor's SDK, with the retries that it has by default. */
type Call = (fetch: Fetch) => Promise<unknown>;

const installed = isInstalled('openai');
const sdks = installed ? await load() : {};
const messages = [{ role: 'user' as const, content: 'Hi' }];

async function load(): Promise<Record<string, Call>> {
  const { OpenAI } = await import('openai');
  const { Anthropic } = await import('@anthropic-ai/sdk');
  const { Groq } = await import('groq-sdk');
  const { GoogleGenAI } = await import('@google/genai');
  const { CohereClientV2 } = await import('cohere-ai');
  const { HTTPClient, Mistral } = await import('@mistralai/mistralai');
  const { embed, generateText, streamText } = await import('ai');
  const { createOpenAI } = await import('@ai-sdk/openai');
  const { createAnthropic } = await import('@ai-sdk/anthropic');
  const model = 'gpt-4o-mini';
  const google = (fetch: Fetch) => new GoogleGenAI({ apiKey: 'k', httpOptions: { fetch } });
  return {
    openai: (fetch) => new OpenAI({ apiKey: 'k', fetch }).chat.completions.create({ model, messages }),
    'openai, streamed': (fetch) =>
      new OpenAI({ apiKey: 'k', fetch }).chat.completions.create({ model, messages, stream: true }),
    'openai responses': (fetch) => new OpenAI({ apiKey: 'k', fetch }).responses.create({ model, input: 'Hi' }),
    'openai embeddings': (fetch) =>
      new OpenAI({ apiKey: 'k', fetch }).embeddings.create({ model: 'text-embedding-3-small', input: 'Hi' }),
    '@anthropic-ai/sdk': (fetch) =>
      new Anthropic({ apiKey: 'k', fetch }).messages.create({ model: 'claude-sonnet-4-6', max_tokens: 9, messages }),
    '@anthropic-ai/sdk, streamed': (fetch) =>
      new Anthropic({ apiKey: 'k', fetch }).messages
        .stream({ model: 'claude-sonnet-4-6', max_tokens: 9, messages })
        .finalMessage(),
    'groq-sdk': (fetch) => new Groq({ apiKey: 'k', fetch }).chat.completions.create({ model: 'llama', messages }),
    '@google/genai': (fetch) => google(fetch).models.generateContent({ model: 'gemini-2.5-flash', contents: 'Hi' }),
    '@google/genai, streamed': async (fetch) =>
      Array.fromAsync(await google(fetch).models.generateContentStream({ model: 'gemini-2.5-flash', contents: 'Hi' })),
    'cohere-ai': (fetch) => new CohereClientV2({ token: 'k', fetch }).chat({ model: 'command-a', messages }),
    '@mistralai/mistralai': (fetch) =>
      new Mistral({ apiKey: 'k', httpClient: new HTTPClient({ fetcher: fetch }) }).chat.complete({
        model: 'mistral-small-latest',
        messages,
      }),
    'ai, OpenAI': (fetch) => generateText({ model: createOpenAI({ apiKey: 'k', fetch })(model), prompt: 'Hi' }),
    'ai, Anthropic': (fetch) =>
      generateText({ model: createAnthropic({ apiKey: 'k', fetch })('claude-sonnet-4-6'), prompt: 'Hi' }),
    'ai, embeddings': (fetch) =>
      embed({ model: createOpenAI({ apiKey: 'k', fetch }).embedding('text-embedding-3-small'), value: 'Hi' }),
    async 'ai, streamed'(fetch) {
      let failure: unknown;
      const result = streamText({
        model: createOpenAI({ apiKey: 'k', fetch })(model),
        prompt: 'Hi',
        onError: ({ error }) => {
          failure = error;
        },
      });
      await result.consumeStream();
      throw failure;
    },
  };
}

/** A telemetry whose limit is used up, how often its fetch was called, and whether any request went out. */
function refusing(over: Partial<BudgetOptions> = {}) {
  const counts = { calls: 0, requests: 0 };
  const telemetry = createTestTelemetry({
    budget: { limits: { name: 'daily', tokens: 0, window: 'day' }, ...over },
    fetch: async () => {
      counts.requests++;
      return new Response(null, { status: 500 });
    },
  });
  const fetch: Fetch = (input, init) => {
    counts.calls++;
    return telemetry.fetch(input, init);
  };
  return { telemetry, counts, fetch };
}

describe.skipIf(!installed)(`a refused budget behind the vendors’ SDKs (${remedy})`, () => {
  it.each(Object.entries(sdks))('%s tries once, and its error has the refusal behind it', async (_, call) => {
    const { telemetry, counts, fetch } = refusing();
    const error = await call(fetch).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(counts).toEqual({ calls: 1, requests: 0 });
    expect(error).not.toBeInstanceOf(BudgetExceededError);
    const exceeded = BudgetExceededError.from(error);
    expect(exceeded?.refusal).toMatchObject({
      limit: { name: 'daily', tokens: 0, window: 'day' },
      reason: 'limit',
      spent: { tokens: 0 },
    });
    expect(exceeded?.refusal.requested.tokens).toBeGreaterThan(0);
    expect(exceeded?.refusal.resetsAt?.getTime()).toBeGreaterThan(Date.now());
    expect(exceeded?.message).toContain('budget "daily" of a day is exceeded');
    expect(telemetry.metrics.value('llm_requests_total')).toBeUndefined();
  });

  it('is thrown by a wrapped client, before its SDK does anything', async () => {
    const { OpenAI } = await import('openai');
    const { telemetry, counts, fetch } = refusing();
    const openai = telemetry.wrap(new OpenAI({ apiKey: 'k', fetch }), { type: 'llm' });
    const ask = async () => openai.chat.completions.create({ model: 'gpt-4o-mini', messages });
    await expect(ask()).rejects.toBeInstanceOf(BudgetExceededError);
    expect(counts.calls).toBe(0);
  });
});
