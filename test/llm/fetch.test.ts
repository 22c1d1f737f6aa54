import { describe, expect, it } from 'vitest';
import { defineProvider, type Provider, type TelemetryOptions } from '../../src/index.ts';
import {
  chatCompletion,
  chatRequest,
  chatUrl,
  createAlsTelemetry,
  createManualClock,
  settle,
} from '../support/telemetry.ts';

interface Call {
  readonly input: RequestInfo | URL;
  readonly init: RequestInit | undefined;
}

/** A telemetry whose network is a function, and what that was called with. */
function create(answer: (call: Call) => Response | Promise<Response>, options: TelemetryOptions = {}) {
  const calls: Call[] = [];
  const clock = createManualClock();
  const telemetry = createAlsTelemetry({
    fetch: async (input, init) => {
      const call = { input, init };
      calls.push(call);
      return answer(call);
    },
    ...options,
    runtime: { ...clock, ...options.runtime },
  });
  return { telemetry, calls, clock };
}

const completion = () => Response.json(chatCompletion());

function sse(...events: (object | string)[]): Response {
  const text = events.map((event) => `data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`).join('');
  return new Response(text, { headers: { 'content-type': 'text/event-stream' } });
}

const streamed = () =>
  sse(
    { id: 'c1', model: 'gpt-4o-2024-08-06', choices: [{ index: 0, delta: { content: 'Hel' }, finish_reason: null }] },
    { id: 'c1', model: 'gpt-4o-2024-08-06', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
    { id: 'c1', choices: [], usage: { prompt_tokens: 10, completion_tokens: 5 } },
    '[DONE]',
  );

describe('a model call', () => {
  it('is one span, with usage, cost and metrics', async () => {
    const { telemetry, clock } = create(() => {
      clock.advance(1500);
      return completion();
    });
    const response = await telemetry.fetch(chatUrl, chatRequest({ temperature: 0.5 }));
    expect(telemetry.spans).toEqual([]);
    expect(await response.json()).toEqual(chatCompletion());
    expect(telemetry.spans).toHaveLength(1);
    expect(telemetry.spans[0]).toMatchObject({
      name: 'chat gpt-4o',
      kind: 2,
      status: { code: 0 },
      duration: [1, 500_000_000],
      attributes: {
        'gen_ai.operation.name': 'chat',
        'gen_ai.provider.name': 'openai',
        'gen_ai.request.model': 'gpt-4o',
        'gen_ai.request.temperature': 0.5,
        'gen_ai.response.model': 'gpt-4o-2024-08-06',
        'gen_ai.response.id': 'chatcmpl-1',
        'gen_ai.usage.input_tokens': 10,
        'gen_ai.usage.output_tokens': 5,
        'server.address': 'api.openai.com',
        'server.port': 443,
        'http.response.status_code': 200,
        'llm.latency_ms': 1500,
      },
    });
    expect(telemetry.spans[0]!.attributes).not.toHaveProperty(['gen_ai.request.stream']);
    const labels = { provider: 'openai', model: 'gpt-4o-2024-08-06' };
    expect(telemetry.metrics.value('llm_requests_total', { ...labels, operation: 'chat', status: 'ok' })).toBe(1);
    expect(telemetry.metrics.value('llm_tokens_total', { ...labels, token_type: 'input' })).toBe(10);
    expect(telemetry.metrics.value('llm_tokens_total', { ...labels, token_type: 'output' })).toBe(5);
    expect(await telemetry.prometheus()).toContain('llm_request_duration_seconds_sum{');
  });

  it('that streams ends with its terminator, and times its first token', async () => {
    const { telemetry, clock } = create(() => {
      clock.advance(200);
      return streamed();
    });
    const response = await telemetry.fetch(chatUrl, chatRequest({ stream: true }));
    clock.advance(300);
    await response.text();
    expect(telemetry.spans[0]!.attributes).toMatchObject({
      'gen_ai.request.stream': true,
      'gen_ai.response.time_to_first_chunk': 0.5,
      'gen_ai.response.finish_reasons': ['stop'],
      'gen_ai.usage.output_tokens': 5,
      'llm.operation': 'stream',
    });
    expect(telemetry.metrics.value('llm_requests_total', { operation: 'stream', status: 'ok' })).toBe(1);
    expect(telemetry.metrics.value('llm_time_to_first_token_seconds')).toBe(1);
  });

  it.each<[string, () => [RequestInfo | URL, RequestInit?]]>([
    ['a URL', () => [new URL(chatUrl), chatRequest()]],
    ['bytes', () => [chatUrl, { method: 'POST', body: new TextEncoder().encode(chatRequest().body as string) }]],
    [
      'a buffer',
      () => [chatUrl, { method: 'POST', body: new TextEncoder().encode(chatRequest().body as string).buffer }],
    ],
    ['a Request', () => [new Request(chatUrl, chatRequest())]],
    ['a Request with more', () => [new Request(chatUrl, chatRequest()), { headers: { 'x-more': '1' } }]],
    [
      'a Request with another body',
      () => [new Request(chatUrl, chatRequest({ model: 'other' })), { body: chatRequest().body! }],
    ],
    ['a Request handed on', () => [new URL(chatUrl), new Request('https://worker.test/', chatRequest())]],
    ['a method in lower case', () => [chatUrl, { ...chatRequest(), method: 'post' }]],
  ])('may be asked for by %s', async (_, make) => {
    const { telemetry, calls } = create(async ({ input, init }) => {
      const sent = new Request(input, init as RequestInit);
      return Response.json(chatCompletion({ id: ((await sent.json()) as { model: string }).model }));
    });
    const [input, init] = make();
    const response = await telemetry.fetch(input as string, init);
    expect(await response.json()).toMatchObject({ id: 'gpt-4o' });
    expect(telemetry.spans[0]).toMatchObject({ name: 'chat gpt-4o' });
    expect(calls[0]!.input).toBe(input);
    expect(calls[0]!.init).toBe(init);
  });

  it('whose body can not be read is one all the same at the vendor itself', async () => {
    const bodies = [
      new FormData(),
      new Blob(['{}']),
      new Response('{"model":"gpt-4o"}').body!,
      '{broken',
      'x'.repeat(9_000_000),
    ];
    for (const body of bodies) {
      const { telemetry } = create(completion);
      await (await telemetry.fetch(chatUrl, { method: 'POST', body, duplex: 'half' } as RequestInit)).text();
      expect(telemetry.spans[0]).toMatchObject({
        name: 'chat',
        attributes: { 'gen_ai.response.model': 'gpt-4o-2024-08-06', 'gen_ai.usage.input_tokens': 10 },
      });
      expect(telemetry.spans[0]!.attributes).not.toHaveProperty(['gen_ai.request.model']);
    }
  });

  it('keeps the response what it was', async () => {
    const real = Response.json(chatCompletion(), {
      status: 201,
      statusText: 'Made',
      headers: { 'x-request-id': 'r1' },
    });
    Object.defineProperty(real, 'url', { value: `${chatUrl}?final` });
    Object.defineProperty(real, 'redirected', { value: true });
    const { telemetry } = create(() => real);
    const response = await telemetry.fetch(chatUrl, chatRequest());
    expect(response).toBeInstanceOf(Response);
    expect(response).toMatchObject({
      status: 201,
      statusText: 'Made',
      url: `${chatUrl}?final`,
      redirected: true,
      ok: true,
    });
    expect(response.headers.get('x-request-id')).toBe('r1');
    const copy = response.clone();
    expect(copy).toMatchObject({ status: 201, url: `${chatUrl}?final`, redirected: true });
    expect(copy.clone().url).toBe(copy.url);
    expect(await copy.json()).toEqual(await response.json());
    expect(telemetry.spans).toHaveLength(1);
  });

  it.each([204, 304])('without a body ends at once (%i)', async (status) => {
    const real = new Response(null, { status });
    const { telemetry } = create(() => real);
    expect(await telemetry.fetch(chatUrl, chatRequest())).toBe(real);
    expect(telemetry.spans[0]!.attributes['http.response.status_code']).toBe(status);
  });

  it('with a status that no response can be made of is handed on', async () => {
    const real = completion();
    Object.defineProperty(real, 'status', { value: 999 });
    const { telemetry } = create(() => real);
    const response = await telemetry.fetch(chatUrl, chatRequest());
    expect(response).toBe(real);
    expect(await response.json()).toEqual(chatCompletion());
    expect(telemetry.spans).toHaveLength(1);
  });

  it('keeps a reason phrase that came, and that the host makes no response of', async () => {
    const real = completion();
    Object.defineProperty(real, 'statusText', { value: '请求' });
    const { telemetry } = create(() => real);
    const response = await telemetry.fetch(chatUrl, chatRequest());
    expect([response.status, response.statusText, response.clone().statusText]).toEqual([200, '请求', '请求']);
    expect(await response.json()).toEqual(chatCompletion());
    expect(telemetry.spans[0]!.attributes['gen_ai.usage.input_tokens']).toBe(10);
  });

  it.each<[string, unknown, number]>([
    ['undefined', undefined, 0],
    ['an object', { json: () => chatCompletion() }, 0],
    ['a failed object', { status: 500, headers: new Headers(), body: {} }, 2],
    ['one of node-fetch', { status: 200, headers: new Headers(), body: { pipe() {} } }, 0],
  ])('that is answered by what can not be observed is handed on and counted: %s', async (_, answer, code) => {
    const limits = { tokens: 100_000, window: 'day' } as const;
    const { telemetry } = create(() => answer as Response, { budget: { limits } });
    expect(await telemetry.fetch(chatUrl, chatRequest())).toBe(answer);
    expect(telemetry.spans.map(({ status }) => status.code)).toEqual([code]);
    expect(telemetry.metrics.value('llm_requests_total', { status: code ? 'error' : 'ok' })).toBe(1);
  });

  it('sends headers that can be iterated only once', async () => {
    const { telemetry, calls } = create(completion);
    for (const url of [chatUrl, 'https://example.test/data']) {
      const headers = new Headers({ authorization: 'Bearer x' }).entries();
      await telemetry.fetch(url, { ...chatRequest(), headers: headers as Iterable<[string, string]> as [] });
    }
    expect(calls.map(({ init }) => new Headers(init?.headers).get('authorization'))).toEqual(['Bearer x', 'Bearer x']);
    await telemetry.fetch(chatUrl, { ...chatRequest(), headers: { next: 'page' } });
    expect(calls[2]!.init?.headers).toEqual({ next: 'page' });
  });

  it('ends its span before its reader goes on', async () => {
    const { telemetry } = create(completion);
    await telemetry.span('route', async () => {
      await (await telemetry.fetch(chatUrl, chatRequest())).text();
      expect(telemetry.spans).toHaveLength(1);
    });
    expect(telemetry.spans[0]!.parentSpanContext?.spanId).toBe(telemetry.spans[1]!.spanContext().spanId);
  });
});

describe('what is no model call', () => {
  it.each<[string, string, RequestInit?]>([
    ['another host', 'https://example.test/data', { method: 'POST', body: '{}' }],
    ['a GET', chatUrl],
    ['a HEAD', chatUrl, { method: 'HEAD' }],
    ['a survey', 'https://survey.test/api/surveys/5/responses', { method: 'POST', body: '{"answers":[1]}' }],
    ['a survey with a form', 'https://survey.test/responses', { method: 'POST', body: new FormData() }],
    ['a course', 'https://lms.test/courses/7/completions', { method: 'POST', body: '{"model":5}' }],
    ['a mailbox', 'https://mail.test/v1/messages', { method: 'POST', body: '{"to":"a"}' }],
    ['an upload', 'https://files.test/v1/embeddings', { method: 'PUT', body: '{"model":"m"}' }],
  ])('passes untouched: %s', async (_, url, init) => {
    const real = completion();
    const { telemetry, calls } = create(() => real);
    expect(await telemetry.fetch(url, init)).toBe(real);
    expect(calls).toEqual([{ input: url, init }]);
    expect(calls[0]!.init).toBe(init);
    expect(telemetry.spans).toEqual([]);
    expect(telemetry.metrics.value('llm_requests_total')).toBeUndefined();
  });

  it('passes untouched as a Request too, its body unread', async () => {
    const real = completion();
    const { telemetry, calls } = create(() => real);
    const request = new Request('https://survey.test/responses', { method: 'POST', body: '{"answers":[1]}' });
    expect(await telemetry.fetch(request)).toBe(real);
    expect(calls[0]!.input).toBe(request);
    expect(request.bodyUsed).toBe(false);
    expect(await request.text()).toBe('{"answers":[1]}');
    expect(telemetry.spans).toEqual([]);
  });

  it.each(['/relative', 'nonsense', ''])('is left to the real fetch: %j', async (input) => {
    const { telemetry, calls } = create(() => new Response('real'));
    expect(await (await telemetry.fetch(input, { method: 'POST' })).text()).toBe('real');
    expect(calls[0]!.input).toBe(input);
    expect(telemetry.health().ok).toBe(true);
  });

  it('is one with a model, whatever the host', async () => {
    const { telemetry } = create(completion);
    await (await telemetry.fetch('http://localhost:8080/proxy/v1/responses', chatRequest())).text();
    await (await telemetry.fetch('https://gateway.test/v1/messages', chatRequest({ model: 'claude-x' }))).text();
    expect(telemetry.spans.map(({ name, attributes }) => [name, attributes['server.port']])).toEqual([
      ['chat gpt-4o', 8080],
      ['chat claude-x', 443],
    ]);
  });
});

describe('failures', () => {
  it('of the network are passed on as they are', async () => {
    const thrown = Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNREFUSED' } });
    const { telemetry } = create(() => Promise.reject(thrown));
    await expect(telemetry.fetch(chatUrl, chatRequest())).rejects.toBe(thrown);
    await expect(telemetry.fetch(new Request(chatUrl, chatRequest()))).rejects.toBe(thrown);
    for (const span of telemetry.spans) {
      expect(span).toMatchObject({
        status: { code: 2 },
        attributes: {
          'error.type': 'TypeError',
          'edgespan.error_class': 'provider_error',
          'llm.error_type': 'TypeError',
        },
      });
    }
    const labels = { provider: 'openai', model: 'gpt-4o' };
    expect(telemetry.metrics.value('llm_requests_total', { ...labels, status: 'error' })).toBe(2);
    expect(telemetry.metrics.value('llm_errors_total', { ...labels, error_type: 'provider_error' })).toBe(2);
  });

  it.each<unknown>([undefined, null, 'text', Object.create(null)])('may be anything: %s', async (thrown) => {
    const { telemetry } = create(() => Promise.reject(thrown));
    await expect(telemetry.fetch(chatUrl, chatRequest())).rejects.toBe(thrown);
    expect(telemetry.spans[0]!.status.code).toBe(2);
  });

  it.each([
    [429, { error: { type: 'rate_limit_error', code: 'rate_limit_exceeded' } }, 'rate_limit_exceeded', 'rate_limit'],
    [400, { error: { type: 'invalid_request_error' } }, 'invalid_request_error', 'validation_error'],
    [401, 'Unauthorized', '401', 'provider_error'],
    [504, '', '504', 'timeout'],
    [529, { type: 'error', error: { type: 'overloaded_error' } }, 'overloaded_error', 'provider_error'],
  ])('of status %i are told by vendor or status', async (status, body, type, errorClass) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const { telemetry } = create(
      () => new Response(text || null, { status, headers: { 'content-type': 'application/json' } }),
    );
    const response = await telemetry.fetch(chatUrl, chatRequest());
    expect(await response.text()).toBe(text);
    expect(telemetry.spans[0]).toMatchObject({
      status: { code: 2 },
      attributes: { 'error.type': type, 'edgespan.error_class': errorClass, 'http.response.status_code': status },
    });
    expect(telemetry.metrics.value('llm_errors_total', { span_type: 'llm', error_type: errorClass })).toBe(1);
  });

  it('whose body is cancelled, as SDKs do before they retry, are failures still', async () => {
    const { telemetry } = create(() => new Response('{}', { status: 500 }));
    await (await telemetry.fetch(chatUrl, chatRequest())).body!.cancel();
    expect(telemetry.spans[0]!.status.code).toBe(2);
    expect(telemetry.metrics.value('llm_requests_total', { status: 'error' })).toBe(1);
  });

  it('whose body nobody reads are failures still', async () => {
    const { telemetry, clock } = create(() => new Response('{}', { status: 429 }));
    await telemetry.fetch(chatUrl, chatRequest());
    clock.advance(5000);
    await telemetry.flush();
    expect(telemetry.spans[0]).toMatchObject({
      status: { code: 2 },
      attributes: { 'edgespan.error_class': 'rate_limit' },
    });
    expect(telemetry.metrics.value('llm_requests_total', { status: 'error' })).toBe(1);
  });

  it('in the middle of a body are the error that the reader gets', async () => {
    const thrown = new TypeError('terminated');
    const { telemetry } = create(() => {
      const body = new ReadableStream({
        start(controller) {
          controller.enqueue(new TextEncoder().encode('data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n'));
        },
        pull: (controller) => controller.error(thrown),
      });
      return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
    });
    const response = await telemetry.fetch(chatUrl, chatRequest({ stream: true }));
    await expect(response.text()).rejects.toBe(thrown);
    expect(telemetry.spans[0]).toMatchObject({ status: { code: 2 }, attributes: { 'error.type': 'TypeError' } });
  });

  it('without a word are an incomplete stream', async () => {
    const { telemetry } = create(() => sse({ choices: [{ index: 0, delta: { content: 'a' } }] }));
    await (await telemetry.fetch(chatUrl, chatRequest({ stream: true }))).text();
    expect(telemetry.spans[0]!.attributes).toMatchObject({
      'error.type': 'incomplete_stream',
      'gen_ai.response.finish_reasons': ['error'],
    });
  });
});

