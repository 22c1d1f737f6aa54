import type { ReadableSpan, Telemetry } from '../../src/index.ts';
import { equal, ok, thrown } from './assert.ts';
import { createClock, createTelemetry, type Suite, tick } from './suite.ts';

function find(telemetry: Telemetry, name: string): ReadableSpan {
  const span = telemetry.spans.find((candidate) => candidate.name === name);
  ok(span, `no span ${name} among ${telemetry.spans.map((each) => each.name)}`);
  return span;
}

function isChild(telemetry: Telemetry, child: string, parent: string): boolean {
  const [inner, outer] = [find(telemetry, child), find(telemetry, parent).spanContext()];
  return inner.parentSpanContext?.spanId === outer.spanId && inner.spanContext().traceId === outer.traceId;
}

export const spans: Suite = [
  {
    name: 'spans: ids are random, of the right length, and roots are sampled with random ids',
    run(env) {
      const telemetry = createTelemetry(env);
      for (let i = 0; i < 1000; i++) telemetry.span('s', () => {});
      const contexts = telemetry.spans.map((span) => span.spanContext());
      ok(
        contexts.every(({ traceId }) => /^(?!0+$)[0-9a-f]{32}$/.test(traceId)),
        'a trace id is malformed',
      );
      ok(
        contexts.every(({ spanId }) => /^(?!0+$)[0-9a-f]{16}$/.test(spanId)),
        'a span id is malformed',
      );
      equal(new Set(contexts.map(({ traceId }) => traceId)).size, 1000, 'distinct trace ids');
      equal(new Set(contexts.map(({ spanId }) => spanId)).size, 1000, 'distinct span ids');
      ok(
        contexts.every(({ traceFlags }) => traceFlags === 3),
        'flags of a sampled root are 03',
      );
    },
  },
  {
    name: 'spans: nest within synchronous code',
    run(env) {
      const telemetry = createTelemetry(env);
      telemetry.span('outer', () => telemetry.span('inner', () => {}));
      ok(isChild(telemetry, 'inner', 'outer'), 'inner is no child of outer');
      equal(find(telemetry, 'outer').parentSpanContext, undefined, 'parent of the root');
    },
  },
  {
    name: 'spans: nest across await by the telemetry that is handed over',
    async run(env) {
      const telemetry = createTelemetry(env);
      const branch = (name: string) =>
        telemetry.span(name, async (_, inside) => {
          await tick();
          await inside.span(`${name} child`, async (_, deeper) => {
            await tick();
            deeper.span(`${name} grandchild`, () => {});
          });
        });
      await Promise.all([branch('a'), branch('b')]);
      for (const name of ['a', 'b']) {
        ok(isChild(telemetry, `${name} child`, name), `${name} child`);
        ok(isChild(telemetry, `${name} grandchild`, `${name} child`), `${name} grandchild`);
      }
    },
  },
  {
    name: 'spans: nest across await by async context, where there is one',
    async run(env) {
      const telemetry = createTelemetry(env);
      const branch = (name: string) =>
        telemetry.span(name, async () => {
          await tick();
          telemetry.span(`${name} child`, () => {});
        });
      await Promise.all([branch('a'), branch('b')]);
      for (const name of ['a', 'b']) {
        if (env.asyncContext) ok(isChild(telemetry, `${name} child`, name), `${name} child`);
        else equal(find(telemetry, `${name} child`).parentSpanContext, undefined, `parent of ${name} child`);
      }
    },
  },
  {
    name: 'spans: attributes, events and links stop at their limits and say how many were left out',
    run(env) {
      const telemetry = createTelemetry(env, {
        limits: { attributesPerSpan: 3, eventsPerSpan: 2, linksPerSpan: 1, valueLength: 5 },
      });
      telemetry.span('s', (span) => {
        for (let i = 0; i < 10; i++) span.setAttribute(`k${i}`, 'abcdefgh').addEvent(`e${i}`);
        for (let i = 0; i < 10; i++) span.addLink({ context: span.spanContext() });
      });
      const span = find(telemetry, 's');
      equal(span.attributes, { k0: 'abcde', k1: 'abcde', k2: 'abcde' }, 'attributes');
      equal([span.events.length, span.links.length], [2, 1], 'events and links');
      equal([span.droppedAttributesCount, span.droppedEventsCount, span.droppedLinksCount], [7, 8, 9], 'left out');
    },
  },
  {
    name: 'spans: default limits are 128 attributes, events and links and 4096 characters',
    run(env) {
      const telemetry = createTelemetry(env);
      telemetry.span('s', (span) => {
        for (let i = 0; i < 130; i++)
          span.setAttribute(`k${i}`, i).addEvent('e').addLink({ context: span.spanContext() });
        span.setAttribute('k0', 'x'.repeat(5000));
      });
      const span = find(telemetry, 's');
      equal(Object.keys(span.attributes).length, 128, 'attributes');
      equal([span.events.length, span.links.length], [128, 128], 'events and links');
      equal(String(span.attributes.k0).length, 4096, 'characters');
    },
  },
  {
    name: 'spans: events keep their order where the clock stands still',
    run(env) {
      const telemetry = createTelemetry(env);
      telemetry.span('s', (span) => span.addEvent('one').addEvent('two').addEvent('three'));
      const { events } = find(telemetry, 's');
      equal(
        events.map(({ name }) => name),
        ['one', 'two', 'three'],
        'names',
      );
      equal(
        events.map(({ attributes }) => attributes?.['edgespan.sequence']),
        [undefined, 1, 2],
        'sequence',
      );
    },
  },
  {
    name: 'spans: ok is final, unset changes nothing, only errors keep a message',
    run(env) {
      const telemetry = createTelemetry(env);
      telemetry.span('ok', (span) => span.setStatus({ code: 1, message: 'x' }).setStatus({ code: 2, message: 'late' }));
      telemetry.span('error', (span) => span.setStatus({ code: 2, message: 'bad' }).setStatus({ code: 0 }));
      telemetry.span('unset', () => {});
      equal(find(telemetry, 'ok').status, { code: 1 }, 'ok');
      equal(find(telemetry, 'error').status, { code: 2, message: 'bad' }, 'error');
      equal(find(telemetry, 'unset').status, { code: 0 }, 'unset');
    },
  },
  {
    name: 'spans: what is thrown passes as it is and is recorded, sync and async',
    async run(env) {
      const telemetry = createTelemetry(env);
      const boom = new RangeError('boom');
      ok(
        (await thrown(() =>
          telemetry.span('sync', () => {
            throw boom;
          }),
        )) === boom,
        'another error came out',
      );
      ok(
        (await thrown(() =>
          telemetry.span('async', async () => {
            throw boom;
          }),
        )) === boom,
        'another error came out',
      );
      ok(
        (await thrown(() =>
          telemetry.span('string', () => {
            throw 'text';
          }),
        )) === 'text',
        'another value came out',
      );
      for (const name of ['sync', 'async']) {
        const span = find(telemetry, name);
        equal(span.status, { code: 2, message: 'boom' }, 'status');
        equal(span.attributes['error.type'], 'RangeError', 'error.type');
        equal(span.events[0]?.name, 'exception', 'event');
        equal(span.events[0]?.attributes?.['exception.type'], 'RangeError', 'exception.type');
        equal(span.events[0]?.attributes?.['exception.message'], 'boom', 'exception.message');
      }
      equal(find(telemetry, 'string').status, { code: 2, message: 'text' }, 'status of a string');
    },
  },
  {
    name: 'spans: an async generator is one span until it is exhausted, left or fails',
    async run(env) {
      const clock = createClock();
      const telemetry = createTelemetry(env, { clock });
      async function* count(limit: number) {
        for (let i = 0; i < limit; i++) {
          clock.advance(10);
          if (i === 2 && limit === 99) throw new Error('broken');
          yield i;
        }
      }
      const counted = telemetry.tool({ name: 'count' }, count);
      const values: number[] = [];
      for await (const value of counted(3)) {
        equal(telemetry.spans.length, 0, 'spans while it runs');
        values.push(value);
      }
      equal(values, [0, 1, 2], 'values');
      for await (const _ of counted(50)) break;
      await thrown(async () => {
        for await (const _ of counted(99));
      });
      equal(
        telemetry.spans.map(({ duration }) => duration[1] / 1e6),
        [30, 10, 30],
        'milliseconds',
      );
      equal(
        telemetry.spans.map(({ status }) => status.code),
        [0, 0, 2],
        'status',
      );
    },
  },
  {
    name: 'spans: generators nest, too',
    async run(env) {
      const telemetry = createTelemetry(env);
      const words = telemetry.trace({ name: 'words' }, function* () {
        yield telemetry.span('first', () => 'a');
        yield telemetry.span('second', () => 'b');
      });
      equal([...words()], ['a', 'b'], 'values');
      ok(isChild(telemetry, 'first', 'words') && isChild(telemetry, 'second', 'words'), 'a step is no child');
    },
  },
  {
    name: 'spans: wrappers keep this, arguments, name, length and result',
    async run(env) {
      const telemetry = createTelemetry(env);
      function add(this: { base: number }, a: number, b: number) {
        return this.base + a + b;
      }
      const wrapped = telemetry.tool({ name: 'sum' }, add);
      equal([wrapped.name, wrapped.length], [add.name, 2], 'name and length');
      equal(wrapped.call({ base: 100 }, 1, 2), 103, 'result');
      const span = find(telemetry, 'execute_tool sum');
      equal(span.attributes['gen_ai.tool.name'], 'sum', 'tool');
      equal(await telemetry.agent(async (x: number) => x * 2)(21), 42, 'async result');
    },
  },
  {
    name: 'spans: wrappers are standard decorators of methods',
    async run(env) {
      const telemetry = createTelemetry(env);
      class Research {
        topic = 'edges';
        async answer(question: string) {
          return `${question} about ${this.topic}`;
        }
      }
      // As a compiler applies `@telemetry.agent({ name: 'research' })`.
      const context = { kind: 'method', name: 'answer', static: false, private: false } as ClassMethodDecoratorContext;
      Research.prototype.answer = telemetry.agent({ name: 'research' })(Research.prototype.answer, context);
      equal(await new Research().answer('all'), 'all about edges', 'result');
      equal(find(telemetry, 'invoke_agent research').attributes['gen_ai.agent.name'], 'research', 'agent');
      const legacy = await thrown(() => (telemetry.agent as (...args: unknown[]) => unknown)({}, 'answer', {}));
      equal((legacy as { code?: string }).code, 'invalid_decorator', 'experimental decorators');
    },
  },
  {
    name: 'spans: durations come from the monotonic clock, though the wall clock is set back',
    run(env) {
      let [wall, steady] = [1_700_000_000_000, 50];
      const telemetry = createTelemetry(env, { runtime: { now: () => wall, monotonic: () => steady } });
      telemetry.span('outer', () => {
        wall -= 60_000;
        steady += 5;
        telemetry.span('inner', () => {
          steady += 7;
        });
      });
      const [inner, outer] = [find(telemetry, 'inner'), find(telemetry, 'outer')];
      equal(
        [outer.duration, inner.duration],
        [
          [0, 12_000_000],
          [0, 7_000_000],
        ],
        'durations',
      );
      equal(outer.startTime, [1_700_000_000, 0], 'start of the parent');
      equal(inner.startTime, [1_700_000_000, 5_000_000], 'start of the child');
      equal(inner.endTime, outer.endTime, 'ends');
    },
  },
  {
    name: 'spans: context travels in headers and in scopes',
    run(env) {
      const telemetry = createTelemetry(env);
      const headers = telemetry.span('caller', (_, inside) => inside.inject(new Headers()));
      const parent = telemetry.extract(headers);
      telemetry.span('callee', { parent }, () => {});
      ok(isChild(telemetry, 'callee', 'caller'), 'callee is no child of caller');
      telemetry.with({ parent, attributes: { user: 'u1' } }, (inside) => inside.span('scoped', () => {}));
      ok(isChild(telemetry, 'scoped', 'caller'), 'scoped is no child of caller');
      equal(find(telemetry, 'scoped').attributes.user, 'u1', 'attribute of the scope');
      equal(find(telemetry, 'callee').attributes.user, undefined, 'attribute outside of the scope');
    },
  },
  {
    name: 'spans: what is not sampled is not recorded, and tail rules keep errors',
    async run(env) {
      const none = createTelemetry(env, { sampling: { ratio: 0 } });
      const flags = none.span('s', (span) => span.spanContext().traceFlags);
      equal([none.spans.length, flags & 1], [0, 0], 'unsampled');
      const tail = createTelemetry(env, { sampling: { ratio: 0, keepErrors: true } });
      tail.span('good', () => {});
      await thrown(() =>
        tail.span('bad', () =>
          tail.span('inner', () => {
            throw new Error('x');
          }),
        ),
      );
      equal(
        tail.spans.map(({ name }) => name),
        ['inner', 'bad'],
        'kept',
      );
    },
  },
  {
    name: 'spans: OpenTelemetry tracers give the same spans',
    run(env) {
      const telemetry = createTelemetry(env);
      const tracer = telemetry.tracerProvider.getTracer('library', '1.2.3');
      tracer.startActiveSpan('outer', { kind: 1 }, (span) => {
        tracer.startSpan('inner').end();
        telemetry.span('ours', () => {});
        span.end();
        span.setAttribute('late', true).end();
      });
      ok(isChild(telemetry, 'inner', 'outer') && isChild(telemetry, 'ours', 'outer'), 'not nested');
      equal(find(telemetry, 'outer').instrumentationScope, { name: 'library', version: '1.2.3' }, 'scope');
      equal(find(telemetry, 'outer').attributes.late, undefined, 'attribute after the end');
      equal(telemetry.spans.length, 3, 'spans');
    },
  },
  {
    name: 'spans: enabled: false passes everything through',
    async run(env) {
      const telemetry = createTelemetry(env, { enabled: false, fetch: async () => new Response('real') });
      equal(
        telemetry.span('s', (span) => span.isRecording()),
        false,
        'recording',
      );
      equal(telemetry.tool(() => 7)(), 7, 'result');
      equal(
        await (await telemetry.fetch('https://api.openai.com/v1/chat/completions', { method: 'POST' })).text(),
        'real',
        'body',
      );
      equal(telemetry.spans.length, 0, 'spans');
    },
  },
];
