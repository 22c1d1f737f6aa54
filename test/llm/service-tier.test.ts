import { describe, expect, it } from 'vitest';
import { eventFrame } from '../support/event-frames.ts';
import { createAlsTelemetry } from '../support/telemetry.ts';

/** A call costs 110 micro-dollars where it is served as usual: 10 tokens in, 10 out. */
const price = {
  input: 1,
  output: 10,
  serviceTiers: { flex: 0.5, priority: 2, fast: 3, us: 1.1, batch: 0.5, ON_DEMAND_FLEX: 0.5, ON_DEMAND_PRIORITY: 2 },
};
const listed = 110;

interface Exchange {
  url: string;
  body?: Record<string, unknown>;
  headers?: Record<string, string>;
  answer: unknown;
  answered?: Record<string, string>;
}

const sse = (...events: Record<string, unknown>[]) =>
  events.map((event) => `${event.type ? `event: ${event.type}\n` : ''}data: ${JSON.stringify(event)}\n\n`).join('');

async function cost({ url, body = {}, headers = {}, answer, answered = {} }: Exchange) {
  const isStream = typeof answer === 'string' || answer instanceof Uint8Array;
  const type = answer instanceof Uint8Array ? 'application/vnd.amazon.eventstream' : 'text/event-stream';
  const telemetry = createAlsTelemetry({
    prices: { 'm-1': price },
    fetch: async () =>
      isStream
        ? new Response(answer as string, { headers: { ...answered, 'content-type': type } })
        : Response.json(answer, { headers: answered }),
  });
  const request = { model: 'm-1', ...body };
  await (await telemetry.fetch(url, { method: 'POST', headers, body: JSON.stringify(request) })).text();
  await telemetry.flush();
  const { attributes } = telemetry.spans.at(-1)!;
  const tier = attributes['edgespan.service_tier'] ?? attributes['openai.response.service_tier'];
  return [tier, Math.round((attributes['llm.cost_usd'] as number) * 1e9) / 1e3];
}

const chat = {
  url: 'https://api.openai.com/v1/chat/completions',
  usage: { prompt_tokens: 10, completion_tokens: 10, total_tokens: 20 },
  whole: (tier?: string) => ({
    id: 'c',
    model: 'm-1',
    service_tier: tier,
    choices: [{ index: 0, message: { content: 'Hi' }, finish_reason: 'stop' }],
    usage: chat.usage,
  }),
  stream: (tier?: string) =>
    `${sse(
      { id: 'c', model: 'm-1', service_tier: tier, choices: [{ index: 0, delta: { content: 'Hi' } }] },
      { id: 'c', model: 'm-1', service_tier: tier, choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
      { id: 'c', model: 'm-1', service_tier: tier, choices: [], usage: chat.usage },
    )}data: [DONE]\n\n`,
};

describe('OpenAI', () => {
  it.each([
    ['flex', listed / 2],
    ['priority', listed * 2],
    ['default', listed],
    ['scale', listed],
  ])('chat completions that answer %s, streamed or not', async (tier, usd) => {
    for (const answer of [chat.whole(tier), chat.stream(tier)]) {
      expect(await cost({ url: chat.url, answer })).toEqual([tier, usd]);
      // What was asked for has no say where the answer says it.
      expect(await cost({ url: chat.url, body: { service_tier: 'fast' }, answer })).toEqual([tier, usd]);
    }
  });

  it('is what was asked for where the answer does not say it', async () => {
    for (const answer of [chat.whole(), chat.stream()]) {
      expect((await cost({ url: chat.url, body: { service_tier: 'priority' }, answer }))[1]).toBe(listed * 2);
      expect((await cost({ url: chat.url, body: { service_tier: 'auto' }, answer }))[1]).toBe(listed);
      expect((await cost({ url: chat.url, answer }))[1]).toBe(listed);
    }
  });

  it('responses, whose stream first says what was asked for', async () => {
    const url = 'https://api.openai.com/v1/responses';
    const response = (tier: string, status = 'completed') => ({
      id: 'r',
      object: 'response',
      model: 'm-1',
      status,
      service_tier: tier,
      output: [],
      usage: status === 'completed' ? { input_tokens: 10, output_tokens: 10, total_tokens: 20 } : null,
    });
    const stream = sse(
      { type: 'response.created', response: response('auto', 'in_progress') },
      { type: 'response.output_text.delta', delta: 'Hi' },
      { type: 'response.completed', response: response('priority') },
    );
    expect(await cost({ url, answer: response('priority') })).toEqual(['priority', listed * 2]);
    expect(await cost({ url, answer: stream })).toEqual(['priority', listed * 2]);
  });
});

