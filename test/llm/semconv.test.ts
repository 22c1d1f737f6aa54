import type { Attributes } from '@opentelemetry/api';
import { describe, expect, it } from 'vitest';
import type { MetricsSnapshot, TelemetryOptions } from '../../src/index.ts';
import { answers, createPresetProgram, precise, runProgram } from '../support/preset-program.ts';
import { chatCompletion, chatRequest, chatUrl, createAlsTelemetry, createManualClock } from '../support/telemetry.ts';

type Version = NonNullable<TelemetryOptions['semconv']>;

async function run(semconv: Version) {
  const program = createPresetProgram({ semconv });
  await runProgram(program);
  return program.telemetry;
}

/** The families of the conventions that have points. */
async function collect(telemetry: { metrics: { collect(): Promise<MetricsSnapshot> } }) {
  const { metrics } = await telemetry.metrics.collect();
  return new Map(metrics.filter(({ name }) => name.startsWith('gen_ai.')).map((family) => [family.name, family]));
}

interface Seen {
  readonly attributes: Attributes;
  readonly value?: number;
  readonly sum?: number;
  readonly count?: number;
}

/** The one point of a family with these attributes. */
function point(family: { points: readonly object[] } | undefined, wanted: Attributes): Seen {
  const points = (family?.points ?? []) as readonly Seen[];
  const found = points.filter(({ attributes }) =>
    Object.entries(wanted).every(([name, value]) => attributes[name] === value),
  );
  expect(found).toHaveLength(1);
  return found[0]!;
}

const seconds = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
const tokens = [1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864];
const { research, streamed, embedded, limited } = answers;
const asked = {
  'gen_ai.operation.name': 'chat',
  'gen_ai.provider.name': 'openai',
  'gen_ai.request.model': research.model,
};

/** Answers with all kinds of tokens that a vendor tells apart. */
async function askWithDetails(semconv: Version) {
  const usage = {
    prompt_tokens: 100,
    completion_tokens: 60,
    total_tokens: 160,
    prompt_tokens_details: { cached_tokens: 30, audio_tokens: 10 },
    completion_tokens_details: { reasoning_tokens: 20, audio_tokens: 8 },
  };
  const telemetry = createAlsTelemetry({ semconv, fetch: async () => Response.json(chatCompletion({ usage })) });
  await (await telemetry.fetch(chatUrl, chatRequest())).text();
  return telemetry;
}

async function askClaude(semconv: Version) {
  const usage = { input_tokens: 10, output_tokens: 4, cache_read_input_tokens: 20, cache_creation_input_tokens: 5 };
  const reply = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-x',
    content: [],
    stop_reason: 'end_turn',
    usage,
  };
  const telemetry = createAlsTelemetry({ semconv, fetch: async () => Response.json(reply) });
  const body = JSON.stringify({ model: 'claude-x', max_tokens: 9, messages: [] });
  await (await telemetry.fetch('https://api.anthropic.com/v1/messages', { method: 'POST', body })).text();
  return telemetry;
}

/** Chunks at 100, 150 and 250 milliseconds. */
async function stream(semconv: Version) {
  const clock = createManualClock();
  const gaps = [100, 50, 100];
  const telemetry = createAlsTelemetry({ semconv, runtime: clock });
  const answer = telemetry.llm({ provider: 'openai', model: 'gpt-4o' }, function* answer() {
    for (const ms of gaps) {
      clock.advance(ms);
      yield { object: 'chat.completion.chunk', model: 'gpt-4o', choices: [{ index: 0, delta: { content: 'x' } }] };
    }
  });
  for (const _ of answer());
  return telemetry;
}

