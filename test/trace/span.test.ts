import { type Attributes, ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { describe, expect, it } from 'vitest';
import type { ReadableSpan, TelemetryOptions } from '../../src/index.ts';
import { json } from '../../src/otlp/json.ts';
import { protobuf } from '../../src/otlp/protobuf.ts';
import { createAlsTelemetry, createManualClock } from '../support/telemetry.ts';

function record(work: (span: Span) => void, options: TelemetryOptions = {}, clock = createManualClock()): ReadableSpan {
  const telemetry = createAlsTelemetry({ ...options, runtime: clock });
  const span = telemetry.tracer.startSpan('work');
  work(span);
  span.end();
  return telemetry.spans[0]!;
}

function times<T>(count: number, make: (i: number) => T): T[] {
  return Array.from({ length: count }, (_, i) => make(i));
}

describe('attributes', () => {
  it('keeps 128 by default, and counts the rest', () => {
    const span = record((one) => {
      for (const i of times(130, Number)) one.setAttribute(`k${i}`, i);
    });
    expect(Object.keys(span.attributes)).toHaveLength(128);
    expect(span.droppedAttributesCount).toBe(2);
  });

  it('are what was written last, in the order of first writing, whenever they are read', () => {
    const seen: unknown[] = [];
    const span = record((one) => {
      const entries = () => seen.push(Object.entries((one as unknown as ReadableSpan).attributes));
      one
        .setAttributes({ a: 1, b: 1 })
        .setAttribute('c', 1)
        .setAttributes({ b: 2, d: ['x'] });
      entries();
      one.setAttribute('a', 3).setAttributes({ d: 3, e: 3 });
      entries();
    });
    const first = { a: 1, b: 2, c: 1, d: ['x'] };
    const second = { a: 3, b: 2, c: 1, d: 3, e: 3 };
    expect(seen).toEqual([Object.entries(first), Object.entries(second)]);
    expect(span.attributes).toEqual(second);
  });

  it('belong to the span alone', () => {
    const given = { a: 1, list: ['x'] };
    const span = record((one) => one.setAttributes(given).setAttribute('b', 2));
    given.a = 2;
    given.list.push('y');
    expect(span.attributes).toEqual({ a: 1, list: ['x'], b: 2 });
    expect(given).toEqual({ a: 2, list: ['x', 'y'] });
  });

  it('overwrites at the limit', () => {
    const span = record((one) => one.setAttributes({ a: 1, b: 2 }).setAttribute('a', 3), {
      limits: { attributesPerSpan: 1 },
    });
    expect(span.attributes).toEqual({ a: 3 });
    expect(span.droppedAttributesCount).toBe(1);
  });

  it.each([
    ['héllo', 'hél'],
    [
      ['abcd', 1],
      ['abc', 1],
    ],
    [
      { k: 'abcd', deep: { list: ['abcd'] } },
      { k: 'abc', deep: { list: ['abc'] } },
    ],
    [new Uint8Array([1, 2, 3, 4]), new Uint8Array([1, 2, 3])],
    ['ab\u{1f600}', 'ab'],
    ['', ''],
    [null, null],
    [[], []],
    [Number.NaN, Number.NaN],
    [2n ** 60n, 2n ** 60n],
  ])('keeps %s as %s at a value length of 3', (given, kept) => {
    const span = record((one) => one.setAttribute('a', given as never), { limits: { valueLength: 3 } });
    expect(span.attributes).toEqual({ a: kept });
  });

  it('ignores what is no attribute', () => {
    const span = record((one) => {
      one.setAttribute('', 1);
      for (const key of [undefined, null, 1, Symbol('k'), {}]) one.setAttribute(key as never, 'x');
      one.setAttribute('a', undefined as never);
      one.setAttribute('b', (() => {}) as never);
      one.setAttribute('__proto__', { evil: true } as never);
      one.setAttribute('c', JSON.parse('{"__proto__":{"evil":1},"ok":1}'));
      one.setAttributes('text' as never);
      one.setAttributes(undefined as never);
    });
    expect(span.attributes).toEqual({ c: { ok: 1 } });
    expect((span.attributes as { evil?: unknown }).evil).toBeUndefined();
    expect(span.droppedAttributesCount).toBe(0);
  });

  it('takes the names that objects have by nature for new ones', () => {
    const span = record(
      (one) => one.setAttributes({ a: 1 }).setAttribute('constructor', 2).setAttribute('toString', 3),
      {
        limits: { attributesPerSpan: 2 },
      },
    );
    expect(Object.keys(span.attributes)).toEqual(['a', 'constructor']);
    expect(span.droppedAttributesCount).toBe(1);
  });

  it('survives getters that throw, and what contains itself', () => {
    const loop: Record<string, unknown> = {};
    loop.a = loop;
    loop.b = loop;
    const hostile = {
      before: 1,
      get bad(): number {
        throw new Error('no');
      },
      after: 2,
    };
    const span = record((one) => {
      one.setAttributes(hostile);
      one.setAttribute('loop', loop as never);
      one.setAttribute('deepBad', { hostile } as never);
      one.addEvent('e', hostile);
      one.recordException({
        get message(): string {
          throw new Error('no');
        },
      } as never);
    });
    expect(span.attributes).toMatchObject({ before: 1, after: 2 });
    expect(span.events.map(({ attributes }) => attributes)).toEqual([{ before: 1, after: 2 }]);
  });

  it('keeps a copy of what the application may change', () => {
    const list = ['a'];
    const attributes: Attributes = { list };
    const span = record((one) => {
      one.setAttributes(attributes);
      list.push('b');
      attributes.more = 1;
    });
    expect(span.attributes).toEqual({ list: ['a'] });
  });
});

describe('events and links', () => {
  it('keeps the newest 128 events', () => {
    const span = record((one) => {
      for (const i of times(130, Number)) one.addEvent(`e${i}`);
      one.recordException(new Error('last'));
    });
    expect(span.events).toHaveLength(128);
    expect(span.events[0]!.name).toBe('e3');
    expect(span.events.at(-1)!.name).toBe('exception');
    expect(span.droppedEventsCount).toBe(3);
  });

  it('keeps the newest links, and none that leads nowhere', () => {
    const context = (i: number) => ({ traceId: `${i}`.repeat(32), spanId: `${i}`.repeat(16), traceFlags: 1 });
    const span = record(
      (one) =>
        one
          .addLinks(times(4, (i) => ({ context: context(i + 1) })))
          .addLink(undefined as never)
          .addLink({} as never)
          .addLink({ context: { ...context(5), traceId: 'a"b' } })
          .addLinks(undefined as never),
      { limits: { linksPerSpan: 2 } },
    );
    expect(span.links.map(({ context }) => context.traceId[0])).toEqual(['3', '4']);
    expect(span.droppedLinksCount).toBe(2);
  });

  it('takes nothing that no encoder could write', () => {
    const context = { traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: 1 };
    const tracer = createAlsTelemetry().tracerProvider.getTracer(7 as never, null as never);
    const parent = { ...context, traceState: 'a=b' } as never;
    const span = tracer.startSpan(
      'odd',
      { kind: 'client' as never },
      trace.setSpanContext(ROOT_CONTEXT, parent),
    ) as unknown as Span & ReadableSpan;
    span.addLink({ context: parent });
    for (const code of ['ERROR', 3, {}, true]) span.setStatus({ code: code as never, message: 'x' });
    span.end();
    expect(span).toMatchObject({ kind: 0, status: { code: 0 }, instrumentationScope: { name: '' } });
    expect(span.links).toMatchObject([{ context }]);
    for (const encoder of [json, protobuf]) expect(() => encoder.traces([span])).not.toThrow();
    expect(() => JSON.parse(new TextDecoder().decode(json.traces([span])))).not.toThrow();
  });

  it('limits the attributes of each', () => {
    const span = record((one) => one.addEvent('e', { a: 'abcd', b: 1, c: 2 }), {
      limits: { attributesPerSpan: 2, valueLength: 3 },
    });
    expect(span.events[0]).toMatchObject({ attributes: { a: 'abc', b: 1 }, droppedAttributesCount: 1 });
  });

  it('numbers events while the clock stands still', () => {
    const clock = createManualClock();
    const span = record(
      (one) => {
        one.addEvent('a').addEvent('b').addEvent('c');
        clock.advance(1);
        one.addEvent('d');
      },
      {},
      clock,
    );
    expect(span.events.map(({ attributes }) => attributes?.['edgespan.sequence'])).toEqual([
      undefined,
      1,
      2,
      undefined,
    ]);
  });

  it.each([
    [new Error('boom'), { 'exception.type': 'Error', 'exception.message': 'boom' }],
    [new TypeError('boom'), { 'exception.type': 'TypeError', 'exception.message': 'boom' }],
    ['boom', { 'exception.message': 'boom' }],
    [
      { code: 'ENOENT', name: 'Error', message: 'gone' },
      { 'exception.type': 'ENOENT', 'exception.message': 'gone' },
    ],
  ])('records the exception %s', (exception, attributes) => {
    const span = record((one) => one.recordException(exception));
    expect(span.events[0]).toMatchObject({ name: 'exception', attributes });
    expect(span.status.code).toBe(SpanStatusCode.UNSET);
  });

  it.each([undefined, null, '', {}, 5])('records nothing of the exception %j', (exception) => {
    expect(record((one) => one.recordException(exception as never)).events).toEqual([]);
  });
});

describe('status', () => {
  it.each<[string, (span: Span) => void, object]>([
    ['is unset at first', () => {}, { code: 0 }],
    ['takes an error', (s) => s.setStatus({ code: 2, message: 'bad' }), { code: 2, message: 'bad' }],
    ['lets a later error win', (s) => s.setStatus({ code: 2, message: 'a' }).setStatus({ code: 2 }), { code: 2 }],
    ['lets ok win', (s) => s.setStatus({ code: 2, message: 'a' }).setStatus({ code: 1 }), { code: 1 }],
    ['keeps ok', (s) => s.setStatus({ code: 1 }).setStatus({ code: 2, message: 'late' }), { code: 1 }],
    ['ignores unset', (s) => s.setStatus({ code: 2 }).setStatus({ code: 0 }), { code: 2 }],
    ['has no message when ok', (s) => s.setStatus({ code: 1, message: 'fine' }), { code: 1 }],
    ['has no message that is no text', (s) => s.setStatus({ code: 2, message: 5 as never }), { code: 2 }],
    ['survives nothing', (s) => s.setStatus(undefined as never), { code: 0 }],
  ])('%s', (_, work, status) => {
    expect(record(work).status).toEqual(status);
  });
});

describe('time', () => {
  it('comes from the monotonic clock, anchored once a trace', () => {
    const clock = createManualClock();
    let wallMs = 1_700_000_000_000;
    const telemetry = createAlsTelemetry({ runtime: { ...clock, now: () => wallMs } });
    telemetry.span('outer', () => {
      clock.advance(5);
      wallMs -= 60_000;
      telemetry.span('inner', () => clock.advance(2.5));
    });
    const [inner, outer] = telemetry.spans;
    expect(outer!.startTime).toEqual([1_700_000_000, 0]);
    expect(inner!.startTime).toEqual([1_700_000_000, 5_000_000]);
    expect(inner!.duration).toEqual([0, 2_500_000]);
    expect(outer!.duration).toEqual([0, 7_500_000]);
    expect(outer!.endTime).toEqual([1_700_000_000, 7_500_000]);
  });

  it('reads 0 ms where the clock stands still', () => {
    expect(record(() => {}).duration).toEqual([0, 0]);
  });

  it('is never negative', () => {
    let monotonic = 100;
    const backwards = createAlsTelemetry({ runtime: { monotonic: () => monotonic-- } });
    backwards.span('x', () => {});
    expect(backwards.spans[0]!.duration).toEqual([0, 0]);
    const span = record((one) => one.end(1_000_000_000_000));
    expect(span.duration).toEqual([0, 0]);
    expect(span.endTime).toEqual(span.startTime);
  });

  it.each([
    ['epoch milliseconds', 1_700_000_000_500],
    ['a date', new Date(1_700_000_000_500)],
    ['seconds and nanoseconds', [1_700_000_000, 500_000_000] as [number, number]],
    ['a reading of performance.now()', 500],
  ])('takes %s', (_, time) => {
    const span = record((one) => one.addEvent('e', time).end(time));
    expect(span.events[0]!.time).toEqual([1_700_000_000, 500_000_000]);
    expect(span.duration).toEqual([0, 500_000_000]);
  });

  it.each([
    Number.NaN,
    Number.POSITIVE_INFINITY,
    1e300,
    new Date(Number.NaN),
    [Number.NaN, 0],
    [1, 2, 3],
    'yesterday',
    {},
    null,
  ])('takes now for %j, which is no time', (time) => {
    const clock = createManualClock();
    const telemetry = createAlsTelemetry({ runtime: clock });
    const span = telemetry.tracer.startSpan('x', { startTime: time as never });
    clock.advance(3);
    span.addEvent('e', {}, time as never);
    span.end(time as never);
    const [ended] = telemetry.spans;
    expect(ended!.startTime).toEqual([1_700_000_000, 0]);
    expect(ended!.events[0]!.time).toEqual([1_700_000_000, 3_000_000]);
    expect(ended!.duration).toEqual([0, 3_000_000]);
  });
});

describe('the end', () => {
  it('comes once, and nothing after it', () => {
    const telemetry = createAlsTelemetry();
    const span = telemetry.tracer.startSpan('x', { kind: SpanKind.CLIENT });
    expect(span.isRecording()).toBe(true);
    span.end();
    span.end();
    span.setAttribute('a', 1).setAttributes({ b: 1 }).addEvent('e').setStatus({ code: 2 }).updateName('y');
    span.addLink({ context: span.spanContext() });
    span.recordException('late');
    expect(span.isRecording()).toBe(false);
    expect(telemetry.spans).toHaveLength(1);
    const [ended] = telemetry.spans;
    expect(ended).toMatchObject({ name: 'x', status: { code: 0 }, attributes: {}, events: [], links: [] });
  });
});

describe('names', () => {
  it('are bounded, and text', () => {
    const span = record((one) => one.updateName('n'.repeat(10_000)).addEvent(undefined as never));
    expect(span.name).toHaveLength(4096);
    expect(span.events[0]!.name).toBe('');
  });
});