describe('a caller who leaves', () => {
  it.each<[string, unknown]>([
    ['without a reason', undefined],
    ['with a reason of its own', new Error('closed the tab')],
  ])('before the answer %s has aborted', async (_, reason) => {
    const controller = new AbortController();
    const { telemetry } = create(
      ({ init }) =>
        new Promise((__, reject) => init!.signal!.addEventListener('abort', () => reject(init!.signal!.reason))),
    );
    const call = telemetry.fetch(chatUrl, { ...chatRequest(), signal: controller.signal });
    controller.abort(reason);
    await expect(call).rejects.toBe(controller.signal.reason);
    expect(telemetry.spans[0]).toMatchObject({ status: { code: 0 }, attributes: { 'edgespan.aborted': true } });
    expect(telemetry.metrics.value('llm_streams_aborted_total')).toBe(1);
    expect(telemetry.metrics.value('llm_requests_total', { status: 'ok' })).toBe(1);
    expect(telemetry.metrics.value('llm_errors_total')).toBeUndefined();
  });

  it('in the middle, by a reason of its own, has aborted', async () => {
    const controller = new AbortController();
    const { telemetry } = create(({ init }) => {
      const body = new ReadableStream({
        start: (c) => init!.signal!.addEventListener('abort', () => c.error(init!.signal!.reason)),
      });
      return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
    });
    const response = await telemetry.fetch(chatUrl, { ...chatRequest({ stream: true }), signal: controller.signal });
    const read = response.text();
    controller.abort(new Error('closed the tab'));
    await expect(read).rejects.toThrow('closed the tab');
    expect(telemetry.spans[0]).toMatchObject({ status: { code: 0 }, attributes: { 'edgespan.aborted': true } });
  });

  it('by a timeout has failed', async () => {
    const { telemetry } = create(() => Promise.reject(new DOMException('late', 'TimeoutError')));
    await expect(telemetry.fetch(chatUrl, chatRequest())).rejects.toThrow('late');
    expect(telemetry.spans[0]).toMatchObject({
      status: { code: 2 },
      attributes: { 'edgespan.error_class': 'timeout' },
    });
  });

  it('in the middle of a stream keeps the usage seen so far, and cancels the upstream', async () => {
    let cancelled: unknown;
    const chunks = [
      'data: {"model":"gpt-4o","choices":[{"index":0,"delta":{"content":"a"}}],"usage":{"prompt_tokens":10,"completion_tokens":1}}\n\n',
      'data: {"choices":[{"index":0,"delta":{"content":"b"}}]}\n\n',
    ];
    const { telemetry } = create(() => {
      const body = new ReadableStream({
        pull: (controller) => controller.enqueue(new TextEncoder().encode(chunks.shift())),
        cancel: (reason) => {
          cancelled = reason;
        },
      });
      return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
    });
    const reader = (await telemetry.fetch(chatUrl, chatRequest({ stream: true }))).body!.getReader();
    await reader.read();
    await reader.cancel('enough');
    expect(cancelled).toBe('enough');
    expect(telemetry.spans[0]).toMatchObject({
      status: { code: 0 },
      attributes: { 'edgespan.aborted': true, 'gen_ai.usage.input_tokens': 10, 'gen_ai.usage.output_tokens': 1 },
    });
    expect(telemetry.metrics.value('llm_tokens_total')).toBe(11);
  });

  it('never to read is ended by a flush, after its deadline and once', async () => {
    const { telemetry, clock } = create(completion);
    const response = await telemetry.fetch(chatUrl, chatRequest());
    clock.advance(4999);
    await telemetry.flush();
    expect(telemetry.spans).toEqual([]);
    clock.advance(1);
    await telemetry.flush();
    expect(telemetry.spans[0]!.attributes['edgespan.aborted']).toBe(true);
    expect(await response.json()).toEqual(chatCompletion());
    expect(telemetry.spans).toHaveLength(1);
    expect(telemetry.metrics.value('llm_requests_total')).toBe(1);
  });

  it('never to read is counted where somebody looks at the metrics', async () => {
    const { telemetry, clock } = create(completion);
    await telemetry.fetch(chatUrl, chatRequest());
    clock.advance(5000);
    expect(telemetry.metrics.value('llm_requests_total')).toBe(1);
  });
});

