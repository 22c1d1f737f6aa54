import { AsyncLocalStorage } from 'node:async_hooks';
import * as api from '@opentelemetry/api';
import { AlwaysOffSampler, TracerProvider } from '@opentelemetry/sdk-trace';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { createSpanProcessor, createTelemetry, type ReadableSpan, type TelemetryOptions } from '../../src/index.ts';
import { shortProviderName } from '../../src/llm/provider-names.ts';
import { chatCompletion, chatRequest, chatUrl, createAlsTelemetry } from '../support/telemetry.ts';

type Fields = Record<string, unknown>;

const chat: Fields = {
  'gen_ai.operation.name': 'chat',
  'gen_ai.provider.name': 'openai',
  'gen_ai.request.model': 'gpt-4o',
  'gen_ai.response.model': 'gpt-4o-2024-08-06',
  'gen_ai.usage.input_tokens': 1000,
  'gen_ai.usage.output_tokens': 500,
};

/** A telemetry, and another tracer whose spans it hears of. */
function create(options: TelemetryOptions = {}) {
  const telemetry = createAlsTelemetry({ fetch: async () => Response.json(chatCompletion()), ...options });
  const processor = createSpanProcessor(telemetry);
  const provider = new TracerProvider({ spanProcessors: [processor] });
  const tracer = provider.getTracer('another');
  const value = (name: string, labels?: Record<string, string>) => telemetry.metrics.value(name, labels);
  /** A span within `parent` that has ended once `inside` has. */
  async function span(name: string, attributes: Fields, inside?: (span: api.Span) => unknown, parent?: api.Span) {
    const context = parent ? api.trace.setSpan(api.ROOT_CONTEXT, parent) : api.ROOT_CONTEXT;
    const made = tracer.startSpan(name, { attributes: attributes as api.Attributes }, context);
    await inside?.(made);
    made.end();
    return made as unknown as ReadableSpan;
  }
  return { telemetry, processor, provider, tracer, value, span };
}

/** A finished span of another tracer, by its fields. */
function finished(attributes: Fields, over: Partial<ReadableSpan> = {}): ReadableSpan {
  const spanId = Math.random().toString(16).slice(2, 10).padEnd(16, '1');
  return {
    name: 'x',
    kind: 2,
    spanContext: () => ({ traceId: '1'.repeat(32), spanId, traceFlags: 1 }),
    startTime: [1_700_000_000, 0],
    endTime: [1_700_000_002, 0],
    duration: [2, 0],
    ended: true,
    status: { code: 0 },
    attributes: attributes as api.Attributes,
    links: [],
    events: [],
    instrumentationScope: { name: 'another' },
    ...over,
  } as ReadableSpan;
}

