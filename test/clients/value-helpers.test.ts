import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAlsTelemetry, settle } from '../support/telemetry.ts';
import * as anthropicWire from './anthropic-wire.ts';
import { answerMs } from './compare.ts';
import * as deepseekWire from './deepseek-wire.ts';
import { isInstalled, remedy } from './installed.ts';
import { type Answer, createLoopback, json, type Loopback, redirect, sse } from './loopback.ts';
import * as mistralWire from './mistral-wire.ts';
import * as openaiWire from './openai-wire.ts';

const installed = isInstalled('openai') && isInstalled('ai');
const sdks = installed
  ? {
      ...(await import('openai')),
      ...(await import('@anthropic-ai/sdk')),
      ...(await import('@mistralai/mistralai')),
      ...(await import('@ai-sdk/deepseek')),
      ...(await import('ai')),
      ...(await import('zod')),
      ...(await import('openai/helpers/zod')),
    }
  : undefined!;

const messages = [{ role: 'user' as const, content: 'Hi' }];
const request = { model: 'gpt-4o-mini', messages };
const streamed = { ...request, stream: true as const, stream_options: { include_usage: true } };
const claude = { model: 'claude-sonnet-4-6', max_tokens: 64, messages };
const chat = { usage: [1000, 500], operation: 'chat', finish: ['stop'], firstToken: undefined, aborted: false };
const stream = { ...chat, operation: 'stream', firstToken: answerMs / 1000 };

