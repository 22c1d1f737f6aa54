import { runInNewContext } from 'node:vm';
import ts from 'typescript';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { type LlmResponse, type ReadableSpan, type Telemetry, TelemetryError } from '../../src/index.ts';
import { chatCompletion, chatRequest, chatUrl, createAlsTelemetry, createManualClock } from '../support/telemetry.ts';

function codeOf(run: () => unknown): [string, string] {
  try {
    run();
  } catch (error) {
    if (error instanceof TelemetryError) return [error.code, error.message];
    throw error;
  }
  throw new Error('was taken');
}

const kinds = ['agent', 'tool', 'retrieval', 'trace', 'llm', 'measure'] as const;
type AnyWrapper = (options: { name: string }, fn: (...args: never[]) => unknown) => (...args: unknown[]) => unknown;

function wrapperOf(telemetry: Telemetry, kind: (typeof kinds)[number]): AnyWrapper {
  return telemetry[kind] as unknown as AnyWrapper;
}

function spanOf(telemetry: Telemetry): ReadableSpan {
  expect(telemetry.spans).toHaveLength(1);
  return telemetry.spans[0]!;
}

describe.each(kinds)('%s', (kind) => {
  function create() {
    const telemetry = createAlsTelemetry();
    const wrap = wrapperOf(telemetry, kind);
    return { telemetry, wrap: (fn: (...args: never[]) => unknown) => wrap({ name: 'work' }, fn) };
  }

  it('keeps this, arguments, name, length, properties and results', async () => {
    const { wrap } = create();
    const bag = {};
    const self = { n: 1 };
    function fn(this: typeof self, a: number, b: number) {
      return [this, a, b, bag];
    }
    const wrapped = wrap(Object.assign(fn, { schema: 'x' }) as never);
    const [receiver, ...rest] = wrapped.call(self, 2, 3) as unknown[];
    expect(receiver).toBe(self);
    expect(rest).toEqual([2, 3, bag]);
    expect(rest[2]).toBe(bag);
    const { name, length, schema } = wrapped as typeof wrapped & { schema: string };
    expect({ name, length, schema }).toEqual({ name: 'fn', length: 2, schema: 'x' });
    expect(await wrap(async () => bag)()).toBe(bag);
  });

  it.each<unknown>([new TypeError('bad'), 'text', undefined, null, Object.create(null)])(
    'passes on the very thing that was thrown, sync, async and from generators',
    async (thrown) => {
      const { telemetry, wrap } = create();
      const fail = () => {
        throw thrown;
      };
      const caught: unknown[] = [];
      const note = (error: unknown) => caught.push(error);
      try {
        wrap(fail)();
      } catch (error) {
        note(error);
      }
      await (wrap(async () => fail())() as Promise<unknown>).catch(note);
      const generate = wrap(async function* () {
        yield 1;
        fail();
      });
      try {
        for await (const _ of generate() as AsyncGenerator);
      } catch (error) {
        note(error);
      }
      const generateSync = wrap(function* () {
        yield 1;
        fail();
      });
      try {
        for (const _ of generateSync() as Generator);
      } catch (error) {
        note(error);
      }
      expect(caught).toHaveLength(4);
      for (const error of caught) expect(error).toBe(thrown);
      if (kind === 'measure') expect(telemetry.metrics.value('work_failures_total')).toBe(4);
      else expect(telemetry.spans.map(({ status }) => status.code)).toEqual([2, 2, 2, 2]);
    },
  );

  it('is over when a generator is', async () => {
    const clock = createManualClock();
    const telemetry = createAlsTelemetry({ runtime: clock });
    const generate = wrapperOf(telemetry, kind)({ name: 'work' }, async function* (n: number) {
      for (let i = 0; i < n; i++) {
        clock.advance(100);
        yield i;
      }
      return 'end';
    }) as (n: number) => AsyncGenerator<number>;
    const got: unknown[] = [];
    const generator = generate(3);
    for (let step = await generator.next(); ; step = await generator.next()) {
      got.push(step.value);
      if (step.done) break;
      expect(telemetry.spans).toEqual([]);
    }
    expect(got).toEqual([0, 1, 2, 'end']);
    if (kind === 'measure') expect(await telemetry.prometheus()).toContain('work_duration_seconds_sum 0.3');
    else expect(spanOf(telemetry).duration).toEqual([0, 300_000_000]);
  });

  it('is over when a generator is left', async () => {
    const { telemetry, wrap } = create();
    let cleaned = 0;
    const generate = wrap(async function* () {
      try {
        yield 1;
        yield 2;
      } finally {
        cleaned++;
      }
    });
    for await (const _ of generate() as AsyncGenerator) break;
    const generateSync = wrap(function* () {
      try {
        yield 1;
        yield 2;
      } finally {
        cleaned++;
      }
    });
    for (const _ of generateSync() as Generator) break;
    expect(cleaned).toBe(2);
    if (kind === 'measure') expect(telemetry.metrics.value('work_duration_seconds')).toBe(2);
    else expect(telemetry.spans.map(({ status }) => status.code)).toEqual([0, 0]);
  });

  it('refuses what is no function', () => {
    const wrap = createAlsTelemetry()[kind] as unknown as (...args: unknown[]) => unknown;
    for (const args of [[], [5], [null], [{ name: 'x' }, 5], ['x', () => {}]]) {
      expect(codeOf(() => wrap(...args))[0]).toMatch(/invalid_(wrapper|decorator)/);
    }
  });
});

