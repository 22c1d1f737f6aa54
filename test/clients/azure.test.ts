import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { azure } from '../../src/llm/providers/azure.ts';
import * as wire from './azure-wire.ts';
import { answered, answerMs, type CallSpan, compare } from './compare.ts';
import { isInstalled, remedy } from './installed.ts';
import { createLoopback, json, type Loopback, redirect, sse } from './loopback.ts';
import { embeddings, response, responseEvents } from './openai-wire.ts';

type Fetch = typeof globalThis.fetch;

const installed = isInstalled('openai');
const sdk = installed ? await import('openai') : undefined;

const endpoint = 'https://corp.openai.azure.com';
const messages = [{ role: 'user' as const, content: 'Hi' }];
const streamed = { messages, stream: true as const, stream_options: { include_usage: true } };
/** A deployment has no price; the model behind it has. */
const prices = { 'gpt-4o-mini': { input: 0.15, output: 0.6 } };

const chat: CallSpan = {
  ...answered,
  name: 'chat prod-chat',
  provider: 'azure',
  operation: 'chat',
  model: 'gpt-4o-mini-2024-07-18',
  costUsd: 0.00045,
  finish: ['stop'],
};
const stream: CallSpan = { ...chat, operation: 'stream', firstToken: answerMs };
const unknown = { model: undefined, usage: [undefined, undefined], costUsd: undefined, finish: undefined } as const;
const failed: CallSpan = { ...chat, ...unknown, status: 'error' };

describe.skipIf(!installed)(`AzureOpenAI of the openai SDK with telemetry.fetch (${remedy})`, () => {
  let loopback: Loopback;
  beforeAll(async () => {
    loopback = await createLoopback();
  });
  afterAll(() => loopback.close());

  const options = () => ({ fetch: redirect(loopback), providers: [azure], prices });

  function client(fetch: Fetch | undefined, deployment = 'prod-chat') {
    const apiVersion = '2024-10-21';
    return new sdk!.AzureOpenAI({
      endpoint,
      apiKey: 'k',
      apiVersion,
      deployment,
      maxRetries: 0,
      ...(fetch && { fetch }),
    });
  }

  it('creates a chat completion by the client’s deployment', async () => {
    const answer = json(200, wire.completion(), { 'x-ms-region': 'UK South' });
    const seen = await compare(
      loopback,
      [answer],
      (fetch) => client(fetch).chat.completions.create({ model: '', messages }),
      options(),
    );
    expect(loopback.requests[0]?.path).toBe('/openai/deployments/prod-chat/chat/completions?api-version=2024-10-21');
    expect(seen.result.choices[0]?.message.content).toBe('Hello there.');
    expect(seen.spans).toEqual([chat]);
    expect(seen.telemetry.spans[0]?.attributes).toMatchObject({
      'gen_ai.provider.name': 'azure.ai.openai',
      'gen_ai.request.model': 'prod-chat',
      'cloud.region': 'uksouth',
      'server.address': 'corp.openai.azure.com',
    });
  });

  it('creates a chat completion by the deployment that the request names', async () => {
    const seen = await compare(
      loopback,
      [json(200, wire.completion(true))],
      (fetch) => client(fetch, '').chat.completions.create({ model: 'prod-tools', messages }),
      options(),
    );
    expect(seen.spans).toEqual([{ ...chat, name: 'chat prod-tools', finish: ['tool_calls'], tools: ['get_weather'] }]);
  });

  it('streams, past a first chunk that is the content filter’s', async () => {
    const seen = await compare(
      loopback,
      [sse(wire.chunks())],
      async (fetch) => Array.fromAsync(await client(fetch).chat.completions.create({ model: '', ...streamed })),
      options(),
    );
    expect(seen.result[0]?.choices).toEqual([]);
    expect(seen.spans).toEqual([stream]);
  });

  it('streams until the caller aborts', async () => {
    const seen = await compare(
      loopback,
      [sse(wire.chunks().slice(0, 4), 'open')],
      async (fetch) => {
        const controller = new AbortController();
        const { signal } = controller;
        let read = 0;
        for await (const _ of await client(fetch).chat.completions.create({ model: '', ...streamed }, { signal })) {
          if (++read === 3) controller.abort();
        }
        await loopback.lost();
      },
      options(),
    );
    expect(seen.spans).toEqual([{ ...stream, ...unknown, model: chat.model, finish: ['error'], aborted: true }]);
    expect(seen.aborted).toBe(1);
  });

  it.each([
    [400, wire.filtered, 'content_filter'],
    [404, wire.notDeployed, 'DeploymentNotFound'],
  ])('throws the same error for status %i', async (status, body, type) => {
    const seen = await compare(
      loopback,
      [json(status, body)],
      (fetch) => client(fetch).chat.completions.create({ model: '', messages }),
      options(),
    );
    expect(seen.result).toBeUndefined();
    expect(seen.spans).toEqual([{ ...failed, httpStatus: status, error: [type, 'validation_error'] }]);
    expect(seen.requests).toEqual({ ok: 0, error: 1 });
  });

  it('creates embeddings', async () => {
    const seen = await compare(
      loopback,
      [json(200, embeddings())],
      (fetch) => client(fetch, 'prod-embed').embeddings.create({ model: '', input: 'Hi', encoding_format: 'float' }),
      options(),
    );
    expect(seen.spans).toMatchObject([
      { name: 'embeddings prod-embed', provider: 'azure', operation: 'embed', usage: [1000, undefined] },
    ]);
  });

  it('creates a response, whose model stands in the headers', async () => {
    const answer = json(200, { ...response(), model: 'prod' }, { 'x-ms-served-model': 'gpt-4o-mini-2024-07-18' });
    const seen = await compare(
      loopback,
      [answer],
      (fetch) => client(fetch).responses.create({ model: 'prod', input: 'Hi' }),
      options(),
    );
    expect(loopback.requests[0]?.path).toBe('/openai/responses?api-version=2024-10-21');
    expect(seen.result.model).toBe('prod');
    expect(seen.spans).toEqual([{ ...chat, name: 'chat prod', finish: ['completed'] }]);
  });

  it('streams a response of the v1 API by the plain client', async () => {
    const seen = await compare(
      loopback,
      [sse(responseEvents())],
      async (fetch) => {
        const baseURL = `${endpoint}/openai/v1`;
        const plain = new sdk!.OpenAI({ baseURL, apiKey: 'k', maxRetries: 0, ...(fetch && { fetch }) });
        return Array.fromAsync(await plain.responses.create({ model: 'prod', input: 'Hi', stream: true }));
      },
      options(),
    );
    expect(seen.result.at(-1)?.type).toBe('response.completed');
    expect(seen.spans).toEqual([{ ...stream, name: 'chat prod', finish: ['completed'] }]);
  });
});
