import { DatabaseSync } from 'node:sqlite';
import type { Attributes } from '@opentelemetry/api';
import { describe, expect, it } from 'vitest';
import { createCollector, createSqliteTraceStore, type TraceStore } from '../../src/collector/index.ts';
import { createMemoryTraceStore } from '../../src/collector/memory-trace-store.ts';
import type { ReadableSpan } from '../../src/trace/readable-span.ts';
import { getJson, getMetrics, sendSpans, workSpan } from './support.ts';

const traceId = 'a'.repeat(32);
const path = `/v1/traces/${traceId}`;
const spanIdOf = (number: number) => String(number).padStart(16, '0');

/** 1,000 tokens asked and 100 answered of a model at $2.50 and $10 per million. */
const costUsd = 0.0035;

/** A call as each tracer tells of it, none of which says what it cost; what stands around it restates its tokens. */
const tracers: Readonly<Record<string, readonly Attributes[]>> = {
  'OpenTelemetry’s conventions': [
    { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.usage.input_tokens': 1000, 'gen_ai.usage.output_tokens': 100 },
    {
      ...{ 'gen_ai.operation.name': 'chat', 'gen_ai.provider.name': 'openai', 'gen_ai.request.model': 'gpt-4o' },
      ...{ 'gen_ai.usage.input_tokens': 1000, 'gen_ai.usage.output_tokens': 100 },
    },
  ],
  OpenLLMetry: [
    { 'traceloop.span.kind': 'workflow', 'traceloop.entity.name': 'answer' },
    {
      ...{ 'llm.request.type': 'chat', 'gen_ai.system': 'OpenAI', 'gen_ai.request.model': 'gpt-4o' },
      ...{ 'gen_ai.usage.prompt_tokens': 1000, 'gen_ai.usage.completion_tokens': 100 },
    },
  ],
  OpenInference: [
    { 'openinference.span.kind': 'CHAIN', 'llm.token_count.prompt': 1000, 'llm.token_count.completion': 100 },
    {
      ...{ 'openinference.span.kind': 'LLM', 'llm.provider': 'openai', 'llm.model_name': 'gpt-4o' },
      ...{ 'llm.token_count.prompt': 1000, 'llm.token_count.completion': 100 },
    },
  ],
  'the AI SDK': [
    {
      ...{ 'ai.operationId': 'ai.generateText', 'ai.model.provider': 'openai.chat', 'ai.model.id': 'gpt-4o' },
      ...{ 'ai.usage.promptTokens': 1000, 'ai.usage.completionTokens': 100 },
    },
    {
      ...{
        'ai.operationId': 'ai.generateText.doGenerate',
        'ai.model.provider': 'openai.chat',
        'ai.model.id': 'gpt-4o',
      },
      ...{ 'ai.usage.promptTokens': 1000, 'ai.usage.completionTokens': 100 },
    },
  ],
  Langfuse: [
    { 'langfuse.observation.type': 'span' },
    {
      'langfuse.observation.type': 'generation',
      'langfuse.observation.model.name': 'gpt-4o',
      'langfuse.observation.usage_details': '{"input":1000,"output":100,"total":1100}',
    },
  ],
  'two of them, one around the other': [
    {
      ...{ 'openinference.span.kind': 'LLM', 'llm.provider': 'openai', 'llm.model_name': 'gpt-4o' },
      ...{ 'llm.token_count.prompt': 1000, 'llm.token_count.completion': 100 },
    },
    {
      ...{ 'gen_ai.operation.name': 'chat', 'gen_ai.provider.name': 'openai', 'gen_ai.request.model': 'gpt-4o' },
      ...{ 'gen_ai.usage.input_tokens': 1000, 'gen_ai.usage.output_tokens': 100 },
    },
  ],
};

/** The whole and its one call, which ends first. */
function spansOf([whole, call]: readonly Attributes[]): ReadableSpan[] {
  return [
    workSpan({ spanId: spanIdOf(2), parentId: spanIdOf(1), attributes: call!, ms: 900 }),
    workSpan({ spanId: spanIdOf(1), attributes: whole! }),
  ];
}

const called = spansOf(tracers['OpenTelemetry’s conventions']!);
const stores: Readonly<Record<string, () => TraceStore>> = {
  memory: createMemoryTraceStore,
  SQLite: () => createSqliteTraceStore(new DatabaseSync(':memory:')),
};

describe.each(Object.entries(stores))('what calls of other tracers cost, from %s', (_store, createStore) => {
  it.each(Object.entries(tracers))('stands in lists as in metrics: %s', async (_tracer, attributes) => {
    const collector = createCollector({ traces: createStore() });
    await sendSpans(collector, spansOf(attributes));
    const { traces } = await getJson(collector, '/v1/traces');
    expect(traces).toEqual([expect.objectContaining({ cost_usd: expect.closeTo(costUsd, 12) })]);
    expect(await getMetrics(collector)).toMatch(/llm_cost_usd_total\{[^}]*\} 0\.0035\n/);
    expect((await getJson(collector, '/v1/traces?min_cost_usd=0.003')).traces).toHaveLength(1);
    expect((await getJson(collector, '/v1/traces?min_cost_usd=0.004')).traces).toHaveLength(0);
  });

  it('is told of each span to who asks, and leaves spans as they were sent', async () => {
    const collector = createCollector({ traces: createStore() });
    await sendSpans(collector, called);
    const read = async (query: string) => (await getJson(collector, path + query)).spans as Record<string, unknown>[];
    const asked = await read('?costs=true');
    expect(asked.map(({ cost_usd }) => cost_usd).sort()).toEqual([costUsd, undefined]);
    expect(await read('')).toEqual(asked.map(({ cost_usd: _cost, ...sent }) => sent));
    expect(asked.map(({ attributes }) => attributes)).toEqual(
      expect.arrayContaining(called.map(({ attributes }) => attributes)),
    );
  });
});

