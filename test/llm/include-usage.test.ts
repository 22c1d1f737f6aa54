import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Provider } from '../../src/llm/provider.ts';
import type { TelemetryOptions } from '../../src/options.ts';
import { createTestTelemetry } from '../../src/testing.ts';
import { chatUrl } from '../support/telemetry.ts';

const usage = { prompt_tokens: 1000, completion_tokens: 500, total_tokens: 1500 };
const head = { id: 'chatcmpl-1', object: 'chat.completion.chunk', model: 'gpt-4o-mini-2024-07-18' };
const azureFirst = { id: '', model: '', choices: [], prompt_filter_results: [{ prompt_index: 0 }] };

/** What the vendor streams, with or without usage: https://platform.openai.com/docs/api-reference/chat-streaming */
function write(withUsage: boolean, end = '\n'): string {
  const chunk = (delta: object, finish_reason: string | null = null) => ({
    ...head,
    choices: [{ index: 0, delta, finish_reason }],
    ...(withUsage && { usage: null }),
  });
  const events = [
    azureFirst,
    chunk({ role: 'assistant', content: '' }),
    chunk({ content: 'Hello “usage”' }),
    chunk({ content: '"choices":[],"usage":{}' }),
    chunk({}, 'stop'),
    ...(withUsage ? [{ ...head, choices: [], usage }] : []),
  ].map((json) => `data: ${JSON.stringify(json)}${end}${end}`);
  return [`: processing${end}${end}`, ...events, `data: [DONE]${end}${end}`].join('');
}

const cut = (text: string, size: number) => {
  const bytes = new TextEncoder().encode(text);
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.slice(i * size, (i + 1) * size));
};

interface Sent {
  readonly input: RequestInfo | URL;
  readonly init: RequestInit | undefined;
  readonly headers: Headers;
  readonly text: string;
  readonly json: Record<string, unknown>;
}

type Answer = (sent: Sent) => Response;

const eventStream = { 'content-type': 'text/event-stream; charset=utf-8' };
const stream = (chunks: readonly Uint8Array[], headers: Record<string, string> = eventStream) =>
  new Response(new Blob([...chunks] as BlobPart[]).stream(), { headers });

/** A vendor that sends usage to who asks for it. */
const vendor: Answer = ({ json }) => {
  const options = json.stream_options as { include_usage?: boolean } | undefined;
  return stream([new TextEncoder().encode(write(options?.include_usage === true))]);
};

function connect(answer: Answer = vendor, options: TelemetryOptions = {}) {
  const sent: Sent[] = [];
  const errors: unknown[] = [];
  const telemetry = createTestTelemetry({
    includeUsage: true,
    onError: (error) => errors.push(error),
    ...options,
    fetch: async (input, init) => {
      const request = new Request(input, init);
      const text = await request.text();
      sent.push({ input, init, headers: request.headers, text, json: JSON.parse(text) });
      return answer(sent.at(-1)!);
    },
  });
  return { telemetry, sent, errors };
}

const body = { model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'Hi' }], stream: true };
const text = JSON.stringify(body);
const asked = { ...body, stream_options: { include_usage: true } };
const post = (body: BodyInit, headers: Record<string, string> = {}): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', ...headers },
  body,
});
const withoutNulls = (seen: string) => seen.replaceAll(',"usage":null', '');

