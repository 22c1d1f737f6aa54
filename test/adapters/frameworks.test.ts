import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aiSdkMiddleware, aiSdkTelemetry } from '../../adapters/ai-sdk/index.ts';
import { createCallbackHandler } from '../../adapters/langchain/index.ts';
import { createTraceProcessor } from '../../adapters/openai-agents/index.ts';
import { maxOpenRuns } from '../../src/llm/open-runs.ts';
import { chatCompletion, createAlsTelemetry } from '../support/telemetry.ts';

type Hooks = Record<string, (...args: unknown[]) => unknown>;
type Telemetry = ReturnType<typeof createAlsTelemetry>;

function createHooks(telemetry: Telemetry): Record<string, Hooks> {
  const { executeLanguageModelCall: _, executeTool: __, ...events } = aiSdkTelemetry(telemetry);
  const handler = createCallbackHandler(telemetry) as unknown as Hooks;
  const callbacks = Object.entries(handler).filter(([name]) => name.startsWith('handle'));
  const processor = createTraceProcessor(telemetry) as unknown as Hooks;
  const spans = Object.entries(processor).filter(([name]) => name.startsWith('on'));
  return { 'ai-sdk': events as Hooks, langchain: Object.fromEntries(callbacks), agents: Object.fromEntries(spans) };
}

function createStrict() {
  const errors: unknown[] = [];
  return { telemetry: createAlsTelemetry({ onError: (error) => errors.push(error) }), errors };
}

const ids = fc.constantFrom('a', 'b', undefined, 7);
const shaped = fc.record(
  {
    callId: ids,
    traceId: ids,
    spanId: ids,
    parentId: ids,
    toolCallId: ids,
    operationId: fc.constantFrom('ai.generateText', 'ai.streamText', 'ai.embed', 3),
    values: fc.anything(),
    usage: fc.anything(),
    content: fc.anything(),
    finishReason: fc.anything(),
    messages: fc.anything(),
    toolCall: fc.anything(),
    error: fc.anything(),
    spanData: fc.oneof(
      fc.anything(),
      fc.record({ type: fc.constantFrom('agent', 'generation', 'response', 'guardrail', 'odd'), name: fc.anything() }),
    ),
    generations: fc.anything(),
    id: fc.anything(),
  },
  { requiredKeys: [] },
);

describe('events that are not what they should be', () => {
  it.each(['ai-sdk', 'langchain', 'agents'])('of %s are never an error', async (framework) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(), fc.array(fc.oneof(shaped, ids, fc.anything()), { maxLength: 8 })), {
          maxLength: 30,
        }),
        async (events) => {
          const { telemetry, errors } = createStrict();
          const hooks = Object.values(createHooks(telemetry)[framework]!);
          for (const [at, args] of events) await hooks[at % hooks.length]!(...args);
          expect(errors).toEqual([]);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('are counted: without an id, twice, or with no beginning', async () => {
    const { telemetry, errors } = createStrict();
    const odd = () => telemetry.metrics.value('edgespan_parse_errors_total') ?? 0;
    const ai = aiSdkTelemetry(telemetry);
    ai.onStart({ operationId: 'ai.generateText' });
    ai.onStart({ callId: 'a', operationId: 'ai.generateText' });
    ai.onStart({ callId: 'a', operationId: 'ai.generateText' });
    ai.onEnd({ callId: 'b' });
    ai.onEnd({ callId: 'a' });
    ai.onEnd({ callId: 'a' });
    expect(odd()).toBe(4);
    const chain = createCallbackHandler(telemetry);
    await chain.handleChainStart({}, {}, undefined);
    await chain.handleChainStart({}, {}, 'r');
    await chain.handleChainStart({}, {}, 'r');
    await chain.handleChainEnd({}, 'r');
    await chain.handleChainEnd({}, 'r');
    expect(odd()).toBe(7);
    const agents = createTraceProcessor(telemetry);
    await agents.onSpanEnd({ spanId: 's', spanData: { type: 'agent' } });
    await agents.onSpanStart({ spanId: 's', spanData: 'agent' });
    await agents.onTraceEnd('trace');
    expect(odd()).toBe(10);
    expect(errors).toEqual([]);
    expect(telemetry.spans.map(({ name }) => name)).toEqual(['ai.generateText', 'unknown']);
  });

  it('hold no more than so many runs that never end', async () => {
    const telemetry = createAlsTelemetry({ inMemory: { maxSpans: 10 } });
    const ai = aiSdkTelemetry(telemetry);
    const chain = createCallbackHandler(telemetry);
    const agents = createTraceProcessor(telemetry);
    const ended = () => telemetry.metrics.value('llm_span_duration_seconds_count') ?? telemetry.spans.length;
    for (let i = 0; i < maxOpenRuns; i++) {
      ai.onStart({ callId: `${i}`, operationId: 'ai.generateText' });
      await chain.handleChainStart({}, {}, `${i}`);
      await agents.onTraceStart({ traceId: `${i}`, name: 'run' });
    }
    expect(ended()).toBe(0);
    ai.onStart({ callId: 'x', operationId: 'ai.generateText' });
    await chain.handleChainStart({}, {}, 'x');
    await agents.onTraceStart({ traceId: 'x', name: 'run' });
    expect(telemetry.spans.map(({ attributes }) => attributes['edgespan.aborted'])).toEqual([true, true, true]);
  });
});