describe('a model call of another tracer', () => {
  it('becomes the metrics, cost and sums of a call of ours, and no span', async () => {
    const alerts: unknown[] = [];
    const { telemetry, span, value } = create({ costAlert: { usd: 0, onAlert: (call) => alerts.push(call) } });
    const session = telemetry.session();
    await session.run(() => telemetry.agent({ name: 'researcher' }, () => span('chat gpt-4o', chat))());
    const labels = { provider: 'openai', model: 'gpt-4o-2024-08-06', agent: 'researcher' };
    expect(value('llm_requests_total', { ...labels, operation: 'chat', status: 'ok' })).toBe(1);
    expect(value('llm_tokens_total', { ...labels, token_type: 'input' })).toBe(1000);
    expect(value('llm_tokens_total', { ...labels, token_type: 'output' })).toBe(500);
    expect(value('llm_cost_usd_total', labels)).toBeCloseTo(1000 * 2.5e-6 + 500 * 10e-6, 9);
    expect(value('gen_ai.client.token.usage', { 'gen_ai.provider.name': 'openai' })).toBe(2);
    expect(session.usage()).toMatchObject({ calls: 1, inputTokens: 1000, outputTokens: 500 });
    expect(alerts).toMatchObject([{ provider: 'openai', model: 'gpt-4o-2024-08-06' }]);
    expect(telemetry.spans.map(({ name }) => name)).toEqual(['invoke_agent researcher']);
    expect(telemetry.spans[0]!.attributes['edgespan.aggregated.model_calls']).toBe(1);
  });

  const dialects: [string, string, Fields, Record<string, string>][] = [
    [
      'the AI SDK’s own',
      'ai.streamText.doStream',
      {
        'ai.operationId': 'ai.streamText.doStream',
        'ai.model.provider': 'anthropic.messages',
        'ai.model.id': 'claude-sonnet-4-5',
        'ai.usage.inputTokens': 10,
        'ai.usage.outputTokens': 5,
        'ai.response.msToFirstChunk': 250,
      },
      { provider: 'anthropic', model: 'claude-sonnet-4-5', operation: 'stream' },
    ],
    [
      'the AI SDK’s embedding',
      'ai.embed.doEmbed',
      { 'ai.model.provider': 'openai.embedding', 'ai.model.id': 'text-embedding-3-small', 'ai.usage.tokens': 10 },
      { provider: 'openai', model: 'text-embedding-3-small', operation: 'embed' },
    ],
    [
      'OpenInference',
      'ChatCompletion',
      {
        'openinference.span.kind': 'LLM',
        'llm.provider': 'azure',
        'llm.system': 'openai',
        'llm.model_name': 'gpt-4o',
        'llm.token_count.prompt': 10,
        'llm.token_count.completion': 5,
      },
      { provider: 'azure', model: 'gpt-4o', operation: 'chat' },
    ],
    [
      'Traceloop',
      'openai.chat',
      {
        'llm.request.type': 'chat',
        'gen_ai.system': 'OpenAI',
        'gen_ai.request.model': 'gpt-4o',
        'gen_ai.usage.prompt_tokens': 10,
        'gen_ai.usage.completion_tokens': 5,
        'llm.usage.total_tokens': 15,
        'llm.is_streaming': true,
      },
      { provider: 'openai', model: 'gpt-4o', operation: 'stream' },
    ],
    [
      'OpenLIT',
      'chat gpt-4o',
      {
        ...chat,
        'gen_ai.request.is_stream': true,
        'gen_ai.response.model': 'gpt-4o',
        'gen_ai.usage.input_tokens': 10,
        'gen_ai.usage.output_tokens': 5,
        'gen_ai.usage.cost': 0,
      },
      { provider: 'openai', model: 'gpt-4o', operation: 'stream' },
    ],
    [
      'Langfuse',
      'OpenAI.chat',
      {
        'langfuse.observation.type': 'generation',
        'langfuse.observation.model.name': 'gpt-4o',
        'langfuse.observation.usage_details': JSON.stringify({ input: 10, output: 5, total: 15 }),
        'langfuse.observation.cost_details': JSON.stringify({ input: 0, output: 0, total: 0 }),
      },
      { provider: 'unknown', model: 'gpt-4o', operation: 'chat' },
    ],
    [
      'Langfuse’s embedding',
      'embed',
      {
        'langfuse.observation.type': 'embedding',
        'langfuse.observation.model.name': 'text-embedding-3-small',
        'langfuse.observation.usage_details': JSON.stringify({ input: 10 }),
      },
      { provider: 'unknown', model: 'text-embedding-3-small', operation: 'embed' },
    ],
    [
      'Gemini by the conventions',
      'generate_content gemini-2.5-flash',
      {
        'gen_ai.operation.name': 'generate_content',
        'gen_ai.provider.name': 'gcp.gemini',
        'gen_ai.request.model': 'models/gemini-2.5-flash',
        'gen_ai.usage.input_tokens': 10,
        'gen_ai.usage.output_tokens': 5,
      },
      { provider: 'google', model: 'gemini-2.5-flash', operation: 'chat' },
    ],
  ];

  it.each(dialects)('is read in the dialect of %s', async (_, name, attributes, labels) => {
    const { span, value } = create();
    await span(name, attributes);
    expect(value('llm_requests_total', { ...labels, status: 'ok' })).toBe(1);
    const of = { provider: labels.provider!, model: labels.model! };
    expect(value('llm_tokens_total', { ...of, token_type: 'input' })).toBe(10);
    expect(value('llm_tokens_total', { ...of, token_type: 'output' })).toBe(
      labels.operation === 'embed' ? undefined : 5,
    );
    expect(value('llm_cost_usd_total', of)).toBeGreaterThan(0);
    if (name === 'ai.streamText.doStream') expect(value('llm_time_to_first_token_seconds', of)).toBe(1);
  });

  it('tells caches, reasoning, tools it asked for, and what it cost by its own account', async () => {
    const { span, value } = create();
    await span('chat', {
      ...chat,
      'gen_ai.usage.cache_read.input_tokens': 300,
      'gen_ai.usage.cache_creation.input_tokens': 200,
      'gen_ai.usage.reasoning.output_tokens': 100,
      'gen_ai.usage.cost': 0.25,
      'gen_ai.output.messages': JSON.stringify([
        {
          role: 'assistant',
          parts: [
            { type: 'text', content: 'x' },
            { type: 'tool_call', name: 'search' },
          ],
        },
      ]),
      'llm.output_messages.0.message.tool_calls.0.tool_call.function.name': 'lookup',
    });
    for (const [token_type, tokens] of [
      ['cache_read', 300],
      ['cache_write', 200],
      ['reasoning', 100],
    ] as const) {
      expect(value('llm_token_details_total', { token_type })).toBe(tokens);
    }
    expect(value('llm_cost_usd_total')).toBe(0.25);
    expect(value('llm_tool_calls_total', { tool_name: 'search' })).toBe(1);
    expect(value('llm_tool_calls_total', { tool_name: 'lookup' })).toBe(1);
  });

  const used = (details: object) => ({
    'langfuse.observation.type': 'generation',
    'langfuse.observation.model.name': 'claude-sonnet-4-5',
    'langfuse.observation.usage_details': JSON.stringify(details),
  });
  it.each([
    [
      { input: 800, output: 400, total: 1500, input_cached_tokens: 200, output_reasoning_tokens: 100 },
      200,
      undefined,
      100,
    ],
    [{ input: 750, cache_read_input_tokens: 200, cache_creation_input_tokens: 50, output: 500 }, 200, 50, undefined],
    [{ input: 1000, input_cache_read: 200, output: 500, output_reasoning: 100, total: 1500 }, 200, undefined, 100],
    [
      {
        prompt_tokens: 1000,
        completion_tokens: 500,
        total_tokens: 1500,
        prompt_tokens_details: { cached_tokens: 200 },
      },
      200,
    ],
    [
      {
        input_tokens: 1000,
        output_tokens: 500,
        input_tokens_details: { cached_tokens: 200 },
        output_tokens_details: {},
      },
      200,
    ],
    [{ input: 1000, output: 500, odd: 'x', more: null }],
  ])(
    'has in Langfuse’s %j whole sums',
    async (details, cacheRead?: number, cacheWrite?: number, reasoning?: number) => {
      const { span, value } = create();
      await span('g', used(details));
      expect(value('llm_tokens_total', { token_type: 'input' })).toBe(1000);
      expect(value('llm_tokens_total', { token_type: 'output' })).toBe(500);
      expect(value('llm_token_details_total', { token_type: 'cache_read' })).toBe(cacheRead);
      expect(value('llm_token_details_total', { token_type: 'cache_write' })).toBe(cacheWrite);
      expect(value('llm_token_details_total', { token_type: 'reasoning' })).toBe(reasoning);
    },
  );

  it('tells Langfuse’s cost, first token, failure, and agent', async () => {
    const { telemetry, span, value } = create();
    const begun = new Date(1_700_000_000_500).toISOString();
    telemetry.recordSpan(
      finished({
        ...used({ input: 10 }),
        'langfuse.observation.cost_details': '{"total":0.25}',
        'langfuse.observation.completion_start_time': JSON.stringify(begun),
      }),
    );
    expect(value('llm_cost_usd_total')).toBe(0.25);
    expect(value('llm_requests_total', { operation: 'stream' })).toBe(1);
    expect(await telemetry.prometheus()).toMatch(/llm_time_to_first_token_seconds_sum\{.*\} 0\.5\n/);
    await span('helper', { 'langfuse.observation.type': 'agent' }, (agent) =>
      span(
        'ask',
        {
          ...used({}),
          'langfuse.observation.level': 'ERROR',
          'langfuse.observation.status_message': 'Error: 429 Rate limit reached',
        },
        undefined,
        agent,
      ),
    );
    expect(value('llm_errors_total', { error_type: 'rate_limit', agent: 'helper', span_type: 'llm' })).toBe(1);
    await span('lookup', { 'langfuse.observation.type': 'tool' });
    expect(value('llm_tool_executions_total', { tool_name: 'lookup', status: 'ok' })).toBe(1);
  });

  it('adds what Logfire says of a stream in a log of its own to the call', async () => {
    const { span, value } = create();
    const { 'gen_ai.usage.input_tokens': input, 'gen_ai.usage.output_tokens': output, ...asked } = chat;
    await span('Chat Completion', { ...asked, 'logfire.span_type': 'span' });
    await span('streaming response', {
      ...asked,
      'logfire.span_type': 'log',
      'gen_ai.usage.input_tokens': input,
      'gen_ai.usage.output_tokens': output,
    });
    expect(value('llm_requests_total')).toBe(1);
    expect(value('llm_tokens_total')).toBe(1500);
    expect(value('llm_cost_usd_total')).toBeGreaterThan(0);
  });

  it.each([
    ['gen_ai.usage.audio.input_tokens', 'gen_ai.usage.audio.output_tokens'],
    ['llm.token_count.prompt_details.audio', 'llm.token_count.completion_details.audio'],
  ])('prices the tokens that were audio: %s', async (input, output) => {
    const prices = { 'gpt-4o': { input: 1, output: 10, audioInput: 100, audioOutput: 1000 } };
    const { telemetry, value } = create({ prices });
    telemetry.recordSpan(finished({ ...chat, [input]: 400, [output]: 100 }));
    expect(value('llm_cost_usd_total')).toBeCloseTo((600 + 400 * 100 + 400 * 10 + 100 * 1000) / 1e6, 12);
  });

  it('prices what Anthropic’s SDK says of caches that live for an hour, and of tiers', async () => {
    const { span, value } = create({
      prices: [{ c: { input: 1000, output: 0, cacheWrite: 2000, cacheWrite1h: 4000, serviceTiers: { batch: 0.5 } } }],
    });
    const call = {
      ...chat,
      'gen_ai.response.model': 'c',
      'gen_ai.usage.cache_write.input_tokens': 500,
      'anthropic.usage.cache_creation.ephemeral_1h_input_tokens': 300,
    };
    await span('anthropic.messages.create', call);
    expect(value('llm_cost_usd_total')).toBeCloseTo(0.5 + 0.4 + 1.2, 9);
    await span('anthropic.messages.create', { ...call, 'anthropic.response.service_tier': 'batch' });
    expect(value('llm_cost_usd_total')).toBeCloseTo(2.1 * 1.5, 9);
  });

  it('counts its error in a class, and a caller who left as none', async () => {
    const { span, value } = create();
    await span('chat', { ...chat, 'error.type': '429' }, (made) => made.setStatus({ code: 2 }));
    await span('chat', chat, (made) => {
      made.recordException(Object.assign(new Error('took too long'), { name: 'TimeoutError' }));
      made.setStatus({ code: 2, message: 'took too long' });
    });
    await span('chat', { ...chat, 'error.type': 'AbortError' }, (made) => made.setStatus({ code: 2 }));
    expect(value('llm_errors_total', { error_type: 'rate_limit', span_type: 'llm', provider: 'openai' })).toBe(1);
    expect(value('llm_errors_total', { error_type: 'timeout' })).toBe(1);
    expect(value('llm_errors_total')).toBe(2);
    expect(value('llm_streams_aborted_total')).toBe(1);
    expect(value('llm_requests_total', { status: 'ok' })).toBe(1);
  });

  it('is an exemplar where its own tracer samples it', async () => {
    const { telemetry } = create();
    telemetry.recordSpan(finished(chat));
    expect(await telemetry.prometheus({ format: 'openmetrics' })).toContain(`trace_id="${'1'.repeat(32)}"`);
    const { telemetry: other } = create();
    const span = finished(chat);
    other.recordSpan({ ...span, spanContext: () => ({ ...span.spanContext(), traceFlags: 0 }) });
    expect(await other.prometheus({ format: 'openmetrics' })).not.toContain('trace_id');
  });

  it('takes its seconds from its own span', () => {
    const { telemetry } = create();
    telemetry.recordSpan(finished(chat));
    return expect(telemetry.prometheus()).resolves.toMatch(/llm_request_duration_seconds_sum\{[^}]*\} 2\n/);
  });
});

