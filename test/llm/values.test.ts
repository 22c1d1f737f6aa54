import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTelemetry as createCore, wrapping } from '../../src/core.ts';
import { createTelemetry, defineProvider } from '../../src/index.ts';
import { readArguments } from '../../src/llm/values.ts';
import { chatCompletion, createAlsRuntime, createAlsTelemetry } from '../support/telemetry.ts';

type Telemetry = ReturnType<typeof createAlsTelemetry>;

/** What the span of a call says whose function returned this. */
async function attributesOf(value: unknown, telemetry: Telemetry = createAlsTelemetry()) {
  const returned = await telemetry.llm(async () => value)();
  expect(returned).toBe(value);
  expect(telemetry.spans).toHaveLength(1);
  return telemetry.spans[0]!.attributes;
}

const openai = { 'llm.provider': 'openai', 'gen_ai.usage.input_tokens': 10, 'gen_ai.usage.output_tokens': 5 };

describe('a value', () => {
  it.each([
    ['itself', chatCompletion()],
    ['data', { data: chatCompletion(), response: { status: 200 } }],
    ['the last of a list', [{ role: 'user' }, chatCompletion()]],
    ['five deep', { result: { output: { raw: { body: { value: chatCompletion() } } } } }],
  ])('is read where it is %s', async (_, value) => {
    expect(await attributesOf(value)).toMatchObject(openai);
  });

  it('is not looked for deeper than that', async () => {
    const value = { result: { output: { raw: { body: { value: { data: chatCompletion() } } } } } };
    expect(await attributesOf(value)).not.toHaveProperty('gen_ai.usage.input_tokens');
  });

  it.each([
    ['openai', {}],
    ['azure', { prompt_filter_results: [] }],
    ['groq', { x_groq: { id: 'r' } }],
    ['xai', { model: 'grok-4' }],
    ['deepseek', { model: 'deepseek-chat' }],
    ['perplexity', { citations: [] }],
    ['together', { prompt: [] }],
    ['fireworks', { model: 'accounts/fireworks/models/m' }],
    ['cerebras', { time_info: { total_time: 1 } }],
    ['openrouter', { id: 'gen-1', model: 'openai/gpt-5', provider: 'OpenAI' }],
    ['mistral', { id: 'f'.repeat(32), model: 'mistral-large-latest' }],
    ['cloudflare', { model: '@cf/openai/gpt-oss-120b' }],
  ])('of OpenAI’s format is %s’s by its marks', async (provider, marks) => {
    expect(await attributesOf(chatCompletion(marks))).toMatchObject({ ...openai, 'llm.provider': provider });
  });

  it('has the convention’s name of its vendor, on the span and in the metrics', async () => {
    const telemetry = createAlsTelemetry();
    const attributes = await attributesOf(chatCompletion({ model: 'grok-4' }), telemetry);
    expect(attributes['gen_ai.provider.name']).toBe('x_ai');
    expect(telemetry.metrics.value('llm_requests_total', { provider: 'xai' })).toBe(1);
    const named = { 'gen_ai.provider.name': 'x_ai' };
    expect(telemetry.metrics.value('gen_ai.client.operation.duration', named)).toBe(1);
  });

  it('that nobody knows is a call of which nothing is known', async () => {
    const attributes = await attributesOf({ text: 'Hello', usage: 'much' });
    expect(attributes).toMatchObject({ 'llm.provider': 'unknown' });
    expect(Object.keys(attributes).filter((name) => name.startsWith('gen_ai.usage'))).toEqual([]);
  });

  it('overwrites nothing with what it does not know', async () => {
    const telemetry = createAlsTelemetry();
    await telemetry.llm(async (_: object) => ({ text: 'Hello' }))({ model: 'gpt-4o' });
    expect(telemetry.spans[0]!.attributes['llm.model']).toBe('gpt-4o');
  });

  it('yields to what the wrapper was told', async () => {
    const telemetry = createAlsTelemetry();
    await telemetry.llm({ provider: 'mine', model: 'm' }, async () => chatCompletion())();
    expect(telemetry.spans[0]!.attributes).toMatchObject({ ...openai, 'llm.provider': 'mine', 'llm.model': 'm' });
  });

  it('is no news to edgespan/core without its providers', async () => {
    const telemetry = createCore({ runtime: createAlsRuntime(), inMemory: true, features: [wrapping] });
    await telemetry.llm(async () => chatCompletion())();
    expect(telemetry.spans[0]!.attributes).not.toHaveProperty('gen_ai.usage.input_tokens');
  });
});

