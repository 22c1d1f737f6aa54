import { describe, expect, it } from 'vitest';
import type { LlmCall, TelemetryError, TelemetryOptions } from '../../src/index.ts';
import { llmRecords } from '../../src/testing.ts';
import { chatCompletion, chatRequest, chatUrl, createAlsTelemetry, createManualClock } from '../support/telemetry.ts';

const call: LlmCall = { provider: 'openai', model: 'gpt-4o', latencyMs: 1234, inputTokens: 10, outputTokens: 5 };

function create(options: TelemetryOptions = {}) {
  const errors: TelemetryError[] = [];
  const telemetry = createAlsTelemetry({
    onError: (error) => errors.push(error),
    ...options,
    runtime: { ...createManualClock(), ...options.runtime },
  });
  const value = (name: string, labels?: Record<string, string>) => telemetry.metrics.value(name, labels);
  return { telemetry, value, errors };
}

describe('a call made elsewhere', () => {
  it('is a span that took its time, and counts like any other', () => {
    const { telemetry, value } = create();
    telemetry.recordLlmCall({ ...call, attributes: { region: 'eu' } });
    const [span] = telemetry.spans;
    expect(span).toMatchObject({
      name: 'chat gpt-4o',
      duration: [1, 234_000_000],
      startTime: [1_699_999_998, 766_000_000],
    });
    expect(span!.attributes).toMatchObject({
      region: 'eu',
      'gen_ai.request.model': 'gpt-4o',
      'gen_ai.usage.input_tokens': 10,
      'gen_ai.usage.output_tokens': 5,
      'llm.latency_ms': 1234,
      'llm.cost_usd': 0.000075,
    });
    const labels = { provider: 'openai', model: 'gpt-4o' };
    expect(value('llm_requests_total', { ...labels, status: 'ok', operation: 'chat' })).toBe(1);
    expect(value('llm_tokens_total', { ...labels, token_type: 'input' })).toBe(10);
    expect(value('llm_cost_usd_total', labels)).toBe(0.000075);
    expect(llmRecords(telemetry)[0]).toMatchObject({ latencyMs: 1234, inputTokens: 10, status: 'ok', toolCalls: 0 });
  });

  it('belongs to the agent and the session around it', async () => {
    const { telemetry, value } = create();
    const session = telemetry.session();
    await session.run(telemetry.agent({ name: 'a' }, async () => telemetry.recordLlmCall(call)));
    expect(value('llm_requests_total', { agent: 'a' })).toBe(1);
    expect(session.usage()).toMatchObject({ calls: 1, totalTokens: 15 });
  });

  it('may be a stream, an embedding or an error', () => {
    const { telemetry, value } = create();
    telemetry.recordLlmCall({ ...call, operation: 'stream' });
    telemetry.recordLlmCall({
      provider: 'openai',
      model: 'text-embedding-3-small',
      operation: 'embed',
      inputTokens: 8,
    });
    telemetry.recordLlmCall({ ...call, status: 'error', errorType: 'rate_limit_exceeded' });
    expect(telemetry.spans.map(({ name }) => name)).toEqual([
      'chat gpt-4o',
      'embeddings text-embedding-3-small',
      'chat gpt-4o',
    ]);
    expect(telemetry.spans[2]).toMatchObject({
      status: { code: 2 },
      attributes: { 'error.type': 'rate_limit_exceeded' },
    });
    expect(value('llm_requests_total', { operation: 'stream' })).toBe(1);
    expect(value('llm_requests_total', { operation: 'embed' })).toBe(1);
    expect(value('llm_errors_total', { error_type: 'rate_limit' })).toBe(1);
  });

  it.each([
    [2, ['unknown', 'unknown']],
    [
      [{ name: 'search' }, {}],
      ['search', 'unknown'],
    ],
    [Number.NaN, []],
  ])('with tool calls %j names %j', (toolCalls, names) => {
    const { telemetry, value } = create();
    telemetry.recordLlmCall({ ...call, toolCalls });
    expect(telemetry.spans[0]!.attributes['llm.tool_names']).toEqual(names);
    expect(value('llm_tool_calls_total') ?? 0).toBe(names.length);
  });

  it('says what it costs, where it knows', () => {
    const { telemetry } = create();
    telemetry.recordLlmCall({ provider: 'acme', model: 'm', costUsd: 0.5 });
    telemetry.recordLlmCall({ provider: 'acme', model: 'm', inputTokens: 1 });
    expect(telemetry.spans.map(({ attributes }) => attributes['llm.cost_usd'])).toEqual([0.5, undefined]);
  });

  it('without its numbers has none, and with wrong ones is reported', () => {
    const { telemetry, value, errors } = create();
    telemetry.recordLlmCall({ provider: 'acme', model: 'm' });
    telemetry.recordLlmCall({ ...call, inputTokens: -1, latencyMs: Number.NaN });
    telemetry.recordLlmCall(undefined as never);
    expect(errors.map(({ code }) => code)).toEqual(['invalid_value']);
    expect(telemetry.spans[0]!.attributes).not.toHaveProperty('gen_ai.usage.input_tokens');
    expect(telemetry.spans[1]!.attributes).not.toHaveProperty('gen_ai.usage.input_tokens');
    expect(telemetry.spans[1]!.attributes['gen_ai.usage.output_tokens']).toBe(5);
    expect(value('llm_tokens_total', { token_type: 'input' })).toBeUndefined();
  });
});

