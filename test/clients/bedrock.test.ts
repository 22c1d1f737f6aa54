import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type * as Sdk from '@aws-sdk/client-bedrock-runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bedrockPlugin } from '../../adapters/bedrock/index.ts';
import { bedrock } from '../../src/llm/providers/bedrock.ts';
import { createTestTelemetry } from '../../src/testing.ts';
import { createAlsTelemetry } from '../support/telemetry.ts';
import * as wire from './bedrock-wire.ts';
import { answered, answerMs, type CallSpan, compare, readSpan } from './compare.ts';
import { isInstalled, remedy } from './installed.ts';
import { type Answer, createLoopback, hangUp, type Loopback, redirect, silence } from './loopback.ts';

type Client = Sdk.BedrockRuntimeClient;
type Telemetry = ReturnType<typeof createTestTelemetry>;

const installed = isInstalled('@aws-sdk/client-bedrock-runtime');
const sdk = (installed ? await import('@aws-sdk/client-bedrock-runtime') : undefined) as typeof Sdk;
const handlers = installed
  ? { ...(await import('@smithy/node-http-handler')), ...(await import('@smithy/fetch-http-handler')) }
  : undefined!;
const retries = installed ? await import('@smithy/core/retry') : undefined!;

const modelId = 'us.amazon.nova-lite-v1:0';
const request = { modelId, messages: [{ role: 'user' as const, content: [{ text: 'Hi' }] }] };
const own = { modelId: 'mistral.mistral-7b-instruct-v0:2', body: JSON.stringify({ prompt: 'Hi', max_tokens: 9 }) };

/** In: 600 and the 100 that are cached at 0.06, 300 out of the cache at 0.015; out: 500 at 0.24 dollars per million. */
const call: CallSpan = {
  ...answered,
  name: `chat ${modelId}`,
  provider: 'bedrock',
  operation: 'chat',
  model: undefined,
  costUsd: 0.0001665,
  finish: ['end_turn'],
};
const stream: CallSpan = { ...call, operation: 'stream', firstToken: answerMs };
const unknown = { usage: [undefined, undefined], costUsd: undefined, finish: undefined } as const;
/** 1,000 at 0.15, 500 at 0.20. */
const invoked: CallSpan = { ...call, costUsd: 0.00025, name: `chat ${own.modelId}`, finish: ['stop'] };

/** A client whose requests and pauses are the same in every run. */
function createClient(options: Sdk.BedrockRuntimeClientConfig): Client {
  const client = new sdk.BedrockRuntimeClient({
    region: 'us-east-1',
    token: { token: 'test' },
    authSchemePreference: ['httpBearerAuth'],
    retryStrategy: new retries.ConfiguredRetryStrategy(3, () => 1),
    ...options,
  });
  client.middlewareStack.add(
    (next) => (args) => {
      (args.request as { headers: Record<string, string> }).headers['amz-sdk-invocation-id'] = 'call-1';
      return next(args);
    },
    { step: 'finalizeRequest', priority: 'low' },
  );
  return client;
}

async function collect<T>(events: AsyncIterable<T> | undefined): Promise<T[]> {
  return Array.fromAsync(events ?? []);
}

/** An error of the SDK's with all that it carries. */
async function thrownBy(step: Promise<unknown>): Promise<unknown> {
  const error = await step.then(
    () => undefined,
    (thrown: Error) => thrown,
  );
  return { class: error?.constructor, name: error?.name, message: error?.message, ...error };
}

/** The ways a client gets its bytes, and with them what a middleware has to stand. */
const transports = {
  'Node’s HTTP/1.1': () => ({ requestHandler: new handlers.NodeHttpHandler() }),
  fetch: () => ({ requestHandler: new handlers.FetchHttpHandler() }),
};

