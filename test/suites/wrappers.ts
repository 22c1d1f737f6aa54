import type { ReadableSpan, Telemetry } from '../../src/index.ts';
import { equal, ok, thrown } from './assert.ts';
import { createTelemetry, type Suite, type SuiteEnv, type SuiteTest, tick } from './suite.ts';

const kinds = ['agent', 'llm', 'tool', 'retrieval', 'trace', 'measure'] as const;
type Kind = (typeof kinds)[number];
const spanKinds = kinds.filter((kind) => kind !== 'measure');

type Method = (this: Counter, upTo: number) => unknown;
/** What all six wrappers are. */
interface Wrap {
  (method: Method, context: ClassMethodDecoratorContext): Method;
  (fn: Method): Method;
  (options: { name: string }, fn: Method): Method;
  (options: { name: string }): (method: Method, context: ClassMethodDecoratorContext) => Method;
}

const name = 'work';
/** As a compiler applies `@telemetry.agent` to a method. */
const context = { kind: 'method', name, static: false, private: false } as ClassMethodDecoratorContext;

const forms: Readonly<Record<string, (wrap: Wrap, method: Method) => Method>> = {
  'a function': (wrap, method) => wrap(method),
  'a function with options': (wrap, method) => wrap({ name }, method),
  'a decorator': (wrap, method) => wrap(method, context),
  'a decorator with options': (wrap, method) => wrap({ name })(method, context),
};

class Counter {
  readonly #start = 1;
  get start() {
    return this.#start;
  }
}

const failure = new RangeError('too far');

function fail(): never {
  throw failure;
}

/** Code of every kind, as methods of one class: what it comes to, or that it throws. */
const methods: readonly (readonly [what: string, work: Method, expected?: unknown])[] = [
  [
    'sync',
    function work(upTo) {
      return this.start + upTo;
    },
    4,
  ],
  [
    'async',
    async function work(upTo) {
      await tick();
      return this.start + upTo;
    },
    4,
  ],
  [
    'generator',
    function* work(upTo) {
      for (let i = this.start; i <= upTo; i++) yield i;
    },
    [1, 2, 3],
  ],
  [
    'async generator',
    async function* work(upTo) {
      for (let i = this.start; i <= upTo; i++) {
        await tick();
        yield i;
      }
    },
    [1, 2, 3],
  ],
  [
    'throwing',
    function work() {
      return fail();
    },
  ],
  [
    'rejecting',
    async function work() {
      await tick();
      return fail();
    },
  ],
  [
    'throwing generator',
    function* work() {
      yield 1;
      fail();
    },
  ],
  [
    'throwing async generator',
    async function* work() {
      await tick();
      yield 1;
      fail();
    },
  ],
];

/** What a call comes to; of a generator all that it yields. */
async function collect(result: unknown): Promise<unknown> {
  const value = await result;
  if (typeof value !== 'object' || value === null) return value;
  const items: unknown[] = [];
  for await (const item of value as AsyncIterable<unknown>) items.push(item);
  return items;
}

function checkForm(kind: Kind, form: string): SuiteTest {
  return {
    name: `wrappers: ${kind} as ${form}, over all kinds of code`,
    async run(env) {
      for (const [what, work, expected] of methods) {
        const telemetry = createTelemetry(env);
        const wrapped = forms[form]!(telemetry[kind] as unknown as Wrap, work);
        equal([wrapped.name, wrapped.length], [work.name, work.length], `${what}: name and length`);
        const call = () => collect(wrapped.call(new Counter(), 3));
        if (expected === undefined) ok((await thrown(call)) === failure, `${what}: another error`);
        else equal(await call(), expected, what);
        // A bundler may have renamed the function.
        const counted = form === 'a function' ? work.name : name;
        if (kind === 'measure') checkMeasured(telemetry, counted, what, expected === undefined);
        else checkSpan(telemetry, what, expected === undefined);
      }
    },
  };
}

/** One call that was counted and timed, without a span. */
function checkMeasured(telemetry: Telemetry, prefix: string, what: string, failed: boolean): void {
  const value = (suffix: string) => telemetry.metrics.value(`${prefix}_${suffix}`);
  equal([value('calls_total'), value('failures_total')], [1, failed ? 1 : 0], `${what}: calls and failures`);
  equal([value('duration_seconds'), telemetry.spans.length], [1, 0], `${what}: timed, without a span`);
}

function checkSpan(telemetry: Telemetry, what: string, failed: boolean): void {
  const seen = telemetry.spans.map(({ ended, status, attributes }) => [ended, status.code, attributes['error.type']]);
  equal(seen, [[true, failed ? 2 : 0, failed ? 'RangeError' : undefined]], `${what}: spans`);
}

/** The telemetry to use inside of a span: any, where context survives an `await`, else the one that is handed over. */
const within = ({ asyncContext }: SuiteEnv, telemetry: Telemetry, inside: Telemetry) =>
  asyncContext ? telemetry : inside;

function child(telemetry: Telemetry, kind: Kind, mark: string): () => Promise<void> {
  const options = { name: 'child', attributes: { mark } };
  return (telemetry[kind] as unknown as (given: typeof options, fn: () => Promise<void>) => () => Promise<void>)(
    options,
    tick,
  );
}

