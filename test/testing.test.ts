import { describe, expect, it } from 'vitest';
import { createTestTelemetry, llmRecords } from '../src/testing.ts';
import { chatCompletion, chatRequest, chatUrl, createAlsRuntime, createManualClock } from './support/telemetry.ts';

const fetch = async () => Response.json(chatCompletion());

describe('llmRecords', () => {
  it('are plain data of each model call, unrounded', async () => {
    const clock = createManualClock();
    const telemetry = createTestTelemetry({
      fetch: async () => {
        clock.advance(12.3456);
        return fetch();
      },
      prices: { 'gpt-4o-2024-08-06': { input: 0.0123456789, output: 0 } },
      runtime: createAlsRuntime(clock),
    });
    await telemetry.fetch(chatUrl, chatRequest()).then((response) => response.text());
    expect(llmRecords(telemetry)).toEqual([
      {
        name: 'chat gpt-4o',
        provider: 'openai',
        model: 'gpt-4o-2024-08-06',
        operation: 'chat',
        latencyMs: expect.closeTo(12.3456, 5),
        inputTokens: 10,
        outputTokens: 5,
        costUsd: expect.closeTo(0.000000123456789, 18),
        cacheHit: 'miss',
        toolCalls: 0,
        status: 'ok',
        errorType: undefined,
        timestamp: new Date(1_700_000_000_000),
      },
    ]);
    expect(telemetry.spans[0]!.attributes['llm.cost_usd']).toBe(0.00000012);
  });

  it('are there without the older attributes too', async () => {
    const telemetry = createTestTelemetry({ fetch, legacyAttributes: false });
    await telemetry.fetch(chatUrl, chatRequest()).then((response) => response.text());
    expect(llmRecords(telemetry)).toMatchObject([
      { provider: 'openai', model: 'gpt-4o-2024-08-06', operation: 'chat', inputTokens: 10, toolCalls: undefined },
    ]);
  });

  it('say what is unknown, and what failed', async () => {
    const telemetry = createTestTelemetry({
      fetch: async () => Response.json({ error: { type: 'server_error', message: 'no' } }, { status: 500 }),
    });
    await telemetry.fetch(chatUrl, chatRequest()).then((response) => response.text());
    expect(llmRecords(telemetry)).toMatchObject([
      { model: 'gpt-4o', inputTokens: undefined, costUsd: undefined, status: 'error', errorType: 'server_error' },
    ]);
  });

  it('leave out agents, tools, and wrappers around another call', async () => {
    const telemetry = createTestTelemetry({ fetch, runtime: createAlsRuntime() });
    const ask = telemetry.llm({ model: 'gpt-4o' }, async () => (await telemetry.fetch(chatUrl, chatRequest())).text());
    await telemetry.agent({ name: 'a' }, () => telemetry.tool({ name: 't' }, ask)())();
    expect(telemetry.spans).toHaveLength(4);
    expect(llmRecords(telemetry)).toHaveLength(1);
  });
});