describe('Anthropic', () => {
  const url = 'https://api.anthropic.com/v1/messages';
  const counts = { input_tokens: 10, output_tokens: 10 };
  const message = (usage: object) => ({
    id: 'a',
    type: 'message',
    role: 'assistant',
    model: 'm-1',
    content: [{ type: 'text', text: 'Hi' }],
    stop_reason: 'end_turn',
    usage: { ...counts, ...usage },
  });
  const stream = (usage: object) =>
    sse(
      { type: 'message_start', message: { ...message(usage), content: [], stop_reason: null } },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hi' } },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 10 } },
      { type: 'message_stop' },
    );

  it.each([
    [{ service_tier: 'standard', speed: 'standard', inference_geo: 'not_available' }, 'standard', listed],
    [{ service_tier: 'standard', speed: null, inference_geo: 'global' }, 'standard', listed],
    [{ service_tier: 'priority' }, 'priority', listed * 2],
    [{ service_tier: 'batch' }, 'batch', listed / 2],
    [{ service_tier: 'standard', speed: 'fast' }, 'standard+fast', listed * 3],
    [{ service_tier: 'standard', inference_geo: 'us' }, 'standard+us', listed * 1.1],
    [{ service_tier: 'standard', speed: 'fast', inference_geo: 'us' }, 'standard+fast+us', listed * 3.3],
  ])('messages with %j, streamed or not', async (usage, tier, usd) => {
    for (const answer of [message(usage), stream(usage)]) {
      expect(await cost({ url, answer })).toEqual([tier, expect.closeTo(usd, 6)]);
    }
  });

  it('is what was asked for where the answer does not say it', async () => {
    const body = { speed: 'fast', inference_geo: 'us', service_tier: 'auto' };
    expect(await cost({ url, body, answer: message({}) })).toEqual([undefined, expect.closeTo(listed * 3.3, 6)]);
    const slow = message({ service_tier: 'standard', speed: 'standard' });
    expect(await cost({ url, body: { speed: 'fast' }, answer: slow })).toEqual(['standard', listed]);
  });
});

describe('Google', () => {
  const base = 'https://generativelanguage.googleapis.com/v1beta';
  const url = `${base}/models/m-1:generateContent`;
  const content = (said: object) => ({
    responseId: 'g',
    modelVersion: 'm-1',
    candidates: [{ content: { parts: [{ text: 'Hi' }] }, finishReason: 'STOP' }],
    usageMetadata: { promptTokenCount: 10, candidatesTokenCount: 10, totalTokenCount: 20, ...said },
  });

  it.each([
    ['flex', listed / 2],
    ['priority', listed * 2],
    ['standard', listed],
  ])('content that answers %s in its body or a header, streamed or not', async (tier, usd) => {
    const answered = { 'x-gemini-service-tier': tier };
    for (const serviceTier of [tier, undefined]) {
      const answer = content({ serviceTier });
      const body = { serviceTier: 'fast' };
      expect(await cost({ url, body, answer, answered })).toEqual([tier, usd]);
      const streamUrl = `${base}/models/m-1:streamGenerateContent?alt=sse`;
      expect(await cost({ url: streamUrl, body, answer: sse(answer), answered })).toEqual([tier, usd]);
    }
  });

  it.each(['serviceTier', 'service_tier'])('is what %s asks for where the answer does not say it', async (name) => {
    expect((await cost({ url, body: { [name]: 'priority' }, answer: content({}) }))[1]).toBe(listed * 2);
  });

  it('interactions', async () => {
    const usage = { total_input_tokens: 10, total_output_tokens: 10, total_tokens: 20 };
    const answer = { id: 'i', model: 'm-1', status: 'completed', usage, service_tier: 'flex' };
    const stream = sse({ event_type: 'interaction.completed', interaction: answer });
    expect(await cost({ url: `${base}/interactions`, answer })).toEqual(['flex', listed / 2]);
    expect(await cost({ url: `${base}/interactions`, answer: stream })).toEqual(['flex', listed / 2]);
  });

  it('Vertex AI, whose requests say it in a header', async () => {
    const vertex = 'https://aiplatform.googleapis.com/v1/projects/p/locations/global/publishers/google/models';
    const headers = { 'X-Vertex-AI-LLM-Shared-Request-Type': 'priority' };
    const exchange = { url: `${vertex}/m-1:generateContent`, headers };
    const answer = (trafficType?: string) => ({ ...content({ trafficType }), createTime: '2026-11-21T12:00:00Z' });
    expect(await cost({ ...exchange, answer: answer('ON_DEMAND_PRIORITY') })).toEqual([
      'ON_DEMAND_PRIORITY',
      listed * 2,
    ]);
    expect(await cost({ ...exchange, answer: answer('ON_DEMAND_FLEX') })).toEqual(['ON_DEMAND_FLEX', listed / 2]);
    expect(await cost({ ...exchange, answer: answer('ON_DEMAND') })).toEqual(['ON_DEMAND', listed]);
    expect((await cost({ ...exchange, answer: answer() }))[1]).toBe(listed * 2);
  });
});

