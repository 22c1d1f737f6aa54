import type { ClientOptions } from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answered, answerMs, type CallSpan, compare } from './compare.ts';
import { isInstalled, remedy } from './installed.ts';
import { createLoopback, gzipped, hangUp, json, type Loopback, silence, sse } from './loopback.ts';
import * as wire from './openai-wire.ts';

type Fetch = typeof globalThis.fetch;

const installed = isInstalled('openai');
const sdk = installed ? await import('openai') : undefined;
const zod = installed ? { ...(await import('zod')), ...(await import('openai/helpers/zod')) } : undefined;

const messages = [{ role: 'user' as const, content: 'Hi' }];
const request = { model: 'gpt-4o-mini', messages };
const streamed = { ...request, stream: true as const, stream_options: { include_usage: true } };

/** A chat completion that went well: 1,000 tokens in at 0.15, 500 out at 0.60 dollars per million. */
const chat: CallSpan = {
  ...answered,
  name: 'chat gpt-4o-mini',
  provider: 'openai',
  operation: 'chat',
  model: 'gpt-4o-mini-2024-07-18',
  costUsd: 0.00045,
  finish: ['stop'],
};
const stream: CallSpan = { ...chat, operation: 'stream', firstToken: answerMs };
const unknown = { model: undefined, usage: [undefined, undefined], costUsd: undefined, finish: undefined } as const;
const failed: CallSpan = { ...chat, ...unknown, status: 'error' };
const timedOut: CallSpan = { ...failed, httpStatus: undefined, error: ['TimeoutError', 'timeout'] };
/** How a call looks whose caller left before the headers. */
const gaveUp = { status: 'ok', error: undefined, aborted: true } as const;
/** A caller who left: what had not come by then stays unknown. */
const left: CallSpan = { ...stream, ...unknown, model: chat.model, finish: ['error'], aborted: true };

