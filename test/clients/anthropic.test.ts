import type { ClientOptions } from '@anthropic-ai/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as wire from './anthropic-wire.ts';
import { answered, answerMs, type CallSpan, compare } from './compare.ts';
import { isInstalled, remedy } from './installed.ts';
import { createLoopback, hangUp, json, type Loopback, silence, sse } from './loopback.ts';

type Fetch = typeof globalThis.fetch;

const installed = isInstalled('@anthropic-ai/sdk');
const sdk = installed ? await import('@anthropic-ai/sdk') : undefined;
const zod = installed ? { ...(await import('zod')), ...(await import('@anthropic-ai/sdk/helpers/zod')) } : undefined;

const messages = [{ role: 'user' as const, content: 'Hi' }];
const request = { model: 'claude-sonnet-4-6', max_tokens: 1024, messages };
const streamed = { ...request, stream: true as const };

/** 600 fresh tokens at 3, 100 written at 3.75, 300 read at 0.30, 500 out at 15 dollars per million. */
const message: CallSpan = {
  ...answered,
  name: 'chat claude-sonnet-4-6',
  provider: 'anthropic',
  operation: 'chat',
  model: 'claude-sonnet-4-6',
  costUsd: 0.009765,
  finish: ['end_turn'],
};
const stream: CallSpan = { ...message, operation: 'stream', firstToken: answerMs };
const unknown = { model: undefined, usage: [undefined, undefined], costUsd: undefined, finish: undefined } as const;
const failed: CallSpan = { ...message, ...unknown, status: 'error' };
const timedOut: CallSpan = { ...failed, httpStatus: undefined, error: ['TimeoutError', 'timeout'] };
/** A caller who left in the middle: usage is what the start of the message said, one output token. */
const left: CallSpan = { ...stream, usage: [1000, 1], costUsd: 0.00228, finish: ['error'], aborted: true };

