import { describe, expect, it } from 'vitest';
import { builtIn } from '../../src/built-in.ts';
import { assembleLate } from '../../src/create.ts';
import { createMetricRegistry, TelemetryError, type TelemetryOptions } from '../../src/index.ts';
import { metricDialect, type PresetName } from '../../src/llm/presets.ts';
import { getParts } from '../../src/parts.ts';
import {
  answers,
  costOf,
  counterLines,
  createPresetProgram,
  histogramLines,
  type Made,
  readPage,
  runProgram,
  type Worked,
  works,
} from '../support/preset-program.ts';
import { createAlsRuntime, createAlsTelemetry, createManualClock } from '../support/telemetry.ts';

const calls: readonly Made[] = Object.values(answers);

/** The page of a preset after the program, by the beginning of its names. */
async function pageOf(preset: PresetName, options: TelemetryOptions = {}, prefix = `${preset}_`) {
  const program = createPresetProgram({ ...options, metrics: { preset, ...options.metrics } });
  await runProgram(program);
  return { ...program, page: await readPage(program.telemetry, prefix) };
}

/** The lines of one family. */
function family(page: Record<string, number>, name: string): Record<string, number> {
  const own = Object.entries(page).filter(
    ([line]) => line.replace(/\{.*/, '').replace(/_(bucket|sum|count)$/, '') === name,
  );
  return Object.fromEntries(own);
}

const positive = (value: number | undefined) => (value !== undefined && value > 0 ? value : undefined);

describe('ractogateway', () => {
  const status = ({ error }: Made) => (error ? 'error' : 'ok');

  it('has its seven families with the figures of the calls, and no other of ours', async () => {
    const { page } = await pageOf('ractogateway');
    expect(page).toEqual({
      ...counterLines(
        'ractogateway_requests_total',
        calls.map((c) => [{ provider: c.provider, model: c.model, operation: c.operation, status: status(c) }, 1]),
      ),
      ...histogramLines(
        'ractogateway_request_duration_seconds',
        [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60],
        calls.map((c) => [{ provider: c.provider, model: c.model, operation: c.operation }, c.seconds]),
      ),
      ...counterLines(
        'ractogateway_tokens_total',
        calls.flatMap((c) => [
          [{ provider: c.provider, model: c.model, token_type: 'input' }, c.input] as const,
          [{ provider: c.provider, model: c.model, token_type: 'output' }, c.output] as const,
        ]),
      ),
      ...counterLines(
        'ractogateway_cost_usd_total',
        calls.map((c) => [{ provider: c.provider, model: c.model }, positive(costOf(c))]),
      ),
      ...counterLines(
        'ractogateway_tool_calls_total',
        calls.flatMap((c) => (c.tools ?? []).map((tool_name) => [{ tool_name }, 1] as const)),
      ),
    });
  });

  it('counts looks into caches, and tools without a name', async () => {
    const telemetry = createAlsTelemetry({ metrics: { preset: 'ractogateway' } });
    const call = { provider: 'openai', model: 'gpt-4o', latencyMs: 20 };
    telemetry.recordLlmCall({ ...call, cacheHit: 'exact' });
    telemetry.recordLlmCall({ ...call, cacheHit: 'semantic' });
    telemetry.recordLlmCall({ ...call, cacheHit: 'semantic' });
    telemetry.recordLlmCall({ ...call, cacheHit: 'miss', toolCalls: [{}, { name: 'search' }] });
    telemetry.recordCacheLookup({ type: 'semantic', hit: false });
    telemetry.recordCacheLookup({ type: 'exact', hit: true });
    const page = await readPage(telemetry, 'ractogateway_');
    expect(family(page, 'ractogateway_cache_hits_total')).toEqual({
      'ractogateway_cache_hits_total{cache_type="exact"}': 2,
      'ractogateway_cache_hits_total{cache_type="semantic"}': 2,
    });
    expect(family(page, 'ractogateway_cache_misses_total')).toEqual({
      'ractogateway_cache_misses_total{cache_type="exact"}': 1,
      'ractogateway_cache_misses_total{cache_type="semantic"}': 1,
    });
    expect(family(page, 'ractogateway_tool_calls_total')).toEqual({
      'ractogateway_tool_calls_total{tool_name="unknown"}': 1,
      'ractogateway_tool_calls_total{tool_name="search"}': 1,
    });
    expect(family(page, 'ractogateway_tokens_total')).toEqual({});
    expect(family(page, 'ractogateway_cost_usd_total')).toEqual({});
  });

  it('has no caps', async () => {
    const telemetry = createAlsTelemetry({ metrics: { preset: 'ractogateway' } });
    for (let i = 0; i < 300; i++) {
      telemetry.recordLlmCall({ provider: `p${i}`, model: `m${i}`, toolCalls: [{ name: `t${i}` }] });
    }
    const page = await readPage(telemetry, 'ractogateway_');
    expect(Object.keys(family(page, 'ractogateway_requests_total'))).toHaveLength(300);
    expect(Object.keys(family(page, 'ractogateway_tool_calls_total'))).toHaveLength(300);
    expect(Object.keys(page).join()).not.toContain('overflow');
  });

  it('names spans of model calls by their operation', async () => {
    const { telemetry } = await pageOf('ractogateway');
    const names = telemetry.spans.filter(({ kind }) => kind === 2).map(({ name }) => name);
    expect(names.toSorted()).toEqual([...Array(6).fill('llm.chat'), 'llm.embed', 'retrieval docs'].toSorted());
    await telemetry.llm({ name: 'answer', model: 'm' }, async () => 'x')();
    expect(telemetry.spans.at(-1)!.name).toBe('llm.chat');
    expect(telemetry.spans.some(({ name }) => name === 'invoke_agent research')).toBe(true);
  });
});

describe('rastir', () => {
  const words: Record<string, string> = { azure: 'azure_openai', google: 'gemini', bedrock: 'anthropic' };
  const word = (provider = '') => words[provider] ?? provider;
  const se = { service: 'shop', env: 'staging' };
  const options: TelemetryOptions = { serviceName: 'shop', environment: 'staging', pricingProfile: 'list' };
  const of = (c: Made) => ({ ...se, model: c.model, provider: word(c.provider), agent: c.agent });
  const model = (c: Made) => ({ ...se, model: c.model, provider: word(c.provider) });
  const typeOf = ({ type }: Worked) => (type === 'trace' ? 'system' : type);
  const ofWork = (w: Worked) => ({ model: w.model, provider: word(w.provider) });
  const sum = (c: Made) => (c.input ?? 0) + (c.output ?? 0);
  const seconds = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60];

  /** All lines that a client has to show, by family. */
  const expected: Record<string, Record<string, number>> = {
    spans: counterLines('rastir_spans_ingested_total', [
      ...calls.map((c) => [{ ...se, span_type: 'llm', status: c.error ? 'ERROR' : 'OK' }, 1] as const),
      ...works.map((w) => [{ ...se, span_type: typeOf(w), status: w.error ? 'ERROR' : 'OK' }, 1] as const),
    ]),
    calls: counterLines(
      'rastir_llm_calls_total',
      calls.map((c) => [of(c), 1]),
    ),
    input: counterLines(
      'rastir_tokens_input_total',
      calls.map((c) => [of(c), c.input]),
    ),
    output: counterLines(
      'rastir_tokens_output_total',
      calls.map((c) => [of(c), c.output]),
    ),
    perCall: histogramLines(
      'rastir_tokens_per_call',
      [10, 50, 100, 250, 500, 1000, 2000, 4000, 8000, 16_000, 32_000],
      calls.map((c) => [model(c), positive(sum(c))]),
    ),
    tools: counterLines(
      'rastir_tool_calls_total',
      works
        .filter(({ type }) => type === 'tool')
        .map((w) => [{ ...se, tool_name: w.name, agent: w.agent || 'unknown', ...ofWork(w) }, 1]),
    ),
    retrievals: counterLines(
      'rastir_retrieval_calls_total',
      works.filter(({ type }) => type === 'retrieval').map((w) => [{ ...se, agent: w.agent, ...ofWork(w) }, 1]),
    ),
    errors: counterLines('rastir_errors_total', [
      ...calls
        .filter(({ error }) => error)
        .map(
          (c) =>
            [{ ...se, span_type: 'llm', error_type: c.error![0], ...ofWork(c as never), agent: c.agent }, 1] as const,
        ),
      ...works
        .filter(({ error }) => error)
        .map((w) => [{ ...se, span_type: w.type, error_type: w.error, ...ofWork(w), agent: w.agent }, 1] as const),
    ]),
    duration: histogramLines('rastir_duration_seconds', seconds, [
      ...calls.map((c) => [{ ...se, span_type: 'llm', ...ofWork(c as never), agent: c.agent }, c.seconds] as const),
      ...works.map((w) => [{ ...se, span_type: typeOf(w), ...ofWork(w), agent: w.agent }, w.seconds] as const),
    ]),
    cost: counterLines(
      'rastir_cost_total',
      calls.map((c) => [{ ...of(c), pricing_profile: 'list' }, positive(costOf(c))]),
    ),
    costPerCall: histogramLines(
      'rastir_cost_per_call_usd',
      [0.0001, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100],
      calls.map((c) => [{ ...se, model: c.model }, positive(costOf(c))]),
    ),
    missing: counterLines(
      'rastir_pricing_missing_total',
      calls.filter((c) => sum(c) > 0 && !c.price).map((c) => [model(c), 1]),
    ),
    ttft: histogramLines(
      'rastir_ttft_seconds',
      [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10],
      calls.map((c) => [model(c), c.firstTokenSeconds]),
    ),
    guarded: counterLines(
      'rastir_guardrail_requests_total',
      calls.filter((c) => c.guardrail).map((c) => [guarded(c), 1]),
    ),
    violations: counterLines(
      'rastir_guardrail_violations_total',
      calls
        .filter((c) => c.guardrail)
        .map((c) => {
          const { guardrail_version: _, ...labels } = guarded(c);
          const { category } = c.guardrail!;
          return [{ ...labels, guardrail_action: 'GUARDRAIL_INTERVENED', guardrail_category: category }, 1];
        }),
    ),
  };

  function guarded({ provider, model, agent, guardrail }: Made) {
    const { id, version } = guardrail!;
    return { ...se, provider: word(provider), model, agent, guardrail_id: id, guardrail_version: version };
  }

  it('has its families with the figures of the calls, and no other of ours', async () => {
    const { page } = await pageOf('rastir', options);
    const all = Object.assign({}, ...Object.values(expected)) as Record<string, number>;
    expect(page).toEqual(all);
    // Each family was moved.
    expect(Object.entries(expected).filter(([, lines]) => !Object.values(lines).some((value) => value > 0))).toEqual(
      [],
    );
  });

  it('says who emits, in its own words where nobody said it', async () => {
    const { page } = await pageOf('rastir');
    const lines = Object.keys(page);
    expect(lines.filter((line) => !line.includes('{service="unknown",env="development"'))).toEqual([]);
    expect(lines.join()).toContain('pricing_profile="default"');
    const byEnvironment = await pageOf('rastir', {
      runtime: { env: { OTEL_SERVICE_NAME: 'named', OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=prod' } },
    });
    expect(Object.keys(byEnvironment.page).every((line) => line.includes('{service="named",env="prod"'))).toBe(true);
  });

  it('takes another prefix, other bounds and other caps by option', async () => {
    const { page } = await pageOf(
      'rastir',
      {
        metrics: {
          namespace: 'fleet',
          buckets: { fleet_ttft_seconds: [0.1, 1] },
          cardinality: { model: 2 },
        },
      },
      'fleet_',
    );
    expect(
      page[
        'fleet_llm_calls_total{service="unknown",env="development",model="gpt-4o",provider="azure_openai",agent=""}'
      ],
    ).toBe(1);
    const bounds = Object.keys(family(page, 'fleet_ttft_seconds')).flatMap(
      (line) => /le="([^"]+)"/.exec(line)?.[1] ?? [],
    );
    expect(bounds).toEqual(['0.1', '1', '+Inf']);
    const models = new Set(Object.keys(page).flatMap((line) => /model="([^"]+)"/.exec(line)?.[1] ?? []));
    expect([...models].toSorted()).toEqual(['__cardinality_overflow__', 'gpt-4o', answers.guarded.model].toSorted());
  });

  it('keeps its caps, shared by all metrics, and loses nothing from the sums', async () => {
    const telemetry = createAlsTelemetry({ metrics: { preset: 'rastir' } });
    const distinct = async (label: string, name: string) => {
      const lines = Object.keys(family(await readPage(telemetry, 'rastir_'), name));
      return new Set(lines.map((line) => new RegExp(`[{,]${label}="([^"]*)"`).exec(line)?.[1]));
    };
    for (let i = 0; i < 60; i++) {
      telemetry.recordLlmCall({ provider: `p${i}`, model: `m${i}`, inputTokens: 1, outputTokens: 0, costUsd: 1 });
    }
    expect((await distinct('model', 'rastir_llm_calls_total')).size).toBe(51);
    expect((await distinct('provider', 'rastir_llm_calls_total')).size).toBe(11);
    expect(telemetry.metrics.value('rastir_tokens_input_total')).toBe(60);
    expect(telemetry.metrics.value('rastir_tokens_input_total', { model: '__cardinality_overflow__' })).toBe(10);
    expect(telemetry.metrics.value('rastir_cost_total', { provider: '__cardinality_overflow__' })).toBe(50);
    for (let i = 0; i < 210; i++) {
      await telemetry.agent({ name: `a${i}` }, () => telemetry.tool({ name: `t${i}` }, () => 1)())();
      telemetry.recordGuardrail({ id: `g${i}`, action: 'NONE', provider: 'p0', model: 'm0' });
    }
    expect((await distinct('tool_name', 'rastir_tool_calls_total')).size).toBe(201);
    expect((await distinct('agent', 'rastir_tool_calls_total')).size).toBe(201);
    expect((await distinct('guardrail_id', 'rastir_guardrail_requests_total')).size).toBe(101);
    expect(
      telemetry.metrics.value('rastir_guardrail_requests_total', { guardrail_id: '__cardinality_overflow__' }),
    ).toBe(110);
  });

  it('keeps the caps of error classes and pricing profiles too', () => {
    expect(metricDialect('rastir', undefined).caps).toEqual({
      model: 50,
      provider: 10,
      tool_name: 200,
      agent: 200,
      error_type: 50,
      guardrail_id: 100,
      pricing_profile: 20,
    });
  });

  it('counts violations of guardrails that were asked, once a call, by its own categories', async () => {
    const telemetry = createAlsTelemetry({ metrics: { preset: 'rastir' } });
    const of = { provider: 'openai', model: 'gpt-4o' };
    telemetry.recordGuardrail({ ...of, id: 'g', action: 'GUARDRAIL_INTERVENED', category: 'WORD_POLICY' });
    telemetry.recordGuardrail({ ...of, id: 'g', action: 'GUARDRAIL_INTERVENED', category: 'HATE' });
    telemetry.recordGuardrail({ ...of, action: 'GUARDRAIL_INTERVENED' });
    telemetry.recordGuardrail({ ...of, id: 'g', action: 'SHOUTED', category: 'CONTENT_POLICY' });
    telemetry.recordGuardrail({ ...of, id: 'g', action: 'NONE', category: 'CONTENT_POLICY' });
    const lines = Object.entries(family(await readPage(telemetry, 'rastir_'), 'rastir_guardrail_violations_total'));
    const values = lines.map(([line, value]) => {
      const [, id, action, category] = /id="(.*)",guardrail_action="(.*)",guardrail_category="(.*)"/.exec(line)!;
      return [id, action, category, value];
    });
    const overflow = '__cardinality_overflow__';
    expect(values.toSorted()).toEqual(
      [
        ['g', 'GUARDRAIL_INTERVENED', 'WORD_POLICY', 1],
        ['g', 'GUARDRAIL_INTERVENED', overflow, 1],
        ['unknown', 'GUARDRAIL_INTERVENED', overflow, 1],
        ['g', overflow, 'CONTENT_POLICY', 1],
      ].toSorted(),
    );
    expect(telemetry.metrics.value('rastir_guardrail_requests_total')).toBe(5);
  });

  it.each([
    ['anthropic.claude-3-haiku-20240307-v1:0', 'anthropic'],
    ['eu.meta.llama3-2-1b-instruct-v1:0', 'meta'],
    ['global.anthropic.claude-sonnet-4-20250514-v1:0', 'anthropic'],
    ['arn:aws:bedrock:us-east-1:1:inference-profile/us.amazon.nova-lite-v1:0', 'amazon'],
    ['arn:aws:bedrock:us-east-1:1:application-inference-profile/x7', 'bedrock'],
    ['us-made', 'bedrock'],
    ['', 'bedrock'],
  ])('calls the vendor of %j %s', (model, provider) => {
    expect(metricDialect('rastir', undefined).provider('bedrock', model)).toBe(provider);
  });

  it('names spans by function, agent, tool or retrieval, and calls of a bare fetch as we do', async () => {
    const { telemetry } = await pageOf('rastir');
    const names = telemetry.spans.map(({ name }) => name);
    expect(names).toEqual([
      'chat gpt-4o',
      'search',
      'docs',
      `chat ${answers.guarded.model}`,
      'research',
      'chat gpt-4o-mini',
      'chat claude-x',
      'embeddings embed-small',
      'generate_content mystery-1',
      'chat gpt-4o',
      'pay',
      'step',
    ]);
    telemetry.clearSpans();
    await telemetry.llm(async function summarise() {
      return 'x';
    })();
    const client = telemetry.wrap({ search: () => 1 }, { name: 'vectors', type: 'retrieval' });
    client.search();
    expect(telemetry.spans.map(({ name }) => name)).toEqual(['summarise', 'vectors.search']);
  });

  /** All `rastir.*` attributes of the first span of this name. */
  function rastir(telemetry: { spans: readonly { name: string; attributes: object }[] }, name: string) {
    const { attributes } = telemetry.spans.find((span) => span.name === name)!;
    return Object.fromEntries(
      Object.entries(attributes).flatMap(([key, value]) => (key.startsWith('rastir.') ? [[key.slice(7), value]] : [])),
    );
  }

  it('says of calls what its decorators say', async () => {
    const { telemetry } = await pageOf('rastir', { ...options, serviceVersion: '1.2' });
    const base = { ...se, version: '1.2', span_type: 'llm' };
    const priced = { pricing_missing: false, pricing_profile: 'list' };
    const { research, streamed, guarded, limited, unpriced } = answers;
    expect(rastir(telemetry, 'chat gpt-4o')).toEqual({
      ...base,
      ...priced,
      model: 'gpt-4o',
      provider: 'openai',
      agent: 'research',
      tokens_input: research.input,
      tokens_output: research.output,
      finish_reason: 'tool_calls',
      cost_usd: costOf(research),
    });
    expect(rastir(telemetry, 'chat gpt-4o-mini')).toEqual({
      ...base,
      ...priced,
      model: 'gpt-4o-mini',
      provider: 'openai',
      tokens_input: streamed.input,
      tokens_output: streamed.output,
      finish_reason: 'stop',
      cost_usd: costOf(streamed),
      streaming: true,
      ttft_ms: streamed.firstTokenSeconds * 1000,
    });
    expect(rastir(telemetry, `chat ${guarded.model}`)).toMatchObject({
      provider: 'anthropic',
      guardrail_id: 'gr-1',
      guardrail_enabled: true,
      guardrail_version: '2',
      guardrail_action: 'GUARDRAIL_INTERVENED',
      guardrail_category: 'TOPIC_POLICY',
    });
    expect(rastir(telemetry, 'chat claude-x')).toEqual({
      ...base,
      model: limited.model,
      provider: 'anthropic',
      'error.type': 'rate_limit_error',
      'error.message': 'slow down',
    });
    const missing = rastir(telemetry, 'generate_content mystery-1');
    expect(missing).toMatchObject({ provider: 'gemini', tokens_input: unpriced.input, pricing_missing: true });
    expect(missing).not.toHaveProperty('cost_usd');
  });

  it('says of agents, tools and retrievals what its decorators say', async () => {
    const { telemetry } = await pageOf('rastir', options);
    const asked = { agent: 'research', model: 'gpt-4o', provider: 'openai' };
    expect(rastir(telemetry, 'research')).toEqual({ ...se, span_type: 'agent', agent: 'research' });
    expect(rastir(telemetry, 'search')).toEqual({ ...se, span_type: 'tool', tool_name: 'search', ...asked });
    expect(rastir(telemetry, 'docs')).toEqual({
      ...se,
      span_type: 'retrieval',
      ...asked,
      retrieved_documents_count: 2,
    });
    expect(rastir(telemetry, 'step')).toEqual({ ...se, span_type: 'trace' });
    expect(rastir(telemetry, 'pay')).toEqual({
      ...se,
      span_type: 'tool',
      tool_name: 'pay',
      'error.type': 'TypeError',
      'error.message': 'no money',
    });
    telemetry.wrap({ search: (_query: string) => 1 }, { name: 'vectors' }).search('x');
    expect(rastir(telemetry, 'vectors.search')).toEqual({
      ...se,
      span_type: 'infra',
      'wrap.method': 'search',
      'wrap.args_count': 1,
    });
  });

  it('says of a guardrail of one’s own what it says of Bedrock’s', () => {
    const telemetry = createAlsTelemetry({ metrics: { preset: 'rastir' } });
    telemetry.span('check', () => {
      telemetry.recordGuardrail({ id: 'g', action: 'GUARDRAIL_INTERVENED', category: 'WORD_POLICY' });
    });
    expect(rastir(telemetry, 'check')).toMatchObject({
      guardrail_id: 'g',
      guardrail_enabled: true,
      guardrail_action: 'GUARDRAIL_INTERVENED',
      guardrail_category: 'WORD_POLICY',
    });
  });

  it('knows what it does not know', async () => {
    const telemetry = createAlsTelemetry({ metrics: { preset: 'rastir' } });
    await telemetry.llm(async function ask() {
      return 'x';
    })();
    const unknown = { model: 'unknown', provider: 'unknown', agent: '' };
    expect(telemetry.metrics.value('rastir_llm_calls_total', unknown)).toBe(1);
    expect(rastir(telemetry, 'ask')).toMatchObject({ model: 'unknown', provider: 'unknown' });
    expect(rastir(telemetry, 'ask')).not.toHaveProperty('tokens_input');
  });
});

