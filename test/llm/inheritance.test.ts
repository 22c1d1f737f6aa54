import { describe, expect, it } from 'vitest';
import { createTelemetry, type Telemetry, type TelemetryOptions } from '../../src/index.ts';
import { chatCompletion, chatRequest, chatUrl, createAlsTelemetry, settle } from '../support/telemetry.ts';

/** A vendor whose answers name the model that was asked. */
async function answer(_input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const { model } = JSON.parse(String(init?.body)) as { model: string };
  return Response.json(chatCompletion({ model: `${model}-2024` }));
}

const create = (options: TelemetryOptions = {}) => createAlsTelemetry({ fetch: answer, ...options });

const ask = (telemetry: Telemetry, model: string) =>
  telemetry.fetch(chatUrl, chatRequest({ model })).then((response) => response.json());

const search = (telemetry: Telemetry, name = 'search') => telemetry.tool({ name }, async () => 1)();

/** What a span of this name has inherited. */
function inherited(telemetry: Telemetry, name: string) {
  const { attributes } = telemetry.spans.find((span) => span.name === name)!;
  const names = { agent: 'gen_ai.agent.name', model: 'gen_ai.request.model', provider: 'gen_ai.provider.name' };
  return Object.fromEntries(Object.entries(names).map(([key, attribute]) => [key, attributes[attribute]]));
}

const nobody = { model: undefined, provider: undefined };

describe('a tool or retrieval inside of an agent', () => {
  it('inherits agent, model and provider of its latest model call', async () => {
    const telemetry = create();
    await telemetry.agent({ name: 'a' }, async () => {
      await search(telemetry, 'before');
      await ask(telemetry, 'gpt-4o');
      await search(telemetry, 'between');
      await ask(telemetry, 'gpt-4o-mini');
      await telemetry.retrieval({ name: 'docs' }, async () => [])();
    })();
    expect(inherited(telemetry, 'execute_tool before')).toEqual({ agent: 'a', ...nobody });
    expect(inherited(telemetry, 'execute_tool between')).toEqual({
      agent: 'a',
      model: 'gpt-4o-2024',
      provider: 'openai',
    });
    expect(inherited(telemetry, 'retrieval docs')).toEqual({
      agent: 'a',
      model: 'gpt-4o-mini-2024',
      provider: 'openai',
    });
  });

  it('says so in the reference systems’ words too, unless they are off', async () => {
    for (const legacyAttributes of [true, false]) {
      const telemetry = create({ legacyAttributes });
      await telemetry.agent({ name: 'a' }, async () => {
        await ask(telemetry, 'gpt-4o');
        await search(telemetry);
      })();
      const { attributes } = telemetry.spans.find(({ name }) => name === 'execute_tool search')!;
      expect([attributes['llm.provider'], attributes['llm.model']]).toEqual(
        legacyAttributes ? ['openai', 'gpt-4o-2024'] : [undefined, undefined],
      );
    }
  });

  it('has them in its errors', async () => {
    const telemetry = create();
    const fail = telemetry.tool({ name: 't' }, async () => {
      throw new TypeError('no');
    });
    await telemetry.agent({ name: 'a' }, async () => {
      await ask(telemetry, 'gpt-4o');
      await fail().catch(() => {});
    })();
    await fail().catch(() => {});
    const errors = (labels: Record<string, string>) => telemetry.metrics.value('llm_errors_total', labels);
    expect(errors({ span_type: 'tool', provider: 'openai', model: 'gpt-4o-2024', agent: 'a' })).toBe(1);
    expect(errors({ span_type: 'tool', provider: '', model: '', agent: '' })).toBe(1);
  });

  it('lets its own attributes win', async () => {
    const telemetry = create();
    await telemetry.agent({ name: 'a' }, async () => {
      await ask(telemetry, 'gpt-4o');
      await telemetry.retrieval({ name: 'docs', attributes: { 'gen_ai.provider.name': 'pinecone' } }, async () => [])();
    })();
    expect(inherited(telemetry, 'retrieval docs').provider).toBe('pinecone');
  });

  it('knows the model while a stream still comes, and what a call by other ways was', async () => {
    const telemetry = create({ fetch: async () => new Response(new ReadableStream({}), { status: 200 }) });
    await telemetry.agent({ name: 'a' }, async () => {
      await telemetry.fetch(chatUrl, chatRequest({ stream: true }));
      await search(telemetry, 'early');
      telemetry.recordLlmCall({ provider: 'mistral', model: 'small' });
      await search(telemetry, 'late');
      await telemetry.llm(async () => chatCompletion({ model: 'gpt-4.1' }))();
      await search(telemetry, 'last');
    })();
    expect(inherited(telemetry, 'execute_tool early')).toMatchObject({ model: 'gpt-4o', provider: 'openai' });
    expect(inherited(telemetry, 'execute_tool late')).toMatchObject({ model: 'small', provider: 'mistral' });
    expect(inherited(telemetry, 'execute_tool last')).toMatchObject({ model: 'gpt-4.1' });
  });

  it('inherits across timers, generators and wrapped objects', async () => {
    const telemetry = create();
    const store = telemetry.wrap({ find: () => [1] }, { type: 'retrieval', name: 'store' });
    const run = telemetry.agent({ name: 'a' }, async function* () {
      await ask(telemetry, 'gpt-4o');
      yield 1;
      await new Promise((resolve) => setTimeout(resolve, 0));
      await search(telemetry);
      store.find();
    });
    for await (const _ of run());
    expect(inherited(telemetry, 'execute_tool search').model).toBe('gpt-4o-2024');
    expect(inherited(telemetry, 'store.find')).toMatchObject({ agent: 'a', model: 'gpt-4o-2024' });
  });

  it('inherits nothing outside of any', async () => {
    const telemetry = create();
    await ask(telemetry, 'gpt-4o');
    await search(telemetry);
    expect(inherited(telemetry, 'execute_tool search')).toEqual({ agent: undefined, ...nobody });
  });
});

