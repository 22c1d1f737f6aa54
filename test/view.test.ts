import { ROOT_CONTEXT, type Span, SpanKind, trace } from '@opentelemetry/api';
import { describe, expect, it } from 'vitest';
import { createTelemetry, type Telemetry, type TelemetryOptions } from '../src/index.ts';
import {
  chatCompletion,
  chatRequest,
  chatUrl,
  createAlsTelemetry,
  createManualClock,
  settle,
} from './support/telemetry.ts';

const fetch = async () => Response.json(chatCompletion());

function tree(telemetry: Telemetry): string[] {
  const names = new Map(telemetry.spans.map((span) => [span.spanContext().spanId, span.name]));
  return telemetry.spans.map(({ name, parentSpanContext }) => {
    return parentSpanContext ? `${name} < ${names.get(parentSpanContext.spanId)}` : name;
  });
}

/** With async context, and without any: what a callback is handed has to do there. */
const runtimes: [string, (options?: TelemetryOptions) => Telemetry][] = [
  ['with async context', createAlsTelemetry],
  ['without', (options) => createTelemetry({ inMemory: true, ...options })],
];

describe.each(runtimes)('span, %s', (_, create) => {
  it('nests what the handed telemetry starts, across awaits', async () => {
    const telemetry = create();
    const result = await telemetry.span(
      'outer',
      { attributes: { a: 1 }, kind: SpanKind.SERVER },
      async (span, inner) => {
        await settle();
        expect(span.isRecording()).toBe(true);
        return inner.span('middle', async (_span, deepest) => {
          await settle();
          return deepest.span('inner', () => 5);
        });
      },
    );
    expect(result).toBe(5);
    expect(tree(telemetry)).toEqual(['inner < middle', 'middle < outer', 'outer']);
    expect(telemetry.spans[2]).toMatchObject({ attributes: { a: 1 }, kind: SpanKind.SERVER });
  });

  it('keeps parallel branches apart', async () => {
    const telemetry = create();
    await telemetry.span('root', (_span, root) =>
      Promise.all(
        ['a', 'b', 'c'].map((name, i) =>
          root.span(name, async (_branch, branch) => {
            for (let n = 0; n < i + 1; n++) await settle(3);
            branch.span(`${name}1`, () => {});
            await settle(3);
            await branch.span(`${name}2`, async (_two, two) => {
              await settle(2);
              two.span(`${name}3`, () => {});
            });
          }),
        ),
      ),
    );
    const lines = tree(telemetry);
    for (const name of ['a', 'b', 'c']) {
      expect(lines).toContain(`${name}1 < ${name}`);
      expect(lines).toContain(`${name}2 < ${name}`);
      expect(lines).toContain(`${name}3 < ${name}2`);
      expect(lines).toContain(`${name} < root`);
    }
  });

  it('labels by agent what happens inside, through the handed telemetry', async () => {
    const telemetry = create({ fetch });
    await telemetry.span('planner', { type: 'agent' }, async (_span, inner) => {
      await settle();
      await inner.fetch(chatUrl, chatRequest()).then((response) => response.text());
      await inner.tool({ name: 'search' }, async () => {})();
    });
    await telemetry.fetch(chatUrl, chatRequest()).then((response) => response.text());
    const requests = (agent: string) => telemetry.metrics.value('llm_requests_total', { agent });
    expect([requests('planner'), requests('')]).toEqual([1, 1]);
    expect(telemetry.metrics.value('llm_tool_executions_total', { tool_name: 'search', agent: 'planner' })).toBe(1);
    expect(tree(telemetry)).toEqual([
      'chat gpt-4o < invoke_agent planner',
      'execute_tool search < invoke_agent planner',
      'invoke_agent planner',
      'chat gpt-4o',
    ]);
  });

  it('records and passes on what is thrown', async () => {
    const telemetry = create();
    const thrown = new TypeError('bad');
    expect(() =>
      telemetry.span('sync', () => {
        throw thrown;
      }),
    ).toThrow(thrown);
    await expect(telemetry.span('async', () => Promise.reject(thrown))).rejects.toBe(thrown);
    for (const span of telemetry.spans) {
      expect(span).toMatchObject({ status: { code: 2, message: 'bad' }, attributes: { 'error.type': 'TypeError' } });
      expect(span.events[0]!.attributes).toMatchObject({ 'exception.type': 'TypeError', 'exception.message': 'bad' });
    }
  });
});

