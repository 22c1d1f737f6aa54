import type { ReadableSpan, Telemetry, TelemetryOptions } from '../../src/index.ts';
import { equal, near, ok } from './assert.ts';
import { createClock, createTelemetry, type Suite, type SuiteEnv, tick } from './suite.ts';
import { chatCompletion, chatStream, createSource, messageStream, post, sse } from './upstream.ts';

const prices = {
  'gpt-4o-mini': { input: 1, output: 10 },
  'claude-sonnet-4-5': { input: 3, output: 15, cacheRead: 0.3 },
};
const openai = 'https://api.openai.com/v1/chat/completions';
const anthropic = 'https://api.anthropic.com/v1/messages';

function setUp(env: SuiteEnv, answer: () => Response, options: TelemetryOptions = {}) {
  const clock = createClock();
  const fetch = async () => {
    await tick();
    clock.advance(100);
    return answer();
  };
  return { clock, telemetry: createTelemetry(env, { clock, prices, fetch, ...options }) };
}

function only(telemetry: Telemetry): ReadableSpan {
  equal(telemetry.spans.length, 1, 'spans');
  return telemetry.spans[0]!;
}

function pick(span: ReadableSpan, ...names: string[]) {
  return Object.fromEntries(names.map((name) => [name, span.attributes[name]]));
}

const chat = {
  'gen_ai.operation.name': 'chat',
  'gen_ai.provider.name': 'openai',
  'gen_ai.request.model': 'gpt-4o-mini',
  'gen_ai.response.model': 'gpt-4o-mini-2024-07-18',
  'gen_ai.response.id': 'chatcmpl-1',
  'gen_ai.response.finish_reasons': ['stop'],
  'gen_ai.usage.input_tokens': 12,
  'gen_ai.usage.output_tokens': 7,
  'llm.provider': 'openai',
  'llm.model': 'gpt-4o-mini-2024-07-18',
  'llm.input_tokens': 12,
  'llm.output_tokens': 7,
  // 12 × $1 + 7 × $10 a million
  'llm.cost_usd': 0.000082,
  'llm.cache_hit': 'miss',
  'llm.tool_calls': 0,
  'server.address': 'api.openai.com',
  'http.response.status_code': 200,
};