describe('none is counted twice', () => {
  const calls = (value: (name: string) => number | undefined) => value('llm_requests_total');

  it('of our own spans, whatever their scope is called', async () => {
    const { telemetry, value } = create({ scope: { name: 'mine' } });
    await telemetry.agent({ name: 'a' }, () =>
      telemetry.tool({ name: 't' }, () => telemetry.fetch(chatUrl, chatRequest()))(),
    )();
    await telemetry.fetch(chatUrl, chatRequest()).then((response) => response.json());
    const before = [calls(value), value('llm_tool_executions_total'), value('llm_span_duration_seconds')];
    const other = createAlsTelemetry();
    for (const span of telemetry.spans) {
      telemetry.recordSpan(span);
      other.recordSpan(span);
      telemetry.recordSpan({ ...finished(span.attributes), instrumentationScope: { name: 'edgespan' } });
    }
    expect([calls(value), value('llm_tool_executions_total'), value('llm_span_duration_seconds')]).toEqual(before);
    expect(other.metrics.value('llm_requests_total')).toBeUndefined();
  });

  it('of spans that a library makes by our tracer', async () => {
    const { telemetry, value } = create();
    telemetry.tracerProvider
      .getTracer('ai')
      .startSpan('chat', { attributes: chat as api.Attributes })
      .end();
    expect(calls(value)).toBeUndefined();
    telemetry.recordSpan(telemetry.spans[0]!);
    expect(calls(value)).toBe(1);
  });

  it('of a span that is handed over twice', async () => {
    const { telemetry, span, value } = create();
    const made = await span('chat', chat);
    telemetry.recordSpan(made);
    telemetry.recordSpan({ ...finished(chat), spanContext: () => made.spanContext() });
    expect(calls(value)).toBe(1);
  });

  it('of parents that restate their parts', async () => {
    const { span, value } = create();
    const usage = { 'ai.usage.inputTokens': 1000, 'gen_ai.usage.input_tokens': 1000 };
    await span('ai.generateText', { 'ai.operationId': 'ai.generateText', ...usage }, (root) =>
      span('ai.generateText.doGenerate', { 'ai.operationId': 'ai.generateText.doGenerate', ...usage }, undefined, root),
    );
    await span('invoke_agent x', { 'gen_ai.operation.name': 'invoke_agent', ...usage }, (agent) =>
      span(
        'chat',
        { ...chat },
        (outer) => span('POST', {}, (http) => span('chat', { ...chat }, undefined, http), outer),
        agent,
      ),
    );
    expect(calls(value)).toBe(2);
    expect(value('llm_tokens_total')).toBe(1000 + 1500);
  });

  it('of a call inside that ends after the one around it, however deep', async () => {
    const { span, tracer, value } = create();
    let inner: api.Span | undefined;
    let deepest: api.Span | undefined;
    let embedding: api.Span | undefined;
    const start = (parent: api.Span, over: Fields = {}) =>
      tracer.startSpan(
        'chat',
        { attributes: { ...chat, ...over } as api.Attributes },
        api.trace.setSpan(api.ROOT_CONTEXT, parent),
      );
    await span('LLM', { ...chat }, (outer) => {
      inner = start(outer);
      deepest = start(inner);
      embedding = start(outer, { 'gen_ai.operation.name': 'embeddings' });
    });
    inner?.end();
    deepest?.end();
    expect(calls(value)).toBe(1);
    expect(value('llm_tokens_total')).toBe(1500);
    embedding?.end();
    expect(calls(value)).toBe(2);
  });

  it('yet a chat around an embedding, or around a tool that chats, is a call of its own', async () => {
    const { span, value } = create();
    const embed = { ...chat, 'gen_ai.operation.name': 'embeddings' };
    const tool = { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'ask' };
    await span('chat', chat, (outer) => span('embeddings', embed, undefined, outer));
    await span('chat', chat, (outer) =>
      span('execute_tool ask', tool, (inner) => span('chat', chat, undefined, inner), outer),
    );
    expect(calls(value)).toBe(4);
  });

  it('of a call inside that our fetch has seen, by its parent', async () => {
    const { telemetry, span, value } = create();
    await span('chat', chat, (outer) =>
      telemetry.with({ parent: outer }, async (scoped) => (await scoped.fetch(chatUrl, chatRequest())).json()),
    );
    expect(calls(value)).toBe(1);
    expect(value('llm_tokens_total')).toBe(15);
  });

  it('of a call inside that our fetch has seen, by its reply’s id', async () => {
    const { telemetry, span, value } = create();
    const call = () => telemetry.fetch(chatUrl, chatRequest()).then((response) => response.json());
    await span('chat', { ...chat, 'gen_ai.response.id': 'chatcmpl-1' }, call);
    expect(calls(value)).toBe(1);
    await call();
    telemetry.recordSpan(finished({ ...chat, 'gen_ai.response.id': 'chatcmpl-2' }));
    expect(calls(value)).toBe(3);
  });

  it('of a call that our fetch has seen meanwhile, by what was counted, where the other tracer says no id', async () => {
    const { telemetry, span, value } = create();
    const call = () => telemetry.fetch(chatUrl, chatRequest()).then((response) => response.json());
    const { model, usage } = chatCompletion() as { model: string; usage: Record<string, number> };
    const other = {
      'langfuse.observation.type': 'generation',
      'langfuse.observation.model.name': model,
      'langfuse.observation.usage_details': JSON.stringify(usage),
    };
    await span('OpenAI.chat', other, call);
    expect(calls(value)).toBe(1);
    // Of another time, or of another size, it is another call.
    telemetry.recordSpan(finished(other));
    expect(calls(value)).toBe(2);
    await span('OpenAI.chat', { ...other, 'gen_ai.usage.input_tokens': 11 }, call);
    expect(calls(value)).toBe(4);
  });

  it('of a stream inside that ends after the span around it', async () => {
    const { telemetry, span, value } = create();
    let response: Response | undefined;
    await span('chat', chat, (outer) =>
      telemetry.with({ parent: outer }, async (scoped) => {
        response = await scoped.fetch(chatUrl, chatRequest());
      }),
    );
    await response!.json();
    expect(calls(value)).toBe(1);
    expect(telemetry.spans).toHaveLength(1);
  });

  it('of a wrapper of ours around it', async () => {
    const { telemetry, span, value } = create();
    const ask = telemetry.llm({ provider: 'openai' }, async () => {
      await span('chat', chat);
      return chatCompletion();
    });
    await ask();
    expect(calls(value)).toBe(1);
    expect(value('llm_tokens_total')).toBe(1500);
  });

  it('of a wrapper of ours that no async context leads to', async () => {
    const telemetry = createTelemetry({ inMemory: true });
    const ask = telemetry.llm({ provider: 'openai' }, async () => {
      const [now] = [Date.now()];
      const attributes = { ...chat, 'gen_ai.response.id': 'chatcmpl-1' };
      telemetry.recordSpan(finished(attributes, { startTime: [Math.floor(now / 1000), (now % 1000) * 1e6] }));
      return chatCompletion();
    });
    await ask();
    expect(telemetry.metrics.value('llm_requests_total')).toBe(1);
  });

  it('of tools, agents and retrievals that ours and another tracer tell of', async () => {
    const { telemetry, span, value } = create();
    const tool = { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'search' };
    await span('execute_tool search', tool, (outer) =>
      telemetry.tool({ name: 'search', parent: outer }, async () => 1)(),
    );
    expect(value('llm_tool_executions_total')).toBe(1);
    await telemetry.span('search', { type: 'tool' }, (ours) => span('execute_tool search', tool, undefined, ours));
    expect(value('llm_tool_executions_total', { tool_name: 'search', status: 'ok' })).toBe(2);
  });

  describe('with the host’s own context', () => {
    const storage = new AsyncLocalStorage<api.Context>();
    const manager: api.ContextManager = {
      active: () => storage.getStore() ?? api.ROOT_CONTEXT,
      with: (context, fn, self, ...args) => storage.run(context, () => fn.apply(self as never, args)),
      bind: (_context, target) => target,
      enable: () => manager,
      disable: () => manager,
    };
    afterEach(() => api.context.disable());

    it('of a call in another tracer’s span, inside an agent of ours', async () => {
      api.context.setGlobalContextManager(manager);
      const { telemetry, span, value } = create();
      await telemetry.agent({ name: 'a' }, () =>
        span('chat', chat, (outer) =>
          api.context.with(api.trace.setSpan(api.context.active(), outer), async () =>
            (await telemetry.fetch(chatUrl, chatRequest())).json(),
          ),
        ),
      )();
      expect(calls(value)).toBe(1);
      expect(value('llm_tokens_total', { agent: 'a' })).toBe(15);
    });
  });

  it('however many there were, it stays bounded', async () => {
    const { telemetry, value } = create();
    const first = finished(chat);
    telemetry.recordSpan(first);
    for (let i = 0; i < 2 * 4096; i++) {
      const spanId = (i + 1).toString(16).padStart(16, '0');
      telemetry.recordSpan(finished({}, { spanContext: () => ({ traceId: '2'.repeat(32), spanId, traceFlags: 1 }) }));
    }
    telemetry.recordSpan(first);
    expect(calls(value)).toBe(2);
  });
});