describe('generators', () => {
  it('are what they were: values sent, helpers, delegation, disposal', async () => {
    const telemetry = createAlsTelemetry();
    const echo = telemetry.trace({ name: 'echo' }, function* (): Generator<number, string, number> {
      const got = yield 1;
      yield got * 2;
      return 'end';
    });
    const first = echo();
    expect([first.next(), first.next(21), first.next()]).toEqual([
      { value: 1, done: false },
      { value: 42, done: false },
      { value: 'end', done: true },
    ]);
    const numbers = telemetry.trace({ name: 'numbers' }, function* () {
      yield* [1, 2, 3];
    });
    const taken = (numbers() as unknown as { take(n: number): { toArray(): number[] } }).take(2).toArray();
    expect(taken).toEqual([1, 2]);
    function* all() {
      yield* numbers();
    }
    expect([...all()]).toEqual([1, 2, 3]);
    const disposed = telemetry.trace({ name: 'disposed' }, async function* () {
      yield 1;
    })();
    await disposed.next();
    await disposed[Symbol.asyncDispose]();
    expect(telemetry.spans.map(({ name }) => name)).toEqual(['echo', 'numbers', 'numbers', 'disposed']);
    expect(Object.prototype.toString.call(numbers())).toBe('[object Generator]');
  });

  it('have their span active at each step, and at no other time', async () => {
    const telemetry = createAlsTelemetry();
    const generate = telemetry.agent({ name: 'a' }, async function* () {
      yield telemetry.activeSpan();
      await Promise.resolve();
      telemetry.span('inner', () => {});
      yield telemetry.activeSpan();
    });
    const seen: unknown[] = [];
    for await (const span of generate()) {
      seen.push(span);
      expect(telemetry.activeSpan()).toBeUndefined();
    }
    expect(new Set(seen).size).toBe(1);
    expect(telemetry.spans.map(({ name }) => name)).toEqual(['inner', 'invoke_agent a']);
  });
});

describe('a function', () => {
  it('keeps what is not plain about its properties', () => {
    const telemetry = createAlsTelemetry();
    let asked = 0;
    const fn = Object.defineProperties((_: number) => 1, {
      name: { value: 'fixed', enumerable: true },
      lazy: { get: () => ++asked, enumerable: true },
      hidden: { value: 5 },
    }) as { (_: number): number; readonly lazy: number; readonly hidden: number };
    const wrapped = telemetry.tool(fn);
    expect(asked).toBe(0);
    expect([wrapped.name, wrapped.length, wrapped.lazy, wrapped.hidden]).toEqual(['fixed', 1, 1, 5]);
  });

  it('may answer a promise of another realm', async () => {
    const telemetry = createAlsTelemetry();
    const reply = JSON.stringify(chatCompletion());
    await telemetry.llm(() => runInNewContext(`Promise.resolve(${reply})`) as Promise<unknown>)();
    const failing = telemetry.tool({ name: 't' }, () => runInNewContext('Promise.reject(new Error("no"))'));
    await expect(failing()).rejects.toThrow('no');
    expect(telemetry.spans.map(({ status }) => status.code)).toEqual([0, 2]);
    expect(telemetry.spans[0]!.attributes['gen_ai.usage.input_tokens']).toBe(10);
  });
});

