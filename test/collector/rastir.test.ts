import { spawnSync } from 'node:child_process';
import type { AddressInfo } from 'node:net';
import process from 'node:process';
import { serve } from '@hono/node-server';
import { describe, expect, it } from 'vitest';
import { createCollector, createMemoryTraceStore } from '../../src/collector/index.ts';
import { createTelemetry } from '../../src/index.ts';
import { startProgram } from './programs.ts';
import { chatSpan, getJson, getMetrics, post, sendSpans } from './support.ts';

/** Rows of Rastir's collector, each with the labels that its dashboards ask for. */
const se = 'service env';
const asked = `${se} model provider agent`;
const rows: Record<string, string> = {
  rastir_spans_ingested_total: `${se} span_type status`,
  rastir_llm_calls_total: asked,
  rastir_tokens_input_total: asked,
  rastir_tokens_output_total: asked,
  rastir_tool_calls_total: `${asked} tool_name`,
  rastir_retrieval_calls_total: asked,
  rastir_errors_total: `${asked} span_type error_type`,
  rastir_duration_seconds_count: `${asked} span_type`,
  rastir_tokens_per_call_count: `${se} model provider`,
  rastir_cost_total: `${asked} pricing_profile`,
  rastir_cost_per_call_usd_count: `${se} model`,
  rastir_pricing_missing_total: `${se} model provider`,
  rastir_ttft_seconds_count: `${se} model provider`,
  rastir_guardrail_requests_total: `${asked} guardrail_id guardrail_version`,
  rastir_guardrail_violations_total: `${asked} guardrail_id guardrail_action guardrail_category`,
  rastir_evaluation_runs_total: `${asked} evaluation_type evaluator_model evaluator_provider`,
  rastir_evaluation_failures_total: `${asked} evaluation_type evaluator_model evaluator_provider`,
  rastir_evaluation_latency_seconds_count: `${asked} evaluation_type evaluator_model evaluator_provider`,
  rastir_evaluation_score: `${asked} evaluation_type evaluator_model evaluator_provider`,
  rastir_evaluation_queue_size: '',
  rastir_evaluation_queue_utilization_percent: '',
  rastir_evaluation_dropped_total: se,
  rastir_queue_size: '',
  rastir_queue_utilization_percent: '',
  rastir_memory_bytes: '',
  rastir_trace_store_size: '',
  rastir_active_traces: '',
  rastir_ingestion_rate: '',
  rastir_ingestion_rejections_total: se,
  rastir_export_failures_total: se,
  rastir_spans_sampled_total: se,
  rastir_spans_dropped_by_sampling_total: se,
  rastir_redaction_applied_total: se,
  rastir_redaction_failures_total: se,
  rastir_backpressure_warnings_total: '',
  rastir_spans_dropped_by_backpressure_total: '',
  rastir_rate_limited_total: 'dimension',
  rastir_slo_error_rate: 'agent',
  rastir_cost_budget_usd: 'agent',
};

