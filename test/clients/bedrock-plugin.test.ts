import type * as Sdk from '@aws-sdk/client-bedrock-runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bedrockPlugin } from '../../adapters/bedrock/index.ts';
import { BudgetExceededError, type TelemetryOptions } from '../../src/index.ts';
import { createAlsTelemetry } from '../support/telemetry.ts';
import * as wire from './bedrock-wire.ts';
import { isInstalled, remedy } from './installed.ts';
import { type Answer, createLoopback, type Loopback, redirect } from './loopback.ts';

const installed = isInstalled('@aws-sdk/client-bedrock-runtime');
const sdk = (installed ? await import('@aws-sdk/client-bedrock-runtime') : undefined) as typeof Sdk;
const { FetchHttpHandler } = installed ? await import('@smithy/fetch-http-handler') : undefined!;
const { ConfiguredRetryStrategy } = installed ? await import('@smithy/core/retry') : undefined!;

const modelId = 'us.amazon.nova-lite-v1:0';
const request = { modelId, messages: [{ role: 'user' as const, content: [{ text: 'Hi' }] }] };
const own = { modelId: 'mistral.mistral-7b-instruct-v0:2', body: JSON.stringify({ prompt: 'Hi', max_tokens: 9 }) };

/** All that the plugin does beside telling of a call is what `telemetry.fetch` does. */
describe.skipIf(!installed)(`bedrockPlugin (${remedy})`, () => {
  let loopback: Loopback;
  beforeAll(async () => {
    loopback = await createLoopback();
  });
  afterAll(() => loopback.close());

  function start(script: readonly Answer[], options: TelemetryOptions, observed = false) {
    const telemetry = createAlsTelemetry({ fetch: redirect(loopback), ...options });
    loopback.play(script);
    const customFetch = observed ? telemetry.fetch : redirect(loopback);
    const client = new sdk.BedrockRuntime({
      region: 'us-east-1',
      token: { token: 'test' },
      authSchemePreference: ['httpBearerAuth'],
      requestHandler: new FetchHttpHandler({ customFetch }),
      retryStrategy: new ConfiguredRetryStrategy(3, () => 1),
    });
    client.middlewareStack.use(bedrockPlugin(telemetry));
    return { telemetry, client };
  }

  async function read(events: AsyncIterable<unknown> | undefined): Promise<void> {
    for await (const _ of events ?? []);
  }

  it.each<[string, Answer, (client: Sdk.BedrockRuntime) => Promise<unknown>]>([
    ['Converse', wire.reply(wire.converse()), (client) => client.converse(request)],
    [
      'ConverseStream',
      wire.eventStream(wire.converseEvents()),
      async (client) => read((await client.converseStream(request)).stream),
    ],
    ['InvokeModel', wire.reply(wire.mistral, wire.counts), (client) => client.invokeModel(own)],
    [
      'InvokeModelWithResponseStream',
      wire.eventStream(wire.mistralEvents()),
      async (client) => read((await client.invokeModelWithResponseStream(own)).body),
    ],
  ])('keeps what is said by %s, where that is asked for', async (_name, answer, ask) => {
    const seen: unknown[] = [];
    const { telemetry, client } = start([answer], {
      capture: { inputs: true, outputs: true },
      guardrail(exchange) {
        seen.push(exchange.request);
        return undefined;
      },
    });
    await ask(client);
    const { attributes } = telemetry.spans[0]!;
    const messages = (name: string) => JSON.parse(String(attributes[`gen_ai.${name}.messages`]));
    expect(messages('input')).toEqual([{ role: 'user', parts: [{ type: 'text', content: 'Hi' }] }]);
    expect(messages('output')).toMatchObject([{ role: 'assistant', parts: [{ content: 'Hello there.' }] }]);
    expect(JSON.stringify(seen)).toContain('Hi');
  });

  it('keeps nothing of it by itself', async () => {
    const { telemetry, client } = start([wire.reply(wire.converse())], {});
    await client.converse(request);
    expect(JSON.stringify(telemetry.spans[0]!.attributes)).not.toContain('Hello');
  });

  it.each([
    ['Converse', (client: Sdk.BedrockRuntime) => client.converse(request)],
    ['ConverseStream', (client: Sdk.BedrockRuntime) => client.converseStream(request)],
    ['InvokeModel', (client: Sdk.BedrockRuntime) => client.invokeModel(own)],
  ])('makes no call by %s that a budget refuses, and none again', async (_name, ask) => {
    const { telemetry, client } = start([], { budget: { limits: { usd: 0, window: 'day' } } });
    const error = await ask(client).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(BudgetExceededError);
    expect(loopback.requests).toHaveLength(0);
    expect(telemetry.spans).toHaveLength(0);
    expect(telemetry.metrics.value('llm_budget_rejections_total')).toBe(1);
  });

  it.each([
    ['alone', false],
    ['around telemetry.fetch', true],
  ])('counts what calls cost, %s, each attempt once', async (_name, observed) => {
    const script = [wire.failure(429, 'ThrottlingException', 'Slow down.'), wire.reply(wire.converse())];
    const budget = { limits: { usd: 1, window: 'day' as const } };
    const { telemetry, client } = start(script, { budget }, observed);
    await client.converse(request);
    const [status] = await telemetry.budget.status();
    expect(status?.spent.usd).toBeCloseTo(0.0001665, 9);
    expect(status?.spent.tokens).toBe(1500);
  });
});