describe('answers of any kind', () => {
  it.each<[string, unknown]>([
    ['no JSON', 'surprise'],
    ['an empty text', ''],
    ['null', 'null'],
    ['a number', '5'],
    ['a list', '[1,2]'],
    ['cut off', '{"model":"gpt-4o","usage":{"prompt_tok'],
    ['usage that is text', { usage: 'many' }],
    ['usage of text', { usage: { prompt_tokens: '10', completion_tokens: null } }],
    ['negative usage', { usage: { prompt_tokens: -5, completion_tokens: -1 } }],
    ['usage beyond numbers', '{"usage":{"prompt_tokens":1e999,"completion_tokens":1.5}}'],
    ['choices that are none', { choices: 'x', model: 5, id: [] }],
    ['choices of nothing', { choices: [null, 5, {}, { message: null }] }],
  ])('leave the result untouched: %s', async (_, body) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const { telemetry } = create(() => new Response(text, { headers: { 'content-type': 'application/json' } }));
    const response = await telemetry.fetch(chatUrl, chatRequest());
    expect(await response.text()).toBe(text);
    const [span] = telemetry.spans;
    expect(span).toMatchObject({ name: 'chat gpt-4o', status: { code: 0 } });
    expect(Object.keys(span!.attributes).filter((key) => /usage|tokens$|cost/.test(key))).toEqual([]);
    expect(telemetry.metrics.value('llm_requests_total', { status: 'ok' })).toBe(1);
    expect(telemetry.metrics.value('llm_tokens_total')).toBeUndefined();
    expect(telemetry.metrics.value('edgespan_invalid_measurements_total')).toBeUndefined();
  });

  it('that are no JSON are counted', async () => {
    const { telemetry } = create(() => new Response('surprise'));
    await (await telemetry.fetch(chatUrl, chatRequest())).text();
    expect(telemetry.metrics.value('edgespan_parse_errors_total', { provider: 'openai' })).toBe(1);
  });

  it('too big to be read pass whole', async () => {
    const text = JSON.stringify(chatCompletion({ padding: 'x'.repeat(5000) }));
    const { telemetry } = create(() => new Response(text), { limits: { bodyBytes: 1000 } });
    expect(await (await telemetry.fetch(chatUrl, chatRequest())).text()).toBe(text);
    expect(telemetry.spans[0]!.attributes).not.toHaveProperty(['gen_ai.usage.input_tokens']);
    expect(telemetry.metrics.value('edgespan_parse_errors_total')).toBe(1);
  });
});