describe.skipIf(!installed)(`the @aws-sdk/client-bedrock-runtime (${remedy})`, () => {
  let loopback: Loopback;
  beforeAll(async () => {
    loopback = await createLoopback();
  });
  afterAll(() => loopback.close());

  describe.each(Object.entries(transports))('with bedrockPlugin, over %s', (name, transport) => {
    /** Runs the program with a bare client and with one that has the plugin. */
    async function run<T>(script: readonly Answer[], program: (client: Client) => Promise<T>) {
      const errors: unknown[] = [];
      const telemetry = createTestTelemetry({
        providers: [bedrock],
        runtime: { monotonic: () => loopback.requests.length * answerMs },
        onError: (error) => errors.push(error),
      });
      const seen = await compare(loopback, script, async (fetch) => {
        const client = createClient({ endpoint: loopback.url, ...transport() });
        if (fetch) client.middlewareStack.use(bedrockPlugin(telemetry));
        return program(client);
      });
      expect(seen.spans).toEqual([]);
      expect(errors).toEqual([]);
      expect(telemetry.metrics.value('edgespan_parse_errors_total') ?? 0).toBe(0);
      return { result: seen.result, ...summarise(telemetry) };
    }

    it('converses', async () => {
      const seen = await run([wire.reply(wire.converse())], (client) => client.send(new sdk.ConverseCommand(request)));
      expect(seen.result.output?.message?.content).toEqual([{ text: 'Hello there.' }]);
      expect(seen.spans).toEqual([call]);
      expect(seen.requests).toEqual({ ok: 1, error: 0 });
      const [{ attributes } = { attributes: {} }] = seen.telemetry.spans;
      expect(attributes).toMatchObject({
        'gen_ai.provider.name': 'aws.bedrock',
        'gen_ai.usage.cache_read.input_tokens': 300,
        'server.address': '127.0.0.1',
        'aws.request_id': wire.requestId,
      });
    });

    it('names the tools a model asks for', async () => {
      const script = [wire.reply(wire.converse([{ toolUse: wire.toolUse }]))];
      const seen = await run(script, (client) => client.send(new sdk.ConverseCommand(request)));
      expect(seen.spans).toEqual([{ ...call, finish: ['tool_use'], tools: ['get_weather'] }]);
    });

    it('invokes a model whose counts are in headers alone', async () => {
      const seen = await run([wire.reply(wire.mistral, wire.counts)], async (client) => {
        const { body, ...rest } = await client.send(new sdk.InvokeModelCommand(own));
        return { rest, text: body.transformToString() };
      });
      expect(JSON.parse(seen.result.text)).toEqual(wire.mistral);
      expect(seen.spans).toEqual([invoked]);
      expect(seen.telemetry.spans[0]?.attributes['gen_ai.request.max_tokens']).toBe(9);
    });

    it('embeds', async () => {
      const titan = {
        modelId: 'amazon.titan-embed-text-v2:0',
        body: JSON.stringify({ inputText: 'Hi', dimensions: 256 }),
      };
      const script = [wire.reply({ embedding: [0.1, 0.2], inputTextTokenCount: 3 })];
      const seen = await run(script, async (client) => {
        const { body } = await client.send(new sdk.InvokeModelCommand(titan));
        return body.transformToString();
      });
      expect(seen.spans).toMatchObject([
        { name: `embeddings ${titan.modelId}`, operation: 'embed', usage: [3, undefined] },
      ]);
    });

    it('counts tokens, which costs nothing', async () => {
      const input = { converse: { messages: request.messages } };
      const seen = await run([wire.reply({ inputTokens: 12 })], (client) =>
        client.send(new sdk.CountTokensCommand({ modelId, input })),
      );
      expect(seen.result.inputTokens).toBe(12);
      expect(seen.spans).toEqual([{ ...call, ...unknown, name: `count_tokens ${modelId}`, operation: 'count_tokens' }]);
    });

    it('leaves other operations alone', async () => {
      const guard = { guardrailIdentifier: 'g', guardrailVersion: '1', source: 'INPUT' as const, content: [] };
      const answer = { usage: {}, action: 'NONE', outputs: [], assessments: [] };
      const seen = await run([wire.reply(answer)], (client) => client.send(new sdk.ApplyGuardrailCommand(guard)));
      expect(seen.result.action).toBe('NONE');
      expect(seen.spans).toEqual([]);
    });

    describe('streams', () => {
      const open = (client: Client, options: { abortSignal?: AbortSignal } = {}) =>
        client.send(new sdk.ConverseStreamCommand(request), options);

      it('to their end', async () => {
        const seen = await run([wire.eventStream(wire.converseEvents())], async (client) => {
          const { stream: events, ...rest } = await open(client);
          return { rest, events: await collect(events) };
        });
        expect(seen.result.events.at(-1)?.metadata?.usage?.totalTokens).toBe(1500);
        expect(seen.spans).toEqual([stream]);
        expect(seen.requests).toEqual({ ok: 1, error: 0 });
      });

      it('with a tool call', async () => {
        const seen = await run([wire.eventStream(wire.toolEvents())], async (client) =>
          collect((await open(client)).stream),
        );
        expect(seen.spans).toEqual([{ ...stream, finish: ['tool_use'], tools: ['get_weather'] }]);
      });

      it('of a model’s own', async () => {
        const seen = await run([wire.eventStream(wire.mistralEvents())], async (client) => {
          const { body } = await client.send(new sdk.InvokeModelWithResponseStreamCommand(own));
          return (await collect(body)).map(({ chunk }) => new TextDecoder().decode(chunk?.bytes));
        });
        expect(seen.result).toHaveLength(3);
        expect(seen.spans).toEqual([{ ...invoked, operation: 'stream', firstToken: answerMs }]);
      });

      it('that the caller breaks out of', async () => {
        const script = [wire.eventStream(wire.converseEvents().slice(0, 3), 'open')];
        const seen = await run(script, async (client) => {
          const events = [];
          for await (const event of (await open(client)).stream ?? []) {
            events.push(event);
            if (event.contentBlockDelta) break;
          }
          client.destroy();
          return events;
        });
        expect(seen.result).toHaveLength(2);
        expect(seen.spans).toEqual([{ ...stream, ...unknown, finish: ['error'], aborted: true }]);
        expect(seen.aborted).toBe(1);
      });

      it('that the caller aborts in the middle', async () => {
        const script = [wire.eventStream(wire.converseEvents().slice(0, 3), 'open')];
        const seen = await run(script, async (client) => {
          const controller = new AbortController();
          const { stream: events } = await open(client, { abortSignal: controller.signal });
          return thrownBy(
            (async () => {
              for await (const event of events ?? []) if (event.contentBlockDelta) controller.abort();
            })(),
          );
        });
        expect(seen.spans).toEqual([{ ...stream, ...unknown, finish: ['error'], aborted: true }]);
        expect(seen.requests).toEqual({ ok: 1, error: 0 });
      });

      it('that carry an error', async () => {
        const frames = [...wire.converseEvents().slice(0, 3), wire.exception('modelStreamErrorException', 'No.')];
        const seen = await run([wire.eventStream(frames)], async (client) => {
          const { stream: events } = await open(client);
          return thrownBy(collect(events));
        });
        expect(seen.result).toMatchObject({ name: 'ModelStreamErrorException', message: 'No.' });
        expect(seen.spans).toEqual([
          {
            ...stream,
            ...unknown,
            status: 'error',
            finish: ['error'],
            error: ['ModelStreamErrorException', 'provider_error'],
          },
        ]);
        expect(seen.requests).toEqual({ ok: 0, error: 1 });
      });

      it('that break off', async () => {
        const script = [wire.eventStream(wire.converseEvents().slice(0, 3), 'broken')];
        const seen = await run(script, async (client) => {
          const { stream: events } = await open(client);
          return thrownBy(collect(events));
        });
        expect(seen.spans).toMatchObject([{ status: 'error', aborted: false }]);
        expect(seen.requests).toEqual({ ok: 0, error: 1 });
      });

      it('that end without their counts', async () => {
        const script = [wire.eventStream(wire.converseEvents().slice(0, 3))];
        const seen = await run(script, async (client) => collect((await open(client)).stream));
        expect(seen.spans).toMatchObject([{ status: 'error', error: ['incomplete_stream', 'provider_error'] }]);
      });

      it('that fail before their first event are tried again', async () => {
        const script = [
          wire.eventStream([wire.exception('throttlingException', 'Slow down.')]),
          wire.eventStream(wire.converseEvents()),
        ];
        const seen = await run(script, async (client) => collect((await open(client)).stream));
        expect(seen.result).toHaveLength(6);
        expect(seen.spans).toMatchObject([
          { status: 'error', error: ['ThrottlingException', 'rate_limit'], resend: undefined },
          { ...stream, resend: 1 },
        ]);
        expect(seen.requests).toEqual({ ok: 1, error: 0 });
      });
    });

    describe('attempts', () => {
      const slow = wire.failure(429, 'ThrottlingException', 'Slow down.');

      it('are spans of their own, and one call', async () => {
        const seen = await run([slow, wire.reply(wire.converse())], (client) =>
          client.send(new sdk.ConverseCommand(request)),
        );
        expect(seen.result.$metadata.attempts).toBe(2);
        expect(seen.spans).toEqual([
          { ...call, ...unknown, status: 'error', httpStatus: 429, error: ['ThrottlingException', 'rate_limit'] },
          { ...call, resend: 1 },
        ]);
        expect(seen.requests).toEqual({ ok: 1, error: 0 });
      });

      it('end with the last one: the call failed once', async () => {
        const seen = await run([slow, slow, slow], (client) => thrownBy(client.send(new sdk.ConverseCommand(request))));
        expect(seen.spans.map(({ resend }) => resend)).toEqual([undefined, 1, 2]);
        expect(seen.requests).toEqual({ ok: 0, error: 1 });
      });

      // The SDK does not know fetch's own errors for what they are.
      it.skipIf(name === 'fetch')('are repeated after a connection that breaks', async () => {
        const seen = await run([hangUp, wire.reply(wire.converse())], (client) =>
          client.send(new sdk.ConverseCommand(request)),
        );
        expect(seen.spans).toMatchObject([
          { status: 'error', httpStatus: undefined },
          { ...call, resend: 1 },
        ]);
        expect(seen.requests).toEqual({ ok: 1, error: 0 });
      });
    });

    it.each([
      [400, 'ValidationException', 'validation_error'],
      [403, 'AccessDeniedException', 'provider_error'],
      [404, 'ResourceNotFoundException', 'validation_error'],
      [408, 'ModelTimeoutException', 'timeout'],
      [424, 'ModelErrorException', 'provider_error'],
    ])('throws the same error for status %i', async (status, type, errorClass) => {
      const seen = await run([wire.failure(status, type, 'No.')], (client) =>
        thrownBy(client.send(new sdk.ConverseCommand(request))),
      );
      expect(seen.result).toMatchObject({ name: type, message: 'No.', $metadata: { httpStatusCode: status } });
      expect(seen.spans).toEqual([
        { ...call, ...unknown, status: 'error', httpStatus: status, error: [type, errorClass] },
      ]);
      expect(seen.requests).toEqual({ ok: 0, error: 1 });
    });

    it('reports an abort before the headers as the caller leaving', async () => {
      const seen = await run([silence], async (client) => {
        const controller = new AbortController();
        const sent = client.send(new sdk.ConverseCommand(request), { abortSignal: controller.signal });
        const outcome = thrownBy(sent);
        while (loopback.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
        controller.abort();
        return outcome;
      });
      expect(seen.spans).toEqual([{ ...call, ...unknown, httpStatus: undefined, aborted: true }]);
      expect(seen.requests).toEqual({ ok: 1, error: 0 });
    });
  });

  it('with bedrockPlugin, over HTTP/2 and signed, as by default', async () => {
    const server = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/vnd.amazon.eventstream' });
      response.end(Buffer.concat(wire.converseEvents()));
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const telemetry = createTestTelemetry({ providers: [bedrock], propagation: { to: () => true } });
    const client = new sdk.BedrockRuntimeClient({
      region: 'us-east-1',
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });
    client.middlewareStack.use(bedrockPlugin(telemetry));
    client.middlewareStack.use(bedrockPlugin(telemetry));
    const sent: Record<string, string>[] = [];
    server.on('stream', (_stream, headers) => sent.push(headers as Record<string, string>));
    const { stream: events } = await client.send(new sdk.ConverseStreamCommand(request));
    expect(await collect(events)).toHaveLength(6);
    client.destroy();
    await new Promise((done) => server.close(done));
    expect(telemetry.spans.map(readSpan)).toMatchObject([{ status: 'ok', usage: [1000, 500], finish: ['end_turn'] }]);
    const { traceId, spanId } = telemetry.spans[0]!.spanContext();
    expect(sent[0]?.traceparent).toContain(`${traceId}-${spanId}`);
    expect(sent[0]?.authorization).toMatch(/^AWS4-HMAC-SHA256 /);
  });

  describe('with telemetry.fetch, at Bedrock’s own address', () => {
    function run<T>(script: readonly Answer[], program: (client: Client) => Promise<T>) {
      return compare(
        loopback,
        script,
        (customFetch) =>
          program(createClient({ requestHandler: new handlers.FetchHttpHandler({ customFetch: customFetch! }) })),
        { fetch: redirect(loopback), providers: [bedrock] },
      );
    }

    it('converses', async () => {
      const seen = await run([wire.reply(wire.converse([{ toolUse: wire.toolUse }]))], (client) =>
        client.send(new sdk.ConverseCommand(request)),
      );
      expect(seen.spans).toEqual([{ ...call, finish: ['tool_use'], tools: ['get_weather'] }]);
      expect(seen.telemetry.spans[0]?.attributes).toMatchObject({
        'server.address': 'bedrock-runtime.us-east-1.amazonaws.com',
        'cloud.region': 'us-east-1',
      });
    });

    it('streams', async () => {
      const seen = await run([wire.eventStream(wire.toolEvents())], async (client) =>
        collect((await client.send(new sdk.ConverseStreamCommand(request))).stream),
      );
      expect(seen.spans).toEqual([{ ...stream, finish: ['tool_use'], tools: ['get_weather'] }]);
    });

    it('invokes', async () => {
      const script = [wire.reply(wire.mistral, wire.counts), wire.eventStream(wire.mistralEvents())];
      const seen = await run(script, async (client) => {
        const { body } = await client.send(new sdk.InvokeModelCommand(own));
        const { body: events } = await client.send(new sdk.InvokeModelWithResponseStreamCommand(own));
        return [body.transformToString(), await collect(events)];
      });
      expect(seen.spans).toEqual([invoked, { ...invoked, operation: 'stream', firstToken: answerMs }]);
    });

    it('tries again, and counts once', async () => {
      const script = [wire.failure(429, 'ThrottlingException', 'Slow down.'), wire.reply(wire.converse())];
      const seen = await run(script, (client) => client.send(new sdk.ConverseCommand(request)));
      expect(seen.spans).toMatchObject([
        { status: 'error', httpStatus: 429, error: ['ThrottlingException', 'rate_limit'] },
        { ...call, resend: 1 },
      ]);
      expect(seen.requests).toEqual({ ok: 1, error: 0 });
    });

    it('throws the same error', async () => {
      const seen = await run([wire.failure(400, 'ValidationException', 'No.')], (client) =>
        thrownBy(client.send(new sdk.ConverseCommand(request))),
      );
      expect(seen.spans).toMatchObject([{ status: 'error', error: ['ValidationException', 'validation_error'] }]);
    });

    it('is the one that counts where the plugin is there too', async () => {
      const telemetry = createAlsTelemetry({ fetch: redirect(loopback), providers: [bedrock] });
      loopback.play([wire.reply(wire.converse())]);
      const customFetch = telemetry.fetch;
      const client = createClient({ requestHandler: new handlers.FetchHttpHandler({ customFetch }) });
      client.middlewareStack.use(bedrockPlugin(telemetry));
      await client.send(new sdk.ConverseCommand(request));
      const [inner, outer] = telemetry.spans;
      expect(inner?.parentSpanContext?.spanId).toBe(outer?.spanContext().spanId);
      expect(outer?.attributes['gen_ai.usage.input_tokens']).toBeUndefined();
      expect(telemetry.metrics.value('llm_requests_total')).toBe(1);
      expect(telemetry.metrics.value('llm_tokens_total', { token_type: 'input' })).toBe(1000);
    });
  });

  function summarise(telemetry: Telemetry) {
    const count = (status: string) => telemetry.metrics.value('llm_requests_total', { status }) ?? 0;
    return {
      telemetry,
      spans: telemetry.spans.map(readSpan),
      requests: { ok: count('ok'), error: count('error') },
      aborted: telemetry.metrics.value('llm_streams_aborted_total') ?? 0,
    };
  }
});