describe.each(runtimes)('with and scoped, %s', (_, create) => {
  it('give their attributes to every span inside, the inner ones winning, and to no label', async () => {
    const telemetry = create({ fetch });
    await telemetry.with({ attributes: { 'user.id': 'u1', tier: 'free' } }, async (outer) => {
      await settle();
      await outer.with({ attributes: { tier: 'paid' } }, async (inner) => {
        await settle();
        await inner.span('work', async (_span, work) => {
          await work.fetch(chatUrl, chatRequest()).then((response) => response.text());
        });
      });
      outer.span('after', { attributes: { 'user.id': 'own' } }, () => {});
    });
    telemetry.span('outside', () => {});
    const scoped = telemetry.scoped({ attributes: { 'user.id': 'u2' } });
    scoped.span('scoped', () => {});
    const of = (name: string) => telemetry.spans.find((span) => span.name === name)!.attributes;
    expect(of('work')).toEqual({ 'user.id': 'u1', tier: 'paid' });
    expect(of('chat gpt-4o')).toMatchObject({ 'user.id': 'u1', tier: 'paid' });
    expect(of('after')).toEqual({ 'user.id': 'own', tier: 'free' });
    expect(of('outside')).toEqual({});
    expect(of('scoped')).toEqual({ 'user.id': 'u2' });
    expect(await telemetry.prometheus()).not.toMatch(/u1|user_id|paid/);
  });

  it('put spans under a parent', () => {
    const telemetry = create();
    const parent = telemetry.tracer.startSpan('parent');
    telemetry.with({ parent }, (inner) => inner.span('child', () => {}));
    telemetry.scoped({ parent: trace.setSpan(ROOT_CONTEXT, parent) }).span('scoped', () => {});
    telemetry.span('given', { parent }, () => {});
    parent.end();
    expect(tree(telemetry)).toEqual(['child < parent', 'scoped < parent', 'given < parent', 'parent']);
  });
});

describe('waitUntil of a scope', () => {
  function createWaiting() {
    const exported: string[] = [];
    const waiting: Promise<unknown>[] = [];
    const clock = createManualClock();
    const telemetry = createTelemetry({
      inMemory: true,
      fetch,
      exporters: [(spans) => void exported.push(...spans.map(({ name }) => name))],
      runtime: { ephemeral: true, ...clock },
    });
    return { telemetry, exported, waiting, waitUntil: (promise: Promise<unknown>) => void waiting.push(promise) };
  }

  it('gets the flush of with once its function is done', async () => {
    const { telemetry, exported, waiting, waitUntil } = createWaiting();
    const result = telemetry.with({ waitUntil }, async (inner) => {
      await settle();
      return inner.span('work', () => 5);
    });
    // At once, while the request is there to be kept alive.
    expect(waiting).toHaveLength(1);
    expect(await result).toBe(5);
    await Promise.all(waiting);
    expect(exported).toEqual(['work']);
  });

  it('of a function that throws too', async () => {
    const { telemetry, exported, waiting, waitUntil } = createWaiting();
    const thrown = new Error('x');
    await expect(
      telemetry.with({ waitUntil }, (inner) => inner.span('work', () => Promise.reject(thrown))),
    ).rejects.toBe(thrown);
    const fail = () => {
      throw thrown;
    };
    expect(() => telemetry.with({ waitUntil }, (inner) => inner.span('sync', fail))).toThrow(thrown);
    await Promise.all(waiting);
    expect(exported).toEqual(['work', 'sync']);
  });

  it('waits for the bodies that were opened in it', async () => {
    const { telemetry, exported, waiting, waitUntil } = createWaiting();
    const response = await telemetry.with({ waitUntil }, (inner) => inner.fetch(chatUrl, chatRequest()));
    const reader = response.body!.getReader();
    await reader.read();
    await settle(100);
    expect(exported).toEqual([]);
    while (!(await reader.read()).done);
    await Promise.all(waiting);
    expect(exported).toEqual(['chat gpt-4o']);
  });

  it('of scoped comes whenever the bodies opened in it are done', async () => {
    const { telemetry, exported, waiting, waitUntil } = createWaiting();
    const scoped = telemetry.scoped({ waitUntil });
    const [a, b] = await Promise.all([scoped.fetch(chatUrl, chatRequest()), scoped.fetch(chatUrl, chatRequest())]);
    await a.text();
    expect(waiting).toHaveLength(0);
    await b.text();
    expect(waiting).toHaveLength(1);
    await Promise.all(waiting);
    expect(exported).toHaveLength(2);
  });

  it('may refuse without hurting the work', () => {
    const { telemetry } = createWaiting();
    const waitUntil = () => {
      throw new TypeError('Illegal invocation');
    };
    expect(telemetry.with({ waitUntil }, () => 5)).toBe(5);
    expect(telemetry.health().problems[0]?.message).toBe('Illegal invocation');
  });
});

