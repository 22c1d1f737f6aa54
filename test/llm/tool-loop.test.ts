import { describe, expect, it } from 'vitest';
import { chatCompletion, chatRequest, chatUrl, createAlsTelemetry } from '../support/telemetry.ts';

const toolCall = { id: 'call_1', type: 'function', function: { name: 'search', arguments: '{}' } };
const asks = chatCompletion({
  id: 'turn-1',
  choices: [{ index: 0, message: { role: 'assistant', tool_calls: [toolCall] }, finish_reason: 'tool_calls' }],
  usage: { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 },
});
const answers = chatCompletion({
  id: 'turn-2',
  usage: { prompt_tokens: 150, completion_tokens: 30, total_tokens: 180 },
});

/** A model that asks for a tool once, and then answers. */
function create() {
  const turns = [asks, answers];
  return createAlsTelemetry({ fetch: async () => Response.json(turns.shift()) });
}

type Telemetry = ReturnType<typeof create>;

async function loop(telemetry: Telemetry): Promise<void> {
  const search = telemetry.tool({ name: 'search' }, async () => 'found');
  const ask = async () => (await telemetry.fetch(chatUrl, chatRequest())).json();
  await ask();
  await search();
  await ask();
}

function byName(telemetry: Telemetry, name: string) {
  return telemetry.spans.filter((span) => span.name === name);
}

/** 250 tokens in at 2.50, 50 out at 10 dollars per million. */
const costUsd = 0.001125;
const sums = {
  'edgespan.aggregated.model_calls': 2,
  'edgespan.aggregated.input_tokens': 250,
  'edgespan.aggregated.output_tokens': 50,
  'edgespan.aggregated.cost_usd': costUsd,
};

describe('a tool loop', () => {
  it('is one span a turn, and its agent knows their sum', async () => {
    const telemetry = create();
    await telemetry.agent({ name: 'research' }, () => loop(telemetry))();
    const [agent] = byName(telemetry, 'invoke_agent research');
    const turns = byName(telemetry, 'chat gpt-4o');
    expect(turns).toHaveLength(2);
    for (const span of [...turns, ...byName(telemetry, 'execute_tool search')]) {
      expect(span.parentSpanContext?.spanId).toBe(agent!.spanContext().spanId);
    }
    expect(turns.map(({ attributes }) => attributes['gen_ai.usage.input_tokens'])).toEqual([100, 150]);
    expect(agent!.attributes).toMatchObject(sums);
    // Under its own names alone, so that no backend counts the tokens twice.
    expect(agent!.attributes).not.toHaveProperty('gen_ai.usage.input_tokens');
  });

  it('counts the tokens of all turns, and each once', async () => {
    const telemetry = create();
    await telemetry.llm(() => loop(telemetry))();
    const value = (name: string, labels = {}) => telemetry.metrics.value(name, labels);
    expect(value('llm_tokens_total', { token_type: 'input' })).toBe(250);
    expect(value('llm_tokens_total', { token_type: 'output' })).toBe(50);
    expect(value('llm_cost_usd_total')).toBeCloseTo(costUsd, 12);
    expect(value('llm_requests_total')).toBe(2);
    expect(value('llm_tool_calls_total', { tool_name: 'search' })).toBe(1);
    expect(value('llm_tool_executions_total', { tool_name: 'search' })).toBe(1);
    const wrapper = telemetry.spans.find(({ parentSpanContext }) => !parentSpanContext)!;
    expect(wrapper.attributes).toMatchObject(sums);
  });

  it('adds up through all the agents around it, and not in those beside it', async () => {
    const telemetry = create();
    const inner = telemetry.agent({ name: 'inner' }, () => loop(telemetry));
    const beside = telemetry.agent({ name: 'beside' }, async () => 'idle');
    await telemetry.agent({ name: 'outer' }, () => Promise.all([inner(), beside()]))();
    expect(byName(telemetry, 'invoke_agent inner')[0]!.attributes).toMatchObject(sums);
    expect(byName(telemetry, 'invoke_agent outer')[0]!.attributes).toMatchObject(sums);
    expect(byName(telemetry, 'invoke_agent beside')[0]!.attributes).not.toHaveProperty(
      'edgespan.aggregated.model_calls',
    );
  });
});