describe.skipIf(!installed)(`what else SDKs have for a call, wrapped (${remedy})`, () => {
  let loopback: Loopback;
  beforeAll(async () => {
    loopback = await createLoopback();
  });
  afterAll(() => loopback.close());

  const fetch: typeof globalThis.fetch = (...args) => redirect(loopback)(...args);
  const openai = () => new sdks.OpenAI({ apiKey: 'k', maxRetries: 0, fetch });
  const anthropic = () => new sdks.Anthropic({ apiKey: 'k', maxRetries: 0, fetch });
  const mistral = () => new sdks.Mistral({ apiKey: 'k', httpClient: new sdks.HTTPClient({ fetcher: fetch as never }) });

  /** Runs a program with a bare client and with a wrapped one; both must come to the same. */
  async function compare<C extends object, T>(create: () => C, answer: Answer, program: (client: C) => Promise<T>) {
    const telemetry = createAlsTelemetry({ runtime: { monotonic: () => loopback.requests.length * answerMs } });
    const outcomes: unknown[] = [];
    for (const client of [create(), telemetry.wrap(create(), { type: 'llm' })]) {
      loopback.play([answer]);
      outcomes.push(
        await program(client).then(
          (value) => ({ value }),
          (error: Error) => ({ class: error.constructor, name: error.name, message: error.message }),
        ),
      );
    }
    expect(outcomes[1]).toStrictEqual(outcomes[0]);
    const calls = telemetry.spans.map(({ attributes, status }) => ({
      usage: [attributes['gen_ai.usage.input_tokens'], attributes['gen_ai.usage.output_tokens']],
      operation: attributes['llm.operation'],
      finish: attributes['gen_ai.response.finish_reasons'],
      firstToken: attributes['gen_ai.response.time_to_first_chunk'],
      aborted: attributes['edgespan.aborted'] === true,
      error: attributes['edgespan.error_class'],
      failed: status.code === 2,
    }));
    return { calls, telemetry };
  }

  const isReal = (value: unknown, made: new (...args: never[]) => unknown) => expect(value).toBeInstanceOf(made);

  describe('openai', () => {
    it.each<[string, Answer, (client: InstanceType<typeof sdks.OpenAI>) => Promise<unknown>, object]>([
      [
        'withResponse()',
        json(200, openaiWire.chatCompletion()),
        async (client) => {
          const { data, response, request_id } = await client.chat.completions.create(request).withResponse();
          return [data, response.status, request_id];
        },
        chat,
      ],
      [
        'withResponse() of a stream',
        sse(openaiWire.chatChunks()),
        async (client) => {
          const { data } = await client.chat.completions.create(streamed).withResponse();
          isReal(data, (await import('openai/streaming')).Stream);
          return Array.fromAsync(data);
        },
        stream,
      ],
      [
        'asResponse(), whose body is the caller’s',
        json(200, openaiWire.chatCompletion()),
        async (client) => (await client.chat.completions.create(request).asResponse()).json(),
        { ...chat, usage: [undefined, undefined], finish: undefined },
      ],
      [
        'parse()',
        json(200, openaiWire.chatCompletion('{"city":"Lisbon"}')),
        (client) => {
          const format = sdks.zodResponseFormat(sdks.z.object({ city: sdks.z.string() }), 'event');
          return client.chat.completions.parse({ ...request, response_format: format });
        },
        chat,
      ],
      [
        'stream() read by its final message',
        sse(openaiWire.chatChunks()),
        (client) => client.chat.completions.stream(streamed).finalChatCompletion(),
        stream,
      ],
      [
        'stream() read chunk by chunk',
        sse(openaiWire.chatChunks()),
        (client) => Array.fromAsync(client.chat.completions.stream(streamed)),
        stream,
      ],
      [
        'responses.stream()',
        sse(openaiWire.responseEvents()),
        (client) => client.responses.stream({ model: 'gpt-4o-mini', input: 'Hi' }).finalResponse(),
        { ...stream, finish: ['completed'] },
      ],
      [
        'tee()',
        sse(openaiWire.chatChunks()),
        async (client) => {
          const branches = (await client.chat.completions.create(streamed)).tee();
          return Promise.all(branches.map((branch) => Array.fromAsync(branch)));
        },
        stream,
      ],
      [
        'toReadableStream()',
        sse(openaiWire.chatChunks()),
        async (client) => new Response((await client.chat.completions.create(streamed)).toReadableStream()).text(),
        stream,
      ],
      [
        'catch() and finally()',
        json(200, openaiWire.chatCompletion()),
        async (client) =>
          client.chat.completions
            .create(request)
            .catch(() => 'caught')
            .finally(() => {}),
        chat,
      ],
      [
        'withOptions()',
        json(200, openaiWire.chatCompletion()),
        (client) => client.withOptions({ timeout: 5000 }).chat.completions.create(request),
        chat,
      ],
    ])('%s', async (_, answer, program, expected) => {
      const { calls, telemetry } = await compare(openai, answer, program);
      expect(calls).toMatchObject([{ failed: false, ...expected }]);
      expect(telemetry.metrics.value('llm_requests_total')).toBe(1);
    });

    it.each([false, true])('runTools() comes to the sum of its turns (stream: %s)', async (isStream) => {
      const [asks, answers] = isStream
        ? [sse(openaiWire.toolChunks()), sse(openaiWire.chatChunks())]
        : [json(200, openaiWire.chatCompletion(null, [openaiWire.toolCall])), json(200, openaiWire.chatCompletion())];
      const telemetry = createAlsTelemetry();
      loopback.play([asks, answers]);
      const parameters = { type: 'object', properties: {} };
      const runnable = { name: 'get_weather', description: 'x', parameters, parse: JSON.parse, function: () => 'sun' };
      const runner = telemetry.wrap(openai(), { type: 'llm' }).chat.completions.runTools({
        ...(isStream ? streamed : request),
        tools: [{ type: 'function', function: runnable }],
      } as never);
      await runner.done();
      await settle();
      expect(telemetry.spans.map(({ attributes }) => attributes)).toMatchObject([
        { 'gen_ai.usage.input_tokens': 2000, 'gen_ai.usage.output_tokens': 1000, 'llm.tool_names': ['get_weather'] },
      ]);
    });

    it('iterates pages in one span', async () => {
      const list = json(200, { object: 'list', data: [{ id: 'gpt-4o', object: 'model' }] });
      const { calls } = await compare(openai, list, (client) => Array.fromAsync(client.models.list()));
      expect(calls).toHaveLength(1);
    });

    it('counts no model call where none is asked', async () => {
      const list = json(200, { object: 'list', data: [{ id: 'gpt-4o', object: 'model' }] });
      const { calls, telemetry } = await compare(openai, list, async (client) => (await client.models.list()).data);
      expect(calls).toHaveLength(1);
      expect(telemetry.metrics.value('llm_requests_total') ?? 0).toBe(0);
    });
  });

  describe('anthropic', () => {
    const end = { ...stream, finish: ['end_turn'] };
    it.each<[string, (client: InstanceType<typeof sdks.Anthropic>) => Promise<unknown>]>([
      ['finalMessage()', (client) => client.messages.stream(claude).finalMessage()],
      ['for await', (client) => Array.fromAsync(client.messages.stream(claude))],
      [
        'on(text)',
        async (client) => {
          const texts: string[] = [];
          await client.messages
            .stream(claude)
            .on('text', (text) => texts.push(text))
            .done();
          return texts;
        },
      ],
      ['create()', async (client) => Array.fromAsync(await client.messages.create({ ...claude, stream: true }))],
    ])('streams by %s', async (_, program) => {
      const { calls } = await compare(anthropic, sse(anthropicWire.messageEvents()), program);
      expect(calls).toMatchObject([{ ...end, failed: false }]);
    });

    it.each([false, true])('toolRunner() comes to the sum of its turns (stream: %s)', async (isStream) => {
      const telemetry = createAlsTelemetry({ capture: { outputs: true } });
      const said = (content?: unknown[]) => json(200, { ...anthropicWire.message(content), id: `msg_${content}` });
      loopback.play(
        isStream
          ? [sse(anthropicWire.toolEvents()), sse(anthropicWire.messageEvents())]
          : [said([anthropicWire.toolUse]), said()],
      );
      const weather = { name: 'get_weather', input_schema: { type: 'object' }, run: () => 'sun', parse: String };
      const runner = telemetry.wrap(anthropic(), { type: 'llm' }).beta.messages.toolRunner({
        ...claude,
        stream: isStream,
        tools: [weather as never],
      });
      if (isStream)
        for await (const turn of runner) await (turn as { finalMessage(): Promise<unknown> }).finalMessage();
      else await runner;
      expect(telemetry.spans.map(({ attributes }) => attributes)).toMatchObject([
        { 'gen_ai.usage.input_tokens': 2000, 'gen_ai.usage.output_tokens': 1000 },
      ]);
      expect(telemetry.spans[0]!.attributes['gen_ai.output.messages']).toMatch(/"role":"assistant"/);
    });

    it('fails in the middle of a stream as it would', async () => {
      const { calls } = await compare(anthropic, sse(anthropicWire.errorEvents()), (client) =>
        client.messages.stream(claude).finalMessage(),
      );
      expect(calls).toMatchObject([{ failed: true, error: 'provider_error' }]);
    });

    it('is aborted by its helper', async () => {
      const open = sse(anthropicWire.messageEvents().slice(0, 4), 'open');
      const { calls } = await compare(anthropic, open, async (client) => {
        const helper = client.messages.stream(claude);
        helper.on('text', () => helper.abort());
        return helper.finalMessage();
      });
      expect(calls).toMatchObject([{ failed: false, aborted: true, operation: 'stream' }]);
    });
  });

  it.each<[string, (client: InstanceType<typeof sdks.Mistral>) => Promise<unknown>]>([
    [
      'getReader()',
      async (client) => {
        const reader = (await client.chat.stream(request)).getReader();
        const chunks = [];
        for (let step = await reader.read(); !step.done; step = await reader.read()) chunks.push(step.value);
        return chunks;
      },
    ],
    [
      'pipeThrough()',
      async (client) => {
        const texts = (await client.chat.stream(request)).pipeThrough(new TransformStream());
        return Array.fromAsync(texts);
      },
    ],
    [
      'tee()',
      async (client) => Promise.all((await client.chat.stream(request)).tee().map((one) => Array.fromAsync(one))),
    ],
  ])('mistral’s stream, which is a platform’s too, is read by %s', async (_, program) => {
    const { calls } = await compare(mistral, sse(mistralWire.toolChunks()), program);
    expect(calls).toMatchObject([{ ...stream, finish: ['tool_calls'], failed: false }]);
  });

  describe('a stream', () => {
    const left = { usage: [undefined, undefined], finish: ['error'], aborted: true, failed: false };

    it('is left in the middle', async () => {
      const open = sse(openaiWire.chatChunks().slice(0, 3), 'open');
      const { calls, telemetry } = await compare(openai, open, async (client) => {
        const read = [];
        for await (const chunk of await client.chat.completions.create(streamed)) {
          read.push(chunk);
          if (read.length === 3) break;
        }
        await loopback.lost();
        return read;
      });
      expect(calls).toMatchObject([left]);
      expect(telemetry.metrics.value('llm_streams_aborted_total')).toBe(1);
    });

    it('is aborted in the middle', async () => {
      const open = sse(openaiWire.chatChunks().slice(0, 3), 'open');
      const { calls } = await compare(openai, open, async (client) => {
        const controller = new AbortController();
        const read = [];
        const { signal } = controller;
        for await (const chunk of await client.chat.completions.create(streamed, { signal })) {
          read.push(chunk);
          if (read.length === 3) controller.abort();
        }
        await loopback.lost();
        return read;
      });
      expect(calls).toMatchObject([left]);
    });

    it('carries an error', async () => {
      const { calls } = await compare(openai, sse(openaiWire.errorChunks()), async (client) =>
        Array.fromAsync(await client.chat.completions.create(streamed)),
      );
      expect(calls).toMatchObject([{ failed: true, error: 'provider_error', firstToken: stream.firstToken }]);
    });

    it('is left whole by who stops at its end', async () => {
      const { calls } = await compare(anthropic, sse(anthropicWire.messageEvents()), async (client) => {
        for await (const event of await client.messages.create({ ...claude, stream: true })) {
          if (event.type === 'message_stop') break;
        }
      });
      expect(calls).toMatchObject([{ aborted: false, usage: [1000, 500], finish: ['end_turn'] }]);
    });
  });

  it('an error is the one that the SDK throws', async () => {
    const limited = json(429, openaiWire.openaiError('requests', 'rate_limit_exceeded', 'Slow down.'));
    const { calls, telemetry } = await compare(openai, limited, (client) => client.chat.completions.create(request));
    expect(calls).toMatchObject([{ failed: true, error: 'rate_limit' }]);
    expect(telemetry.metrics.value('llm_requests_total', { status: 'error' })).toBe(1);
  });

  it('of many calls at once on one client none is mixed up with another', async () => {
    const telemetry = createAlsTelemetry();
    const models = Array.from({ length: 24 }, (_, index) => `gpt-4o-${index}`);
    loopback.play(
      models.map(() => async (response) => {
        const { model } = loopback.requests.at(-1)!.body as { model: string };
        const number = Number(model.slice(7));
        const usage = { prompt_tokens: number, completion_tokens: 1, total_tokens: number + 1 };
        await json(200, { ...openaiWire.chatCompletion(), id: `c-${number}`, model: `${model}-answered`, usage })(
          response,
        );
      }),
    );
    const client = telemetry.wrap(openai(), { type: 'llm' });
    await Promise.all(models.map((model) => client.chat.completions.create({ ...request, model })));
    expect(telemetry.spans).toHaveLength(models.length);
    for (const { attributes } of telemetry.spans) {
      const asked = String(attributes['gen_ai.request.model']);
      expect(attributes['gen_ai.response.model']).toBe(`${asked}-answered`);
      expect(attributes['gen_ai.usage.input_tokens']).toBe(Number(asked.slice(7)));
    }
  });

  describe('the AI SDK’s stream', () => {
    const start = (telemetry: ReturnType<typeof createAlsTelemetry>) => {
      const model = sdks.createDeepSeek({ apiKey: 'k', fetch })('deepseek-reasoner');
      return telemetry.llm(() => sdks.streamText({ model, prompt: 'Hi' }))();
    };

    it.each<[string, (result: ReturnType<typeof start>) => PromiseLike<unknown>]>([
      ['textStream', (result) => Array.fromAsync(result.textStream)],
      ['text', (result) => result.text],
      ['usage', (result) => result.usage],
      ['toTextStreamResponse()', (result) => result.toTextStreamResponse().text()],
      ['toUIMessageStreamResponse()', (result) => result.toUIMessageStreamResponse().text()],
    ])('ends with %s', async (_, read) => {
      const telemetry = createAlsTelemetry();
      loopback.play([sse(deepseekWire.chunks())]);
      const result = start(telemetry);
      expect(telemetry.spans).toEqual([]);
      await read(result);
      // The promises of a result settle before the stream behind them ends.
      await settle(200);
      expect(telemetry.spans).toHaveLength(1);
      expect(telemetry.spans[0]!.attributes).toMatchObject({
        'llm.provider': 'deepseek',
        'gen_ai.response.model': 'deepseek-reasoner',
        'gen_ai.usage.input_tokens': 1000,
        'gen_ai.usage.cache_read.input_tokens': 400,
        'gen_ai.usage.reasoning.output_tokens': 100,
        'gen_ai.response.finish_reasons': ['stop'],
      });
    });

    it('is not begun by us', async () => {
      const telemetry = createAlsTelemetry();
      loopback.play([sse(deepseekWire.chunks())]);
      const result = start(telemetry);
      const bare = sdks.streamText({
        model: sdks.createDeepSeek({ apiKey: 'k', fetch })('deepseek-reasoner'),
        prompt: 'Hi',
      });
      expect(Object.getPrototypeOf(result)).toBe(Object.getPrototypeOf(bare));
      expect(Reflect.get(result, 'streamClaimed')).toBe(false);
      await result.consumeStream();
    });
  });
});