describe('prices', () => {
  it('of the options win over the built-in ones', async () => {
    const { telemetry } = create(completion, { prices: { 'gpt-4o-2024-08-06': { input: 100_000, output: 0 } } });
    await (await telemetry.fetch(chatUrl, chatRequest())).text();
    expect(telemetry.metrics.value('llm_cost_usd_total', { model: 'gpt-4o-2024-08-06' })).toBe(1);
  });

  it('that nobody knows are no cost, and counted', async () => {
    const { telemetry } = create(() => Response.json(chatCompletion({ model: 'homemade' })));
    await (await telemetry.fetch('http://localhost/v1/chat/completions', chatRequest({ model: 'homemade' }))).text();
    expect(telemetry.spans[0]!.attributes).not.toHaveProperty(['llm.cost_usd']);
    expect(telemetry.spans[0]!.attributes['edgespan.pricing.missing']).toBe(true);
    expect(telemetry.metrics.value('llm_unpriced_requests_total', { model: 'homemade' })).toBe(1);
    expect(telemetry.metrics.value('llm_cost_usd_total')).toBeUndefined();
  });

  it('are not missed where there is no usage', async () => {
    const { telemetry } = create(() => Response.json(chatCompletion({ usage: undefined })));
    await (await telemetry.fetch(chatUrl, chatRequest())).text();
    expect(telemetry.metrics.value('llm_unpriced_requests_total')).toBeUndefined();
    expect(telemetry.spans[0]!.attributes).not.toHaveProperty(['gen_ai.usage.input_tokens']);
  });
});