describe('a stream that does not ask', () => {
  const bytes = new TextEncoder().encode(text);

  it.each<[string, () => [RequestInfo | URL, RequestInit?]]>([
    ['a string', () => [chatUrl, post(text)]],
    ['bytes', () => [new URL(chatUrl), post(bytes)]],
    ['an ArrayBuffer', () => [chatUrl, post(bytes.buffer)]],
    ['a DataView', () => [chatUrl, post(new DataView(bytes.buffer))]],
    ['a Request', () => [new Request(chatUrl, post(text))]],
    ['a Request and a body beside it', () => [new Request(chatUrl, post('{}')), { body: text }]],
    [
      'a Request as the options, as Workers hand one on',
      () => [chatUrl, new Request('https://worker.example', post(text))],
    ],
  ])('is asked for its usage, given as %s, and nobody sees that', async (_, given) => {
    const { telemetry, sent, errors } = connect();
    const response = await telemetry.fetch(...given());
    expect(withoutNulls(await response.text())).toBe(write(false));
    expect(sent).toHaveLength(1);
    expect(sent[0]!.json).toEqual(asked);
    expect(sent[0]!.headers.get('content-type')).toBe('application/json');
    expect(telemetry.spans).toHaveLength(1);
    expect(telemetry.spans[0]!.attributes).toMatchObject({
      'gen_ai.usage.input_tokens': 1000,
      'gen_ai.usage.output_tokens': 500,
      'llm.cost_usd': 0.00045,
      'gen_ai.response.finish_reasons': ['stop'],
      'llm.operation': 'stream',
    });
    expect(errors).toEqual([]);
  });

  it('keeps all of its body but the wish', async () => {
    const { telemetry, sent } = connect();
    const odd = `{ "seed": 12345678901234567890, "temperature": 1.0,\n"model":"gpt-4o-mini", "stream":true }\n`;
    await telemetry.fetch(chatUrl, post(odd));
    expect(sent[0]!.text).toBe(odd.replace(' }\n', ' ,"stream_options":{"include_usage":true}}\n'));
  });

  it('keeps its other stream options', async () => {
    const { telemetry, sent } = connect();
    const options = { include_obfuscation: false };
    await telemetry.fetch(chatUrl, post(JSON.stringify({ ...body, stream_options: options })));
    expect(sent[0]!.json).toEqual({ ...body, stream_options: { ...options, include_usage: true } });
  });

  it('keeps its headers but the length, and all else', async () => {
    const { telemetry, sent } = connect();
    const given = post(text, { 'content-length': String(text.length), 'x-custom': 'a', authorization: 'Bearer k' });
    const { signal } = new AbortController();
    await telemetry.fetch(chatUrl, { ...given, signal, redirect: 'manual' });
    const { headers, init, text: changed } = sent[0]!;
    const length = headers.get('content-length');
    expect(length === null || Number(length) === changed.length).toBe(true);
    expect(headers.get('x-custom')).toBe('a');
    expect(headers.get('authorization')).toBe('Bearer k');
    expect(init).toMatchObject({ signal, redirect: 'manual', method: 'POST' });
    // What the application holds is as it was.
    expect(given.body).toBe(text);
  });

  it('carries its trace too', async () => {
    const { telemetry, sent } = connect(vendor, { propagation: { to: () => true } });
    for (const input of [new Request(chatUrl, post(text)), chatUrl]) {
      await telemetry.fetch(input, typeof input === 'string' ? post(text) : undefined);
    }
    for (const { headers, json } of sent) {
      expect(headers.get('traceparent')).toMatch(/^00-/);
      expect(json).toEqual(asked);
    }
  });

  it('keeps the signal of its Request', async () => {
    const { telemetry, sent } = connect();
    const controller = new AbortController();
    await telemetry.fetch(new Request(chatUrl, { ...post(text), signal: controller.signal }));
    const { input, init } = sent[0]!;
    const { signal } = new Request(input instanceof Request ? input.clone() : input, { ...init, body: text });
    controller.abort();
    expect(signal.aborted).toBe(true);
  });

  it('may be a legacy completion', async () => {
    const { telemetry, sent } = connect();
    const request = { model: 'gpt-3.5-turbo-instruct', prompt: 'Hi', stream: true };
    await telemetry.fetch('https://api.openai.com/v1/completions', post(JSON.stringify(request)));
    expect(sent[0]!.json).toEqual({ ...request, stream_options: { include_usage: true } });
  });
});

describe('untouched is', () => {
  const untouched = async (given: RequestInit, url = chatUrl, options: TelemetryOptions = {}) => {
    const { telemetry, sent } = connect(vendor, options);
    const response = await telemetry.fetch(url, given);
    expect(sent[0]!.init!.body).toBe(given.body);
    return response.text();
  };

  it('a stream that asks, down to its last chunk', async () => {
    const seen = await untouched(post(JSON.stringify(asked)));
    expect(seen).toBe(write(true));
  });

  it('a stream that does not want it', async () => {
    const declined = JSON.stringify({ ...body, stream_options: { include_usage: false } });
    expect(await untouched(post(declined))).toBe(write(false));
  });

  it('what is no stream', async () => {
    await untouched(post(JSON.stringify({ ...body, stream: false })));
    await untouched(post(JSON.stringify({ model: 'gpt-4o-mini', messages: [] })));
  });

  it('a stream of Responses, which has it anyway', async () => {
    const responses = { model: 'gpt-4o-mini', input: 'Hi', stream: true };
    await untouched(post(JSON.stringify(responses)), 'https://api.openai.com/v1/responses');
  });

  it('everything without the option', async () => {
    expect(await untouched(post(text), chatUrl, { includeUsage: false })).toBe(write(false));
  });

  it('what is no model call', async () => {
    await untouched(post(JSON.stringify({ stream: true })), 'https://example.com/v1/completions');
  });

  it.each([
    ['x-amz-content-sha256', 'abc'],
    ['authorization', 'AWS4-HMAC-SHA256 Credential=a'],
    ['content-digest', 'sha-256=:a:'],
    ['content-md5', 'a'],
    ['signature', 'sig1=:a:'],
  ])('a body that is signed (%s)', async (name, value) => {
    expect(await untouched(post(text, { [name]: value }))).toBe(write(false));
  });

  it('a body that can’t be read', async () => {
    const given = { ...post('x'), body: new Blob([text]) };
    expect(await untouched(given)).toBe(write(false));
  });

  it('a request whose provider fails over it, which is reported', async () => {
    const failing: Provider = {
      name: 'acme',
      match: () => 'chat',
      request: () => ({ model: 'm', stream: true }),
      response: () => ({}),
      includeUsage: () => {
        throw new Error('no');
      },
    };
    const { telemetry, sent, errors } = connect(vendor, { providers: [failing] });
    await telemetry.fetch(chatUrl, post(text));
    expect(sent[0]!.text).toBe(text);
    expect(errors).toHaveLength(1);
  });
});