describe('agents', () => {
  it('do not leak to those inside of them, nor those to them', async () => {
    const telemetry = create();
    const inner = telemetry.agent({ name: 'inner' }, async () => {
      await search(telemetry, 'fresh');
      await ask(telemetry, 'gpt-4o-mini');
      await search(telemetry, 'inside');
    });
    await telemetry.agent({ name: 'outer' }, async () => {
      await ask(telemetry, 'gpt-4o');
      await inner();
      await search(telemetry, 'outside');
    })();
    expect(inherited(telemetry, 'execute_tool fresh')).toEqual({ agent: 'inner', ...nobody });
    expect(inherited(telemetry, 'execute_tool inside')).toMatchObject({ agent: 'inner', model: 'gpt-4o-mini-2024' });
    expect(inherited(telemetry, 'execute_tool outside')).toMatchObject({ agent: 'outer', model: 'gpt-4o-2024' });
  });

  it.each([0, 1])('at the same time do not mix: %i first', async (first) => {
    const telemetry = create();
    const open: (() => void)[] = [];
    const gates = [0, 1].map((index) => new Promise<void>((resolve) => (open[index] = resolve)));
    const agents = ['gpt-4o', 'gpt-4o-mini'].map((model, index) =>
      telemetry.agent({ name: model }, async () => {
        await ask(telemetry, model);
        await gates[index];
        await search(telemetry, `of ${model}`);
      }),
    );
    const all = Promise.all(agents.map((agent) => agent()));
    open[first]!();
    await settle();
    open[1 - first]!();
    await all;
    for (const model of ['gpt-4o', 'gpt-4o-mini']) {
      expect(inherited(telemetry, `execute_tool of ${model}`)).toMatchObject({ agent: model, model: `${model}-2024` });
    }
  });
});

