import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { builtIn } from '../../src/built-in.ts';
import { defineProvider } from '../../src/index.ts';
import { classifyError, type ErrorClass, isAbort } from '../../src/llm/error-class.ts';
import { createTestTelemetry } from '../../src/testing.ts';
import { isInstalled, remedy } from './installed.ts';
import { type Answer, createLoopback, hangUp, json, type Loopback, redirect, silence, sse } from './loopback.ts';

type Fetch = typeof globalThis.fetch;

/** One call by a vendor's SDK that is not tried again; a timeout in milliseconds where the SDK has one. */
type Call = (fetch: Fetch, how: { signal?: AbortSignal; timeout?: number; stream?: boolean }) => Promise<unknown>;

const installed = isInstalled('openai');
const sdks = installed ? await load() : {};
const messages = [{ role: 'user' as const, content: 'Hi' }];

async function load(): Promise<Record<string, Call>> {
  const { OpenAI } = await import('openai');
  const { Anthropic } = await import('@anthropic-ai/sdk');
  const { Groq } = await import('groq-sdk');
  const { GoogleGenAI } = await import('@google/genai');
  const { BedrockRuntimeClient, ConverseCommand } = await import('@aws-sdk/client-bedrock-runtime');
  const { FetchHttpHandler } = await import('@smithy/fetch-http-handler');
  const { CohereClientV2 } = await import('cohere-ai');
  const { HTTPClient, Mistral } = await import('@mistralai/mistralai');
  const { generateText } = await import('ai');
  const { createDeepSeek } = await import('@ai-sdk/deepseek');
  const key = { apiKey: 'k', maxRetries: 0 };
  const whole = async (answer: unknown, stream = false) =>
    stream ? Array.fromAsync(answer as AsyncIterable<unknown>) : answer;
  return {
    openai: async (fetch, { stream = false, ...how }) =>
      whole(
        await new OpenAI({ ...key, fetch }).chat.completions.create({ model: 'gpt-4o-mini', messages, stream }, how),
        stream,
      ),
    '@anthropic-ai/sdk': async (fetch, { stream = false, ...how }) =>
      whole(
        await new Anthropic({ ...key, fetch }).messages.create(
          { model: 'claude-sonnet-4-6', max_tokens: 9, messages, stream },
          how,
        ),
        stream,
      ),
    'groq-sdk': async (fetch, { stream = false, ...how }) =>
      whole(
        await new Groq({ ...key, fetch }).chat.completions.create({ model: 'llama', messages, stream }, how),
        stream,
      ),
    '@google/genai': (fetch, { signal, timeout }) =>
      new GoogleGenAI({ apiKey: 'k' }).models.generateContent({
        model: 'gemini-2.5-flash',
        contents: 'Hi',
        config: {
          ...(signal && { abortSignal: signal }),
          httpOptions: { fetch, retryOptions: { attempts: 1 }, ...(timeout && { timeout }) },
        },
      }),
    '@aws-sdk/client-bedrock-runtime': (fetch, { signal, timeout }) => {
      vi.stubGlobal('fetch', fetch);
      const client = new BedrockRuntimeClient({
        region: 'us-east-1',
        credentials: { accessKeyId: 'a', secretAccessKey: 's' },
        maxAttempts: 1,
        requestHandler: new FetchHttpHandler(timeout ? { requestTimeout: timeout } : {}),
      });
      const command = new ConverseCommand({ modelId: 'amazon.nova-micro-v1:0', messages: [] });
      return client.send(command, signal ? { abortSignal: signal } : {});
    },
    'cohere-ai': (fetch, { signal, timeout }) =>
      new CohereClientV2({ token: 'k', fetch }).chat(
        { model: 'command-a', messages },
        { maxRetries: 0, ...(signal && { abortSignal: signal }), ...(timeout && { timeoutInSeconds: timeout / 1000 }) },
      ),
    '@mistralai/mistralai': (fetch, { signal, timeout }) =>
      new Mistral({ apiKey: 'k', httpClient: new HTTPClient({ fetcher: fetch }) }).chat.complete(
        { model: 'mistral-small', messages },
        { ...(signal && { fetchOptions: { signal } }), ...(timeout && { timeoutMs: timeout }) },
      ),
    ai: (fetch, { signal, timeout }) =>
      generateText({
        model: createDeepSeek({ apiKey: 'k', fetch })('deepseek-chat'),
        prompt: 'Hi',
        maxRetries: 0,
        ...(signal && { abortSignal: signal }),
        ...(timeout && { timeout }),
      }),
  };
}

