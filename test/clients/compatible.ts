import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Provider } from '../../src/llm/provider.ts';
import type { PriceTable } from '../../src/pricing/price.ts';
import { answerMs, type CallSpan, compare, type Seen } from './compare.ts';
import type { createWire } from './compatible-wire.ts';
import { type Answer, createLoopback, json, type Loopback, redirect, sse } from './loopback.ts';

export type Fetch = typeof globalThis.fetch;

/** A chunk as all these SDKs hand it out, as far as the tests read it. */
export interface Chunk {
  readonly choices: readonly { readonly delta?: { readonly content?: string | null | undefined } | null }[] | null;
}

/** How one SDK is called. */
export interface Calls {
  chat(fetch: Fetch | undefined): Promise<unknown>;
  stream(fetch: Fetch | undefined, signal?: AbortSignal): Promise<AsyncIterable<Chunk>>;
}

export interface Vendor {
  readonly provider: Provider;
  readonly model: string;
  readonly wire: ReturnType<typeof createWire>;
  readonly prices?: PriceTable;
  /** Of 1,000 tokens in and 500 out. */
  readonly costUsd: number | undefined;
  readonly finish?: string;
  readonly calls: Calls;
  /** Whether the SDK goes on with a request whose reader has left, as one does that has several readers. */
  readonly goesOn?: boolean;
  /** The body of status 404 and what becomes of it. */
  readonly notFound: { readonly body: object; readonly errorType: string };
  /** An error inside of a stream, and what becomes of it. */
  readonly failing: { readonly error: object; readonly errorType: string; readonly more?: object };
}

/** The caller leaves at the first word: some SDKs hold an event back until the next has come. */
const readText = ({ choices }: Chunk) => choices?.[0]?.delta?.content ?? '';
const unknown = { model: undefined, usage: [undefined, undefined], costUsd: undefined, finish: undefined } as const;

/** What any SDK with OpenAI's chat completions must do alike with and without telemetry. */
export function itBehaves(vendor: Vendor) {
  const { provider, model, wire, calls, notFound, failing } = vendor;
  let loopback: Loopback;
  beforeAll(async () => {
    loopback = await createLoopback();
  });
  afterAll(() => loopback.close());

  const chat: CallSpan = {
    name: `chat ${model}`,
    status: 'ok',
    provider: provider.name,
    operation: 'chat',
    model,
    httpStatus: 200,
    usage: [1000, 500],
    costUsd: vendor.costUsd,
    firstToken: undefined,
    duration: answerMs,
    finish: [vendor.finish ?? 'stop'],
    tools: [],
    error: undefined,
    aborted: false,
    resend: undefined,
  };
  const stream: CallSpan = { ...chat, operation: 'stream', firstToken: answerMs };
  const left: CallSpan = { ...stream, ...unknown, model, finish: ['error'] };

  function run<T>(script: readonly Answer[], program: (fetch: Fetch | undefined) => Promise<T>): Promise<Seen<T>> {
    const { prices } = vendor;
    return compare(loopback, script, program, {
      fetch: redirect(loopback),
      providers: [provider],
      ...(prices && { prices }),
    });
  }

  it('creates a chat completion', async () => {
    const seen = await run([json(200, wire.completion())], (fetch) => calls.chat(fetch));
    expect(JSON.stringify(seen.result)).toContain('Hello.');
    expect(seen.spans).toEqual([chat]);
    expect(seen.requests).toEqual({ ok: 1, error: 0 });
  });

  it('names the tools a model asks for', async () => {
    const seen = await run([json(200, wire.completion(true))], (fetch) => calls.chat(fetch));
    expect(seen.spans).toEqual([{ ...chat, finish: ['tool_calls'], tools: ['get_weather'] }]);
  });

  it('streams', async () => {
    const seen = await run([sse(wire.chunks())], async (fetch) => Array.fromAsync(await calls.stream(fetch)));
    expect(seen.result.map(readText).join('')).toBe('Hello.');
    expect(seen.spans).toEqual([stream]);
  });

  it('streams a tool call', async () => {
    const seen = await run([sse(wire.toolChunks())], async (fetch) => Array.fromAsync(await calls.stream(fetch)));
    expect(seen.spans).toEqual([{ ...stream, finish: ['tool_calls'], tools: ['get_weather'] }]);
  });

  const leaves = () =>
    it('streams until the caller leaves', async () => {
      const seen = await run([sse(wire.chunks().slice(0, 3), 'open')], async (fetch) => {
        for await (const chunk of await calls.stream(fetch)) if (readText(chunk) === 'Hello') break;
        await loopback.lost();
      });
      expect(seen.spans).toMatchObject([
        { status: 'ok', aborted: true, firstToken: answerMs, model, finish: ['error'] },
      ]);
      expect(seen.aborted).toBe(1);
    });
  if (!vendor.goesOn) leaves();

  it('streams until the caller aborts', async () => {
    const seen = await run([sse(wire.chunks().slice(0, 3), 'open')], async (fetch) => {
      const controller = new AbortController();
      const { signal } = controller;
      for await (const chunk of await calls.stream(fetch, signal)) if (readText(chunk) === 'Hello') controller.abort();
      await loopback.lost();
    });
    expect(seen.spans).toMatchObject([{ status: 'ok', aborted: true, firstToken: answerMs }]);
    expect(seen.requests).toEqual({ ok: 1, error: 0 });
  });

  it('has the error inside of a stream', async () => {
    const { error, errorType, more } = failing;
    const seen = await run([sse(wire.failingChunks(error, more))], async (fetch) =>
      Array.fromAsync(await calls.stream(fetch)),
    );
    expect(seen.spans).toMatchObject([{ status: 'error', httpStatus: 200, error: [errorType, expect.any(String)] }]);
    expect(seen.requests).toEqual({ ok: 0, error: 1 });
  });

  it('notices a stream that breaks off', async () => {
    const seen = await run([sse(wire.chunks().slice(0, 3), 'broken')], async (fetch) =>
      Array.fromAsync(await calls.stream(fetch)),
    );
    expect(seen.spans).toMatchObject([{ status: 'error', aborted: false, error: ['TypeError', 'provider_error'] }]);
  });

  it('throws the same error', async () => {
    const seen = await run([json(404, notFound.body)], (fetch) => calls.chat(fetch));
    expect(seen.result).toBeUndefined();
    expect(seen.spans).toEqual([
      { ...chat, ...unknown, status: 'error', httpStatus: 404, error: [notFound.errorType, 'validation_error'] },
    ]);
    expect(seen.requests).toEqual({ ok: 0, error: 1 });
  });

  return { run, chat, stream, left, loopback: () => loopback };
}