describe('metrics of 1.41', () => {
  it('have the names, units, bounds and figures that backends read today', async () => {
    const telemetry = await run('1.41');
    const families = await collect(telemetry);
    expect([...families.keys()].toSorted()).toEqual([
      'gen_ai.client.operation.duration',
      'gen_ai.client.operation.time_to_first_chunk',
      'gen_ai.client.token.usage',
    ]);
    const duration = families.get('gen_ai.client.operation.duration');
    expect(duration).toMatchObject({ type: 'histogram', unit: 's', bounds: seconds });
    expect(families.get('gen_ai.client.operation.time_to_first_chunk')).toMatchObject({ unit: 's', bounds: seconds });
    const usage = families.get('gen_ai.client.token.usage');
    expect(usage).toMatchObject({ type: 'histogram', unit: '{token}', bounds: tokens });
    expect(point(duration, { ...asked, 'server.address': 'api.openai.com' }).sum).toBe(research.seconds);
    expect(point(duration, { 'gen_ai.operation.name': 'embeddings' }).sum).toBe(embedded.seconds);
    expect(point(duration, { 'error.type': 'rate_limit_error' }).sum).toBe(limited.seconds);
    expect(point(usage, { ...asked, 'gen_ai.token.type': 'input', 'server.address': 'api.openai.com' }).sum).toBe(
      research.input,
    );
    expect(point(usage, { ...asked, 'gen_ai.token.type': 'output', 'server.address': 'api.openai.com' }).sum).toBe(
      research.output,
    );
    const first = families.get('gen_ai.client.operation.time_to_first_chunk');
    expect(point(first, { 'gen_ai.request.model': streamed.model }).sum).toBe(streamed.firstTokenSeconds);
  });

  it('time each chunk after the first', async () => {
    const families = await collect(await stream('1.41'));
    const chunks = point(families.get('gen_ai.client.operation.time_per_output_chunk'), {});
    expect([chunks.count, precise(chunks.sum!)]).toEqual([2, 0.15]);
  });
});