describe('a gateway', () => {
  const openaiOnly = (upstream: Provider['gateway']): Provider => ({
    name: 'gate',
    priority: 10,
    match: ({ url }) => (url.hostname === 'gate.example' ? 'chat' : undefined),
    request: () => ({ stream: true }),
    response: () => ({}),
    gateway: upstream!,
  });
  const acme: Provider = {
    name: 'acme',
    match: ({ url }) => (url.hostname === 'acme.example' ? 'chat' : undefined),
    request: ({ body }) => ({ model: (body as { model?: string }).model, stream: true }),
    response: () => ({}),
    includeUsage: ({ body }) => ({ ...(body as object), stream_options: { include_usage: true } }),
  };
  const acmeUrl = new URL('https://acme.example/v1/chat/completions');

  it('that hands the body on is asked', async () => {
    const { telemetry, sent } = connect(vendor, {
      providers: [openaiOnly({ upstream: () => ({ url: acmeUrl }) }), acme],
    });
    await telemetry.fetch('https://gate.example/acme', post(text));
    expect(sent[0]!.json).toEqual(asked);
  });

  it('that takes the body out of another is left alone', async () => {
    const outer = JSON.stringify([{ provider: 'acme', query: body }]);
    const gate = openaiOnly({
      upstream: ({ body }) => ({ url: acmeUrl, body: (body as [{ query: unknown }])[0].query }),
    });
    const { telemetry, sent } = connect(vendor, { providers: [gate, acme] });
    await telemetry.fetch('https://gate.example/', post(outer));
    expect(sent[0]!.text).toBe(outer);
  });
});

describe('the body that a provider wants', () => {
  const wanting = (includeUsage: Provider['includeUsage']): Provider => ({
    name: 'acme',
    match: () => 'chat',
    request: () => ({ model: 'm', stream: true }),
    response: () => ({}),
    includeUsage: includeUsage!,
  });

  it.each([
    ['lacks a field', { model: 'm', usage: true }],
    ['changes one', { ...body, stream: 'with usage' }],
    ['is the same', body],
    ['has another shape', ['x']],
  ])('may be one that %s', async (_, wanted) => {
    const { telemetry, sent } = connect(vendor, { providers: [wanting(() => wanted)] });
    await telemetry.fetch(chatUrl, post(text));
    expect(sent[0]!.json).toEqual(wanted);
  });

  it('may add to an empty one', async () => {
    const { telemetry, sent } = connect(vendor, { providers: [wanting(() => ({ usage: true }))] });
    await telemetry.fetch(chatUrl, post('{}'));
    expect(sent[0]!.json).toEqual({ usage: true });
  });
});