describe('Bedrock', () => {
  const base = 'https://bedrock-runtime.us-east-1.amazonaws.com/model/m-1';
  const usage = { inputTokens: 10, outputTokens: 10, totalTokens: 20 };
  const whole = (serviceTier?: object) => ({
    output: { message: { role: 'assistant', content: [{ text: 'Hi' }] } },
    stopReason: 'end_turn',
    usage,
    serviceTier,
  });
  const frame = (type: string, event: object) =>
    eventFrame({ ':message-type': 'event', ':event-type': type }, JSON.stringify(event));
  const stream = (serviceTier: object) =>
    new Uint8Array(
      [
        frame('messageStart', { role: 'assistant' }),
        frame('contentBlockDelta', { contentBlockIndex: 0, delta: { text: 'Hi' } }),
        frame('messageStop', { stopReason: 'end_turn' }),
        frame('metadata', { usage, metrics: { latencyMs: 1 }, serviceTier }),
      ].flatMap((bytes) => [...bytes]),
    );

  it('Converse, streamed or not', async () => {
    expect(await cost({ url: `${base}/converse`, answer: whole({ type: 'flex' }) })).toEqual(['flex', listed / 2]);
    const answer = stream({ type: 'priority' });
    expect(await cost({ url: `${base}/converse-stream`, answer })).toEqual(['priority', listed * 2]);
    const body = { serviceTier: { type: 'priority' } };
    expect((await cost({ url: `${base}/converse`, body, answer: whole() }))[1]).toBe(listed * 2);
    expect((await cost({ url: `${base}/converse`, body, answer: whole({ type: 'default' }) }))[1]).toBe(listed);
  });

  it('InvokeModel, which says it in a header', async () => {
    const header = { 'X-Amzn-Bedrock-Service-Tier': 'priority' };
    const exchange = { url: `${base}/invoke`, answer: whole() };
    expect(await cost({ ...exchange, answered: header })).toEqual(['priority', listed * 2]);
    expect((await cost({ ...exchange, headers: header }))[1]).toBe(listed * 2);
    const answered = { 'x-amzn-bedrock-service-tier': 'default' };
    expect(await cost({ ...exchange, headers: header, answered })).toEqual(['default', listed]);
  });
});

describe('built-in prices', () => {
  it('have the factors of the vendor who answers', async () => {
    const telemetry = createAlsTelemetry({
      fetch: async () => Response.json({ ...chat.whole('flex'), model: 'gpt-5' }),
    });
    await (await telemetry.fetch(chat.url, { method: 'POST', body: '{"model":"gpt-5"}' })).text();
    // Half of 10 × 1.25 and of 10 × 10 dollars a million.
    expect(telemetry.metrics.value('llm_cost_usd_total')).toBeCloseTo(0.00005625, 12);
  });
});

describe('what is given without a request', () => {
  const create = () => createAlsTelemetry({ prices: { 'm-1': price } });

  it('a recorded call names its tier', () => {
    const telemetry = create();
    const call = { provider: 'acme', model: 'm-1', inputTokens: 10, outputTokens: 10 };
    telemetry.recordLlmCall({ ...call, serviceTier: 'priority' });
    expect(telemetry.metrics.value('llm_cost_usd_total')).toBeCloseTo((listed * 2) / 1e6, 12);
    telemetry.recordLlmCall({ ...call, serviceTier: 7 as unknown as string });
    expect(telemetry.metrics.value('llm_cost_usd_total')).toBeCloseTo((listed * 3) / 1e6, 12);
    expect(telemetry.spans[0]!.attributes['edgespan.service_tier']).toBe('priority');
  });

  it('a value that a wrapped function returns', async () => {
    const telemetry = create();
    await telemetry.llm({ provider: 'openai' }, async () => chat.whole('flex'))();
    expect(telemetry.metrics.value('llm_cost_usd_total')).toBeCloseTo(listed / 2 / 1e6, 12);
  });

  it('a step of the AI SDK, and a message of LangChain', async () => {
    const step = (providerMetadata: object) => ({
      finishReason: 'stop',
      usage: { inputTokens: 10, outputTokens: 10, totalTokens: 20 },
      content: [],
      response: { id: 's', modelId: 'm-1' },
      providerMetadata,
    });
    const message = (metadata: object) => ({
      type: 'ai',
      content: 'Hi',
      usage_metadata: { input_tokens: 10, output_tokens: 10, total_tokens: 20 },
      response_metadata: { model_name: 'm-1', ...metadata },
    });
    for (const [value, usd] of [
      [step({ openai: { serviceTier: 'flex' } }), listed / 2],
      [
        step({ anthropic: { serviceTier: 'standard', usage: { service_tier: 'standard', speed: 'fast' } } }),
        listed * 3,
      ],
      [step({ openai: {} }), listed],
      [message({ service_tier: 'priority' }), listed * 2],
      [message({ usage: { service_tier: 'standard', inference_geo: 'us' } }), listed * 1.1],
      [message({}), listed],
    ] as const) {
      const telemetry = create();
      await telemetry.llm({ provider: 'acme' }, async () => value)();
      expect(telemetry.metrics.value('llm_cost_usd_total')).toBeCloseTo(usd / 1e6, 12);
    }
  });
});