describe("an SDK's promise", () => {
  class SdkPromise<T> extends Promise<T> {
    withResponse(): string {
      return 'response';
    }
  }

  it('stays what it is', async () => {
    const telemetry = createAlsTelemetry();
    const call = telemetry.llm({ model: 'gpt-4o' }, () => new SdkPromise<number>((resolve) => resolve(5)));
    const promise = call();
    expect(promise.withResponse()).toBe('response');
    expect(await promise).toBe(5);
    expect(spanOf(telemetry).name).toBe('chat gpt-4o');
    const thrown = new Error('x');
    await expect(telemetry.llm(() => SdkPromise.reject(thrown))()).rejects.toBe(thrown);
  });

  it('of a page that is read as all its pages is over with the last one', async () => {
    class Pages extends Promise<number[]> {
      async *[Symbol.asyncIterator]() {
        yield* await this;
      }
    }
    async function readAll(pages: Pages): Promise<number[]> {
      const seen: number[] = [];
      for await (const item of pages) seen.push(item);
      return seen;
    }
    const telemetry = createAlsTelemetry();
    const list = telemetry.tool({ name: 'list' }, () => new Pages((resolve) => resolve([1, 2])));
    expect(await readAll(list())).toEqual([1, 2]);
    for await (const _ of list()) break;
    expect(await list()).toEqual([1, 2]);
    const failing = telemetry.tool({ name: 'fail' }, () => new Pages((_, reject) => reject(new RangeError('no'))));
    await expect(readAll(failing())).rejects.toThrow('no');
    expect(telemetry.spans.map(({ name, status }) => [name, status.code])).toEqual([
      ...Array.from({ length: 3 }, () => ['execute_tool list', 0]),
      ['execute_tool fail', 2],
    ]);
  });

  it('that only looks like one is not started', () => {
    let started = 0;
    const lazy = {
      // biome-ignore lint/suspicious/noThenProperty: that is the point
      then() {
        started++;
      },
    };
    expect(createAlsTelemetry().tool({ name: 't' }, () => lazy)()).toBe(lazy);
    expect(started).toBe(0);
  });
});

describe('types', () => {
  it("are the function's own", () => {
    const telemetry = createAlsTelemetry();
    const fn = async (a: string, b?: number) => a.length + (b ?? 0);
    const wrapped = telemetry.tool({ name: 't' }, fn);
    expectTypeOf(wrapped).toEqualTypeOf<typeof fn>();
    expectTypeOf(telemetry.agent(fn)).toEqualTypeOf<typeof fn>();
    expectTypeOf(telemetry.measure({ name: 'm' }, fn)).toEqualTypeOf<typeof fn>();
    const options = { response: (n: number): LlmResponse => ({ usage: { output: n } }) };
    expectTypeOf(telemetry.llm(options, fn)).toEqualTypeOf<typeof fn>();
  });
});