describe('what is no model call', () => {
  it('counts as the span it is, with the agent around it', async () => {
    const { span, value } = create();
    const agent = { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': 'planner' };
    const tool = { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'search' };
    await span('invoke_agent planner', agent, async (root) => {
      await span('execute_tool search', tool, (made) => made.setStatus({ code: 2 }), root);
      await span('retrieval docs', { 'gen_ai.operation.name': 'retrieval' }, undefined, root);
      await span('step', {}, (step) => span('chat', chat, undefined, step), root);
    });
    expect(value('llm_span_duration_seconds', { span_type: 'agent', agent: 'planner' })).toBe(1);
    expect(value('llm_tool_executions_total', { tool_name: 'search', status: 'error', agent: 'planner' })).toBe(1);
    expect(value('llm_retrievals_total', { agent: 'planner' })).toBe(1);
    expect(value('llm_requests_total', { agent: 'planner' })).toBe(1);
  });

  it('has the model that an agent of ours asked last in its errors', async () => {
    const { telemetry, span, value } = create();
    const tool = { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'search' };
    await telemetry.agent({ name: 'a' }, async () => {
      await telemetry.fetch(chatUrl, chatRequest()).then((response) => response.json());
      await span('execute_tool search', tool, (made) => made.setStatus({ code: 2 }));
    })();
    const labels = { span_type: 'tool', provider: 'openai', model: 'gpt-4o-2024-08-06', agent: 'a' };
    expect(value('llm_errors_total', labels)).toBe(1);
  });

  it.each([{}, { 'gen_ai.operation.name': 'create_agent' }, { 'openinference.span.kind': 'CHAIN' }])(
    'counts nothing: %j',
    async (attributes) => {
      const { span, value } = create();
      await span('x', attributes);
      for (const name of ['llm_requests_total', 'llm_span_duration_seconds']) expect(value(name)).toBeUndefined();
    },
  );
});

describe('odd spans', () => {
  it('never throw, and invent no number', () => {
    const { telemetry, value } = create();
    for (const bad of ['12', -1, 1.5, {}, [1]]) {
      telemetry.recordSpan(finished({ ...chat, 'gen_ai.usage.input_tokens': bad }));
    }
    telemetry.recordSpan(finished({ ...chat, 'gen_ai.usage.input_tokens': Number.NaN }));
    expect(value('llm_tokens_total', { token_type: 'input' })).toBeUndefined();
    expect(value('edgespan_parse_errors_total', { provider: 'openai' })).toBe(5);
    expect(value('llm_requests_total')).toBe(6);
  });

  it('that have not ended, or have no times, count nothing', () => {
    const { telemetry, value } = create();
    telemetry.recordSpan(finished(chat, { ended: false }));
    telemetry.recordSpan(finished(chat, { duration: [Number.NaN, 0] }));
    telemetry.recordSpan(finished(chat, { startTime: undefined as never }));
    expect(value('llm_requests_total')).toBeUndefined();
    expect(value('edgespan_parse_errors_total', { provider: 'openai' })).toBe(3);
  });

  it('of whatever shape', () => {
    const { telemetry } = create({ onError: () => {} });
    const names = fc.constantFrom(...Object.keys(chat), 'ai.operationId', 'openinference.span.kind', 'error.type');
    fc.assert(
      fc.property(fc.dictionary(names, fc.anything()), fc.anything(), (attributes, odd) => {
        telemetry.recordSpan(finished(attributes, { status: odd as never, events: odd as never }));
        telemetry.recordSpan({ ...finished(attributes), name: odd as never, instrumentationScope: odd as never });
        telemetry.recordSpan(odd as never);
      }),
    );
    expect(telemetry.health()).toBeDefined();
  });

  it('that are none are parse errors', () => {
    const { telemetry, value } = create({ onError: () => {} });
    for (const odd of [undefined, null, 5, {}]) telemetry.recordSpan(odd as never);
    expect(value('edgespan_parse_errors_total', { provider: 'unknown' })).toBe(4);
  });

  it('with SDK 1’s id of a parent', async () => {
    const { telemetry, span, value } = create();
    await span('chat', chat, (outer) => {
      const old = { ...finished(chat), parentSpanId: outer.spanContext().spanId };
      const { traceId } = outer.spanContext();
      telemetry.recordSpan({ ...old, spanContext: () => ({ traceId, spanId: '2'.repeat(16), traceFlags: 1 }) });
    });
    expect(value('llm_requests_total')).toBe(1);
  });
});

describe('the processor', () => {
  it('flushes, and records no more once it is shut down', async () => {
    const { provider, processor, span, value } = create();
    await provider.forceFlush();
    await processor.shutdown();
    await span('chat', chat);
    expect(value('llm_requests_total')).toBeUndefined();
    await provider.shutdown();
  });

  it('passes everything by where telemetry is off', async () => {
    const { span, value } = create({ enabled: false });
    await span('chat', chat);
    expect(value('llm_requests_total')).toBeUndefined();
  });

  it('hears nothing of what its tracer does not record', async () => {
    const { telemetry, value } = create();
    const provider = new TracerProvider({
      sampler: new AlwaysOffSampler(),
      spanProcessors: [createSpanProcessor(telemetry)],
    });
    provider
      .getTracer('x')
      .startSpan('chat', { attributes: chat as api.Attributes })
      .end();
    expect(value('llm_requests_total')).toBeUndefined();
  });
});

it.each([
  ['openai.responses', 'openai'],
  ['azure.ai.openai', 'azure'],
  ['azure-openai.chat', 'azure'],
  ['az.ai.inference', 'azure'],
  ['google.generative-ai', 'google'],
  ['gcp.gemini', 'google'],
  ['gcp.gen_ai', 'google'],
  ['gcp.vertex_ai', 'vertex'],
  ['google.vertex.chat', 'vertex'],
  ['vertex.anthropic.messages', 'vertex'],
  ['amazon-bedrock', 'bedrock'],
  ['aws.bedrock', 'bedrock'],
  ['AWS', 'bedrock'],
  ['anthropic.messages', 'anthropic'],
  ['mistral_ai', 'mistral'],
  ['MistralAI', 'mistral'],
  ['x_ai', 'xai'],
  ['xai.chat', 'xai'],
  ['groq.chat', 'groq'],
  ['deepseek.chat', 'deepseek'],
  ['togetherai.chat', 'together'],
  ['workersai.chat', 'cloudflare'],
  ['ibm.watsonx.ai', 'ibm.watsonx.ai'],
  ['acme.chat', 'acme'],
])('%s is %s', (given, short) => {
  expect(shortProviderName(given)).toBe(short);
});