describe('synapsekit', () => {
  const of = ({ model, provider }: Made) => ({ model, provider });

  it('has its three families with the figures of the calls, and no other of ours', async () => {
    const { page } = await pageOf('synapsekit');
    expect(page).toEqual({
      ...counterLines(
        'synapsekit_tokens_total',
        calls.map((c) => [of(c), c.input === undefined ? undefined : c.input + (c.output ?? 0)]),
      ),
      ...counterLines(
        'synapsekit_cost_usd_total',
        calls.map((c) => [of(c), costOf(c)]),
      ),
      ...histogramLines(
        'synapsekit_latency_seconds',
        [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
        calls.map((c) => [of(c), c.seconds]),
      ),
    });
  });

  it('takes a total that nobody has split, and says unknown for what is', async () => {
    const telemetry = createAlsTelemetry({ metrics: { preset: 'synapsekit' }, runtime: createManualClock() });
    telemetry.recordLlmCall({ provider: '', model: '', totalTokens: 33, latencyMs: 700 });
    const page = await readPage(telemetry, 'synapsekit_');
    expect(page['synapsekit_tokens_total{model="unknown",provider="unknown"}']).toBe(33);
    expect(page['synapsekit_latency_seconds_sum{model="unknown",provider="unknown"}']).toBe(0.7);
    expect(family(page, 'synapsekit_cost_usd_total')).toEqual({});
  });

  it('has no caps', async () => {
    const telemetry = createAlsTelemetry({ metrics: { preset: 'synapsekit' } });
    for (let i = 0; i < 100; i++) telemetry.recordLlmCall({ provider: `p${i}`, model: `m${i}`, costUsd: 1 });
    const page = await readPage(telemetry, 'synapsekit_');
    expect(Object.keys(family(page, 'synapsekit_cost_usd_total'))).toHaveLength(100);
  });

  it('names spans of model calls', async () => {
    const { telemetry } = await pageOf('synapsekit');
    const names = telemetry.spans.filter(({ attributes }) => 'llm.operation' in attributes).map(({ name }) => name);
    expect(names.toSorted()).toEqual(['embedding.encode', ...Array(6).fill('llm.generate')]);
  });
});

describe('any preset', () => {
  it('keeps its caps where options wait for the environment', () => {
    const late = assembleLate(createAlsRuntime(), () => ({ metrics: { preset: 'rastir' } }), {
      ...builtIn,
      providers: [],
      prices: [],
    });
    getParts(late).bind?.({});
    for (let i = 0; i < 15; i++) late.recordLlmCall({ provider: `p${i}`, model: 'm' });
    expect(late.metrics.value('rastir_llm_calls_total', { provider: '__cardinality_overflow__' })).toBe(5);
  });

  it('leaves our own names, labels and caps alone where none is asked for', async () => {
    const program = createPresetProgram();
    await runProgram(program);
    const page = await readPage(program.telemetry, 'llm_');
    expect(family(page, 'llm_requests_total')).toEqual(
      counterLines(
        'llm_requests_total',
        calls.map((c) => [
          {
            provider: c.provider,
            model: c.model,
            operation: c.operation,
            status: c.error ? 'error' : 'ok',
            agent: c.agent,
          },
          1,
        ]),
      ),
    );
    const cost = calls.map((c) => [{ provider: c.provider, model: c.model, agent: c.agent }, costOf(c)] as const);
    expect(family(page, 'llm_cost_usd_total')).toEqual(counterLines('llm_cost_usd_total', cost));
    expect(program.telemetry.spans.some(({ attributes }) => 'rastir.span_type' in attributes)).toBe(false);
    for (let i = 0; i < 40; i++) program.telemetry.recordLlmCall({ provider: `p${i}`, model: 'm' });
    // Thirty providers, of which the program has asked five.
    expect(program.telemetry.metrics.value('llm_requests_total', { provider: '__cardinality_overflow__' })).toBe(15);
  });

  it.each(['ractogateway', 'rastir', 'synapsekit'] as const)(
    '%s leaves none of our families about calls',
    async (preset) => {
      const { telemetry } = await pageOf(preset);
      const page = await telemetry.prometheus();
      const families = new Set([...page.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name!));
      const others = [...families].filter((name) => !name.startsWith(`${preset}_`) && !name.startsWith('edgespan_'));
      expect(others).toEqual(['target_info']);
    },
  );

  it('defines its families alone in a registry, where others with the same names have other labels', () => {
    const registry = createMetricRegistry();
    createAlsTelemetry({ metrics: { preset: 'ractogateway', registry } });
    createAlsTelemetry({ metrics: { preset: 'ractogateway', registry } });
    createAlsTelemetry({ metrics: { registry } });
    const clash = () => createAlsTelemetry({ metrics: { preset: 'ractogateway', namespace: 'llm', registry } });
    expect(clash).toThrow(TelemetryError);
    expect(clash).toThrow('llm_requests_total is already defined with another labels');
  });
});
