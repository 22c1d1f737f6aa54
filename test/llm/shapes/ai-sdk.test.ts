import { describe, expect, it } from 'vitest';
import { aiSdkValues } from '../../../src/llm/shapes/ai-sdk.ts';
import { createAlsTelemetry } from '../../support/telemetry.ts';

/** Usage as the versions of the SDK have it: the cached tokens are a part of the input. */
const usages = {
  '7': {
    inputTokens: 100,
    inputTokenDetails: { noCacheTokens: 60, cacheReadTokens: 30, cacheWriteTokens: 10 },
    outputTokens: 50,
    outputTokenDetails: { textTokens: 30, reasoningTokens: 20 },
    totalTokens: 150,
  },
  '5': { inputTokens: 100, outputTokens: 50, totalTokens: 150, reasoningTokens: 20, cachedInputTokens: 30 },
  '4': { promptTokens: 100, completionTokens: 50, totalTokens: 150 },
  'a model’s': {
    inputTokens: { total: 100, noCache: 60, cacheRead: 30, cacheWrite: 10 },
    outputTokens: { total: 50, text: 30, reasoning: 20 },
  },
};

const call = { type: 'tool-call', toolCallId: 't1', toolName: 'search', input: {} };
const searched = { ...call, toolCallId: 't2', toolName: 'web_search', providerExecuted: true };
const step = (over: object = {}) => ({
  model: { provider: 'openai.responses', modelId: 'gpt-5' },
  content: [{ type: 'text', text: 'Hello' }],
  finishReason: 'stop',
  usage: usages['7'],
  response: { id: 'r-1', modelId: 'gpt-5-2025-08-07' },
  ...over,
});

describe('a result of the AI SDK', () => {
  it.each(Object.entries(usages))('has the usage of version %s', (_, usage) => {
    const value = step({ usage });
    expect(aiSdkValues.accepts!(value)).toBe(true);
    expect(aiSdkValues.read!(value).usage).toMatchObject({ input: 100, output: 50 });
  });

  it('knows what is cached and what was reasoned', () => {
    const { usage } = aiSdkValues.read!(step());
    expect(usage).toEqual({ input: 100, cacheRead: 30, cacheWrite: 10, output: 50, reasoning: 20, total: 150 });
    expect(aiSdkValues.read!(step({ usage: usages['a model’s'] })).usage).toMatchObject({
      cacheRead: 30,
      cacheWrite: 10,
      reasoning: 20,
    });
  });

  it('is the sum of its steps, whatever its own usage is', () => {
    const first = step({ content: [call, searched], finishReason: 'tool-calls', response: { id: 'r-0' } });
    const value = { steps: [first, step()], usage: usages['7'], finishReason: 'stop' };
    expect(aiSdkValues.accepts!(value)).toBe(true);
    expect(aiSdkValues.read!(value)).toEqual({
      id: 'r-1',
      model: 'gpt-5-2025-08-07',
      provider: 'openai',
      finishReasons: ['stop'],
      toolCalls: [{ id: 't1', name: 'search' }],
      usage: { input: 200, cacheRead: 60, cacheWrite: 20, output: 100, reasoning: 40, total: 300 },
    });
  });

  it('has the vendor that older versions name by its metadata alone', () => {
    const value = step({ model: undefined, providerMetadata: { anthropic: {} } });
    expect(aiSdkValues.read!(value).provider).toBe('anthropic');
  });

  it.each([
    [{ embedding: [1, 2, 3], usage: { tokens: 7 }, response: { body: { model: 'm' } } }, 3],
    [{ embeddings: [[1, 2]], usage: { tokens: 7 }, responses: [{ body: { model: 'm' } }] }, 2],
  ])('of embeddings has their tokens', (value, dimensions) => {
    expect(aiSdkValues.accepts!(value)).toBe(true);
    expect(aiSdkValues.read!(value)).toEqual({
      model: 'm',
      usage: { input: 7 },
      attributes: { 'gen_ai.embeddings.dimension.count': dimensions },
    });
  });

  it('says nothing of what is NaN or missing', () => {
    const value = step({ usage: { inputTokens: Number.NaN, outputTokens: undefined } });
    expect(aiSdkValues.read!(value)).not.toHaveProperty('usage');
  });

  it.each([
    [{ finishReason: 'stop' }],
    [{ steps: [] }],
    [{ choices: [{ message: {}, finish_reason: 'stop' }], usage: {} }],
    [{ output: {}, stopReason: 'end_turn', usage: { inputTokens: 1 } }],
    [null],
    ['stop'],
  ])('is not %j', (value) => {
    expect(aiSdkValues.accepts!(value)).toBe(false);
  });
});

describe('a stream of the AI SDK', () => {
  const parts = [
    { type: 'start' },
    { type: 'start-step' },
    { type: 'reasoning-delta', delta: 'Hm' },
    call,
    { type: 'finish-step', finishReason: 'tool-calls', usage: usages['7'], response: { id: 'r-0', modelId: 'm' } },
    { type: 'start-step' },
    { type: 'text-delta', delta: 'Hello' },
    { type: 'finish-step', finishReason: 'stop', usage: usages['7'], response: { id: 'r-1', modelId: 'm' } },
    { type: 'finish', finishReason: 'stop', totalUsage: usages['7'] },
  ];

  it.each([
    ['as they are', parts],
    ['inside of what the result has', parts.map((part) => ({ part, partialOutput: undefined }))],
  ])('is the sum of its steps, its parts %s', async (_, items) => {
    const telemetry = createAlsTelemetry();
    async function* stream() {
      yield* items;
    }
    for await (const _ of telemetry.llm(stream)());
    expect(telemetry.spans[0]!.attributes).toMatchObject({
      'llm.operation': 'stream',
      'gen_ai.response.id': 'r-1',
      'gen_ai.response.model': 'm',
      'gen_ai.usage.input_tokens': 200,
      'gen_ai.usage.output_tokens': 100,
      'gen_ai.response.finish_reasons': ['stop'],
      'llm.tool_names': ['search'],
    });
  });

  it('of a model itself has one step', () => {
    const reader = aiSdkValues.items!({ type: 'stream-start', warnings: [] })!;
    const outcomes = [
      { type: 'response-metadata', id: 'r-1', modelId: 'gpt-5' },
      { type: 'text-delta', id: '0', delta: 'Hello' },
      { type: 'finish', finishReason: { unified: 'stop', raw: 'stop' }, usage: usages['a model’s'] },
    ].map((part) => reader.item(part));
    expect(outcomes).toEqual([undefined, 'content', undefined]);
    expect(reader.result()).toMatchObject({
      id: 'r-1',
      model: 'gpt-5',
      finishReasons: ['stop'],
      usage: { input: 100, output: 50 },
    });
  });

  it('that failed has its error', () => {
    const reader = aiSdkValues.items!({ type: 'start' })!;
    reader.item({ type: 'error', error: new RangeError('no') });
    expect(reader.result()).toMatchObject({ error: { type: 'RangeError' } });
  });

  it('is not that of a vendor whose events have types too', () => {
    expect(aiSdkValues.items!({ type: 'message_start', message: {} })).toBeUndefined();
    expect(aiSdkValues.items!({ type: 'response.created' })).toBeUndefined();
  });
});