describe.skipIf(!installed)(`the openai SDK with telemetry.fetch (${remedy})`, () => {
  let loopback: Loopback;
  beforeAll(async () => {
    loopback = await createLoopback();
  });
  afterAll(() => loopback.close());

  function client(fetch: Fetch | undefined, options: ClientOptions = {}) {
    return new sdk!.OpenAI({ apiKey: 'sk-test', baseURL: `${loopback.url}/v1`, ...(fetch && { fetch }), ...options });
  }

  it('creates a chat completion', async () => {
    const seen = await compare(loopback, [json(200, wire.chatCompletion())], (fetch) =>
      client(fetch).chat.completions.create(request),
    );
    expect(seen.result).toMatchObject({ id: 'chatcmpl-1', _request_id: 'req_1' });
    expect(seen.spans).toEqual([chat]);
    expect(seen.requests).toEqual({ ok: 1, error: 0 });
  });

  it('reads what came compressed', async () => {
    const seen = await compare(loopback, [gzipped(wire.chatCompletion())], (fetch) =>
      client(fetch).chat.completions.create(request).withResponse(),
    );
    expect(seen.result.response.headers.get('content-encoding')).toBe('gzip');
    expect(seen.spans).toEqual([chat]);
  });

  it('gives withResponse() the very response', async () => {
    const seen = await compare(loopback, [json(200, wire.chatCompletion(), { 'x-custom': 'a' })], (fetch) =>
      client(fetch).chat.completions.create(request).withResponse(),
    );
    expect(seen.result.response.url).toBe(`${loopback.url}/v1/chat/completions`);
    expect(seen.result.response.headers.get('x-custom')).toBe('a');
    expect(seen.result.request_id).toBe('req_1');
    expect(seen.spans).toEqual([chat]);
  });

  it('gives asResponse() a body that is read later', async () => {
    const seen = await compare(loopback, [json(200, wire.chatCompletion())], async (fetch) => {
      const response = await client(fetch).chat.completions.create(request).asResponse();
      const copy = response.clone();
      return { response, text: await response.text(), copy: await copy.json() };
    });
    expect(JSON.parse(seen.result.text)).toEqual(wire.chatCompletion());
    expect(seen.spans).toEqual([chat]);
  });

  it('parses structured output', async () => {
    const { z, zodResponseFormat } = zod!;
    const Event = z.object({ city: z.string(), degrees: z.number() });
    const content = '{"city":"Lisbon","degrees":21}';
    const seen = await compare(loopback, [json(200, wire.chatCompletion(content))], (fetch) =>
      client(fetch).chat.completions.parse({ ...request, response_format: zodResponseFormat(Event, 'event') }),
    );
    expect(seen.result.choices[0]?.message.parsed).toEqual({ city: 'Lisbon', degrees: 21 });
    expect(seen.spans).toEqual([chat]);
  });

  it('throws what parse() throws for output that is none', async () => {
    const { z, zodResponseFormat } = zod!;
    const format = zodResponseFormat(z.object({ city: z.string() }), 'event');
    const seen = await compare(loopback, [json(200, wire.chatCompletion('{"town":1}'))], (fetch) =>
      client(fetch).chat.completions.parse({ ...request, response_format: format }),
    );
    expect(seen.result).toBeUndefined();
    expect(seen.spans).toEqual([chat]);
  });

  it('names the tools a model asks for', async () => {
    const seen = await compare(loopback, [json(200, wire.chatCompletion(null, [wire.toolCall]))], (fetch) =>
      client(fetch).chat.completions.create(request),
    );
    expect(seen.spans).toEqual([{ ...chat, finish: ['tool_calls'], tools: ['get_weather'] }]);
    expect(seen.telemetry.metrics.value('llm_tool_calls_total', { tool_name: 'get_weather' })).toBe(1);
  });

  describe('streams', () => {
    it('to their end', async () => {
      const seen = await compare(loopback, [sse(wire.chatChunks())], async (fetch) => {
        const chunks = [];
        for await (const chunk of await client(fetch).chat.completions.create(streamed)) chunks.push(chunk);
        return chunks;
      });
      expect(seen.result.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toBe('Hello there.');
      expect(seen.spans).toEqual([stream]);
      expect(seen.requests).toEqual({ ok: 1, error: 0 });
      expect(seen.telemetry.metrics.value('llm_time_to_first_token_seconds')).toBe(1);
    });

    it('without usage, which stays unknown', async () => {
      const seen = await compare(loopback, [sse(wire.chatChunks(['Hi'], false))], async (fetch) => {
        const chunks = [];
        for await (const chunk of await client(fetch).chat.completions.create({ ...request, stream: true })) {
          chunks.push(chunk);
        }
        return chunks;
      });
      expect(seen.spans).toEqual([{ ...stream, usage: [undefined, undefined], costUsd: undefined }]);
    });

    it('with a tool call', async () => {
      const seen = await compare(loopback, [sse(wire.toolChunks())], async (fetch) =>
        client(fetch).chat.completions.stream(streamed).finalChatCompletion(),
      );
      expect(seen.result.choices[0]?.message.tool_calls).toMatchObject([wire.toolCall]);
      expect(seen.spans).toEqual([{ ...stream, finish: ['tool_calls'], tools: ['get_weather'] }]);
    });

    it('by the helper, whose final message is whole', async () => {
      const seen = await compare(loopback, [sse(wire.chatChunks())], async (fetch) => {
        const runner = client(fetch).chat.completions.stream(streamed);
        const deltas: string[] = [];
        runner.on('content', (delta) => deltas.push(delta));
        return { message: await runner.finalMessage(), usage: await runner.totalUsage(), deltas };
      });
      expect(seen.result.message.content).toBe('Hello there.');
      expect(seen.result.usage.total_tokens).toBe(1500);
      expect(seen.spans).toEqual([stream]);
    });

    it('as a ReadableStream of lines', async () => {
      const seen = await compare(loopback, [sse(wire.chatChunks())], async (fetch) => {
        const chunks = await client(fetch).chat.completions.create(streamed);
        return new Response(chunks.toReadableStream()).text();
      });
      expect(seen.result.trim().split('\n')).toHaveLength(6);
      expect(seen.spans).toEqual([stream]);
    });

    it('twice by tee()', async () => {
      const seen = await compare(loopback, [sse(wire.chatChunks())], async (fetch) => {
        const branches = (await client(fetch).chat.completions.create(streamed)).tee();
        return Promise.all(branches.map((branch) => Array.fromAsync(branch)));
      });
      expect(seen.result[1]).toEqual(seen.result[0]);
      expect(seen.spans).toEqual([stream]);
    });

    it('with withResponse()', async () => {
      const seen = await compare(loopback, [sse(wire.chatChunks())], async (fetch) => {
        const { data, response, request_id } = await client(fetch).chat.completions.create(streamed).withResponse();
        return { chunks: await Array.fromAsync(data), response, request_id };
      });
      expect(seen.result.chunks).toHaveLength(6);
      expect(seen.spans).toEqual([stream]);
    });

    it('that the caller breaks out of', async () => {
      const script = [sse(wire.chatChunks().slice(0, 3), 'open')];
      const seen = await compare(loopback, script, async (fetch) => {
        const chunks = [];
        for await (const chunk of await client(fetch).chat.completions.create(streamed)) {
          chunks.push(chunk);
          if (chunks.length === 3) break;
        }
        await loopback.lost();
        return chunks;
      });
      expect(seen.result).toHaveLength(3);
      expect(seen.spans).toEqual([left]);
      expect(seen.requests).toEqual({ ok: 1, error: 0 });
      expect(seen.aborted).toBe(1);
    });

    it('that the caller aborts in the middle', async () => {
      const script = [sse(wire.chatChunks().slice(0, 3), 'open')];
      const seen = await compare(loopback, script, async (fetch) => {
        const controller = new AbortController();
        const chunks = [];
        const { signal } = controller;
        for await (const chunk of await client(fetch).chat.completions.create(streamed, { signal })) {
          chunks.push(chunk);
          if (chunks.length === 3) controller.abort();
        }
        await loopback.lost();
        return chunks;
      });
      expect(seen.spans).toEqual([left]);
      expect(seen.aborted).toBe(1);
    });

    it('whose helper is aborted', async () => {
      const script = [sse(wire.chatChunks().slice(0, 3), 'open')];
      const seen = await compare(loopback, script, async (fetch) => {
        const runner = client(fetch).chat.completions.stream(streamed);
        runner.once('content', () => runner.abort());
        await runner.finalMessage();
      });
      expect(seen.result).toBeUndefined();
      expect(seen.spans).toEqual([left]);
    });

    it('whose raw body is cancelled, which the vendor learns', async () => {
      const script = [sse(wire.chatChunks().slice(0, 3), 'open')];
      const seen = await compare(loopback, script, async (fetch) => {
        const response = await client(fetch).chat.completions.create(streamed).asResponse();
        const reader = response.body!.getReader();
        const { value } = await reader.read();
        await reader.cancel();
        await loopback.lost();
        return new TextDecoder().decode(value).slice(0, 5);
      });
      expect(seen.result).toBe('data:');
      expect(seen.spans).toMatchObject([{ status: 'ok', aborted: true, model: chat.model }]);
      expect(seen.aborted).toBe(1);
    });

    it('that break off', async () => {
      const seen = await compare(loopback, [sse(wire.chatChunks().slice(0, 3), 'broken')], async (fetch) =>
        Array.fromAsync(await client(fetch).chat.completions.create(streamed)),
      );
      expect(seen.spans).toMatchObject([{ status: 'error', aborted: false, error: ['TypeError', 'provider_error'] }]);
      expect(seen.requests).toEqual({ ok: 0, error: 1 });
    });

    it('that end without their terminator', async () => {
      const seen = await compare(loopback, [sse(wire.chatChunks().slice(0, 3))], async (fetch) =>
        Array.fromAsync(await client(fetch).chat.completions.create(streamed)),
      );
      expect(seen.spans).toMatchObject([{ status: 'error', error: ['incomplete_stream', 'provider_error'] }]);
    });

    it('that carry an error', async () => {
      const seen = await compare(loopback, [sse(wire.errorChunks())], async (fetch) =>
        Array.fromAsync(await client(fetch).chat.completions.create(streamed)),
      );
      expect(seen.spans).toMatchObject([
        { status: 'error', httpStatus: 200, error: ['server_error', 'provider_error'], firstToken: answerMs },
      ]);
      expect(seen.requests).toEqual({ ok: 0, error: 1 });
    });
  });

  describe('attempts', () => {
    const limited = wire.openaiError('requests', 'rate_limit_exceeded', 'Slow down.');
    const broken = wire.openaiError('server_error', null, 'Down.');
    const soon = { 'retry-after-ms': '1' };
    const rateLimited: CallSpan = {
      ...failed,
      httpStatus: 429,
      error: ['rate_limit_exceeded', 'rate_limit'],
    };
    const down: CallSpan = { ...failed, httpStatus: 503, error: ['server_error', 'provider_error'] };

    it('are spans of their own, and one call', async () => {
      const script = [json(429, limited, { 'retry-after': '0.01' }), json(200, wire.chatCompletion())];
      const seen = await compare(loopback, script, (fetch) => client(fetch).chat.completions.create(request));
      expect(seen.result).toMatchObject({ _request_id: 'req_2' });
      expect(seen.spans).toMatchObject([
        { status: 'error', httpStatus: 429, resend: undefined },
        { ...chat, resend: 1 },
      ]);
      expect(seen.requests).toEqual({ ok: 1, error: 0 });
      expect(seen.telemetry.metrics.value('llm_errors_total') ?? 0).toBe(0);
    });

    it('of a stream go on after a failure', async () => {
      const script = [json(503, broken, soon), sse(wire.chatChunks())];
      const seen = await compare(loopback, script, async (fetch) =>
        Array.fromAsync(await client(fetch).chat.completions.create(streamed)),
      );
      expect(seen.spans).toMatchObject([
        { status: 'error', httpStatus: 503 },
        { ...stream, resend: 1 },
      ]);
      expect(seen.requests).toEqual({ ok: 1, error: 0 });
    });

    it('end with the last one: the call failed once', async () => {
      const script = [json(503, broken, soon), json(503, broken, soon), json(503, broken, soon)];
      const seen = await compare(loopback, script, (fetch) => client(fetch).chat.completions.create(request));
      expect(seen.spans).toMatchObject([
        { status: 'error', httpStatus: 503, resend: undefined },
        { status: 'error', httpStatus: 503, resend: 1 },
        { ...down, resend: 2 },
      ]);
      expect(seen.requests).toEqual({ ok: 0, error: 1 });
      expect(seen.telemetry.metrics.value('llm_errors_total', { error_type: 'provider_error' })).toBe(1);
    });

    it('are repeated after a connection that breaks', async () => {
      const script = [hangUp, json(200, wire.chatCompletion())];
      const seen = await compare(loopback, script, (fetch) => client(fetch).chat.completions.create(request));
      expect(seen.spans).toMatchObject([
        { status: 'error', httpStatus: undefined, error: ['TypeError', 'provider_error'] },
        { ...chat, resend: 1 },
      ]);
      expect(seen.requests).toEqual({ ok: 1, error: 0 });
    });

    it('are not made where the vendor says so', async () => {
      const script = [json(429, limited, { 'x-should-retry': 'false' })];
      const seen = await compare(loopback, script, (fetch) => client(fetch).chat.completions.create(request));
      expect(seen.spans).toEqual([rateLimited]);
      expect(seen.requests).toEqual({ ok: 0, error: 1 });
    });

    it('of two equal calls at once are told apart by nobody, yet each call counts', async () => {
      const script = [
        json(429, limited, soon),
        json(429, limited, soon),
        ...Array(2).fill(json(200, wire.chatCompletion())),
      ];
      const seen = await compare(loopback, script, async (fetch) => {
        const openai = client(fetch);
        const [first, second] = await Promise.all([
          openai.chat.completions.create(request),
          openai.chat.completions.create(request),
        ]);
        return [first.id, second.id];
      });
      expect(seen.spans).toHaveLength(4);
      expect(seen.requests).toEqual({ ok: 2, error: 0 });
    });

    it('after a timeout are one call', async () => {
      const script = [silence, json(200, wire.chatCompletion())];
      const seen = await compare(loopback, script, (fetch) =>
        client(fetch).chat.completions.create(request, { timeout: 100 }),
      );
      expect(seen.spans).toMatchObject([timedOut, { ...chat, resend: 1 }]);
      expect(seen.requests).toEqual({ ok: 1, error: 0 });
      expect(seen.aborted).toBe(0);
    });

    it('that all time out are one call, although the client does not tell its timeout', async () => {
      const seen = await compare(loopback, [silence, silence], (fetch) =>
        client(fetch, { timeout: 100, maxRetries: 1 }).chat.completions.create(request),
      );
      // Only the second attempt proves that nobody had left the first.
      expect(seen.spans).toEqual([
        { ...timedOut, ...gaveUp },
        { ...timedOut, resend: 1 },
      ]);
      expect(seen.requests).toEqual({ ok: 0, error: 1 });
      expect(seen.aborted).toBe(0);
      expect(seen.telemetry.metrics.value('llm_errors_total', { error_type: 'timeout' })).toBe(1);
    });
  });

  it('reports a timeout as one', async () => {
    const seen = await compare(loopback, [silence], (fetch) =>
      client(fetch).chat.completions.create(request, { timeout: 100, maxRetries: 0 }),
    );
    expect(seen.spans).toEqual([timedOut]);
    expect(seen.requests).toEqual({ ok: 0, error: 1 });
    expect(seen.aborted).toBe(0);
  });

  it('reports an abort before the headers as the caller leaving', async () => {
    const seen = await compare(loopback, [silence], async (fetch) => {
      const controller = new AbortController();
      const call = client(fetch).chat.completions.create(request, { signal: controller.signal });
      call.catch(() => {});
      await arrival(loopback);
      controller.abort();
      return call;
    });
    expect(seen.spans).toEqual([{ ...timedOut, ...gaveUp }]);
    expect(seen.requests).toEqual({ ok: 1, error: 0 });
    expect(seen.aborted).toBe(1);
  });

  it.each([
    [
      400,
      wire.openaiError('invalid_request_error', 'context_length_exceeded', 'Too long.'),
      ['context_length_exceeded', 'validation_error'],
    ],
    [
      401,
      wire.openaiError('invalid_request_error', 'invalid_api_key', 'Wrong key.'),
      ['invalid_api_key', 'provider_error'],
    ],
    [403, wire.openaiError('forbidden', 'unsupported_country', 'Not here.'), ['unsupported_country', 'provider_error']],
    [
      404,
      wire.openaiError('invalid_request_error', 'model_not_found', 'No such model.'),
      ['model_not_found', 'validation_error'],
    ],
    [422, wire.openaiError('invalid_request_error', null, 'No.'), ['invalid_request_error', 'validation_error']],
    [418, { detail: 'a proxy of another kind' }, ['418', 'provider_error']],
  ])('throws the same error for status %i', async (status, body, error) => {
    const seen = await compare(loopback, [json(status, body)], async (fetch) =>
      client(fetch).chat.completions.create(request),
    );
    expect(seen.result).toBeUndefined();
    expect(seen.spans).toEqual([{ ...failed, httpStatus: status, error }]);
    expect(seen.requests).toEqual({ ok: 0, error: 1 });
  });

  it('throws the class that the application catches', async () => {
    const body = wire.openaiError('invalid_request_error', null, 'No.');
    const seen = await compare(loopback, [json(400, body)], (fetch) =>
      client(fetch)
        .chat.completions.create(request)
        .catch((error: unknown) => ({
          isBadRequest: error instanceof sdk!.BadRequestError,
          isOurs: error instanceof sdk!.APIError && error.requestID,
        })),
    );
    expect(seen.result).toEqual({ isBadRequest: true, isOurs: 'req_1' });
  });

  it('counts an embedding as one', async () => {
    const seen = await compare(loopback, [json(200, wire.embeddings())], (fetch) =>
      client(fetch).embeddings.create({ model: 'text-embedding-3-small', input: 'x', encoding_format: 'float' }),
    );
    expect(seen.spans).toEqual([
      {
        ...chat,
        name: 'embeddings text-embedding-3-small',
        operation: 'embed',
        model: 'text-embedding-3-small',
        usage: [1000, undefined],
        costUsd: 0.00002,
        finish: undefined,
      },
    ]);
    expect(seen.telemetry.metrics.value('llm_requests_total', { operation: 'embed' })).toBe(1);
  });

  describe('Responses', () => {
    /** 600 fresh tokens at 0.15, 400 cached at 0.075, 500 out at 0.60. */
    const answered: CallSpan = { ...chat, finish: ['completed'], costUsd: 0.00042 };
    const asked = { model: 'gpt-4o-mini', input: 'Hi' };

    it('create', async () => {
      const seen = await compare(loopback, [json(200, wire.response())], (fetch) =>
        client(fetch).responses.create(asked),
      );
      expect(seen.result.output_text).toBe('Hello there.');
      expect(seen.spans).toEqual([answered]);
    });

    it('create with a tool call', async () => {
      const body = wire.response('', [wire.functionCall]);
      const seen = await compare(loopback, [json(200, body)], (fetch) => client(fetch).responses.create(asked));
      expect(seen.spans).toEqual([{ ...answered, tools: ['get_weather'] }]);
    });

    it('parse', async () => {
      const { z, zodTextFormat } = zod!;
      const format = zodTextFormat(z.object({ city: z.string() }), 'event');
      const seen = await compare(loopback, [json(200, wire.response('{"city":"Lisbon"}'))], (fetch) =>
        client(fetch).responses.parse({ ...asked, text: { format } }),
      );
      expect(seen.result.output_parsed).toEqual({ city: 'Lisbon' });
      expect(seen.spans).toEqual([answered]);
    });

    it('stream', async () => {
      const seen = await compare(loopback, [sse(wire.responseEvents())], async (fetch) =>
        Array.fromAsync(await client(fetch).responses.create({ ...asked, stream: true })),
      );
      expect(seen.result.at(-1)?.type).toBe('response.completed');
      expect(seen.spans).toEqual([{ ...answered, operation: 'stream', firstToken: answerMs }]);
    });

    it('stream by the helper', async () => {
      const seen = await compare(loopback, [sse(wire.responseEvents())], (fetch) =>
        client(fetch).responses.stream(asked).finalResponse(),
      );
      expect(seen.result.output_text).toBe('Hello there.');
      expect(seen.spans).toEqual([{ ...answered, operation: 'stream', firstToken: answerMs }]);
    });

    it('stream that the caller breaks out of', async () => {
      const script = [sse(wire.responseEvents().slice(0, 5), 'open')];
      const seen = await compare(loopback, script, async (fetch) => {
        for await (const event of await client(fetch).responses.create({ ...asked, stream: true })) {
          if (event.type === 'response.output_text.delta') break;
        }
        await loopback.lost();
      });
      expect(seen.spans).toMatchObject([{ status: 'ok', aborted: true, model: chat.model, firstToken: answerMs }]);
      expect(seen.aborted).toBe(1);
    });
  });

  it('leaves what is no model call alone', async () => {
    const models = { object: 'list', data: [{ id: 'gpt-4o-mini', object: 'model', created: 0, owned_by: 'openai' }] };
    const seen = await compare(loopback, [json(200, models)], (fetch) => Array.fromAsync(client(fetch).models.list()));
    expect(seen.result).toHaveLength(1);
    expect(seen.spans).toEqual([]);
    expect(seen.requests).toEqual({ ok: 0, error: 0 });
  });
});

/** Settles when the vendor has got a request. */
async function arrival(loopback: Loopback): Promise<void> {
  while (loopback.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
}