/** The sum of a family's series, and the labels of those that are above 0. */
function readRow(text: string, name: string): { value: number; labels: string[] } | undefined {
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  if (lines.length === 0) return undefined;
  const values = lines.map((line) => Number(line.split(' ').at(-1)));
  const labels = new Set(lines.flatMap((line) => [...line.matchAll(/(\w+)="/g)].map((match) => match[1]!)));
  return { value: values.reduce((sum, value) => sum + value, 0), labels: [...labels] };
}

let ids = 0;

/** A span in Rastir's JSON. */
function rastirSpan(type: string, attributes: object, more: object = {}) {
  const hex = String(++ids).padStart(32, '0');
  const times = { start_time: 1_700_000_000, end_time: 1_700_000_001.5 };
  return {
    trace_id: hex,
    span_id: hex,
    name: `my_${type}`,
    span_type: type,
    status: 'OK',
    ...times,
    attributes,
    ...more,
  };
}

describe('preset rastir', () => {
  it('moves every row of Rastir’s collector by an event of its own', async () => {
    const store = createMemoryTraceStore();
    let hold: Promise<void> | undefined;
    let letGo = () => {};
    let tellAsked = () => {};
    const asked = new Promise<void>((resolve) => {
      tellAsked = resolve;
    });
    const collector = createCollector({
      telemetry: {
        metrics: { preset: 'rastir' },
        redact: [
          /sk-\w+/g,
          (text) => {
            if (text === 'break') throw new Error('broken');
            return text;
          },
        ],
        otlp: { fetch: async () => new Response('', { status: 400 }) },
        onError: () => {},
      },
      traces: {
        ...store,
        async add(...given) {
          if (hold) tellAsked();
          await hold;
          await store.add(...given);
        },
      },
      forward: { endpoint: 'http://backend.test' },
      adminKey: 'root',
      queue: { max: 20, softLimit: 0.5, hardLimit: 0.75 },
      rateLimit: { perService: 100 },
      objectives: { writer: { errorRate: 0.01, costBudgetUsd: 50 } },
      memoryBytes: () => process.memoryUsage().rss,
    });
    const configure = async (change: object) =>
      expect(
        (
          await collector.request('/config', {
            method: 'PUT',
            headers: { 'x-api-key': 'root' },
            body: JSON.stringify(change),
          })
        ).status,
      ).toBe(200);
    const moved = new Map<string, number>();
    /** Which rows an event has moved, so that each is moved by what it is about. */
    async function move(event: () => Promise<unknown>, ...names: string[]): Promise<void> {
      const before = await getMetrics(collector);
      await event();
      let missing = names;
      for (let turns = 0; missing.length > 0 && turns < 200; turns++) {
        await new Promise((resolve) => setTimeout(resolve, 0));
        const text = await getMetrics(collector);
        missing = missing.filter((name) => (readRow(text, name)?.value ?? 0) === (readRow(before, name)?.value ?? 0));
      }
      expect(missing).toEqual([]);
      for (const name of names) moved.set(name, (moved.get(name) ?? 0) + 1);
    }
    const send = (...spans: object[]) =>
      post(collector, '/v1/telemetry', { service: 'agents', env: 'dev', version: '1', spans });
    const call = { model: 'gpt-4o', provider: 'openai', agent: 'writer', tokens_input: 10, tokens_output: 5 };

    await move(
      () => send(rastirSpan('llm', { ...call, ttft_ms: 120, cost_usd: 0.002 })),
      ...['rastir_spans_ingested_total', 'rastir_llm_calls_total', 'rastir_tokens_input_total'],
      ...['rastir_tokens_output_total', 'rastir_duration_seconds_count', 'rastir_tokens_per_call_count'],
      ...['rastir_cost_total', 'rastir_cost_per_call_usd_count', 'rastir_ttft_seconds_count'],
      ...['rastir_spans_sampled_total', 'rastir_export_failures_total', 'rastir_trace_store_size'],
      ...['rastir_active_traces', 'rastir_ingestion_rate'],
    );
    await move(() => send(rastirSpan('llm', { ...call, model: 'nobody-knows' })), 'rastir_pricing_missing_total');
    await move(
      () => send(rastirSpan('tool', { tool_name: 'search', agent: 'writer', model: 'gpt-4o', provider: 'openai' })),
      'rastir_tool_calls_total',
    );
    await move(() => send(rastirSpan('retrieval', { agent: 'writer' })), 'rastir_retrieval_calls_total');
    await move(
      () => send(rastirSpan('llm', { ...call, 'error.type': 'RateLimitError' }, { status: 'ERROR' })),
      'rastir_errors_total',
    );
    await move(
      () =>
        send(
          rastirSpan('llm', {
            ...{ ...call, guardrail_id: 'gr-1', guardrail_version: '2', guardrail_enabled: true },
            ...{ guardrail_action: 'GUARDRAIL_INTERVENED', guardrail_category: 'CONTENT_POLICY' },
          }),
        ),
      ...['rastir_guardrail_requests_total', 'rastir_guardrail_violations_total'],
    );
    await move(() => send(rastirSpan('llm', { ...call, prompt_text: 'my sk-123' })), 'rastir_redaction_applied_total');
    await move(() => send(rastirSpan('llm', { ...call, prompt_text: 'break' })), 'rastir_redaction_failures_total');
    await configure({ sampling: { ratio: 0 } });
    await move(() => send(rastirSpan('llm', call)), 'rastir_spans_dropped_by_sampling_total');
    await configure({ sampling: { ratio: 1 }, rateLimit: { perService: 1 } });
    await move(async () => {
      await send(rastirSpan('llm', call));
      await send(rastirSpan('llm', call));
    }, 'rastir_rate_limited_total');
    await configure({ rateLimit: { perService: null } });

    // Judges run where the calls are made, and what they come to is pushed: as metrics, or as spans alone.
    const receive = (input: RequestInfo | URL, init?: RequestInit) =>
      Promise.resolve(collector.request(new URL(String(input)).pathname, init as RequestInit));
    const judging = (onlySpans: boolean, maxQueue: number) =>
      createTelemetry({
        serviceName: onlySpans ? 'judged' : 'judging',
        metrics: { preset: 'rastir', enabled: !onlySpans },
        evaluation: {
          evaluators: [
            { name: 'toxicity', provider: 'openai', model: 'judge', evaluate: async () => ({ score: 0.25 }) },
            {
              name: 'relevance',
              provider: 'openai',
              model: 'judge',
              evaluate: async () => Promise.reject(new Error('no answer')),
            },
          ],
          maxQueue,
        },
        otlp: { endpoint: 'http://collector.test', fetch: receive as typeof fetch, temporality: 'delta' },
        fetch: async () =>
          Response.json({
            ...{ id: `chatcmpl-${++ids}`, object: 'chat.completion', model: 'gpt-4o' },
            choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
            usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
          }),
        runtime: { env: {} },
        onError: () => {},
      });
    const ask = async (onlySpans: boolean, maxQueue: number) => {
      const client = judging(onlySpans, maxQueue);
      const response = await client.fetch('https://api.openai.com/v1/chat/completions', {
        method: 'POST',
        body: JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'Hello' }] }),
      });
      await response.text();
      await client.flush();
    };
    await move(
      () => ask(true, 10),
      ...['rastir_evaluation_runs_total', 'rastir_evaluation_failures_total', 'rastir_evaluation_score'],
      'rastir_evaluation_latency_seconds_count',
    );
    await move(() => ask(false, 1), 'rastir_evaluation_dropped_total');

    hold = new Promise((resolve) => {
      letGo = resolve;
    });
    const waiting: Promise<Response>[] = [];
    const many = (count: number) => send(...Array.from({ length: count }, () => rastirSpan('llm', call)));
    await move(async () => waiting.push(many(6)), ...['rastir_queue_size', 'rastir_queue_utilization_percent']);
    // The store has these; those that come now wait.
    await asked;
    await move(async () => waiting.push(many(6)), 'rastir_backpressure_warnings_total');
    await move(async () => waiting.push(many(6)), 'rastir_ingestion_rejections_total');
    await configure({ queue: { whenFull: 'drop_oldest' } });
    await move(async () => waiting.push(many(6)), 'rastir_spans_dropped_by_backpressure_total');
    letGo();
    await Promise.all(waiting);

    const text = await getMetrics(collector);
    for (const name of ['rastir_memory_bytes', 'rastir_slo_error_rate', 'rastir_cost_budget_usd']) {
      if ((readRow(text, name)?.value ?? 0) > 0) moved.set(name, 1);
    }
    // How many are under way is 0 again once they are over: the rows are there.
    for (const name of ['rastir_evaluation_queue_size', 'rastir_evaluation_queue_utilization_percent']) {
      if (readRow(text, name)) moved.set(name, 1);
    }
    expect(Object.keys(rows).filter((name) => !moved.has(name))).toEqual([]);
    for (const [name, labels] of Object.entries(rows)) {
      const expected = labels.split(' ').filter((label) => label !== '');
      // What is empty is not written; the clients' own families of queues say who they are besides.
      expect([name, ...expected.filter((label) => !readRow(text, name)?.labels.includes(label))]).toEqual([name]);
    }
    expect(text).toMatch(
      /rastir_llm_calls_total\{service="agents",env="dev",model="gpt-4o",provider="openai",agent="writer"\}/,
    );
    expect(text).toMatch(/rastir_slo_error_rate\{agent="writer"\} 0\.01/);
    expect(text).not.toMatch(/^llm_/m);
    await collector.shutdown();
  });
});