/** Knows every call that no provider of ours knows. */
const anyone = defineProvider({
  name: 'anyone',
  priority: -2,
  match: () => 'chat',
  request: () => ({ model: 'm' }),
  response: () => ({}),
});

/** They abort by a signal of their own that does not say why. */
const hidingReasons = ['@anthropic-ai/sdk', 'groq-sdk', '@google/genai'];

const byStatus: readonly [number, ErrorClass][] = [
  [400, 'validation_error'],
  [401, 'provider_error'],
  [402, 'provider_error'],
  [403, 'provider_error'],
  [404, 'validation_error'],
  [408, 'timeout'],
  [409, 'validation_error'],
  [412, 'validation_error'],
  [413, 'validation_error'],
  [422, 'validation_error'],
  [424, 'provider_error'],
  [429, 'rate_limit'],
  [431, 'validation_error'],
  [498, 'validation_error'],
  [499, 'provider_error'],
  [500, 'provider_error'],
  [501, 'provider_error'],
  [502, 'provider_error'],
  [503, 'provider_error'],
  [504, 'timeout'],
  [522, 'timeout'],
  [524, 'timeout'],
  [529, 'provider_error'],
];

const error = (fields: object) => ({ error: { message: 'No.', ...fields } });

/** What vendors are known to send, and its class by the status and by the code. */
const byCode: readonly [sdk: string, status: number, body: object, ErrorClass, headers?: Record<string, string>][] = [
  ['openai', 429, error({ type: 'insufficient_quota', code: 'insufficient_quota' }), 'rate_limit'],
  ['openai', 400, error({ type: 'invalid_request_error', code: 'context_length_exceeded' }), 'validation_error'],
  ['openai', 400, error({ type: 'invalid_request_error', code: 'content_policy_violation' }), 'validation_error'],
  ['openai', 400, error({ code: 'content_filter', status: 400 }), 'validation_error'],
  ['openai', 404, error({ code: 'DeploymentNotFound' }), 'validation_error'],
  ['openai', 400, error({ code: '400' }), 'validation_error'],
  // Groq's answer to what is larger than the tokens of a minute.
  ['groq-sdk', 413, error({ type: 'tokens', code: 'rate_limit_exceeded' }), 'rate_limit'],
  ['groq-sdk', 400, error({ type: 'invalid_request_error', code: 'tool_use_failed' }), 'validation_error'],
  ['@anthropic-ai/sdk', 529, { type: 'error', ...error({ type: 'overloaded_error' }) }, 'provider_error'],
  ['@anthropic-ai/sdk', 402, { type: 'error', ...error({ type: 'billing_error' }) }, 'provider_error'],
  ['@google/genai', 429, error({ code: 429, status: 'RESOURCE_EXHAUSTED' }), 'rate_limit'],
  ['@google/genai', 503, error({ code: 503, status: 'UNAVAILABLE' }), 'provider_error'],
  ['@google/genai', 504, error({ code: 504, status: 'DEADLINE_EXCEEDED' }), 'timeout'],
  [
    '@aws-sdk/client-bedrock-runtime',
    429,
    { message: 'Slow down.' },
    'rate_limit',
    { 'x-amzn-errortype': 'ThrottlingException:http://internal.amazon.com/coral/' },
  ],
  [
    '@aws-sdk/client-bedrock-runtime',
    408,
    { message: 'Too slow.' },
    'timeout',
    { 'x-amzn-errortype': 'ModelTimeoutException' },
  ],
  ['@mistralai/mistralai', 422, { detail: [] }, 'validation_error'],
  ['cohere-ai', 498, { id: 'i', message: 'invalid token' }, 'validation_error'],
];

const event = (data: object, type?: string) => `${type ? `event: ${type}\n` : ''}data: ${JSON.stringify(data)}\n\n`;
const begun = event({ id: 'c', model: 'm', choices: [{ index: 0, delta: { content: 'H' }, finish_reason: null }] });

/** Errors inside of a stream that began with 200. */
const inStream: readonly [sdk: string, frames: string[], ErrorClass][] = [
  ['openai', [begun, event(error({ type: 'server_error', code: null }))], 'provider_error'],
  ['openai', [begun, event(error({ type: 'requests', code: 'rate_limit_exceeded' }))], 'rate_limit'],
  ['openai', [begun, event(error({ type: 'invalid_request_error', code: 'content_filter' }))], 'validation_error'],
  // Gateways send the status they got.
  ['openai', [begun, event(error({ code: 400 }))], 'validation_error'],
  ['openai', [begun, event(error({ code: '429' }))], 'rate_limit'],
  ['openai', [begun, event(error({ code: 504 }))], 'timeout'],
  ['openai', [begun, event(error({ code: 502 }))], 'provider_error'],
  [
    'groq-sdk',
    [begun, event(error({ type: 'invalid_request_error', code: 'tool_use_failed', status_code: 400 }), 'error')],
    'validation_error',
  ],
  ['@anthropic-ai/sdk', [event({ type: 'error', ...error({ type: 'overloaded_error' }) }, 'error')], 'provider_error'],
  ['@anthropic-ai/sdk', [event({ type: 'error', ...error({ type: 'rate_limit_error' }) }, 'error')], 'rate_limit'],
  ['@anthropic-ai/sdk', [event({ type: 'error', ...error({ type: 'timeout_error' }) }, 'error')], 'timeout'],
];

