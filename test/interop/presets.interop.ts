import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMetricsServer, type MetricsServer } from '../../adapters/node/index.ts';
import {
  answers,
  costOf,
  createPresetProgram,
  type Made,
  runProgram,
  type Worked,
  works,
} from '../support/preset-program.ts';
import { buildPeer } from './collector/build.ts';
import { bucketsOf, type Figures, keyOf, map, quantileBy, scale, sumBy } from './dashboards/sums.ts';
import { isMissing, until } from './peer.ts';
import { type Prometheus, startPrometheus, untilQuery } from './prometheus.ts';

/** One program between two scrapes; so many have run before the first of them. */
const earlierRuns = 2;
const calls: readonly Made[] = Object.values(answers);
const cacheLooks = [
  { type: 'exact', hit: true },
  { type: 'exact', hit: false },
  { type: 'exact', hit: false },
  { type: 'semantic', hit: true },
  { type: 'semantic', hit: true },
  { type: 'semantic', hit: true },
] as const;

const words: Record<string, string> = { azure: 'azure_openai', google: 'gemini', bedrock: 'anthropic' };
/** As Rastir says it. */
const rastirCalls = calls.map((call) => ({ ...call, provider: words[call.provider] ?? call.provider }));
const isError = ({ error }: { error?: unknown }) => error !== undefined;
const isGuarded = ({ guardrail }: Made) => guardrail !== undefined;
const errors = [
  ...rastirCalls.filter(isError).map((call) => ({ ...call, span_type: 'llm', error_type: call.error![0] })),
  ...works.filter(isError).map((work) => ({ ...work, span_type: work.type as string, error_type: work.error })),
];
const tools = works.filter(({ type }) => type === 'tool').map((work) => ({ ...work, agent: work.agent || 'unknown' }));
const tokens = calls.flatMap((call) => [
  { ...call, token_type: 'input', count: call.input ?? 0 },
  { ...call, token_type: 'output', count: call.output ?? 0 },
]);

/** What a run counts first, and what it counts last: a scrape in between would show a part of it. */
const firstMoved = 'ractogateway_requests_total{provider="openai",model="gpt-4o",operation="chat",status="ok"}';
const lastMoved = 'ractogateway_cache_hits_total{cache_type="semantic"}';

/** Of a panel: its query over a window of so many seconds, and what it has to show. */
interface Panel {
  readonly title: string;
  readonly query: (window: string) => string;
  readonly shows: (seconds: number) => Figures;
}

const group = (by: string) => (by ? ` by (${by.replaceAll(' ', ', ')})` : '');

/** The form of most panels that show a number. */
function increase(title: string, metric: string, by: string, sums: Figures): Panel {
  return { title, query: (w) => `sum(increase(${metric}[${w}]))${group(by)} > 0`, shows: () => sums };
}

/** The form of most panels that show a line. */
function rate(title: string, metric: string, by: string, sums: Figures, factor = 1): Panel {
  const times = factor === 1 ? '' : ` * ${factor}`;
  return {
    title,
    query: (w) => `sum(rate(${metric}[${w}]))${group(by)}${times} > 0`,
    shows: (seconds) => scale(sums, factor / seconds),
  };
}

function percentile(title: string, q: number, metric: string, by: string, found: Figures): Panel {
  const labels = ['le', ...by.split(' ').filter(Boolean)].join(', ');
  // A series without observations in the window has no percentile.
  const query = (w: string) => `histogram_quantile(${q}, sum(rate(${metric}[${w}])) by (${labels})) >= 0`;
  return { title, query, shows: () => found };
}

const seconds = ({ seconds }: { seconds: number }) => seconds;
const input = (call: Made) => call.input;
const output = (call: Made) => call.output;
/** Panels show no series that nothing was counted of. */
const count = (row: { count: number }) => row.count || undefined;

