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

  it('is asked by the language itself as it would be: iterators, conversions, disposal', async () => {
    class Rows {
      #rows = [1, 2];
      *[Symbol.iterator]() {
        yield* this.#rows;
      }
      async *[Symbol.asyncIterator]() {
        yield* this.#rows;
      }
      [Symbol.toPrimitive]() {
        return this.#rows.length;
      }
      async [Symbol.asyncDispose]() {
        this.#rows = [];
      }
    }
    const telemetry = createAlsTelemetry();
    const rows = telemetry.wrap(new Rows());
    expect([...rows]).toEqual([1, 2]);
    const seen: number[] = [];
    for await (const row of rows as AsyncIterable<number>) seen.push(row);
    expect(seen).toEqual([1, 2]);
    expect(Number(rows)).toBe(2);
    await rows[Symbol.asyncDispose]();
    expect(Number(rows)).toBe(0);
    expect([...telemetry.wrap(new Map([['a', 1]]))]).toEqual([['a', 1]]);
    expect(telemetry.wrap({}).constructor).toBe(Object);
    expect(names(telemetry)).toEqual([]);
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

  it('wrapped by two telemetries tells both', () => {
    const [one, other] = [createAlsTelemetry(), createAlsTelemetry()];
    const target = new Store();
    one.wrap(target).chain();
    other.wrap(target).chain();
    expect([names(one), names(other)]).toEqual([['Store.chain'], ['Store.chain']]);
    other.wrap(one.wrap(target)).chain();
    expect([names(one).length, names(other).length]).toEqual([2, 2]);
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
    expect(() => telemetry.wrap(new Store(), { type: 'chain' as never })).toThrow(/"trace" or "agent" or "llm"/);
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

  it('keeps what the platform made for the platform', () => {
    const controller = new AbortController();
    const client = createAlsTelemetry().wrap(Object.assign(new Client(), { controller }), { type: 'llm' });
    expect(client.controller).toBe(controller);
    expect(() => new Request('https://a.test', { signal: client.controller.signal })).not.toThrow();
  });

  it.each([
    ['messages.countTokens', 'count_tokens'],
    ['moderations.create', 'moderation'],
    ['images.generate', 'image'],
    ['audio.speech.create', 'speech'],
    ['audio.transcriptions.create', 'transcription'],
    ['v2.rerank', 'rerank'],
    ['embeddings.create', 'embeddings'],
    ['completions.create', 'chat'],
  ])('asks by %s for a %s', async (path, operation) => {
    class Part {}
    const ask = async (_: object) => ({});
    const [method, ...parts] = path.split('.').reverse();
    const client = parts.reduce<object>(
      (inner, part) => Object.assign(new Part(), { [part]: inner }),
      Object.assign(new Part(), { [method!]: ask }),
    );
    const telemetry = createAlsTelemetry();
    type Parts = { [name: string]: Parts } & typeof ask;
    const wrapped = telemetry.wrap(client, { type: 'llm', name: 'client' }) as Parts;
    const holder = parts.reduceRight<Parts>((outer, part) => outer[part]!, wrapped);
    await holder[method!]!({ model: 'm' });
    expect(telemetry.spans[0]).toMatchObject({
      name: `client.${path}`,
      attributes: { 'gen_ai.operation.name': operation },
    });
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