describe('a provider of one’s own', () => {
  const acme: Provider = defineProvider({
    name: 'acme',
    match: ({ url }) => (url.hostname === 'llm.own.test' ? 'chat' : undefined),
    request: ({ body }) => ({ model: (body as { model?: string })?.model }),
    response: (json) => ({ usage: { input: (json as { tokens: number }).tokens } }),
  });

  it('is asked before the built-in ones, and needs no model', async () => {
    const { telemetry } = create(() => Response.json({ tokens: 7 }), { providers: [acme] });
    await (await telemetry.fetch('https://llm.own.test/v1/chat/completions', { method: 'POST' })).text();
    expect(telemetry.spans[0]).toMatchObject({
      name: 'chat',
      attributes: { 'gen_ai.provider.name': 'acme', 'gen_ai.usage.input_tokens': 7 },
    });
  });

  it.each<[string, Partial<Provider>]>([
    ['match', { match: () => fail() }],
    ['request', { request: () => fail() }],
    ['response', { response: () => fail() }],
    ['stream', { stream: () => fail() }],
    ['an event', { stream: () => ({ event: () => fail(), result: () => fail() }) }],
    ['request, with nothing', { request: () => null as never }],
    ['response, with nothing', { response: () => null as never }],
  ])('may throw in %s', async (_, parts) => {
    for (const body of ['{"tokens":7}', 'data: {"tokens":7}\n\n']) {
      const { telemetry } = create(
        () =>
          new Response(body, {
            headers: { 'content-type': body.startsWith('data') ? 'text/event-stream' : 'text/json' },
          }),
        { providers: [{ ...acme, ...parts }] },
      );
      const response = await telemetry.fetch('https://llm.own.test/x', { method: 'POST', body: '{"stream":true}' });
      expect(await response.text()).toBe(body);
    }
  });

  function fail(): never {
    throw new Error('provider');
  }
});