const gatewayBounds = [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60];
const hits = cacheLooks.filter(({ hit }) => hit).map(({ type }) => ({ cache_type: type }));
const misses = cacheLooks.filter(({ hit }) => !hit).map(({ type }) => ({ cache_type: type }));
const asked = calls.flatMap(({ tools = [] }) => tools.map((tool_name) => ({ tool_name })));
const hitShare = (type?: string) => {
  const of = (rows: readonly { cache_type: string }[]) => rows.filter((row) => !type || row.cache_type === type).length;
  return of(hits) / (of(hits) + of(misses));
};

function gatewayPanels(): Panel[] {
  const requests = 'ractogateway_requests_total{provider=~".*",model=~".*"}';
  const buckets = 'ractogateway_request_duration_seconds_bucket{provider=~".*",model=~".*"}';
  const sum = 'ractogateway_request_duration_seconds_sum';
  const number = 'ractogateway_request_duration_seconds_count';
  const cost = 'ractogateway_cost_usd_total{provider=~".*",model=~".*"}';
  const hit = 'ractogateway_cache_hits_total';
  const miss = 'ractogateway_cache_misses_total';
  const tool = 'ractogateway_tool_calls_total';
  const over = (a: string, b: string, w: string, by = '') =>
    `sum${group(by)} (increase(${a}[${w}])) / sum${group(by)} (increase(${b}[${w}]))`;
  const average = (by: string) => {
    const counts = sumBy(calls, by);
    return map(sumBy(calls, by, seconds), (value, key) => value / counts[key]!);
  };
  const errorShare = (by: string) => {
    const counts = sumBy(calls, by);
    return map(sumBy(calls.filter(isError), by), (value, key) => value / counts[key]!);
  };
  const byModel = (q: number) => quantileBy(q, gatewayBounds, calls, 'model', seconds);
  const byProvider = (q: number) => quantileBy(q, gatewayBounds, calls, 'provider', seconds);
  const errored = 'ractogateway_requests_total{status="error"}';
  return [
    increase('requests', requests, '', sumBy(calls, '')),
    { title: 'average latency', query: (w) => over(sum, number, w), shows: () => average('') },
    increase('cost', cost, '', sumBy(calls, '', costOf)),
    {
      title: 'cache hit rate',
      query: (w) => {
        const looks = `sum(increase(${hit}[${w}])) + sum(increase(${miss}[${w}]))`;
        return `sum(increase(${hit}[${w}])) / clamp_min(${looks}, 1)`;
      },
      shows: () => ({ '': hitShare() }),
    },
    increase('errors', errored, '', sumBy(calls.filter(isError), '')),
    increase('tool calls', tool, '', sumBy(asked, '')),
    ...[0.5, 0.95, 0.99].map((q) => percentile(`latency ${q} by provider`, q, buckets, 'provider', byProvider(q))),
    percentile('latency 0.95 by model', 0.95, buckets, 'model', byModel(0.95)),
    rate('tokens', 'ractogateway_tokens_total', 'provider token_type', sumBy(tokens, 'provider token_type', count)),
    rate('cost by model', cost, 'model', sumBy(calls, 'model', costOf)),
    rate('hits', hit, '', sumBy(hits, '')),
    rate('misses', miss, '', sumBy(misses, '')),
    ...['exact', 'semantic'].map((type) => ({
      title: `hit rate, ${type}`,
      query: (w: string) => {
        const of = (metric: string) => `sum(increase(${metric}{cache_type="${type}"}[${w}]))`;
        return `${of(hit)} / clamp_min(${of(hit)} + (${of(miss)} or vector(0)), 1)`;
      },
      shows: () => ({ '': hitShare(type) }),
    })),
    rate('throughput', requests, 'provider operation', sumBy(calls, 'provider operation')),
    rate('error rate', errored, 'provider', sumBy(calls.filter(isError), 'provider')),
    rate('tool rate', tool, 'tool_name', sumBy(asked, 'tool_name')),
    increase('tools', tool, 'tool_name', sumBy(asked, 'tool_name')),
    increase('table, requests', requests, 'model', sumBy(calls, 'model')),
    { title: 'table, average latency', query: (w) => over(sum, number, w, 'model'), shows: () => average('model') },
    increase('table, cost', cost, 'model', sumBy(calls, 'model', costOf)),
    {
      title: 'table, share of errors',
      query: (w) => over(errored, 'ractogateway_requests_total', w, 'model'),
      shows: () => errorShare('model'),
    },
  ];
}