describe('what the caller sees', () => {
  const read = async (answer: Answer) => {
    const { telemetry } = connect(answer);
    const response = await telemetry.fetch(chatUrl, post(text));
    return { seen: await response.text(), response, telemetry };
  };

  it.each(['\n', '\r\n', '\r'])('is the stream but the usage, byte by byte (%j)', async (end) => {
    const { seen, telemetry } = await read(() => stream(cut(write(true, end), 1)));
    expect(withoutNulls(seen)).toBe(write(false, end));
    expect(telemetry.spans[0]!.attributes['gen_ai.usage.input_tokens']).toBe(1000);
  });

  it('is the stream but the usage, in any chunks', async () => {
    const property = fc.asyncProperty(
      fc.integer({ min: 1, max: 900 }),
      fc.constantFrom('\n', '\r\n'),
      async (size, end) => {
        const { seen, telemetry } = await read(() => stream(cut(write(true, end), size)));
        expect(withoutNulls(seen)).toBe(write(false, end));
        expect(telemetry.spans[0]!.attributes['gen_ai.usage.output_tokens']).toBe(500);
      },
    );
    await fc.assert(property, { numRuns: 50 });
  });

  it('is an event of a megabyte and more', async () => {
    const huge = `data: ${JSON.stringify({ ...head, choices: [{ index: 0, delta: { content: 'x'.repeat(1.5e6) } }] })}\n\n`;
    const { seen } = await read(() => stream(cut(huge + write(true), 65_536)));
    expect(withoutNulls(seen)).toBe(huge + write(false));
  });

  it('is the stream without a content type too', async () => {
    const { seen } = await read(() => {
      const response = stream([new TextEncoder().encode(write(true))], {});
      response.headers.delete('content-type');
      return response;
    });
    expect(withoutNulls(seen)).toBe(write(false));
  });

  it('has no length that is no longer right', async () => {
    const length = String(write(true).length);
    const { response } = await read(() => stream(cut(write(true), 100), { ...eventStream, 'content-length': length }));
    expect(response.headers.get('content-length')).toBeNull();
    expect(response.headers.get('content-type')).toBe(eventStream['content-type']);
    expect(response.status).toBe(200);
  });

  it.each([
    [400, 'application/json', '{"error":{"message":"Unknown parameter","type":"invalid_request_error"}}'],
    [200, 'application/json', '{"choices":[],\n\n"usage":{}}'],
    [500, 'text/event-stream', 'data: {"choices":[],"usage":{}}\n\n'],
  ])('is every byte of a reply that is no stream (%i %s)', async (status, type, reply) => {
    const headers = { 'content-type': type, 'content-length': String(reply.length) };
    const { seen, response } = await read(() => new Response(reply, { status, headers }));
    expect(seen).toBe(reply);
    expect(response.headers.get('content-length')).toBe(String(reply.length));
  });

  it('is a chunk of usage with more in it', async () => {
    const more = `data: ${JSON.stringify({ ...head, choices: [{ index: 0, delta: {} }], usage })}\n\ndata: [DONE]\n\n`;
    expect((await read(() => stream(cut(more, 7)))).seen).toBe(more);
  });
});

describe('a stream that does not come to its end', () => {
  const first = write(true).slice(0, write(true).indexOf('"usage":{"'));

  function open(chunks: readonly Uint8Array[], then: (controller: ReadableStreamDefaultController) => void) {
    const seen = { pulls: 0, cancelled: undefined as unknown };
    const source = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          const chunk = chunks[seen.pulls++];
          if (chunk) controller.enqueue(chunk);
          else then(controller);
        },
        cancel(reason) {
          seen.cancelled = reason;
        },
      },
      { highWaterMark: 0 },
    );
    return { seen, answer: () => new Response(source, { headers: eventStream }) };
  }

  it('is cancelled upstream when the caller leaves, and nothing was read ahead', async () => {
    const chunks = write(true)
      .split(/(?<=\n\n)/)
      .map((event) => new TextEncoder().encode(event));
    const { seen, answer } = open(chunks, (controller) => controller.close());
    const { telemetry } = connect(answer);
    const reader = (await telemetry.fetch(chatUrl, post(text))).body!.getReader();
    expect(seen.pulls).toBe(0);
    for (let i = 1; i <= 4; i++) {
      await reader.read();
      expect(seen.pulls).toBe(i);
    }
    await reader.cancel('enough');
    expect(seen).toEqual({ pulls: 4, cancelled: 'enough' });
    expect(telemetry.spans[0]!.attributes['edgespan.aborted']).toBe(true);
    expect(telemetry.metrics.value('llm_streams_aborted_total')).toBe(1);
  });

  it('hands its error on, after all that came before', async () => {
    const failure = new TypeError('terminated');
    const { answer } = open(cut(first, 50), (controller) => controller.error(failure));
    const { telemetry } = connect(answer);
    const reader = (await telemetry.fetch(chatUrl, post(text))).body!.getReader();
    const seen: Uint8Array[] = [];
    const reading = (async () => {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        seen.push(value);
      }
    })();
    await expect(reading).rejects.toBe(failure);
    expect(await new Blob(seen as BlobPart[]).text()).toBe(first);
    expect(telemetry.spans[0]!.status.code).toBe(2);
  });

  it('rejects as fetch does', async () => {
    const failure = new TypeError('fetch failed');
    const telemetry = createTestTelemetry({
      includeUsage: true,
      fetch: async () => {
        throw failure;
      },
    });
    await expect(telemetry.fetch(chatUrl, post(text))).rejects.toBe(failure);
    expect(telemetry.spans).toHaveLength(1);
  });
});