const python = process.env.RASTIR_PYTHON ?? 'python3';
const hasRastir = spawnSync(python, ['-c', 'import rastir']).status === 0;
const isDemanded = process.env.CI !== undefined && spawnSync(python, ['--version']).status === 0;

const program = `
import sys, rastir
rastir.configure(service="py", env="prod", version="2", push_url=sys.argv[1], api_key="key-a", flush_interval=1)

class Usage: prompt_tokens = 12; completion_tokens = 7; total_tokens = 19
class Message: content = "Hi"
class Choice: message = Message(); finish_reason = "stop"
class ChatCompletion:
    __module__ = "openai.types.chat"
    model = "gpt-4o"; usage = Usage(); choices = [Choice()]

@rastir.tool if hasattr(rastir, "tool") else rastir.trace
def search(q): return "found"

@rastir.llm(model="gpt-4o", provider="openai")
def ask(q): return ChatCompletion()

@rastir.agent(agent_name="writer")
def run(q):
    search(q)
    return ask(q)

run("hello")
rastir.stop_exporter()
`;

describe.skipIf(!hasRastir && !isDemanded)('Rastir’s own client (pip install rastir; RASTIR_PYTHON)', () => {
  it('sends to it, and what it sent is there', async () => {
    const collector = createCollector({
      keys: { 'key-a': 'a' },
      telemetry: { metrics: { preset: 'rastir' } },
      adminKey: 'root',
    });
    const server = serve({ fetch: collector.fetch, port: 0, hostname: '127.0.0.1' });
    await new Promise((resolve) => server.once('listening', resolve));
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const { code, stderr } = await startProgram(python, ['-c', program, url]);
      expect([code, stderr]).toEqual([0, '']);
      const key = { 'x-api-key': 'key-a' };
      const { traces } = (await getJson(collector, '/v1/traces', key)) as { traces: { trace_id: string }[] };
      expect(traces).toMatchObject([{ service: 'py', span_count: 3, models: ['gpt-4o'] }]);
      const { spans } = await getJson(collector, `/v1/traces/${traces[0]!.trace_id}`, key);
      expect((spans as { name: string }[]).map(({ name }) => name)).toEqual(
        expect.arrayContaining(['writer', 'ask', 'search']),
      );
      const text = await getMetrics(collector, { 'x-api-key': 'root' });
      expect(text).toMatch(
        /rastir_llm_calls_total\{service="py",env="prod",model="gpt-4o",provider="openai",agent="writer"\} 1/,
      );
    } finally {
      server.close();
    }
  });
});

describe('spans of edgespan under preset rastir', () => {
  it('keep the service and environment of their resource', async () => {
    const collector = createCollector({ telemetry: { metrics: { preset: 'rastir' } } });
    await sendSpans(collector, [chatSpan()]);
    expect(await getMetrics(collector)).toMatch(/rastir_cost_total\{service="shop",env="production",model="gpt-4o"/);
  });
});