const se = 'service=~"shop",env=~"staging"';
const vars = `${se},model=~".*",provider=~".*"`;
const all = `${vars},agent=~".*"`;
const spanBounds = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60];
const tokenBounds = [10, 50, 100, 250, 500, 1000, 2000, 4000, 8000, 16_000, 32_000];
const dollarBounds = [0.0001, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100];
const firstBounds = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10];

function llmPanels(): Panel[] {
  const made = `rastir_llm_calls_total{${all}}`;
  const failed = `rastir_errors_total{span_type="llm",${vars}}`;
  const buckets = `rastir_duration_seconds_bucket{span_type="llm",${all}}`;
  const llmErrors = errors.filter(({ span_type }) => span_type === 'llm');
  const both = (call: Made) => (call.input ?? 0) + (call.output ?? 0) || undefined;
  const by = 'model provider';
  return [
    increase('calls', made, '', sumBy(rastirCalls, '')),
    increase('errors', failed, '', sumBy(llmErrors, '')),
    increase('calls by model and provider', made, by, sumBy(rastirCalls, by)),
    ...[0.5, 0.95, 0.99].map((q) =>
      percentile(`latency ${q}`, q, buckets, by, quantileBy(q, spanBounds, rastirCalls, by, seconds)),
    ),
    increase('input tokens', `rastir_tokens_input_total{${vars}}`, '', sumBy(rastirCalls, '', input)),
    increase('output tokens', `rastir_tokens_output_total{${vars}}`, '', sumBy(rastirCalls, '', output)),
    rate('input by model', `rastir_tokens_input_total{${vars}}`, 'model', sumBy(rastirCalls, 'model', input)),
    rate('output by model', `rastir_tokens_output_total{${vars}}`, 'model', sumBy(rastirCalls, 'model', output)),
    percentile(
      'tokens per call',
      0.95,
      `rastir_tokens_per_call_bucket{${vars}}`,
      by,
      quantileBy(0.95, tokenBounds, rastirCalls, by, both),
    ),
    increase('errors by type', failed, 'error_type', sumBy(llmErrors, 'error_type')),
    rate('error rate', failed, 'error_type', sumBy(llmErrors, 'error_type')),
  ];
}

function agentPanels(): Panel[] {
  const made = `rastir_llm_calls_total{${all}}`;
  const ran = `rastir_tool_calls_total{${all}}`;
  const found = `rastir_retrieval_calls_total{${all}}`;
  const failed = `rastir_errors_total{${all}}`;
  const retrievals = works.filter(({ type }: Worked) => type === 'retrieval');
  const byAgent = sumBy(rastirCalls, 'agent');
  return [
    increase('calls', made, '', sumBy(rastirCalls, '')),
    increase('errors', failed, '', sumBy(errors, '')),
    increase('calls by agent', made, 'agent', byAgent),
    rate('call rate by agent', made, 'agent', byAgent),
    increase('tools by agent', ran, 'agent', sumBy(tools, 'agent')),
    rate('tool rate by agent', ran, 'agent', sumBy(tools, 'agent')),
    rate(
      'tool rate by name',
      ran,
      'tool_name',
      sumBy(
        tools.map((tool) => ({ tool_name: tool.name })),
        'tool_name',
      ),
    ),
    rate('retrieval rate', found, 'agent', sumBy(retrievals, 'agent')),
    {
      title: 'share of errors by agent',
      query: (w) => `100 * sum(increase(${failed}[${w}])) by (agent) / sum(increase(${made}[${w}])) by (agent)`,
      shows: () => map(sumBy(errors, 'agent'), (value, key) => (100 * value) / byAgent[key]!),
    },
    increase('errors by type of span', failed, 'span_type', sumBy(errors, 'span_type')),
    rate('error rate by type of span', failed, 'span_type', sumBy(errors, 'span_type')),
  ];
}