describe('decorators', () => {
  const source = `
    class Research {
      prefix = '>';
      @telemetry.agent({ name: 'research' }) async answer(question) { return this.prefix + await this.search(question); }
      @telemetry.tool async search(text) { return text.toUpperCase(); }
      @telemetry.trace static make() { return new Research(); }
      @telemetry.llm({ model: 'm' }) async *words() { yield 'a'; yield 'b'; }
      @telemetry.measure({ name: 'counted' }) count() { return 3; }
    }
    return Research;`;

  function compile(
    code: string,
    experimentalDecorators: boolean,
    telemetry: Telemetry,
  ): { make(): Record<string, () => unknown> } {
    const target = ts.ScriptTarget.ES2022;
    const { outputText } = ts.transpileModule(code, { compilerOptions: { target, experimentalDecorators } });
    return new Function('telemetry', outputText)(telemetry);
  }

  it('wrap methods, static ones and generators too', async () => {
    const telemetry = createAlsTelemetry();
    const research = compile(source, false, telemetry).make() as unknown as {
      answer(question: string): Promise<string>;
      words(): AsyncGenerator<string>;
      count(): number;
    };
    expect(await research.answer('why')).toBe('>WHY');
    const words: string[] = [];
    for await (const word of research.words()) words.push(word);
    expect(words).toEqual(['a', 'b']);
    expect(research.count()).toBe(3);
    expect(telemetry.spans.map(({ name }) => name)).toEqual([
      'make',
      'execute_tool search',
      'invoke_agent research',
      'chat m',
    ]);
    expect(telemetry.metrics.value('counted_calls_total')).toBe(1);
  });

  it.each([
    ["@telemetry.agent({ name: 'a' }) async answer() {}", 'agent'],
    ['@telemetry.tool async answer() {}', 'tool'],
    ['@telemetry.llm static answer() {}', 'llm'],
    ["@telemetry.measure({ name: 'a' }) get answer() { return 1; }", 'measure'],
    ['@telemetry.trace field = 5', 'trace'],
  ])('of experimentalDecorators are refused with the function form: %s', (member, word) => {
    const [code, message] = codeOf(() => compile(`class X { ${member} }; return X;`, true, createAlsTelemetry()));
    expect(code).toBe('invalid_decorator');
    expect(message).toContain(`telemetry.${word}({ name: 'method' }, async () =>`);
  });

  it.each(['get answer() { return 1; }', 'accessor answer = 1', 'answer = 1'])(
    'of what is no method are refused: %s',
    (member) => {
      const [code] = codeOf(() =>
        compile(`class X { @telemetry.tool ${member} }; return X;`, false, createAlsTelemetry()),
      );
      expect(code).toBe('invalid_decorator');
    },
  );
});