describe('a model that throws or answers anything', () => {
  const generate = (telemetry: Telemetry, doGenerate: () => Promise<unknown>) =>
    aiSdkMiddleware(telemetry).wrapGenerate({ doGenerate, params: undefined, model: null });

  it('has its answers and its errors handed on as they are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.anything(), fc.anything(), async (value, thrown) => {
        const { telemetry, errors } = createStrict();
        expect(await generate(telemetry, async () => value)).toBe(value);
        const caught = await generate(telemetry, () => Promise.reject(thrown)).catch((error) => ({ error }));
        expect((caught as { error: unknown }).error).toBe(thrown);
        expect(telemetry.spans).toHaveLength(2);
        expect(errors).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });
});

describe('an observed request under a framework', () => {
  const answers = async () => Response.json(chatCompletion());
  const asked = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'Hi' }] }),
  };
  const url = 'https://api.openai.com/v1/chat/completions';
  const result = {
    content: [{ type: 'text', text: 'Hello' }],
    finishReason: { unified: 'stop', raw: 'stop' },
    usage: { inputTokens: { total: 10 }, outputTokens: { total: 5 } },
    response: { id: 'chatcmpl-1', modelId: 'gpt-4o-2024-08-06' },
  };

  it('is counted once by its reply’s id where no async context leads to it', async () => {
    // Without a storage nothing is active inside of the call.
    const telemetry = createAlsTelemetry({
      fetch: answers,
      runtime: { context: { run: (_, fn) => fn(), get: () => undefined } },
    });
    const doGenerate = async () => {
      await (await telemetry.fetch(url, asked)).text();
      return result;
    };
    const model = { provider: 'openai.chat', modelId: 'gpt-4o' };
    await aiSdkMiddleware(telemetry).wrapGenerate({ doGenerate, params: {}, model });
    expect(telemetry.metrics.value('llm_requests_total')).toBe(1);
    expect(telemetry.metrics.value('llm_tokens_total')).toBe(15);
    expect(telemetry.spans.filter(({ attributes }) => 'gen_ai.usage.input_tokens' in attributes)).toHaveLength(1);
  });

  it('counts for itself where it asks something else than a framework has announced', async () => {
    const telemetry = createAlsTelemetry({ fetch: answers });
    const handler = createCallbackHandler(telemetry);
    const messages = [[{ content: 'Something else' }]];
    await handler.handleChatModelStart({}, messages, 'r', undefined, { invocation_params: { model: 'gpt-4o' } });
    await (await telemetry.fetch(url, asked)).text();
    const message = { content: 'Yes', response_metadata: {}, usage_metadata: { input_tokens: 1, output_tokens: 2 } };
    await handler.handleLLMEnd({ generations: [[{ text: 'Yes', message }]] }, 'r');
    expect(telemetry.metrics.value('llm_requests_total')).toBe(2);
    expect(telemetry.metrics.value('llm_tokens_total')).toBe(18);
  });

  it('is its own where it is a judge’s, which quotes what was asked', async () => {
    const telemetry = createAlsTelemetry({ fetch: answers });
    const handler = createCallbackHandler(telemetry);
    await handler.handleChatModelStart({}, [[{ content: 'Hi' }]], 'r', undefined, {
      invocation_params: { model: 'gpt-4o' },
    });
    await telemetry.with({ attributes: { 'edgespan.judge': true } }, async () => {
      await (await telemetry.fetch(url, asked)).text();
    });
    const message = { content: 'Yes', response_metadata: {}, usage_metadata: { input_tokens: 1, output_tokens: 2 } };
    await handler.handleLLMEnd({ generations: [[{ text: 'Yes', message }]] }, 'r');
    expect(telemetry.metrics.value('llm_requests_total')).toBe(2);
    expect(telemetry.metrics.value('llm_tokens_total')).toBe(18);
  });

  it('never estimates: what LangChain guesses is not read', async () => {
    const telemetry = createAlsTelemetry();
    const handler = createCallbackHandler(telemetry);
    await handler.handleLLMStart({}, ['Hi'], 'r');
    const generations = [[{ text: 'Yes', generationInfo: {} }]];
    await handler.handleLLMEnd({ generations, llmOutput: { estimatedTokenUsage: { promptTokens: 9 } } }, 'r');
    expect(telemetry.metrics.value('llm_requests_total')).toBe(1);
    expect(telemetry.metrics.value('llm_tokens_total')).toBeUndefined();
  });
});