describe('propagation', () => {
  it('goes to nobody by default', async () => {
    const { telemetry, calls } = create(completion);
    const init = chatRequest();
    await telemetry.span('route', () => telemetry.fetch(chatUrl, init));
    expect(calls[0]!.init).toBe(init);
  });

  it('goes where it may, naming the call as parent', async () => {
    const { telemetry, calls } = create(completion, {
      propagation: { to: (url) => url.hostname.endsWith('.internal.test') },
    });
    const gateway = 'https://llm.internal.test/v1/chat/completions';
    await telemetry.span('route', async () => {
      await (await telemetry.fetch(gateway, chatRequest())).text();
      await telemetry.fetch('https://api.internal.test/users', { headers: { accept: 'x' } });
      await telemetry.fetch(chatUrl, chatRequest());
      await telemetry.fetch('https://example.test');
    });
    const carried = calls.map(({ init }) => new Headers(init?.headers).get('traceparent'));
    const [chat] = telemetry.spans;
    const route = telemetry.spans.find(({ name }) => name === 'route')!;
    expect(carried).toEqual([
      `00-${route.spanContext().traceId}-${chat!.spanContext().spanId}-03`,
      `00-${route.spanContext().traceId}-${route.spanContext().spanId}-03`,
      null,
      null,
    ]);
    expect(new Headers(calls[0]!.init!.headers).get('content-type')).toBe('application/json');
    expect(new Headers(calls[1]!.init!.headers).get('accept')).toBe('x');
    expect(calls[0]!.init!.body).toBe(chatRequest().body);
  });

  it('keeps a Request what it was, in either place', async () => {
    const { telemetry } = create(
      async ({ input, init }) => {
        const sent = new Request(input, init as RequestInit);
        const { method, headers } = sent;
        return Response.json({
          method,
          own: headers.get('x-own'),
          body: await sent.text(),
          has: headers.has('traceparent'),
        });
      },
      { propagation: { to: () => true } },
    );
    const make = () => new Request('https://api.test/a', { method: 'PUT', headers: { 'x-own': '1' }, body: 'text' });
    await telemetry.span('route', async () => {
      for (const args of [[make()], [new URL('https://api.test/b'), make()]] as [RequestInfo | URL, RequestInit?][]) {
        const response = await telemetry.fetch(args[0] as Request, args[1]);
        expect(await response.json()).toEqual({ method: 'PUT', own: '1', body: 'text', has: true });
      }
    });
  });

  it('survives a rule that throws', async () => {
    const { telemetry } = create(completion, {
      propagation: {
        to() {
          throw new Error('rule');
        },
      },
    });
    expect((await telemetry.fetch(chatUrl, chatRequest())).status).toBe(200);
    expect(telemetry.health().problems[0]?.message).toBe('rule');
  });
});

