import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ollama } from '../../src/llm/providers/ollama.ts';
import { answered, answerMs, type CallSpan, compare } from './compare.ts';
import { isInstalled, remedy } from './installed.ts';
import { createLoopback, json, type Loopback, redirect, sse } from './loopback.ts';
import * as wire from './ollama-wire.ts';
import { chatChunks } from './openai-wire.ts';

type Fetch = typeof globalThis.fetch;

const installed = isInstalled('ollama');
const sdk = installed ? await import('ollama/browser') : undefined;
const openai = isInstalled('openai') ? await import('openai') : undefined;

const { model } = wire;
const request = { model, messages: [{ role: 'user', content: 'Hi' }] };

const chat: CallSpan = {
  ...answered,
  name: `chat ${model}`,
  provider: 'ollama',
  operation: 'chat',
  model,
  costUsd: 0,
  finish: ['stop'],
};
const stream: CallSpan = { ...chat, operation: 'stream', firstToken: answerMs };
const unknown = { model: undefined, usage: [undefined, undefined], costUsd: undefined, finish: undefined } as const;
const left: CallSpan = { ...stream, ...unknown, model, finish: ['error'] };

describe.skipIf(!installed)(`ollama with telemetry.fetch (${remedy})`, () => {
  let loopback: Loopback;
  beforeAll(async () => {
    loopback = await createLoopback();
  });
  afterAll(() => loopback.close());

  const prices = { [`ollama/${model}`]: { input: 0, output: 0 } };
  const options = () => ({ fetch: redirect(loopback), providers: [ollama], prices });

  function client(fetch: Fetch | undefined) {
    return new sdk!.Ollama(fetch && { fetch });
  }

  it('chats', async () => {
    const seen = await compare(loopback, [json(200, wire.chat())], (fetch) => client(fetch).chat(request), options());
    expect(seen.result.message.content).toBe('Hello there.');
    expect(seen.spans).toEqual([chat]);
    expect(seen.telemetry.spans[0]?.attributes).toMatchObject({
      'server.address': '127.0.0.1',
      'server.port': 11434,
      'edgespan.ollama.load_seconds': 1,
    });
  });

  it('names the tools a model asks for', async () => {
    const answer = json(200, wire.chat({ tool_calls: [wire.toolCall] }));
    const seen = await compare(loopback, [answer], (fetch) => client(fetch).chat(request), options());
    expect(seen.spans).toEqual([{ ...chat, tools: ['get_weather'] }]);
  });

  it.each([
    ['a text', wire.chatLines, []],
    ['a tool call', wire.toolLines, ['get_weather']],
  ] as const)('streams %s', async (_, lines, tools) => {
    const seen = await compare(
      loopback,
      [wire.ndjson(lines)],
      async (fetch) => Array.fromAsync(await client(fetch).chat({ ...request, stream: true })),
      options(),
    );
    expect(seen.result).toEqual(lines);
    expect(seen.spans).toEqual([{ ...stream, tools }]);
  });

  it('completes and embeds', async () => {
    const seen = await compare(
      loopback,
      [json(200, wire.generated), json(200, wire.embedded)],
      async (fetch) => [
        await client(fetch).generate({ model, prompt: 'Hi' }),
        await client(fetch).embed({ model: 'nomic-embed-text', input: 'Hi' }),
      ],
      options(),
    );
    expect(seen.result).toEqual([wire.generated, wire.embedded]);
    expect(seen.spans).toMatchObject([
      { name: `text_completion ${model}`, usage: [1000, 500], finish: ['stop'] },
      { name: 'embeddings nomic-embed-text', operation: 'embed', usage: [9, undefined], finish: undefined },
    ]);
  });

  it('throws the same error', async () => {
    const answer = json(404, wire.missing);
    const seen = await compare(loopback, [answer], (fetch) => client(fetch).chat(request), options());
    expect(seen.result).toBeUndefined();
    const failed = { status: 'error', httpStatus: 404, error: ['404', 'validation_error'] } as const;
    expect(seen.spans).toEqual([{ ...chat, ...unknown, ...failed }]);
  });

  it('throws the same error in the middle of a stream', async () => {
    const seen = await compare(
      loopback,
      [wire.ndjson(wire.failingLines)],
      async (fetch) => Array.fromAsync(await client(fetch).chat({ ...request, stream: true })),
      options(),
    );
    expect(seen.result).toBeUndefined();
    expect(seen.spans).toEqual([{ ...left, status: 'error', error: ['error', 'provider_error'] }]);
  });

  it('is left in the middle of a stream', async () => {
    const seen = await compare(
      loopback,
      [wire.ndjson(wire.chatLines.slice(0, 1), 'open')],
      async (fetch) => {
        const parts = await client(fetch).chat({ ...request, stream: true });
        const texts: string[] = [];
        try {
          for await (const part of parts) {
            texts.push(part.message.content);
            parts.abort();
          }
        } catch (error) {
          texts.push((error as Error).name);
        }
        await loopback.lost();
        return texts;
      },
      options(),
    );
    expect(seen.result).toEqual(['Hello', 'AbortError']);
    expect(seen.spans).toEqual([{ ...left, aborted: true }]);
    expect(seen.aborted).toBe(1);
  });

  it('is spoken to in OpenAI’s format', async () => {
    const seen = await compare(
      loopback,
      [sse(chatChunks())],
      async (fetch) => {
        const baseURL = 'http://localhost:11434/v1';
        const compatible = new openai!.OpenAI({ apiKey: 'ollama', baseURL, ...(fetch && { fetch }) });
        const asked = { model, messages: [{ role: 'user' as const, content: 'Hi' }], stream: true as const };
        return Array.fromAsync(await compatible.chat.completions.create(asked));
      },
      options(),
    );
    expect(seen.spans).toMatchObject([{ provider: 'ollama', operation: 'stream', usage: [1000, 500] }]);
  });
});