describe('conventions', () => {
  it('name and attribute spans by type', () => {
    const telemetry = createAlsTelemetry();
    telemetry.agent({ name: 'planner', attributes: { own: 1 } }, () => {})();
    telemetry.tool({ name: 'search', description: 'Finds' }, () => {})();
    telemetry.retrieval({ name: 'docs', count: (found: number[]) => found.length }, () => [1, 2])();
    telemetry.trace(function step() {})();
    telemetry.trace(() => {})();
    expect(telemetry.spans.map(({ name, kind, attributes }) => [name, kind, attributes])).toEqual([
      ['invoke_agent planner', 0, { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': 'planner', own: 1 }],
      [
        'execute_tool search',
        0,
        {
          'gen_ai.operation.name': 'execute_tool',
          'gen_ai.tool.name': 'search',
          'gen_ai.tool.type': 'function',
          'gen_ai.tool.description': 'Finds',
        },
      ],
      ['retrieval docs', 2, { 'gen_ai.operation.name': 'retrieval', retrieved_documents_count: 2 }],
      ['step', 0, {}],
      ['trace', 0, {}],
    ]);
  });

  it('count runs and failures, under the innermost agent', async () => {
    const telemetry = createAlsTelemetry();
    const search = telemetry.tool({ name: 'search' }, async (ok: boolean) => {
      await Promise.resolve();
      if (!ok) throw new RangeError('no');
    });
    const find = telemetry.retrieval({ name: 'docs' }, () => []);
    const inner = telemetry.agent({ name: 'inner' }, () => search(true));
    const outer = telemetry.agent({ name: 'outer' }, async () => {
      find();
      await inner();
      await search(false);
    });
    await expect(outer()).rejects.toThrow('no');
    await search(true);
    const runs = (labels: Record<string, string>) => telemetry.metrics.value('llm_tool_executions_total', labels);
    expect(runs({ agent: 'inner', status: 'ok' })).toBe(1);
    expect(runs({ agent: 'outer', status: 'error' })).toBe(1);
    expect(runs({ agent: '', status: 'ok' })).toBe(1);
    expect(telemetry.metrics.value('llm_retrievals_total', { agent: 'outer' })).toBe(1);
    const errors = (span_type: string) =>
      telemetry.metrics.value('llm_errors_total', { span_type, error_type: 'internal_error', agent: 'outer' });
    expect([errors('tool'), errors('agent')]).toEqual([1, 1]);
    expect(telemetry.metrics.value('llm_span_duration_seconds', { span_type: 'agent', agent: 'outer' })).toBe(1);
  });

  it('survive a count that throws', () => {
    const telemetry = createAlsTelemetry();
    const count = () => {
      throw new Error('count');
    };
    expect(telemetry.retrieval({ name: 'docs', count }, () => 5)()).toBe(5);
    expect(spanOf(telemetry).status.code).toBe(0);
    expect(telemetry.health().problems[0]?.message).toBe('count');
  });
});

describe('llm', () => {
  const prices = { m: { input: 1, output: 2 } };
  const response = (text: string): LlmResponse => ({
    model: 'm',
    usage: { input: 10, output: text.length },
    finishReasons: ['stop'],
    toolCalls: [{ name: 'search' }],
  });

  it('counts what its extractor reads', async () => {
    const telemetry = createAlsTelemetry({ prices });
    const call = telemetry.llm({ provider: 'acme', model: 'm', response }, async () => 'hello');
    expect(await call()).toBe('hello');
    expect(spanOf(telemetry)).toMatchObject({
      name: 'chat m',
      kind: 2,
      status: { code: 0 },
      attributes: {
        'gen_ai.provider.name': 'acme',
        'gen_ai.request.model': 'm',
        'gen_ai.response.model': 'm',
        'gen_ai.usage.input_tokens': 10,
        'gen_ai.usage.output_tokens': 5,
        'gen_ai.response.finish_reasons': ['stop'],
        'llm.cost_usd': 0.00002,
        'llm.tool_names': ['search'],
      },
    });
    const labels = { provider: 'acme', model: 'm' };
    expect(telemetry.metrics.value('llm_requests_total', { ...labels, operation: 'chat', status: 'ok' })).toBe(1);
    expect(telemetry.metrics.value('llm_tokens_total', labels)).toBe(15);
    expect(telemetry.metrics.value('llm_cost_usd_total', labels)).toBeCloseTo(0.00002, 10);
    expect(telemetry.metrics.value('llm_tool_calls_total', { tool_name: 'search' })).toBe(1);
  });

  it('reads the return value of a generator, and times its items', async () => {
    const clock = createManualClock();
    const telemetry = createAlsTelemetry({ prices, runtime: clock });
    const call = telemetry.llm({ provider: 'acme', model: 'm', response: response as never }, async function* () {
      for (const word of ['a', 'b', 'c']) {
        clock.advance(100);
        yield word;
      }
      return 'hello';
    });
    for await (const _ of call());
    const { attributes } = spanOf(telemetry);
    expect(attributes).toMatchObject({
      'gen_ai.request.stream': true,
      'gen_ai.response.time_to_first_chunk': 0.1,
      'gen_ai.usage.output_tokens': 5,
      'llm.operation': 'stream',
    });
    expect(telemetry.metrics.value('llm_requests_total', { operation: 'stream' })).toBe(1);
    expect(telemetry.metrics.value('gen_ai.client.operation.time_per_output_chunk')).toBe(2);
  });

  it('of a generator that is left has aborted', async () => {
    const telemetry = createAlsTelemetry();
    const call = telemetry.llm({ provider: 'acme', model: 'm' }, async function* () {
      yield 1;
      yield 2;
    });
    for await (const _ of call()) break;
    expect(spanOf(telemetry)).toMatchObject({ status: { code: 0 }, attributes: { 'edgespan.aborted': true } });
    expect(telemetry.metrics.value('llm_streams_aborted_total', { model: 'm' })).toBe(1);
    expect(telemetry.metrics.value('llm_requests_total', { status: 'ok' })).toBe(1);
  });

  it('that its caller aborts is no error; one that times out is', async () => {
    const telemetry = createAlsTelemetry();
    const call = telemetry.llm({ model: 'm' }, async (name: string) => {
      throw new DOMException('x', name);
    });
    await expect(call('AbortError')).rejects.toThrow();
    await expect(call('TimeoutError')).rejects.toThrow();
    const [aborted, timedOut] = telemetry.spans;
    expect(aborted).toMatchObject({ status: { code: 0 }, events: [], attributes: { 'edgespan.aborted': true } });
    expect(timedOut).toMatchObject({ status: { code: 2 }, attributes: { 'edgespan.error_class': 'timeout' } });
  });

  it('around an instrumented call is its parent: tokens and cost count once', async () => {
    const telemetry = createAlsTelemetry({ fetch: async () => Response.json(chatCompletion()) });
    const call = telemetry.llm(
      { provider: 'openai', model: 'gpt-4o', response: () => ({ usage: { input: 10, output: 5 } }) },
      async () => {
        await Promise.resolve();
        return (await telemetry.fetch(chatUrl, chatRequest())).json();
      },
    );
    await call();
    const [leaf, parent] = telemetry.spans;
    expect(leaf!.parentSpanContext?.spanId).toBe(parent!.spanContext().spanId);
    expect(leaf!.attributes).toHaveProperty(['llm.cost_usd']);
    expect(parent!.attributes).not.toHaveProperty(['llm.cost_usd']);
    expect(parent!.attributes).not.toHaveProperty(['gen_ai.usage.input_tokens']);
    expect(telemetry.metrics.value('llm_requests_total')).toBe(1);
    expect(telemetry.metrics.value('llm_tokens_total')).toBe(15);
    expect(telemetry.metrics.value('gen_ai.client.operation.duration')).toBe(1);
  });

  it('survives an extractor that throws or answers anything', async () => {
    for (const read of [
      () => {
        throw new Error('no');
      },
      () => 'text',
      () => ({
        usage: { input: Number.NaN, output: -1, cacheRead: '5', reasoning: Number.POSITIVE_INFINITY },
        costUsd: Number.NaN,
        toolCalls: 'search',
        finishReasons: 5,
        id: {},
        model: 5,
        attributes: 'x',
      }),
      () => ({ usage: 'many', toolCalls: [null, {}, { name: 5 }, { name: 'ok' }], finishReasons: [null, 'stop'] }),
    ]) {
      const telemetry = createAlsTelemetry();
      const call = telemetry.llm({ model: 'm', response: read as never }, () => 5);
      expect(call()).toBe(5);
      const { attributes, status } = spanOf(telemetry);
      expect(status.code).toBe(0);
      expect(Object.keys(attributes).filter((key) => /tokens|cost/.test(key))).toEqual([]);
      expect(telemetry.metrics.value('llm_requests_total')).toBe(1);
      expect(telemetry.metrics.value('llm_tokens_total')).toBeUndefined();
      expect(telemetry.metrics.value('llm_unpriced_requests_total')).toBeUndefined();
      expect(telemetry.metrics.value('edgespan_invalid_measurements_total')).toBeUndefined();
    }
  });

  it('without a model is named by its operation', () => {
    const telemetry = createAlsTelemetry();
    telemetry.llm({ operation: 'embed' }, () => {})();
    telemetry.llm({ operation: 'rerank' }, () => {})();
    expect(telemetry.spans.map(({ name }) => name)).toEqual(['embeddings', 'rerank']);
    expect(telemetry.metrics.value('llm_requests_total', { operation: 'other' })).toBe(1);
    expect(telemetry.spans[0]!.attributes).not.toHaveProperty(['gen_ai.request.model']);
  });
});

describe('measure', () => {
  it('has three families by name, and no span', async () => {
    const clock = createManualClock();
    const telemetry = createAlsTelemetry({ runtime: clock });
    const load = telemetry.measure({ name: 'load-user' }, async (ok: boolean) => {
      await Promise.resolve();
      clock.advance(250);
      if (!ok) throw new Error('x');
      return 1;
    });
    await load(true);
    await load(false).catch(() => {});
    expect(telemetry.spans).toEqual([]);
    const page = await telemetry.prometheus();
    expect(page).toContain('load_user_calls_total 2');
    expect(page).toContain('load_user_failures_total 1');
    expect(page).toContain('load_user_duration_seconds_sum 0.5');
    expect(page).toContain('load_user_duration_seconds_count 2');
  });

  it('shows a failure count of 0 as soon as it ran', () => {
    const telemetry = createAlsTelemetry();
    telemetry.measure(function named() {})();
    expect(telemetry.metrics.value('named_failures_total')).toBe(0);
  });

  it('is refused by a name that metrics can not have, when it is set up', () => {
    expect(codeOf(() => createAlsTelemetry().measure({ name: '1st' }, () => {}))[0]).toBe('invalid_metric');
  });
});
