import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestTelemetry } from '../../src/testing.ts';
import { isInstalled, remedy } from './installed.ts';
import { type Answer, createLoopback, json, type Loopback, sse } from './loopback.ts';
import * as wire from './openai-wire.ts';

const installed = isInstalled('openai');
const sdk = installed ? await import('openai') : undefined;

const request = { model: 'gpt-4o-mini', messages: [{ role: 'user' as const, content: 'Hi' }], stream: true as const };
const asked = { ...request, stream_options: { include_usage: true } };

/** Usage comes where it is asked for, and every other chunk says that it has none. */
const asksForUsage = (body: unknown) =>
  (body as { stream_options?: { include_usage?: boolean } }).stream_options?.include_usage === true;

describe.skipIf(!installed)(`the openai SDK with includeUsage (${remedy})`, () => {
  let loopback: Loopback;
  beforeAll(async () => {
    loopback = await createLoopback();
  });
  afterAll(() => loopback.close());

  const vendor: Answer = (response) =>
    sse(wire.chatChunks(undefined, asksForUsage(loopback.requests.at(-1)?.body)))(response);

  function connect(fetch?: typeof globalThis.fetch) {
    const baseURL = `${loopback.url}/v1`;
    return new sdk!.OpenAI({ apiKey: 'k', baseURL, maxRetries: 1, ...(fetch && { fetch }) });
  }

  function observe() {
    const telemetry = createTestTelemetry({ includeUsage: true });
    return { telemetry, openai: connect(telemetry.fetch) };
  }

  /** As applications read streams that they did not ask for usage: each chunk has a choice. */
  async function read(openai: ReturnType<typeof connect>) {
    const deltas: unknown[] = [];
    for await (const chunk of await openai.chat.completions.create(request)) deltas.push(chunk.choices[0]!.delta);
    return deltas;
  }

  it('knows usage and cost, and the loop sees the chunks it would have seen', async () => {
    loopback.play([vendor]);
    const plain = await read(connect());
    loopback.play([vendor]);
    const { telemetry, openai } = observe();
    expect(await read(openai)).toEqual(plain);
    expect(loopback.requests[0]!.body).toEqual(asked);
    expect(telemetry.spans[0]!.attributes).toMatchObject({
      'gen_ai.usage.input_tokens': 1000,
      'gen_ai.usage.output_tokens': 500,
      'llm.cost_usd': 0.00045,
    });
  });

  it('leaves the chunk to whoever asks for it', async () => {
    loopback.play([vendor]);
    const { openai } = observe();
    const chunks = await Array.fromAsync(await openai.chat.completions.create(asked));
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 1000 } });
  });

  it('asks again when the SDK does', async () => {
    const busy = json(503, wire.openaiError('server_error', null, 'Busy.'), { 'retry-after-ms': '1' });
    loopback.play([busy, vendor]);
    const { telemetry, openai } = observe();
    await read(openai);
    expect(loopback.requests.map(({ body }) => body)).toEqual([asked, asked]);
    expect(telemetry.spans.at(-1)!.attributes['gen_ai.usage.input_tokens']).toBe(1000);
  });

  it('throws the vendor’s error', async () => {
    loopback.play([json(400, wire.openaiError('invalid_request_error', 'unknown_parameter', 'No.'))]);
    await expect(read(observe().openai)).rejects.toThrow(sdk!.BadRequestError);
  });

  it('lets go of a stream that the loop leaves', async () => {
    loopback.play([sse(wire.chatChunks().slice(0, 3), 'open')]);
    const { telemetry, openai } = observe();
    for await (const chunk of await openai.chat.completions.create(request)) {
      if (chunk.choices[0]!.delta.content) break;
    }
    await loopback.lost();
    expect(telemetry.spans[0]!.attributes['edgespan.aborted']).toBe(true);
  });
});