describe('what is known of a call', () => {
  const failing = (status: number, body: object) =>
    createAlsTelemetry({ fetch: async () => Response.json(body, { status }) });

  async function call(telemetry: Telemetry, over?: Record<string, unknown>) {
    await (await telemetry.fetch(chatUrl, chatRequest(over))).text();
    return telemetry.spans[0]!.attributes;
  }

  it('from its request survives a failure', async () => {
    const telemetry = failing(500, { error: { message: 'down', type: 'server_error' } });
    const attributes = await call(telemetry, { temperature: 0.2, max_tokens: 7 });
    expect(attributes).toMatchObject({
      'gen_ai.request.model': 'gpt-4o',
      'llm.model': 'gpt-4o',
      'llm.provider': 'openai',
      'llm.operation': 'chat',
      'gen_ai.request.temperature': 0.2,
      'gen_ai.request.max_tokens': 7,
      'error.type': 'server_error',
    });
    expect(telemetry.metrics.value('llm_errors_total', { model: 'gpt-4o', provider: 'openai' })).toBe(1);
  });

  it('from its response wins, and what is unknown there overwrites nothing', async () => {
    const known = await call(failing(200, chatCompletion()));
    expect(known['llm.model']).toBe('gpt-4o-2024-08-06');
    const unknown = await call(failing(200, chatCompletion({ model: '', id: null })));
    expect(unknown['llm.model']).toBe('gpt-4o');
    expect(unknown).not.toHaveProperty('gen_ai.response.model');
    expect(unknown).not.toHaveProperty('gen_ai.response.id');
  });

  it('never becomes a count of 0', async () => {
    const telemetry = failing(200, chatCompletion({ usage: null }));
    const attributes = await call(telemetry);
    expect(Object.keys(attributes).filter((name) => /usage|_tokens$|cost/.test(name))).toEqual([]);
    expect(telemetry.metrics.value('llm_tokens_total') ?? 0).toBe(0);
    expect(telemetry.metrics.value('llm_tokens_per_request') ?? 0).toBe(0);
  });

  it('tells a chat, a stream and an embedding apart in trace and metrics', async () => {
    const telemetry = createAlsTelemetry({
      fetch: async (input) =>
        String(input).endsWith('embeddings')
          ? Response.json({
              object: 'list',
              model: 'text-embedding-3-small',
              data: [{ embedding: [1, 2] }],
              usage: { prompt_tokens: 8, total_tokens: 8 },
            })
          : new Response('data: {"id":"a","model":"gpt-4o","choices":[]}\n\ndata: [DONE]\n\n', {
              headers: { 'content-type': 'text/event-stream' },
            }),
    });
    await (await telemetry.fetch(chatUrl, chatRequest({ stream: true }))).text();
    const url = 'https://api.openai.com/v1/embeddings';
    const body = JSON.stringify({ model: 'text-embedding-3-small', input: 'Hi' });
    await (await telemetry.fetch(url, { method: 'POST', body })).text();
    const [streamed, embedded] = telemetry.spans.map(({ attributes }) => attributes);
    expect(streamed).toMatchObject({ 'llm.operation': 'stream', 'gen_ai.operation.name': 'chat' });
    expect(embedded).toMatchObject({
      'llm.operation': 'embed',
      'gen_ai.operation.name': 'embeddings',
      'gen_ai.usage.input_tokens': 8,
      // 8 tokens at 0.02 dollars per million.
      'llm.cost_usd': 0.00000016,
    });
    expect(embedded).not.toHaveProperty('gen_ai.usage.output_tokens');
    const requests = (operation: string) => telemetry.metrics.value('llm_requests_total', { operation });
    expect([requests('stream'), requests('embed'), requests('chat')]).toEqual([1, 1, undefined]);
  });
});