export const llm: Suite = [
  {
    name: 'llm: a chat completion of OpenAI',
    async run(env) {
      const { telemetry } = setUp(env, () => Response.json(chatCompletion));
      const response = await telemetry.fetch(openai, post({ model: 'gpt-4o-mini', temperature: 0.5, messages: [] }));
      equal(await response.json(), chatCompletion, 'answer');
      const span = only(telemetry);
      equal([span.name, span.kind, span.status.code], ['chat gpt-4o-mini', 2, 0], 'span');
      equal(pick(span, ...Object.keys(chat)), chat, 'attributes');
      equal(span.attributes['gen_ai.request.temperature'], 0.5, 'temperature');
      equal(pick(span, 'llm.operation', 'llm.latency_ms'), { 'llm.operation': 'chat', 'llm.latency_ms': 100 }, 'call');
      const labels = { provider: 'openai', model: 'gpt-4o-mini-2024-07-18' };
      const { metrics } = telemetry;
      equal(metrics.value('llm_requests_total', { ...labels, operation: 'chat', status: 'ok' }), 1, 'requests');
      equal(metrics.value('llm_tokens_total', { ...labels, token_type: 'input' }), 12, 'input');
      equal(metrics.value('llm_tokens_total', { ...labels, token_type: 'output' }), 7, 'output');
      near(metrics.value('llm_cost_usd_total', labels), 0.000082, 'cost');
    },
  },
  {
    name: 'llm: the same, streamed, with the time to the first token',
    async run(env) {
      const clock = createClock();
      // Headers after 100 ms, then 50 ms a chunk; the second one is the first with content.
      const source = createSource(chatStream, () => clock.advance(50));
      const fetch = async () => {
        await tick();
        clock.advance(100);
        return new Response(source.body, { headers: sse });
      };
      const telemetry = createTelemetry(env, { clock, prices, fetch });
      const response = await telemetry.fetch(openai, post({ model: 'gpt-4o-mini', stream: true, messages: [] }));
      equal(await response.text(), chatStream.join(''), 'answer');
      const span = only(telemetry);
      equal(pick(span, ...Object.keys(chat)), chat, 'attributes are those of the unstreamed call');
      equal(span.attributes['gen_ai.response.time_to_first_chunk'], 0.2, 'time to first token');
      equal(
        pick(span, 'llm.operation', 'llm.latency_ms'),
        { 'llm.operation': 'stream', 'llm.latency_ms': 400 },
        'call',
      );
      equal(span.duration, [0, 400_000_000], 'duration');
      const snapshot = await telemetry.metrics.collect();
      const histogram = (name: string) => snapshot.metrics.find((family) => family.name === name)?.points[0];
      equal(histogram('llm_time_to_first_token_seconds')?.sum, 0.2, 'metric');
      near(histogram('llm_time_per_output_token_seconds')?.sum, 0.2 / 6, 'per token after the first');
      equal(telemetry.metrics.value('llm_requests_total', { operation: 'stream' }), 1, 'requests');
    },
  },
  {
    name: 'llm: a streamed message of Anthropic with a tool call and cache reads',
    async run(env) {
      const { telemetry } = setUp(env, () => new Response(createSource(messageStream).body, { headers: sse }));
      const body = { model: 'claude-sonnet-4-5', max_tokens: 64, stream: true, messages: [] };
      equal(await (await telemetry.fetch(anthropic, post(body))).text(), messageStream.join(''), 'answer');
      const expected = {
        'gen_ai.provider.name': 'anthropic',
        'gen_ai.request.max_tokens': 64,
        'gen_ai.response.model': 'claude-sonnet-4-5-20250929',
        'gen_ai.response.id': 'msg_1',
        'gen_ai.response.finish_reasons': ['tool_use'],
        'gen_ai.usage.input_tokens': 100,
        'gen_ai.usage.cache_read.input_tokens': 20,
        'gen_ai.usage.output_tokens': 30,
        'llm.tool_calls': 1,
        'llm.tool_names': ['weather'],
        // 80 × $3 + 20 × $0.3 + 30 × $15 a million
        'llm.cost_usd': 0.000696,
      };
      equal(pick(only(telemetry), ...Object.keys(expected)), expected, 'attributes');
      const { metrics } = telemetry;
      equal(metrics.value('llm_tool_calls_total', { tool_name: 'weather' }), 1, 'tool calls');
      equal(metrics.value('llm_token_details_total', { token_type: 'cache_read' }), 20, 'cache reads');
      equal(metrics.value('llm_tokens_total'), 130, 'tokens');
    },
  },
  {
    name: 'llm: an error of the vendor is the span’s, and reaches the caller',
    async run(env) {
      const error = { error: { message: 'slow down', type: 'requests', code: 'rate_limit_exceeded' } };
      const { telemetry } = setUp(env, () => Response.json(error, { status: 429 }));
      const response = await telemetry.fetch(openai, post({ model: 'gpt-4o-mini', messages: [] }));
      equal([response.status, await response.json()], [429, error], 'answer');
      const span = only(telemetry);
      equal(span.status.code, 2, 'status');
      const expected = {
        'error.type': 'rate_limit_exceeded',
        'llm.error_type': 'rate_limit_exceeded',
        'edgespan.error_class': 'rate_limit',
        'http.response.status_code': 429,
        'llm.input_tokens': undefined,
        'llm.cost_usd': undefined,
      };
      equal(pick(span, ...Object.keys(expected)), expected, 'attributes');
      equal(telemetry.metrics.value('llm_errors_total', { error_type: 'rate_limit' }), 1, 'errors');
      equal(telemetry.metrics.value('llm_requests_total', { status: 'error' }), 1, 'requests');
      equal(telemetry.metrics.value('llm_unpriced_requests_total'), undefined, 'no usage, no price to miss');
    },
  },
  {
    name: 'llm: a request that fails throws what fetch threw',
    async run(env) {
      const failure = new TypeError('fetch failed');
      const telemetry = createTelemetry(env, {
        fetch: async () => {
          throw failure;
        },
      });
      let caught: unknown;
      await telemetry.fetch(openai, post({ model: 'gpt-4o-mini' })).catch((error: unknown) => {
        caught = error;
      });
      ok(caught === failure, 'another error came out');
      equal(only(telemetry).attributes['edgespan.error_class'], 'provider_error', 'class');
    },
  },
  {
    name: 'llm: embeddings of OpenAI',
    async run(env) {
      const reply = {
        object: 'list',
        model: 'text-embedding-3-small',
        data: [{ object: 'embedding', index: 0, embedding: [0.1, 0.2, 0.3] }],
        usage: { prompt_tokens: 1000, total_tokens: 1000 },
      };
      const { telemetry } = setUp(env, () => Response.json(reply), {
        prices: { 'text-embedding-3-small': { input: 0.02 } },
      });
      const body = { model: 'text-embedding-3-small', input: 'hello' };
      equal(await (await telemetry.fetch('https://api.openai.com/v1/embeddings', post(body))).json(), reply, 'answer');
      const span = only(telemetry);
      equal(span.name, 'embeddings text-embedding-3-small', 'name');
      const expected = {
        'gen_ai.operation.name': 'embeddings',
        'llm.operation': 'embed',
        'gen_ai.usage.input_tokens': 1000,
        'gen_ai.usage.output_tokens': undefined,
        'gen_ai.embeddings.dimension.count': 3,
        'llm.cost_usd': 0.00002,
      };
      equal(pick(span, ...Object.keys(expected)), expected, 'attributes');
    },
  },
  {
    name: 'llm: unknown is not zero: no usage and no price, no numbers',
    async run(env) {
      const reply = { ...chatCompletion, model: 'homegrown-1' };
      const priceless = setUp(env, () => Response.json(reply)).telemetry;
      await (await priceless.fetch(openai, post({ model: 'homegrown-1' }))).text();
      equal(only(priceless).attributes['llm.cost_usd'], undefined, 'cost');
      equal(priceless.metrics.value('llm_unpriced_requests_total'), 1, 'unpriced');
      const { usage: _, ...unused } = chatCompletion;
      const silent = setUp(env, () => Response.json(unused)).telemetry;
      await (await silent.fetch(openai, post({ model: 'gpt-4o-mini' }))).text();
      const names = ['gen_ai.usage.input_tokens', 'gen_ai.usage.output_tokens', 'llm.input_tokens', 'llm.cost_usd'];
      equal(pick(only(silent), ...names), Object.fromEntries(names.map((name) => [name, undefined])), 'usage');
    },
  },
  {
    name: 'llm: calls are children of the agent they are made in, and labelled by it',
    async run(env) {
      const { telemetry } = setUp(env, () => Response.json(chatCompletion));
      await telemetry.span('research', { type: 'agent' }, async (_, inside) => {
        await (await inside.fetch(openai, post({ model: 'gpt-4o-mini' }))).text();
      });
      const [call, agent] = telemetry.spans;
      equal(agent?.name, 'invoke_agent research', 'agent');
      equal(call?.parentSpanContext?.spanId, agent?.spanContext().spanId, 'parent');
      equal(telemetry.metrics.value('llm_requests_total', { agent: 'research' }), 1, 'label');
    },
  },
  {
    name: 'llm: an llm wrapper around an observed call counts its tokens once',
    async run(env) {
      const { telemetry } = setUp(env, () => Response.json(chatCompletion));
      const call = async (fetch: typeof globalThis.fetch) =>
        (await fetch(openai, post({ model: 'gpt-4o-mini' }))).json();
      const asked = telemetry.llm(
        { provider: 'openai', model: 'gpt-4o-mini', response: () => ({ usage: { input: 12, output: 7 } }) },
        call,
      );
      await asked(telemetry.fetch);
      equal(telemetry.spans.length, 2, 'spans');
      equal(telemetry.metrics.value('llm_tokens_total'), 19, 'tokens');
    },
  },
  {
    name: 'llm: the caller’s trace goes only where it may',
    async run(env) {
      const seen: (string | null)[] = [];
      const telemetry = createTelemetry(env, {
        propagation: { to: ({ hostname }) => hostname === 'inside.test' },
        fetch: async (input, init) => {
          seen.push(new Headers(init?.headers ?? (input as Request).headers).get('traceparent'));
          return new Response('');
        },
      });
      await telemetry.span('s', async (_, inside) => {
        await inside.fetch('https://outside.test/');
        await inside.fetch('https://inside.test/', { headers: { 'x-a': '1' } });
      });
      const { traceId, spanId } = telemetry.spans[0]!.spanContext();
      equal(seen, [null, `00-${traceId}-${spanId}-03`], 'traceparent');
    },
  },
];