describe.skipIf(!installed)(`the @anthropic-ai/sdk with telemetry.fetch (${remedy})`, () => {
  let loopback: Loopback;
  beforeAll(async () => {
    loopback = await createLoopback();
  });
  afterAll(() => loopback.close());

  function client(fetch: Fetch | undefined, options: ClientOptions = {}) {
    return new sdk!.Anthropic({ apiKey: 'sk-ant-test', baseURL: loopback.url, ...(fetch && { fetch }), ...options });
  }

  it('creates a message', async () => {
    const seen = await compare(loopback, [json(200, wire.message())], (fetch) =>
      client(fetch).messages.create(request),
    );
    expect(seen.result).toMatchObject({ id: 'msg_1', _request_id: 'req_1' });
    expect(seen.spans).toEqual([message]);
    expect(seen.requests).toEqual({ ok: 1, error: 0 });
    const details = seen.telemetry.metrics.value('llm_token_details_total', { token_type: 'cache_read' });
    expect(details).toBe(300);
  });

  it('gives withResponse() the very response', async () => {
    const seen = await compare(loopback, [json(200, wire.message(), { 'x-custom': 'a' })], (fetch) =>
      client(fetch).messages.create(request).withResponse(),
    );
    expect(seen.result.response.url).toBe(`${loopback.url}/v1/messages`);
    expect(seen.result.request_id).toBe('req_1');
    expect(seen.spans).toEqual([message]);
  });

  it('gives asResponse() a body that is read later', async () => {
    const seen = await compare(loopback, [json(200, wire.message())], async (fetch) => {
      const response = await client(fetch).messages.create(request).asResponse();
      return { response, text: await response.text() };
    });
    expect(JSON.parse(seen.result.text)).toEqual(wire.message());
    expect(seen.spans).toEqual([message]);
  });

  it('parses structured output', async () => {
    const { z, zodOutputFormat } = zod!;
    const format = zodOutputFormat(z.object({ city: z.string() }));
    const seen = await compare(
      loopback,
      [json(200, wire.message([{ type: 'text', text: '{"city":"Lisbon"}' }]))],
      (fetch) => client(fetch).messages.parse({ ...request, output_config: { format } }),
    );
    expect(seen.result.parsed_output).toEqual({ city: 'Lisbon' });
    expect(seen.spans).toEqual([message]);
  });

  it('names the tools a model asks for', async () => {
    const seen = await compare(loopback, [json(200, wire.message([wire.toolUse]))], (fetch) =>
      client(fetch).messages.create(request),
    );
    expect(seen.spans).toEqual([{ ...message, finish: ['tool_use'], tools: ['get_weather'] }]);
    expect(seen.telemetry.metrics.value('llm_tool_calls_total', { tool_name: 'get_weather' })).toBe(1);
  });

  it('counts tokens, which costs nothing', async () => {
    const seen = await compare(loopback, [json(200, { input_tokens: 12 })], (fetch) =>
      client(fetch).messages.countTokens({ model: request.model, messages }),
    );
    expect(seen.result).toMatchObject({ input_tokens: 12 });
    expect(seen.spans).toMatchObject([
      { name: 'count_tokens claude-sonnet-4-6', status: 'ok', usage: [undefined, undefined], costUsd: undefined },
    ]);
    expect(seen.telemetry.metrics.value('llm_tokens_total') ?? 0).toBe(0);
    expect(seen.telemetry.metrics.value('llm_requests_total', { operation: 'other' })).toBe(1);
  });

  describe('streams', () => {
    it('to their end', async () => {
      const seen = await compare(loopback, [sse(wire.messageEvents())], async (fetch) =>
        Array.fromAsync(await client(fetch).messages.create(streamed)),
      );
      expect(seen.result.at(-1)?.type).toBe('message_stop');
      expect(seen.spans).toEqual([stream]);
      expect(seen.requests).toEqual({ ok: 1, error: 0 });
    });

    it('with a tool call', async () => {
      const seen = await compare(loopback, [sse(wire.toolEvents())], (fetch) =>
        client(fetch).messages.stream(request).finalMessage(),
      );
      expect(seen.result.content).toMatchObject([wire.toolUse]);
      expect(seen.spans).toEqual([{ ...stream, finish: ['tool_use'], tools: ['get_weather'] }]);
    });

    it('by the helper, whose final message is whole', async () => {
      const seen = await compare(loopback, [sse(wire.messageEvents())], async (fetch) => {
        const runner = client(fetch).messages.stream(request);
        const texts: string[] = [];
        runner.on('text', (text) => texts.push(text));
        const { response, request_id } = await runner.withResponse();
        return { message: await runner.finalMessage(), text: await runner.finalText(), texts, response, request_id };
      });
      expect(seen.result.text).toBe('Hello there.');
      expect(seen.result.request_id).toBe('req_1');
      expect(seen.spans).toEqual([stream]);
    });

    it('as a ReadableStream of lines', async () => {
      const seen = await compare(loopback, [sse(wire.messageEvents())], (fetch) =>
        new Response(client(fetch).messages.stream(request).toReadableStream()).text(),
      );
      expect(seen.result).toContain('"text":"there."');
      expect(seen.spans).toEqual([stream]);
    });

    it('that the caller breaks out of', async () => {
      const script = [sse(wire.messageEvents().slice(0, 4), 'open')];
      const seen = await compare(loopback, script, async (fetch) => {
        const events = [];
        for await (const event of await client(fetch).messages.create(streamed)) {
          events.push(event);
          if (event.type === 'content_block_delta') break;
        }
        await loopback.lost();
        return events;
      });
      expect(seen.result).toHaveLength(3);
      expect(seen.spans).toEqual([left]);
      expect(seen.requests).toEqual({ ok: 1, error: 0 });
      expect(seen.aborted).toBe(1);
    });

    it('that the caller aborts in the middle', async () => {
      const script = [sse(wire.messageEvents().slice(0, 4), 'open')];
      const seen = await compare(loopback, script, async (fetch) => {
        const controller = new AbortController();
        const { signal } = controller;
        for await (const event of await client(fetch).messages.create(streamed, { signal })) {
          if (event.type === 'content_block_delta') controller.abort();
        }
      });
      await loopback.lost();
      expect(seen.spans).toEqual([left]);
      expect(seen.aborted).toBe(1);
    });

    it('whose helper is aborted', async () => {
      const script = [sse(wire.messageEvents().slice(0, 4), 'open')];
      const seen = await compare(loopback, script, async (fetch) => {
        const runner = client(fetch).messages.stream(request);
        runner.once('text', () => runner.abort());
        await runner.finalMessage();
      });
      await loopback.lost();
      expect(seen.result).toBeUndefined();
      expect(seen.spans).toEqual([left]);
    });

    it('that break off', async () => {
      const seen = await compare(loopback, [sse(wire.messageEvents().slice(0, 4), 'broken')], async (fetch) =>
        Array.fromAsync(await client(fetch).messages.create(streamed)),
      );
      expect(seen.spans).toMatchObject([{ status: 'error', aborted: false, error: ['TypeError', 'provider_error'] }]);
      expect(seen.requests).toEqual({ ok: 0, error: 1 });
    });

    it('that end without their terminator', async () => {
      const seen = await compare(loopback, [sse(wire.messageEvents().slice(0, 4))], async (fetch) =>
        Array.fromAsync(await client(fetch).messages.create(streamed)),
      );
      expect(seen.spans).toMatchObject([{ status: 'error', error: ['incomplete_stream', 'provider_error'] }]);
    });

    it('that carry an error', async () => {
      const seen = await compare(loopback, [sse(wire.errorEvents())], async (fetch) =>
        Array.fromAsync(await client(fetch).messages.create(streamed)),
      );
      expect(seen.spans).toMatchObject([
        { status: 'error', httpStatus: 200, error: ['overloaded_error', 'provider_error'], aborted: false },
      ]);
      expect(seen.requests).toEqual({ ok: 0, error: 1 });
    });
  });

  describe('attempts', () => {
    const limited = wire.anthropicError('rate_limit_error', 'Slow down.');
    const overloaded = wire.anthropicError('overloaded_error', 'Overloaded');
    const soon = { 'retry-after-ms': '1' };

    it('are spans of their own, and one call', async () => {
      const script = [json(429, limited, { 'retry-after': '0.01' }), json(200, wire.message())];
      const seen = await compare(loopback, script, (fetch) => client(fetch).messages.create(request));
      expect(seen.result).toMatchObject({ _request_id: 'req_2' });
      expect(seen.spans).toMatchObject([
        { status: 'error', httpStatus: 429, resend: undefined },
        { ...message, resend: 1 },
      ]);
      expect(seen.requests).toEqual({ ok: 1, error: 0 });
    });

    it('of a stream go on after a failure', async () => {
      const script = [json(529, overloaded, soon), json(529, overloaded, soon), sse(wire.messageEvents())];
      const seen = await compare(loopback, script, (fetch) => client(fetch).messages.stream(request).finalText());
      expect(seen.result).toBe('Hello there.');
      expect(seen.spans).toMatchObject([
        { httpStatus: 529, resend: undefined },
        { httpStatus: 529, resend: 1 },
        { ...stream, resend: 2 },
      ]);
      expect(seen.requests).toEqual({ ok: 1, error: 0 });
    });

    it('end with the last one: the call failed once', async () => {
      const script = [json(529, overloaded, soon), json(529, overloaded, soon), json(529, overloaded, soon)];
      const seen = await compare(loopback, script, (fetch) => client(fetch).messages.create(request));
      expect(seen.spans).toHaveLength(3);
      expect(seen.spans[2]).toEqual({
        ...failed,
        httpStatus: 529,
        error: ['overloaded_error', 'provider_error'],
        resend: 2,
      });
      expect(seen.requests).toEqual({ ok: 0, error: 1 });
    });

    it('are repeated after a connection that breaks', async () => {
      const script = [hangUp, json(200, wire.message())];
      const seen = await compare(loopback, script, (fetch) => client(fetch).messages.create(request));
      expect(seen.spans).toMatchObject([
        { status: 'error', httpStatus: undefined, error: ['TypeError', 'provider_error'] },
        { ...message, resend: 1 },
      ]);
      expect(seen.requests).toEqual({ ok: 1, error: 0 });
    });

    it('that time out are one call', async () => {
      const seen = await compare(loopback, [silence, silence], (fetch) =>
        client(fetch, { timeout: 100, maxRetries: 1 }).messages.create(request),
      );
      expect(seen.spans).toEqual([timedOut, { ...timedOut, resend: 1 }]);
      expect(seen.requests).toEqual({ ok: 0, error: 1 });
      expect(seen.aborted).toBe(0);
    });
  });

  it('reports an abort before the headers as the caller leaving', async () => {
    const seen = await compare(loopback, [silence], async (fetch) => {
      const controller = new AbortController();
      const call = client(fetch).messages.create(request, { signal: controller.signal });
      call.catch(() => {});
      while (loopback.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
      controller.abort();
      return call;
    });
    expect(seen.spans).toEqual([{ ...timedOut, status: 'ok', error: undefined, aborted: true }]);
    expect(seen.requests).toEqual({ ok: 1, error: 0 });
    expect(seen.aborted).toBe(1);
  });

  it.each([
    [400, 'invalid_request_error', 'validation_error'],
    [401, 'authentication_error', 'provider_error'],
    [402, 'billing_error', 'provider_error'],
    [403, 'permission_error', 'provider_error'],
    [404, 'not_found_error', 'validation_error'],
    [413, 'request_too_large', 'validation_error'],
  ])('throws the same error for status %i', async (status, type, errorClass) => {
    const body = wire.anthropicError(type, 'No.');
    const seen = await compare(loopback, [json(status, body)], (fetch) => client(fetch).messages.create(request));
    expect(seen.result).toBeUndefined();
    expect(seen.spans).toEqual([{ ...failed, httpStatus: status, error: [type, errorClass] }]);
    expect(seen.requests).toEqual({ ok: 0, error: 1 });
  });
});