describe('a recogniser of one’s own', () => {
  const recogniser = (priority: number) =>
    defineProvider({
      name: 'acme',
      priority,
      match: () => undefined,
      request: () => ({}),
      response: () => ({}),
      accepts: (value) => (value as { object?: unknown }).object === 'chat.completion',
      read: () => ({ model: 'acme-1', usage: { input: 1, output: 2 } }),
      items: (first) => {
        if ((first as { acme?: unknown }).acme === undefined) return undefined;
        let output = 0;
        return {
          item: () => {
            output++;
            return 'content';
          },
          result: () => ({ model: 'acme-1', usage: { output } }),
        };
      },
    });

  it.each([
    [0, 'acme'],
    [300, 'acme'],
    [-5, 'openai'],
  ])('of priority %i is asked in its turn: %s', async (priority, provider) => {
    const telemetry = createAlsTelemetry({ providers: [recogniser(priority)] });
    expect((await attributesOf(chatCompletion(), telemetry))['llm.provider']).toBe(provider);
  });

  it('stands before frameworks where its priority is above theirs', async () => {
    const message = { object: 'chat.completion', type: 'ai', content: 'Hi', response_metadata: {}, tool_calls: [] };
    const telemetry = createAlsTelemetry({ providers: [recogniser(300)] });
    expect((await attributesOf(message, telemetry))['llm.provider']).toBe('acme');
  });

  it('folds the items of a stream', async () => {
    const telemetry = createAlsTelemetry({ providers: [recogniser(1)] });
    async function* stream() {
      yield { acme: 1 };
      yield { acme: 2 };
    }
    for await (const item of telemetry.llm(stream)()) expect(item).toHaveProperty('acme');
    expect(telemetry.spans[0]!.attributes).toMatchObject({ 'llm.provider': 'acme', 'gen_ai.usage.output_tokens': 2 });
  });

  it('that throws is passed over', async () => {
    const thrower = { ...recogniser(300), accepts: () => JSON.parse('{') as boolean };
    const telemetry = createAlsTelemetry({ providers: [thrower] });
    expect(await attributesOf(chatCompletion(), telemetry)).toMatchObject(openai);
  });
});

describe('a wrapped client', () => {
  const answer = chatCompletion({ model: 'm', usage: { prompt_tokens: 10, completion_tokens: 5, cost: 0.5 } });
  class Completions {
    async create(_: object) {
      return answer;
    }
    async archive() {
      return { archived: true };
    }
    async fail(_: object): Promise<never> {
      throw new Error('busy');
    }
    async sample(_: object) {
      return { archived: true };
    }
  }
  class Client {
    readonly completions = new Completions();
    readonly baseURL: unknown;
    constructor(baseURL: unknown) {
      this.baseURL = baseURL;
    }
  }

  const call = async (address: unknown) => {
    const telemetry = createAlsTelemetry();
    await telemetry.wrap(new Client(address), { type: 'llm' }).completions.create({ model: 'm' });
    return telemetry.spans[0]!.attributes;
  };

  it.each([
    ['https://openrouter.ai/api/v1', 'openrouter'],
    [new URL('https://api.groq.com/openai/v1'), 'groq'],
    ['http://localhost:11434/v1', 'ollama'],
    ['https://corp.openai.azure.com/openai', 'azure'],
    // Whoever stands behind a gateway is told by the shape.
    ['https://gateway.ai.cloudflare.com/v1/a/g/openai', 'openai'],
    ['https://ai.corp.internal/v1', 'openai'],
    ['no address', 'openai'],
    [undefined, 'openai'],
    [{}, 'openai'],
  ])('at %s asks %s', async (address, provider) => {
    expect(await call(address)).toMatchObject({ ...openai, 'llm.provider': provider });
  });

  it.each([
    ['https://api.openai.com/v1', 'openai'],
    ['https://eu.api.openai.com/v1', 'openai'],
    ['https://api.anthropic.com', 'anthropic'],
    ['https://ai.corp.internal/v1', 'unknown'],
  ])('at %s that fails has failed with %s', async (address, provider) => {
    const telemetry = createAlsTelemetry();
    const client = telemetry.wrap(new Client(address), { type: 'llm' });
    await expect(client.completions.fail({ model: 'm' })).rejects.toThrow('busy');
    expect(telemetry.metrics.value('llm_errors_total', { provider })).toBe(1);
  });

  it('is read in the dialect of its vendor, though no value says whose it is', async () => {
    expect(await call('https://openrouter.ai/api/v1')).toMatchObject({ 'llm.cost_usd': 0.5 });
    expect(await call(undefined)).not.toHaveProperty('llm.cost_usd');
  });

  it('yields to what the wrapper was told', async () => {
    const telemetry = createAlsTelemetry();
    const client = new Client('https://api.groq.com/openai/v1');
    await telemetry.wrap(client, { type: 'llm', provider: 'mine' }).completions.create({});
    expect(telemetry.spans[0]!.attributes['llm.provider']).toBe('mine');
  });

  it('counts no call of a method that has nothing of a model’s', async () => {
    const telemetry = createAlsTelemetry();
    const { completions } = telemetry.wrap(new Client(undefined), { type: 'llm' });
    await completions.archive();
    expect(telemetry.spans).toHaveLength(1);
    expect(telemetry.metrics.value('llm_requests_total') ?? 0).toBe(0);
    await completions.sample({ model: 'm' });
    expect(telemetry.metrics.value('llm_requests_total')).toBe(1);
  });
});