function named(telemetry: Telemetry, mark: string): ReadableSpan[] {
  return telemetry.spans.filter(({ name, attributes }) => name === mark || attributes.mark === mark);
}

function checkParent(telemetry: Telemetry, mark: string, parent: string): void {
  const spans = named(telemetry, mark);
  const outer = named(telemetry, parent)[0]?.spanContext();
  equal(spans.length, 1, `spans of ${mark}`);
  equal(spans[0]?.parentSpanContext?.spanId, outer?.spanId ?? 'none', `parent of ${mark}`);
  equal(spans[0]?.spanContext().traceId, outer?.traceId, `trace of ${mark}`);
}

/** Ways in which work is put off, each of which calls `run` once. */
const ways: Readonly<Record<string, (run: () => Promise<void>) => Promise<void>>> = {
  'an await': async (run) => {
    await tick();
    await run();
  },
  'a timer': (run) => new Promise((resolve, reject) => setTimeout(() => run().then(resolve, reject), 0)),
  'a stream': async (run) => {
    const stream = new ReadableStream<number>(
      {
        async pull(controller) {
          await run();
          controller.enqueue(1);
          controller.close();
        },
      },
      { highWaterMark: 0 },
    );
    const reader = stream.getReader();
    while (!(await reader.read()).done);
  },
};

function checkParents(kind: Kind): SuiteTest {
  return {
    name: `wrappers: ${kind} finds its parent in Promise.all, timers and streams`,
    async run(env) {
      const telemetry = createTelemetry(env);
      const branch = (way: string, parent: string) =>
        telemetry.span(parent, async (_span, inside) => {
          const run = child(within(env, telemetry, inside), kind, `${way} of ${parent}`);
          await ways[way]!(run);
        });
      const parents = Object.keys(ways).flatMap((way) => ['a', 'b'].map((which) => [way, `${way} ${which}`] as const));
      await Promise.all(parents.map(([way, parent]) => branch(way, parent)));
      for (const [way, parent] of parents) checkParent(telemetry, `${way} of ${parent}`, parent);
    },
  };
}

function checkParenthood(kind: Kind): SuiteTest {
  return {
    name: `wrappers: ${kind} is the parent of what is called in it`,
    async run(env) {
      const telemetry = createTelemetry(env);
      type WrapAny = <F>(given: { name: string; attributes: { mark: string } }, fn: F) => F;
      const wrap = telemetry[kind] as unknown as WrapAny;
      const mark = (text: string) => ({ name: 'parent', attributes: { mark: text } });
      wrap(mark('sync'), () => telemetry.span('in sync', () => {}))();
      // Each step of a generator runs inside, where no async context leads, too.
      const steps = wrap(mark('steps'), async function* () {
        yield 1;
        telemetry.span('in steps', () => {});
        yield 2;
      });
      equal(await collect(steps()), [1, 2], 'steps');
      const inner = ['sync', 'steps'];
      if (env.asyncContext) {
        const later = (text: string) =>
          wrap(mark(text), async () => {
            await tick();
            telemetry.span(`in ${text}`, () => {});
          });
        await Promise.all([later('async a')(), later('async b')()]);
        inner.push('async a', 'async b');
      }
      for (const parent of inner) checkParent(telemetry, `in ${parent}`, parent);
    },
  };
}

/** The compiler is the test here: a wrapped function has the type that it had. */
function checkTypes({ agent, llm, tool, retrieval, trace, measure }: Telemetry) {
  const sync: (a: number) => number = agent((a: number) => a + 1);
  const later: (a: string) => Promise<string> = llm({ model: 'm' }, async (a: string) => a);
  const steps: (n: number) => Generator<number, string, boolean> = tool(function* (n: number) {
    return (yield n) ? 'a' : 'b';
  });
  const stream: () => AsyncGenerator<number> = retrieval({ name: 'r' }, async function* () {
    yield 1;
  });
  const bound: (this: Counter, n: number) => number = trace(function (this: Counter, n: number) {
    return this.start + n;
  });
  // @ts-expect-error the result is a number
  const wrong: (a: number) => string = measure((a: number) => a);
  return { sync, later, steps, stream, bound, wrong };
}

export const wrappers: Suite = [
  ...kinds.flatMap((kind) => Object.keys(forms).map((form) => checkForm(kind, form))),
  ...spanKinds.flatMap((kind) => [checkParents(kind), checkParenthood(kind)]),
  {
    name: 'wrappers: keep the types of what they wrap',
    async run(env) {
      const { sync, later, steps, stream, bound } = checkTypes(createTelemetry(env));
      equal([sync(1), await later('x')], [2, 'x'], 'sync and async');
      const generator = steps(7);
      equal(
        [generator.next(), generator.next(true)],
        [
          { value: 7, done: false },
          { value: 'a', done: true },
        ],
        'steps',
      );
      equal(await collect(stream()), [1], 'stream');
      equal(bound.call(new Counter(), 2), 3, 'this');
    },
  },
];