function costPanels(): Panel[] {
  const spent = `rastir_cost_total{${se},model=~".*",pricing_profile=~"list"}`;
  const raw = (title: string, by: string, sums: Figures): Panel => ({
    title,
    query: () => `sum${group(by)} (${spent})`,
    shows: () => scale(sums, earlierRuns + 1),
  });
  const perCall = `rastir_cost_per_call_usd_bucket{${se},model=~".*"}`;
  const first = `rastir_ttft_seconds_bucket{${se},model=~".*"}`;
  const firstToken = (call: Made) => call.firstTokenSeconds;
  const unpriced = calls.filter((call) => call.input !== undefined && !call.price);
  return [
    raw('cost', '', sumBy(rastirCalls, '', costOf)),
    raw('cost by model', 'model', sumBy(rastirCalls, 'model', costOf)),
    raw('cost by agent', 'agent', sumBy(rastirCalls, 'agent', costOf)),
    raw('cost by profile', 'pricing_profile', { 'pricing_profile=list': sumBy(calls, '', costOf)['']! }),
    rate('dollars a minute', spent, '', sumBy(calls, '', costOf), 60),
    rate('dollars a minute by model', spent, 'model', sumBy(calls, 'model', costOf), 60),
    ...[0.5, 0.95].map((q) =>
      percentile(`cost per call ${q}`, q, perCall, 'model', quantileBy(q, dollarBounds, calls, 'model', costOf)),
    ),
    rate('without a price', `rastir_pricing_missing_total{${se}}`, '', sumBy(unpriced, '')),
    ...[0.5, 0.75, 0.95].map((q) =>
      percentile(`first token ${q}`, q, first, 'model', quantileBy(q, firstBounds, calls, 'model', firstToken)),
    ),
    increase(
      'heatmap of first tokens',
      first,
      'le',
      bucketsOf(
        firstBounds,
        calls.flatMap((call) => firstToken(call) ?? []),
      ),
    ),
  ];
}

function guardrailPanels(): Panel[] {
  const stopped = `rastir_guardrail_violations_total{${all}}`;
  const checked = `rastir_guardrail_requests_total{${all}}`;
  const guarded = rastirCalls
    .filter(isGuarded)
    .map((call) => ({ ...call, guardrail_category: call.guardrail!.category }));
  return [
    increase('violations', stopped, '', sumBy(guarded, '')),
    increase('requests', checked, '', sumBy(guarded, '')),
    {
      title: 'share of violations',
      query: (w) => `100 * sum(increase(${stopped}[${w}])) / sum(increase(${checked}[${w}]))`,
      shows: () => ({ '': 100 }),
    },
    increase('violations by category', stopped, 'guardrail_category', sumBy(guarded, 'guardrail_category')),
    increase('violations by model', stopped, 'model', sumBy(guarded, 'model')),
    increase('violations by agent', stopped, 'agent', sumBy(guarded, 'agent')),
    rate('violation rate', stopped, 'guardrail_category', sumBy(guarded, 'guardrail_category')),
  ];
}

function kitPanels(): Panel[] {
  const by = 'model provider';
  const latency = 'synapsekit_latency_seconds';
  return [
    increase('cost', 'synapsekit_cost_usd_total', by, sumBy(calls, by, costOf)),
    increase('tokens', 'synapsekit_tokens_total', by, sumBy(tokens, by, count)),
    percentile(
      'latency',
      0.95,
      `${latency}_bucket`,
      by,
      quantileBy(0.95, [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10], calls, by, seconds),
    ),
  ];
}

const debian = isMissing('prometheus', ['--version']);
const built = await buildPeer('prometheus');

describe.skipIf(debian)('Prometheus 2 (skipped where it is not installed)', () => draws('prometheus'));
describe.skipIf('missing' in built)(`Prometheus 3${'missing' in built ? ` (${built.missing})` : ''}`, () =>
  draws('path' in built ? built.path : ''),
);