describe('what calls of other tracers cost', () => {
  it('keeps a costly trace that the share leaves out', async () => {
    const sampled = (keepCostlierThanUsd: number) =>
      createCollector({ telemetry: { sampling: { ratio: 0, keepCostlierThanUsd } } });
    for (const [usd, kept] of [
      [0.003, 1],
      [0.004, 0],
    ] as const) {
      const collector = sampled(usd);
      await sendSpans(collector, called);
      expect((await getJson(collector, '/v1/traces')).traces).toHaveLength(kept);
    }
  });

  it('stands in the live feed', async () => {
    const collector = createCollector();
    const reader = (await collector.request('/v1/live')).body!.getReader();
    await sendSpans(collector, called);
    let text = '';
    while (!text.includes('event: trace')) text += new TextDecoder().decode((await reader.read()).value);
    await reader.cancel();
    expect(text).toContain(`"cost_usd":${costUsd}`);
  });

  it('is reckoned by the prices of the options', async () => {
    const collector = createCollector({ telemetry: { prices: { 'gpt-4o': { input: 1000, output: 0 } } } });
    await sendSpans(collector, called);
    expect(await getJson(collector, '/v1/traces')).toMatchObject({ traces: [{ cost_usd: 1 }] });
  });

  it('asks nothing of a store of one’s own that knows of none', async () => {
    const own = createMemoryTraceStore();
    const collector = createCollector({
      traces: {
        add: (spans, tenant) => own.add(spans, tenant),
        get: (id, tenant) => own.get(id, tenant),
        query: (query, tenant) => own.query(query, tenant),
      },
    });
    await sendSpans(collector, called);
    const { traces } = (await getJson(collector, '/v1/traces')) as { traces: object[] };
    expect(traces).toHaveLength(1);
    expect(traces[0]).not.toHaveProperty('cost_usd');
    expect(await getJson(collector, `${path}?costs=true`)).toMatchObject({ spans: [{}, {}] });
  });
});