describe('frameworks without an adapter', () => {
  it('become metrics by the GenAI spans that they emit: Mastra, and LlamaIndex by OpenInference', () => {
    const telemetry = createAlsTelemetry();
    const span = (attributes: object, spanId: string) => ({
      name: 'span',
      kind: 2,
      attributes,
      status: { code: 0 },
      links: [],
      startTime: [1_700_000_000, 0],
      endTime: [1_700_000_001, 0],
      duration: [1, 0],
      ended: true,
      events: [],
      resource: { attributes: {}, merge: () => undefined },
      instrumentationScope: { name: '@mastra/otel-bridge' },
      droppedAttributesCount: 0,
      droppedEventsCount: 0,
      droppedLinksCount: 0,
      spanContext: () => ({ traceId: '0af7651916cd43dd8448eb211c80319c', spanId, traceFlags: 1 }),
    });
    // https://mastra.ai/docs/observability/tracing/exporters/otel
    const mastra = {
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'openai',
      'gen_ai.request.model': 'gpt-4o',
      'gen_ai.response.model': 'gpt-4o-2024-08-06',
      'gen_ai.usage.input_tokens': 10,
      'gen_ai.usage.output_tokens': 5,
    };
    // https://github.com/Arize-ai/openinference/blob/main/spec/semantic_conventions.md
    const llamaIndex = {
      'openinference.span.kind': 'LLM',
      'llm.provider': 'openai',
      'llm.model_name': 'gpt-4o',
      'llm.token_count.prompt': 10,
      'llm.token_count.completion': 5,
    };
    telemetry.recordSpan(span(mastra, 'b7ad6b7169203331') as never);
    telemetry.recordSpan(span(llamaIndex, 'b7ad6b7169203332') as never);
    expect(telemetry.metrics.value('llm_requests_total', { provider: 'openai' })).toBe(2);
    expect(telemetry.metrics.value('llm_tokens_total')).toBe(30);
    expect(telemetry.metrics.value('llm_cost_usd_total')).toBeGreaterThan(0);
  });
});