describe('arguments', () => {
  it.each([
    [[{ model: 'a' }], { model: 'a' }],
    [['text', { modelId: 'b' }], { model: 'b' }],
    [[{ input: { model_name: 'c' } }], { model: 'c' }],
    [[{ chatRequest: { model: 'd' } }], { model: 'd' }],
    [['@cf/meta/llama', { messages: [] }], { model: '@cf/meta/llama' }],
    [[{ model: { modelId: 'e', provider: 'openai.responses' } }], { model: 'e', provider: 'openai' }],
    [[{ model: { modelId: 'f', provider: 'google.vertex.chat' } }], { model: 'f', provider: 'vertex' }],
    [[{ model: {} }, { model: 'g' }], { model: 'g' }],
    [
      [{ input: { modelId: 'h', guardrailConfig: { guardrailIdentifier: 'gr', guardrailVersion: '1' } } }],
      { model: 'h', guardrail: { id: 'gr', version: '1' } },
    ],
    [[null, undefined, 5, 'gpt-4o', []], {}],
  ])('%j say %j', (args, found) => {
    expect(readArguments(args)).toEqual(found);
  });

  it('of an embedding make it one', async () => {
    const telemetry = createAlsTelemetry();
    await telemetry.llm(async (_: object) => ({}))({ model: 'text-embedding-3-small' });
    expect(telemetry.spans[0]!.attributes['llm.operation']).toBe('embed');
  });
});

/** Values that are awkward to look at. */
const hostile: Record<string, () => unknown> = {
  'a getter that throws': () => ({
    get usage(): never {
      throw new Error('usage');
    },
    get choices(): never {
      throw new Error('choices');
    },
    get model(): never {
      throw new Error('model');
    },
  }),
  'a proxy whose traps throw': () =>
    new Proxy(
      {},
      {
        get(_, key) {
          if (key === 'then') return undefined;
          throw new Error('get');
        },
        has: () => {
          throw new Error('has');
        },
        getPrototypeOf: () => {
          throw new Error('prototype');
        },
        getOwnPropertyDescriptor: () => {
          throw new Error('descriptor');
        },
        ownKeys: () => {
          throw new Error('keys');
        },
      },
    ),
  'a revoked proxy': () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return [proxy];
  },
  'a frozen object': () => Object.freeze(chatCompletion({ usage: Object.freeze({ prompt_tokens: 1 }) })),
  'a cycle': () => {
    const value: Record<string, unknown> = {};
    value.data = value;
    value.model = value;
    value.response = { result: value };
    return value;
  },
  BigInts: () => chatCompletion({ usage: { prompt_tokens: 10n, completion_tokens: 5n } }),
  'numbers that are none': () => chatCompletion({ usage: { prompt_tokens: Number.NaN, completion_tokens: -1 } }),
  'a function that returns itself': () => {
    const fn = () => fn;
    return fn;
  },
  'an object without a prototype': () => Object.assign(Object.create(null), { usage: null, choices: [null] }),
  'a map': () => new Map([['usage', 1]]),
  'a typed array': () => new Float64Array(4),
  'a symbol': () => Symbol('s'),
  'a date': () => new Date(0),
  'choices of nothing': () => ({ choices: [undefined], object: 'chat.completion', usage: [] }),
};

describe('an awkward value', () => {
  it.each(Object.entries(hostile))('%s passes as it is', (_, make) => {
    const telemetry = createAlsTelemetry();
    const value = make();
    expect(telemetry.llm((given: unknown) => given)(value) === value).toBe(true);
    expect(telemetry.spans).toHaveLength(1);
    for (const name of ['gen_ai.usage.input_tokens', 'gen_ai.usage.output_tokens']) {
      expect([undefined, 1]).toContain(telemetry.spans[0]!.attributes[name]);
    }
  });

  it('a thenable is left alone, and its work with it', () => {
    let begun = 0;
    // biome-ignore lint/suspicious/noThenProperty: this is what the test is about.
    const thenable = { then: () => begun++, data: { then: () => begun++ } };
    const telemetry = createAlsTelemetry();
    expect(telemetry.llm(() => thenable)()).toBe(thenable);
    expect(begun).toBe(0);
    expect(telemetry.spans).toHaveLength(1);
  });

  it('a getter of what it wraps is not asked', async () => {
    let asked = 0;
    class Lazy {
      get result(): object {
        asked++;
        return {};
      }
    }
    await createAlsTelemetry().llm(async () => new Lazy())();
    expect(asked).toBe(0);
  });

  it('whatever it is, it passes and its span ends', () => {
    fc.assert(
      fc.property(
        fc.object({
          key: fc.constantFrom(
            'usage',
            'choices',
            'model',
            'data',
            'steps',
            'messages',
            'raw',
            'content',
            'message',
            'generations',
            'embedding',
          ),
        }),
        (value) => {
          const telemetry = createTelemetry({ inMemory: true });
          expect(telemetry.llm((given: unknown) => given)(value)).toBe(value);
          expect(telemetry.spans).toHaveLength(1);
        },
      ),
      { numRuns: 300 },
    );
  });
});