describe('without async context', () => {
  it('inherits by the telemetry that a function is handed', async () => {
    const telemetry = createTelemetry({ inMemory: true, fetch: answer });
    const work = (name: string, model: string) =>
      telemetry.span(name, { type: 'agent' }, async (_span, inside) => {
        await ask(inside, model);
        await settle();
        await search(inside, `of ${name}`);
        await inside.span('deep', { type: 'retrieval' }, async (_inner, deeper) => search(deeper, `below ${name}`));
      });
    await Promise.all([work('a', 'gpt-4o'), work('b', 'gpt-4o-mini')]);
    await search(telemetry, 'alone');
    expect(inherited(telemetry, 'execute_tool of a')).toMatchObject({ agent: 'a', model: 'gpt-4o-2024' });
    expect(inherited(telemetry, 'execute_tool of b')).toMatchObject({ agent: 'b', model: 'gpt-4o-mini-2024' });
    expect(inherited(telemetry, 'execute_tool below b')).toMatchObject({ agent: 'b', model: 'gpt-4o-mini-2024' });
    expect(inherited(telemetry, 'execute_tool alone')).toEqual({ agent: undefined, ...nobody });
    expect(telemetry.metrics.value('llm_tool_executions_total', { agent: 'b' })).toBe(2);
  });
});

describe('marks', () => {
  it('name the prompt of a wrapper, by name and version', async () => {
    const telemetry = create();
    await telemetry.llm({ prompt: { name: 'greet', version: '3' } }, async () => chatCompletion())();
    await telemetry.llm({ prompt: { name: 'greet' } }, async () => chatCompletion())();
    await telemetry.llm(async () => chatCompletion())();
    const prompts = telemetry.spans.map(({ attributes }) => [
      attributes['gen_ai.prompt.name'],
      attributes['gen_ai.prompt.version'],
    ]);
    expect(prompts).toEqual([
      ['greet', '3'],
      ['greet', undefined],
      [undefined, undefined],
    ]);
  });

  it('say how many attempts inside of a wrapper or an agent were repetitions', async () => {
    let attempts = 0;
    const telemetry = create({
      fetch: async () => (attempts++ < 2 ? Response.json({}, { status: 500 }) : Response.json(chatCompletion())),
    });
    const once = (count: number) => {
      const request = chatRequest();
      const headers = { ...request.headers, 'x-stainless-retry-count': String(count) } as Record<string, string>;
      return telemetry.fetch(chatUrl, { ...request, headers }).then((response) => response.json());
    };
    const call = telemetry.llm({ name: 'call' }, async () => {
      for (let count = 0; count < 3; count++) await once(count);
      return chatCompletion();
    });
    await telemetry.agent({ name: 'a' }, call)();
    await telemetry.agent({ name: 'calm' }, () => ask(telemetry, 'gpt-4o'))();
    const counts = telemetry.spans.map(({ name, attributes }) => [name, attributes['edgespan.retry.count']]);
    expect(counts.slice(3, 5).map(([, count]) => count)).toEqual([2, 2]);
    expect(counts.at(-1)).toEqual(['invoke_agent calm', undefined]);
    expect(telemetry.metrics.value('llm_requests_total')).toBe(2);
  });

  it('say what did not answer, where a gateway asked the next one', async () => {
    const fetch = async () => Response.json(chatCompletion(), { headers: { 'cf-aig-step': '1' } });
    const telemetry = create({ fetch });
    const step = (provider: string) => ({
      provider,
      endpoint: 'chat/completions',
      headers: {},
      query: { model: 'gpt-4o', messages: [] },
    });
    const response = await telemetry.fetch('https://gateway.ai.cloudflare.com/v1/acc/gate', {
      method: 'POST',
      body: JSON.stringify([step('groq'), step('openai')]),
    });
    await response.json();
    expect(telemetry.spans[0]!.attributes).toMatchObject({
      'edgespan.fallback.from': 'groq',
      'llm.provider': 'openai',
    });
  });
});