describe('attempts of an SDK', () => {
  const attempt = (number: number, over: Record<string, unknown> = {}): RequestInit => ({
    ...chatRequest(over),
    headers: { 'content-type': 'application/json', 'x-stainless-retry-count': `${number}` },
  });

  function createAttempts(statuses: number[]) {
    const setup = create(() => {
      setup.clock.advance(100);
      const status = statuses.shift()!;
      return status === 200 ? completion() : Response.json({ error: { type: 'server_error' } }, { status });
    });
    const send = async (number: number, over?: Record<string, unknown>) => {
      await (await setup.telemetry.fetch(chatUrl, attempt(number, over))).text();
    };
    const count = (labels: Record<string, string> = {}) =>
      setup.telemetry.metrics.value('llm_requests_total', labels) ?? 0;
    return { ...setup, send, count };
  }

  it('are spans of their own and one call, timed from its start', async () => {
    const { telemetry, clock, send, count } = createAttempts([500, 503, 200]);
    await send(0);
    clock.advance(500);
    await send(1);
    clock.advance(1000);
    await send(2);
    expect(telemetry.spans.map(({ attributes }) => attributes['http.request.resend_count'])).toEqual([undefined, 1, 2]);
    expect([count({ status: 'ok' }), count({ status: 'error' })]).toEqual([1, 0]);
    expect(telemetry.metrics.value('llm_errors_total')).toBeUndefined();
    expect(await telemetry.prometheus()).toMatch(/llm_request_duration_seconds_sum\{[^}]*\} 1\.8\n/);
  });

  it('that are exhausted are one failure', async () => {
    const { send, count, telemetry } = createAttempts([500, 500, 500]);
    for (const number of [0, 1, 2]) await send(number);
    expect([count({ status: 'ok' }), count({ status: 'error' })]).toEqual([0, 1]);
    expect(telemetry.metrics.value('llm_errors_total')).toBe(1);
  });

  it('that may not be tried again are counted at once', async () => {
    const { send, count } = createAttempts([400, 200]);
    await send(0);
    await send(0);
    expect([count({ status: 'ok' }), count({ status: 'error' })]).toEqual([1, 1]);
  });

  it('of identical calls that overlap stay two calls', async () => {
    const { send, count } = createAttempts([500, 500, 200, 200]);
    for (const number of [0, 0, 1, 1]) await send(number);
    expect([count({ status: 'ok' }), count({ status: 'error' })]).toEqual([2, 0]);
  });

  it('of different calls do not take each other’s place', async () => {
    const { send, count } = createAttempts([500, 500, 200]);
    await send(0, { n: 1 });
    await send(0, { n: 2 });
    await send(1, { n: 1 });
    expect([count({ status: 'ok' }), count({ status: 'error' })]).toEqual([1, 1]);
  });

  it('count once although somebody looks in between, and lose no tokens', async () => {
    const { telemetry, send, count } = createAttempts([500, 500, 200]);
    await send(0);
    expect(count()).toBe(1);
    await send(1);
    expect(count()).toBe(1);
    await send(2);
    expect(count()).toBe(1);
    expect(telemetry.metrics.value('llm_request_duration_seconds')).toBe(1);
    expect(telemetry.metrics.value('llm_tokens_total')).toBe(15);
    expect(telemetry.metrics.value('llm_cost_usd_total')).toBeGreaterThan(0);
  });

  it('count once although somebody looked only after the first', async () => {
    const { telemetry, send, count } = createAttempts([500, 500, 200]);
    await send(0);
    expect(count({ status: 'error' })).toBe(1);
    await send(1);
    await send(2);
    expect([count({ status: 'error' }), count({ status: 'ok' })]).toEqual([1, 0]);
    expect(telemetry.metrics.value('llm_tokens_total')).toBe(15);
  });

  it('without a number are calls of their own', async () => {
    const { telemetry } = create(() => new Response('{}', { status: 500 }));
    for (let i = 0; i < 2; i++) await (await telemetry.fetch(chatUrl, chatRequest())).text();
    expect(telemetry.metrics.value('llm_requests_total')).toBe(2);
  });

  it('wait in bounded number', async () => {
    const { telemetry } = create(() => new Response('{}', { status: 500 }));
    for (let i = 0; i < 150; i++) await (await telemetry.fetch(chatUrl, attempt(0, { n: i }))).text();
    expect(telemetry.metrics.value('llm_requests_total', { status: 'error' })).toBe(150);
  });
});

describe('a wrapper without async context', () => {
  it('finds by its reply’s id that the call inside has been counted', async () => {
    const { telemetry, clock } = create(completion, {
      runtime: { context: { run: (_, fn) => fn(), get: () => undefined } },
    });
    const ask = telemetry.llm(
      { model: 'gpt-4o', response: (reply: { id: string }) => ({ id: reply.id, usage: { input: 10, output: 5 } }) },
      async () => {
        await settle();
        return (await (await telemetry.fetch(chatUrl, chatRequest())).json()) as { id: string };
      },
    );
    await ask();
    await ask();
    expect(telemetry.metrics.value('llm_requests_total')).toBe(2);
    expect(telemetry.metrics.value('llm_tokens_total')).toBe(30);
    clock.advance(1);
    const own = telemetry.llm(
      { model: 'gpt-4o', response: () => ({ id: 'chatcmpl-1', usage: { input: 1 } }) },
      () => 1,
    );
    own();
    expect(telemetry.metrics.value('llm_requests_total')).toBe(3);
  });
});