describe('metrics of the latest version', () => {
  it('keep the names of inference apart from all other operations', async () => {
    const telemetry = await run('latest');
    const families = await collect(telemetry);
    expect([...families.keys()].toSorted()).toEqual([
      'gen_ai.client.inference.duration',
      'gen_ai.client.inference.operation.input_tokens',
      'gen_ai.client.inference.operation.output_tokens',
      'gen_ai.client.inference.time_to_first_chunk',
      'gen_ai.client.inference.usage.input_tokens',
      'gen_ai.client.inference.usage.output_tokens',
      'gen_ai.client.operation.duration',
      'gen_ai.execute_tool.duration',
      'gen_ai.invoke_agent.duration',
      'gen_ai.invoke_agent.inference_calls',
      'gen_ai.invoke_agent.tool_calls',
    ]);
    const inference = families.get('gen_ai.client.inference.duration');
    expect(inference).toMatchObject({ type: 'histogram', unit: 's', bounds: seconds });
    expect(point(inference, { ...asked, 'server.address': 'api.openai.com' }).sum).toBe(research.seconds);
    expect(point(inference, { 'error.type': 'rate_limit_error' }).sum).toBe(limited.seconds);
    const operations = families.get('gen_ai.client.operation.duration');
    expect(operations).toMatchObject({ type: 'histogram', unit: 's', bounds: seconds });
    expect(operations!.points).toHaveLength(2);
    expect(point(operations, { 'gen_ai.operation.name': 'embeddings' }).sum).toBe(embedded.seconds);
    expect(point(operations, { 'gen_ai.operation.name': 'retrieval', 'gen_ai.provider.name': 'openai' }).sum).toBe(
      0.02,
    );
    const first = families.get('gen_ai.client.inference.time_to_first_chunk');
    expect(first).toMatchObject({ unit: 's', bounds: seconds });
    expect(point(first, { 'gen_ai.request.model': streamed.model }).sum).toBe(streamed.firstTokenSeconds);
    const perCall = families.get('gen_ai.client.inference.operation.input_tokens');
    expect(perCall).toMatchObject({ type: 'histogram', unit: '{token}', bounds: tokens });
    expect(point(perCall, { ...asked, 'server.address': 'api.openai.com' }).sum).toBe(research.input);
    expect(JSON.stringify([...families.values()], (_, value) => (typeof value === 'bigint' ? 0 : value))).not.toContain(
      'gen_ai.token.type',
    );
  });

  it('time agents and tools', async () => {
    const families = await collect(await run('latest'));
    const agents = families.get('gen_ai.invoke_agent.duration');
    expect(agents).toMatchObject({
      unit: 's',
      bounds: [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 102.4, 204.8, 409.6],
    });
    expect(precise(point(agents, { 'gen_ai.agent.name': 'research' }).sum!)).toBe(0.56);
    const tools = families.get('gen_ai.execute_tool.duration');
    expect(tools).toMatchObject({ unit: 's', bounds: seconds });
    const search = point(tools, { 'gen_ai.tool.name': 'search', 'gen_ai.agent.name': 'research' });
    expect([search.sum, search.attributes['gen_ai.tool.type']]).toEqual([0.04, 'function']);
    expect(point(tools, { 'gen_ai.tool.name': 'pay', 'error.type': 'TypeError' }).sum).toBe(0.5);
  });

  it('say how many calls an agent made itself, failed ones and none too', async () => {
    const statuses = [200, 500, 200, 429];
    const fetch = async () => Response.json(chatCompletion(), { status: statuses.shift() ?? 200 });
    const telemetry = createAlsTelemetry({ semconv: 'latest', fetch });
    const ask = async (retry = 0) => {
      const headers = { 'x-stainless-retry-count': String(retry) };
      await (await telemetry.fetch(chatUrl, { ...chatRequest(), headers })).text();
    };
    const embed = telemetry.llm({ provider: 'openai', model: 'embed-small', operation: 'embed' }, async () => ({}));
    const tool = telemetry.tool({ name: 'search' }, async () => ask());
    const broken = telemetry.tool({ name: 'pay' }, async () => Promise.reject(new Error('no')));
    const inner = telemetry.agent({ name: 'inner' }, async () => tool());
    const outer = telemetry.agent({ name: 'outer' }, async () => {
      // One call that answers, one that the SDK tries twice, and one that it gives up.
      await ask();
      await ask();
      await ask(1);
      await ask();
      await broken().catch(() => {});
      await inner();
      await embed();
    });
    await outer();
    await telemetry.agent({ name: 'idle' }, async () => {})();
    const families = await collect(telemetry);
    const of = (kind: string) => {
      const family = families.get(`gen_ai.invoke_agent.${kind}_calls`);
      expect(family).toMatchObject({ unit: `{${kind}_call}`, bounds: [1, 2, 4, 8, 16, 32, 64, 128] });
      const points = family!.points as unknown as Seen[];
      return points.map(({ attributes, count, sum }) => [attributes['gen_ai.agent.name'], count, sum]);
    };
    expect(of('inference')).toEqual([
      ['inner', 1, 1],
      ['outer', 1, 3],
      ['idle', 1, 0],
    ]);
    expect(of('tool')).toEqual([
      ['inner', 1, 1],
      ['outer', 1, 1],
      ['idle', 1, 0],
    ]);
    expect((await collect(await run('1.41'))).has('gen_ai.invoke_agent.tool_calls')).toBe(false);
  });

  it('count tokens of each kind by modality', async () => {
    const families = await collect(await askWithDetails('latest'));
    const usage = (name: string) => {
      const family = families.get(`gen_ai.client.inference.usage.${name}`);
      expect(family).toMatchObject({ type: 'counter', unit: '{token}' });
      const points = family!.points as unknown as Seen[];
      return Object.fromEntries(points.map(({ attributes, value }) => [attributes['gen_ai.token.modality'], value]));
    };
    expect(usage('input_tokens')).toEqual({ audio: 10, unknown: 90 });
    expect(usage('output_tokens')).toEqual({ audio: 8, unknown: 52 });
    expect(usage('cache_read.input_tokens')).toEqual({ unknown: 30 });
    expect(usage('reasoning.output_tokens')).toEqual({ unknown: 20 });
    const claude = await collect(await askClaude('latest'));
    expect(point(claude.get('gen_ai.client.inference.usage.cache_write.input_tokens'), {}).value).toBe(5);
    expect(point(claude.get('gen_ai.client.inference.usage.cache_read.input_tokens'), {}).value).toBe(20);
  });

  it('time each chunk after the first', async () => {
    const families = await collect(await stream('latest'));
    const chunks = point(families.get('gen_ai.client.inference.time_per_output_chunk'), {});
    expect([chunks.count, precise(chunks.sum!)]).toEqual([2, 0.15]);
  });

  it('say nothing of tokens that nobody has told', async () => {
    const telemetry = createAlsTelemetry({ semconv: 'latest' });
    telemetry.recordLlmCall({ provider: 'openai', model: 'm' });
    expect([...(await collect(telemetry)).keys()]).toEqual(['gen_ai.client.inference.duration']);
  });
});