describe.skipIf(!installed)(`errors that come over HTTP (${remedy})`, () => {
  let loopback: Loopback;
  beforeAll(async () => {
    loopback = await createLoopback();
  });
  afterAll(() => loopback.close());
  beforeEach(() => {
    vi.spyOn(console, 'warn').mockImplementation(() => {});
  });
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
  });

  async function catchError(sdk: string, answer: Answer, how: Parameters<Call>[1] = {}) {
    loopback.play([answer]);
    const platform = redirect(loopback);
    const real = globalThis.fetch;
    const telemetry = createTestTelemetry({
      fetch: (...args) => {
        vi.stubGlobal('fetch', real);
        return platform(...args);
      },
      providers: [...builtIn.providers, anyone],
    });
    const thrown = await sdks[sdk]!(telemetry.fetch, how).then(
      () => expect.unreachable('no error'),
      (error: unknown) => error,
    );
    return { thrown, telemetry };
  }

  /** What the SDK threw, and what the span of its call says. */
  async function provoke(...args: Parameters<typeof catchError>) {
    const { thrown, telemetry } = await catchError(...args);
    expect(telemetry.spans).toHaveLength(1);
    const { attributes, status } = telemetry.spans[0]!;
    const counted = (error_type: string) => telemetry.metrics.value('llm_errors_total', { error_type }) ?? 0;
    return { thrown, attributes, failed: status.code === 2, class: attributes['edgespan.error_class'], counted };
  }

  describe.each(Object.keys(sdks))('by the SDK %s', (sdk) => {
    it.each(byStatus)('status %i is %s', async (status, expected) => {
      const body = { type: 'error', message: 'No.', error: { message: 'No.' } };
      const seen = await provoke(sdk, json(status, body));
      expect([classifyError(seen), seen.class, seen.failed]).toEqual([expected, expected, true]);
      expect(seen.attributes['http.response.status_code']).toBe(status);
      expect(seen.attributes['error.type']).toBe(seen.attributes['llm.error_type']);
      expect(seen.counted(expected)).toBe(1);
      expect(isAbort(seen.thrown)).toBe(false);
    });

    it('a connection that breaks is the provider’s', async () => {
      const seen = await provoke(sdk, hangUp);
      expect([classifyError(seen), seen.class]).toEqual(['provider_error', 'provider_error']);
    });

    it('a caller who leaves is no error', async () => {
      const controller = new AbortController();
      const seen = await provoke(sdk, () => controller.abort(), { signal: controller.signal });
      expect(isAbort(seen.thrown)).toBe(true);
      expect([seen.failed, seen.attributes['edgespan.aborted'], seen.class]).toEqual([false, true, undefined]);
    });

    it('a timeout of the SDK’s own', async () => {
      const { thrown } = await catchError(sdk, silence, { timeout: 60 });
      // Google's SDK throws what it throws when its caller leaves.
      const isSaid = sdk !== '@google/genai';
      expect([classifyError({ thrown }), isAbort(thrown)]).toEqual([isSaid ? 'timeout' : 'unknown', !isSaid]);
    });

    it('a signal that times out', async () => {
      const seen = await provoke(sdk, silence, { signal: AbortSignal.timeout(60) });
      const isHidden = hidingReasons.includes(sdk);
      expect([seen.class, seen.attributes['edgespan.aborted']]).toEqual(
        isHidden ? [undefined, true] : ['timeout', undefined],
      );
    });
  });

  it.each(byCode)('by %s with status %i: %o', async (sdk, status, body, expected, headers) => {
    const seen = await provoke(sdk, json(status, body, headers));
    expect([classifyError(seen), seen.class]).toEqual([expected, expected]);
  });

  it.each(inStream)('by %s in the middle of a stream: %o', async (sdk, frames, expected) => {
    const seen = await provoke(sdk, sse(frames), { stream: true });
    expect([classifyError(seen), seen.class, seen.failed]).toEqual([expected, expected, true]);
    expect(seen.attributes['http.response.status_code']).toBe(200);
  });
});