describe('inject and extract', () => {
  it('carry the active trace', () => {
    const telemetry = createAlsTelemetry();
    expect(telemetry.inject()).toEqual({});
    telemetry.span('outer', (span) => {
      const { traceId, spanId } = span.spanContext();
      expect(telemetry.inject()).toEqual({ traceparent: `00-${traceId}-${spanId}-03` });
      const headers = telemetry.inject(new Headers({ accept: 'x' }));
      expect([headers.get('accept'), headers.get('traceparent')]).toEqual(['x', `00-${traceId}-${spanId}-03`]);
      const context = telemetry.extract(headers);
      expect(trace.getSpanContext(context)).toMatchObject({ traceId, spanId, isRemote: true });
      expect(telemetry.inject({}, context)).toEqual({ traceparent: `00-${traceId}-${spanId}-03` });
    });
  });

  it.each([null, undefined, {}, { traceparent: 'nonsense' }, { traceparent: ['a', 'b'] }])('take %j', (carrier) => {
    const telemetry = createAlsTelemetry();
    const context = telemetry.extract(carrier as never);
    expect(trace.getSpanContext(context)).toBeUndefined();
  });

  it('work without spans when the telemetry is off', () => {
    const telemetry = createAlsTelemetry({ enabled: false });
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    expect(telemetry.inject({}, telemetry.extract({ traceparent }))).toEqual({ traceparent });
  });
});

describe('the object', () => {
  it.each([undefined, 5, {}])('refuse to run %s', (fn) => {
    for (const enabled of [true, false]) {
      const telemetry = createTelemetry({ enabled });
      expect(() => telemetry.span('work', fn as never)).toThrow('span work needs a function to run');
    }
  });

  it('has a fetch that is bound and stable', async () => {
    const telemetry = createAlsTelemetry({ fetch });
    const { fetch: own } = telemetry;
    expect(telemetry.fetch).toBe(own);
    expect((await own(chatUrl, chatRequest())).status).toBe(200);
  });

  it('copies the static members of the real fetch', () => {
    const real = Object.assign(async () => new Response(), { preconnect: () => 'connected' });
    const telemetry = createAlsTelemetry({ fetch: real });
    expect((telemetry.fetch as unknown as typeof real).preconnect()).toBe('connected');
  });

  it('asks for the global fetch at each call', async () => {
    const telemetry = createAlsTelemetry();
    const { fetch: own } = telemetry;
    const original = globalThis.fetch;
    globalThis.fetch = async () => new Response('stand-in');
    try {
      expect(await (await own('https://example.test')).text()).toBe('stand-in');
    } finally {
      globalThis.fetch = original;
    }
  });

  it('tells the active span', () => {
    const telemetry = createAlsTelemetry();
    let inside: Span | undefined;
    telemetry.span('x', (span) => {
      inside = telemetry.activeSpan();
      expect(inside).toBe(span);
    });
    expect(telemetry.activeSpan()).toBeUndefined();
  });
});