describe('the response cache', () => {
  it.each(['exact', 'semantic'] as const)('hit by an %s match costs nothing, and the request counts', (cacheHit) => {
    const { telemetry, value } = create();
    telemetry.recordLlmCall({ ...call, cacheHit });
    expect(telemetry.spans[0]!.attributes).toMatchObject({
      'llm.cache_hit': cacheHit,
      'gen_ai.usage.input_tokens': 0,
      'llm.cost_usd': 0,
      'llm.latency_ms': 1234,
    });
    expect(value('llm_cache_hits_total', { cache_type: cacheHit })).toBe(1);
    expect(value('llm_cache_misses_total')).toBeUndefined();
    expect(value('llm_requests_total', { status: 'ok' })).toBe(1);
    expect(value('llm_tokens_total')).toBe(0);
    expect(value('llm_cost_usd_total')).toBe(0);
    expect(value('llm_unpriced_requests_total')).toBeUndefined();
  });

  it('that missed is a miss, and the call what it was', () => {
    const { telemetry, value } = create();
    telemetry.recordLlmCall({ ...call, cacheHit: 'miss' });
    expect(value('llm_cache_misses_total', { cache_type: 'exact' })).toBe(1);
    expect(value('llm_tokens_total', { token_type: 'input' })).toBe(10);
  });

  it('that is none is told, and throws nothing', () => {
    const errors: string[] = [];
    const { telemetry } = create({ onError: ({ code }) => errors.push(code) });
    telemetry.recordCacheLookup(null as never);
    expect(errors).toEqual(['internal']);
  });

  it('can be counted alone', () => {
    const { telemetry, value } = create();
    telemetry.recordCacheLookup({ type: 'exact', hit: false });
    telemetry.recordCacheLookup({ type: 'semantic', hit: true });
    telemetry.agent({ name: 'a' }, () => telemetry.recordCacheLookup({ type: 'semantic', hit: false }))();
    expect(value('llm_cache_hits_total', { cache_type: 'semantic' })).toBe(1);
    expect(value('llm_cache_misses_total', { cache_type: 'exact' })).toBe(1);
    expect(value('llm_cache_misses_total', { cache_type: 'semantic', agent: 'a' })).toBe(1);
    expect(value('llm_requests_total')).toBeUndefined();
  });
});

describe('a cost alert', () => {
  it('hears of dear calls alone, and they are counted', async () => {
    const alerts: LlmCall[] = [];
    const { telemetry, value } = create({
      costAlert: { usd: 0.0001, onAlert: (call) => alerts.push(call) },
      fetch: async () => Response.json(chatCompletion({ usage: { prompt_tokens: 1000, completion_tokens: 1 } })),
    });
    telemetry.recordLlmCall(call);
    expect(alerts).toEqual([]);
    await (await telemetry.fetch(chatUrl, chatRequest())).text();
    expect(alerts).toMatchObject([
      { provider: 'openai', model: 'gpt-4o-2024-08-06', costUsd: 0.00251, inputTokens: 1000 },
    ]);
    expect(value('llm_cost_alerts_total', { provider: 'openai' })).toBe(1);
  });

  it('that throws hurts nobody', () => {
    const onAlert = () => {
      throw new Error('no');
    };
    const { telemetry, errors } = create({ costAlert: { usd: 0, onAlert } });
    telemetry.recordLlmCall(call);
    expect(errors).toHaveLength(1);
    expect(telemetry.spans).toHaveLength(1);
  });
});

describe('log fields', () => {
  it('name the active span, and nothing outside of any', () => {
    const { telemetry } = create();
    expect(telemetry.logFields()).toEqual({});
    telemetry.span('work', (span) => {
      const { traceId, spanId } = span.spanContext();
      expect(telemetry.logFields()).toEqual({ trace_id: traceId, span_id: spanId });
    });
  });

  it('are empty where telemetry is off', () => {
    const { telemetry } = create({ enabled: false });
    telemetry.span('work', () => expect(telemetry.logFields()).toEqual({}));
    telemetry.recordLlmCall(call);
    expect(telemetry.spans).toEqual([]);
  });
});