/** The panels of the three systems' dashboards, over a window from one scrape to another. */
function draws(path: string): void {
  const options = { serviceName: 'shop', environment: 'staging', pricingProfile: 'list' };
  const programs = (['ractogateway', 'rastir', 'synapsekit'] as const).map((preset) =>
    createPresetProgram({ ...options, metrics: { preset } }),
  );
  let server: MetricsServer;
  let prometheus: Prometheus;
  /** The last scrape before the program ran once more, and the first one after it, in seconds. */
  let from: number;
  let to: number;

  async function run(): Promise<void> {
    for (const program of programs) await runProgram(program);
    for (const look of cacheLooks) programs[0]!.telemetry.recordCacheLookup(look);
  }

  /** When Prometheus has looked and seen this, newest last. */
  async function scrapes(series: string, value: number): Promise<number[]> {
    const query = `${series}[1h]`;
    const { result } = await prometheus.get<{ result: { values: [number, string][] }[] }>('query', { query });
    return (result[0]?.values ?? []).filter(([, text]) => Number(text) === value).map(([at]) => at);
  }

  async function query(text: string): Promise<Record<string, number>> {
    const { result } = await prometheus.get<{ result: { metric: Record<string, string>; value: [number, string] }[] }>(
      'query',
      { query: text, time: String(to) },
    );
    return Object.fromEntries(
      // Bounds are written `1` in one format and `1.0` in the other.
      result.map(({ metric: { le, ...labels }, value }) => {
        const metric = { ...labels, ...(le && { le: le.replace(/\.0$/, '') }) };
        return [keyOf(metric, Object.keys(metric).join(' ')), Number(value[1])];
      }),
    );
  }

  beforeAll(async () => {
    server = createMetricsServer(
      programs.map(({ telemetry }) => telemetry),
      { port: 0, host: '127.0.0.1' },
    );
    await server.start();
    for (let i = 0; i < earlierRuns; i++) await run();
    prometheus = await startPrometheus(path, server.url);
    await untilQuery(prometheus, 'sum(rastir_llm_calls_total)', earlierRuns * calls.length);
    await run();
    await untilQuery(prometheus, 'sum(rastir_llm_calls_total)', (earlierRuns + 1) * calls.length);
    from = (await scrapes(firstMoved, earlierRuns)).at(-1)!;
    to = await until('a scrape', async () => (await scrapes(lastMoved, 3 * (earlierRuns + 1)))[0]);
  });
  afterAll(async () => {
    await prometheus?.stop();
    await server?.stop();
  });

  describe.each([
    ['RactoGateway', gatewayPanels()],
    ['Rastir, LLM performance', llmPanels()],
    ['Rastir, agents and tools', agentPanels()],
    ['Rastir, cost and first tokens', costPanels()],
    ['Rastir, guardrails', guardrailPanels()],
    ['SynapseKit', kitPanels()],
  ])('%s', (_, panels) => {
    it.each(panels.map((panel) => [panel.title, panel] as const))('%s', async (_title, { query: text, shows }) => {
      // Prometheus 3 leaves out what lies at the very beginning of a window.
      const ms = Math.round((to - from) * 1000) + 1;
      const shown = await query(text(`${ms}ms`));
      const wanted = shows(ms / 1000);
      expect(Object.keys(shown).toSorted()).toEqual(Object.keys(wanted).toSorted());
      expect(Object.keys(wanted).length).toBeGreaterThan(0);
      for (const [key, value] of Object.entries(wanted)) {
        expect(value).toBeGreaterThan(0);
        expect(Math.abs(shown[key]! / value - 1), `${key} ${shown[key]} ${value}`).toBeLessThan(0.005);
      }
    });
  });

  it('finds services and environments where the dashboards of Rastir look for them', async () => {
    const labels = (label: string) =>
      prometheus.get<string[]>(`label/${label}/values`, { 'match[]': 'rastir_spans_ingested_total' });
    expect([await labels('service'), await labels('env')]).toEqual([['shop'], ['staging']]);
  });
}
