import { describe, expect, it } from 'vitest';
import { TelemetryError } from '../../src/index.ts';
import { chatCompletion, createAlsTelemetry } from '../support/telemetry.ts';

class Store {
  readonly #rows = new Map<string, string>([['a', '1']]);
  readonly options = { ttl: 5 };
  hits = 0;
  get size(): number {
    return this.#rows.size;
  }
  async search(query: string, limit = 1): Promise<string[]> {
    this.hits++;
    return [...this.#rows.keys()].filter((key) => key === query).slice(0, limit);
  }
  fail(): never {
    throw new RangeError('no');
  }
  *pages(): Generator<number> {
    yield 1;
    yield 2;
  }
  chain(): this {
    return this;
  }
  on(): this {
    return this;
  }
  _internal(): string {
    return 'internal';
  }
}

const names = (telemetry: ReturnType<typeof createAlsTelemetry>) => telemetry.spans.map(({ name }) => name);

describe('a wrapped object', () => {
  it('has a span for each call, named by class and method', async () => {
    const telemetry = createAlsTelemetry();
    const store = telemetry.wrap(new Store());
    await telemetry.agent({ name: 'a' }, () => store.search('a', 2))();
    const [span, agent] = telemetry.spans;
    expect(span).toMatchObject({
      name: 'Store.search',
      kind: 0,
      attributes: { 'wrap.method': 'search', 'wrap.args_count': 2 },
    });
    expect(span!.parentSpanContext?.spanId).toBe(agent!.spanContext().spanId);
    expect(telemetry.metrics.value('llm_span_duration_seconds', { span_type: 'infra', agent: 'a' })).toBe(1);
  });

  it('is what it was: results, errors, generators, privates, getters, fields, instanceof', async () => {
    const telemetry = createAlsTelemetry();
    const target = new Store();
    const store = telemetry.wrap(target, { name: 'vectors' });
    expect(store).toBeInstanceOf(Store);
    expect(await store.search('a')).toEqual(['a']);
    expect(() => store.fail()).toThrow(RangeError);
    expect([...store.pages()]).toEqual([1, 2]);
    expect(store.size).toBe(1);
    expect(store.options).toBe(target.options);
    store.hits = 7;
    expect([target.hits, store.hits]).toEqual([7, 7]);
    expect(Object.keys(store)).toEqual(Object.keys(target));
    expect('search' in store).toBe(true);
    expect(store.search.name).toBe('search');
    expect(store.search).toBe(store.search);
    expect(names(telemetry)).toEqual(['vectors.search', 'vectors.fail', 'vectors.pages']);
    expect(telemetry.spans[1]!.status.code).toBe(2);
  });

  it('stays wrapped where a method answers the object itself', async () => {
    const telemetry = createAlsTelemetry();
    const store = telemetry.wrap(new Store());
    expect(store.chain()).toBe(store);
    await store.chain().search('a');
    expect(names(telemetry)).toEqual(['Store.chain', 'Store.chain', 'Store.search']);
  });

  it('wrapped twice is the same', () => {
    const telemetry = createAlsTelemetry();
    const target = new Store();
    const store = telemetry.wrap(target);
    expect(telemetry.wrap(target)).toBe(store);
    expect(telemetry.wrap(store)).toBe(store);
  });

  it('leaves listeners and internals alone, unless they are asked for', () => {
    const telemetry = createAlsTelemetry();
    const store = telemetry.wrap(new Store());
    store.on();
    store._internal();
    void store.toString();
    expect(names(telemetry)).toEqual([]);
    telemetry.wrap(new Store(), { include: ['_internal'] })._internal();
    expect(names(telemetry)).toEqual(['Store._internal']);
  });

  it('traces what is included, and not what is excluded', async () => {
    const telemetry = createAlsTelemetry();
    const some = telemetry.wrap(new Store(), { include: ['search'], name: 'some' });
    const others = telemetry.wrap(new Store(), { exclude: ['search'], name: 'others' });
    for (const store of [some, others]) {
      await store.search('a');
      store.chain();
    }
    expect(names(telemetry)).toEqual(['some.search', 'others.chain']);
  });

  it.each(['trace', 'tool', 'retrieval', 'agent'] as const)('may be a %s', async (type) => {
    const telemetry = createAlsTelemetry();
    await telemetry.wrap(new Store(), { type }).search('a');
    expect(names(telemetry)).toEqual(['Store.search']);
    expect(telemetry.metrics.value('llm_span_duration_seconds', { span_type: type })).toBe(1);
  });

  it('is refused where it is none, and with a type that is none', () => {
    const telemetry = createAlsTelemetry();
    expect(() => telemetry.wrap(5 as never)).toThrow(TelemetryError);
    expect(() => telemetry.wrap(new Store(), { type: 'chain' as never })).toThrow(/trace or agent or llm/);
  });

  it('may be frozen, or a proxy, and keep what is fixed', () => {
    const telemetry = createAlsTelemetry();
    const frozen = Object.freeze({ plain: { a: 1 }, call: () => 1 });
    const wrapped = telemetry.wrap(frozen);
    expect(wrapped.call()).toBe(1);
    expect(wrapped.plain).toBe(frozen.plain);
    const seen: PropertyKey[] = [];
    const target = new Proxy(new Store(), {
      get: (object, key) => {
        seen.push(key);
        return Reflect.get(object, key, object);
      },
    });
    telemetry.wrap(target).chain();
    expect(seen).toContain('chain');
  });

  it('throws what its getters throw', () => {
    const telemetry = createAlsTelemetry();
    const wrapped = telemetry.wrap({
      get broken(): string {
        throw new Error('broken');
      },
    });
    expect(() => wrapped.broken).toThrow('broken');
  });

  it('does nothing where telemetry is off', async () => {
    const telemetry = createAlsTelemetry({ enabled: false });
    expect(await telemetry.wrap(new Store()).search('a')).toEqual(['a']);
    expect(telemetry.spans).toEqual([]);
  });
});

describe('a wrapped client', () => {
  class Completions {
    async create(request: { model: string }) {
      return chatCompletion({ model: `${request.model}-2024-08-06` });
    }
  }
  class Embeddings {
    async create() {
      return {
        object: 'list',
        model: 'text-embedding-3-small',
        data: [{ embedding: [1] }],
        usage: { prompt_tokens: 8 },
      };
    }
  }
  class Client {
    readonly chat = { completions: new Completions() };
    readonly completions = new Completions();
    readonly embeddings = new Embeddings();
  }

  it('of type llm has spans, tokens and cost for the calls of its parts', async () => {
    const telemetry = createAlsTelemetry();
    const client = telemetry.wrap(new Client(), { type: 'llm', provider: 'openai' });
    await client.completions.create({ model: 'gpt-4o' });
    expect(telemetry.spans[0]).toMatchObject({
      name: 'Client.completions.create',
      attributes: {
        'gen_ai.request.model': 'gpt-4o',
        'gen_ai.response.model': 'gpt-4o-2024-08-06',
        'gen_ai.usage.input_tokens': 10,
        'llm.cost_usd': 0.000075,
        'llm.provider': 'openai',
      },
    });
    await client.embeddings.create();
    expect(telemetry.spans[1]!.attributes).toMatchObject({ 'llm.operation': 'embed', 'gen_ai.usage.input_tokens': 8 });
  });

  it('used at the same time by many keeps their calls apart', async () => {
    const telemetry = createAlsTelemetry();
    const client = telemetry.wrap(new Client(), { type: 'llm', provider: 'openai' });
    const models = Array.from({ length: 20 }, (_, index) => `gpt-4o-${index}`);
    await Promise.all(models.map((model) => client.completions.create({ model })));
    const asked = telemetry.spans.map(({ attributes }) => attributes['gen_ai.request.model']);
    const answered = telemetry.spans.map(({ attributes }) => attributes['gen_ai.response.model']);
    expect(answered).toEqual(asked.map((model) => `${model}-2024-08-06`));
    expect(new Set(asked)).toEqual(new Set(models));
  });
});