describe('spans', () => {
  it('say of the latest version how many tokens were audio, where any were', async () => {
    const names = ({ attributes }: { attributes: Attributes }) =>
      Object.fromEntries(Object.entries(attributes).filter(([name]) => name.startsWith('gen_ai.usage.audio')));
    const audio = { 'gen_ai.usage.audio.input_tokens': 10, 'gen_ai.usage.audio.output_tokens': 8 };
    expect(names((await askWithDetails('latest')).spans[0]!)).toEqual(audio);
    expect(names((await askWithDetails('1.41')).spans[0]!)).toEqual({});
    expect(names((await run('latest')).spans[0]!)).toEqual({});
  });

  it.each([
    ['1.41', 'gen_ai.usage.cache_creation.input_tokens', 'gen_ai.usage.cache_write.input_tokens'],
    ['latest', 'gen_ai.usage.cache_write.input_tokens', 'gen_ai.usage.cache_creation.input_tokens'],
  ] as const)('of %s name what was written to a cache %s', async (version, name, other) => {
    const { attributes } = (await askClaude(version)).spans[0]!;
    expect(attributes).toMatchObject({
      'gen_ai.usage.input_tokens': 35,
      'gen_ai.usage.output_tokens': 4,
      'gen_ai.usage.cache_read.input_tokens': 20,
      [name]: 5,
    });
    expect(attributes).not.toHaveProperty(other);
  });

  it.each(['1.41', 'latest'] as const)('of %s have the conventions’ names and kinds', async (version) => {
    const telemetry = await run(version);
    const seen = telemetry.spans.map(({ name, kind }) => [name, kind]);
    expect(seen.slice(0, 5)).toEqual([
      ['chat gpt-4o', 2],
      ['execute_tool search', 0],
      ['retrieval docs', 2],
      [`chat ${answers.guarded.model}`, 2],
      ['invoke_agent research', 0],
    ]);
    const find = (name: string) => telemetry.spans.find((span) => span.name === name)!.attributes;
    expect(find('chat gpt-4o')).toMatchObject({
      ...asked,
      'gen_ai.response.id': 'id-gpt-4o-1000',
      'gen_ai.response.model': 'gpt-4o',
      'gen_ai.response.finish_reasons': ['tool_calls'],
      'gen_ai.usage.input_tokens': research.input,
      'gen_ai.usage.output_tokens': research.output,
      'server.address': 'api.openai.com',
      'server.port': 443,
    });
    expect(find('chat gpt-4o-mini')).toMatchObject({
      'gen_ai.request.stream': true,
      'gen_ai.response.time_to_first_chunk': streamed.firstTokenSeconds,
    });
    expect(find('chat claude-x')).toMatchObject({ 'error.type': 'rate_limit_error' });
    expect(find('embeddings embed-small')).toMatchObject({
      'gen_ai.operation.name': 'embeddings',
      'gen_ai.usage.input_tokens': embedded.input,
    });
    expect(find('invoke_agent research')).toMatchObject({
      'gen_ai.operation.name': 'invoke_agent',
      'gen_ai.agent.name': 'research',
    });
    expect(find('execute_tool search')).toMatchObject({
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': 'search',
      'gen_ai.tool.type': 'function',
      'gen_ai.agent.name': 'research',
    });
    expect(find('retrieval docs')).toMatchObject({ 'gen_ai.operation.name': 'retrieval' });
    const details = (await askWithDetails(version)).spans[0]!.attributes;
    expect(details).toMatchObject({
      'gen_ai.usage.cache_read.input_tokens': 30,
      'gen_ai.usage.reasoning.output_tokens': 20,
    });
  });
});
