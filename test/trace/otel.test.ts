import * as api from '@opentelemetry/api';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { ValueType } from '../../src/otlp/protobuf-api.ts';
import { createBaggage, createMetadata, getBaggage, setBaggage } from '../../src/propagation/otel-baggage.ts';
import { createContextKey, rootContext } from '../../src/trace/otel-context.ts';
import { activeHostContext } from '../../src/trace/otel-global.ts';
import {
  getSpan,
  getSpanContext,
  isSpanContextValid,
  setSpan,
  setSpanContext,
  spanKind,
  statusError,
  wrapSpanContext,
} from '../../src/trace/otel-span.ts';

const ids = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 };
const key = createContextKey('test');
/** Every test holds for a context that came from either side. */
const roots: [string, api.Context][] = [
  ['the API’s', api.ROOT_CONTEXT],
  ['our', rootContext],
];

describe.each(roots)('%s context', (_, root) => {
  it('keeps what it is given and stays as it was', () => {
    const one = root.setValue(key, 1);
    const two = one.setValue(key, 2);
    expect([root, one, two, two.deleteValue(key)].map((context) => context.getValue(key))).toEqual([
      undefined,
      1,
      2,
      undefined,
    ]);
    expect(two.getValue(key)).toBe(2);
  });

  it('carries a key of either side to the other', () => {
    expect(api.createContextKey('test')).toBe(key);
  });

  it('carries a span of ours to the API', () => {
    const span = wrapSpanContext(ids);
    expect(api.trace.getSpan(setSpan(root, span))).toBe(span);
    expect(api.trace.getSpanContext(setSpanContext(root, ids))).toEqual(ids);
    expect(api.trace.getSpan(api.trace.deleteSpan(setSpan(root, span)))).toBeUndefined();
  });

  it('carries a span of the API to us', () => {
    const span = api.trace.wrapSpanContext(ids);
    expect(getSpan(api.trace.setSpan(root, span))).toBe(span);
    expect(getSpanContext(api.trace.setSpanContext(root, ids))).toEqual(ids);
    expect(getSpan(root)).toBeUndefined();
    expect(getSpanContext(root)).toBeUndefined();
  });

  it('carries baggage of ours to the API, and its to us', () => {
    const entries: [string, api.BaggageEntry][] = [['user', { value: 'u', metadata: createMetadata('ttl=1') }]];
    const read = api.propagation.getBaggage(setBaggage(root, createBaggage(entries)));
    expect(read?.getEntry('user')?.metadata?.toString()).toBe('ttl=1');
    const theirs = api.propagation.createBaggage({ user: { value: 'u' } });
    expect(getBaggage(api.propagation.setBaggage(root, theirs))).toBe(theirs);
    expect(getBaggage(root)).toBeUndefined();
  });
});

describe('a span that carries ids', () => {
  it('answers each call as the API’s does', () => {
    const calls = (span: api.Span) => [
      span.isRecording(),
      span.spanContext(),
      span.recordException('x'),
      span.end(),
      ...[
        span.setAttribute('a', 1),
        span.setAttributes({ a: 1 }),
        span.addEvent('e'),
        span.addLink({ context: ids }),
        span.addLinks([]),
        span.setStatus({ code: 2 }),
        span.updateName('n'),
      ].map((result) => result === span),
    ];
    expect(calls(wrapSpanContext(ids))).toEqual(calls(api.trace.wrapSpanContext(ids)));
  });

  it('is valid where the API says so', () => {
    const id = (length: number) =>
      fc.oneof(
        fc.string({ unit: fc.constantFrom('0', '9', 'a', 'F'), minLength: length, maxLength: length }),
        fc.constantFrom('0'.repeat(length), 'g'.repeat(length), 'a'.repeat(length - 1), `${'a'.repeat(length)}\n`),
        fc.constant(undefined as unknown as string),
      );
    fc.assert(
      fc.property(id(32), id(16), (traceId, spanId) => {
        const context = { traceId, spanId, traceFlags: 1 };
        expect(isSpanContextValid(context)).toBe(api.isSpanContextValid(context));
      }),
    );
  });

  it('has the API’s numbers', () => {
    expect(spanKind).toEqual({
      internal: api.SpanKind.INTERNAL,
      server: api.SpanKind.SERVER,
      client: api.SpanKind.CLIENT,
      consumer: api.SpanKind.CONSUMER,
    });
    expect(statusError).toBe(api.SpanStatusCode.ERROR);
    expect(ValueType).toEqual({ INT: api.ValueType.INT, DOUBLE: api.ValueType.DOUBLE });
  });
});

describe('baggage', () => {
  const entry = fc.record({ value: fc.string() });
  const name = fc.constantFrom('a', 'b', 'c', 'd');
  const step = fc.oneof(
    fc.tuple(name, entry).map(
      ([key, value]) =>
        (baggage: api.Baggage) =>
          baggage.setEntry(key, value),
    ),
    name.map((key) => (baggage: api.Baggage) => baggage.removeEntry(key)),
    fc.array(name).map((keys) => (baggage: api.Baggage) => baggage.removeEntries(...keys)),
    fc.constant((baggage: api.Baggage) => baggage.clear()),
  );

  it('changes as the API’s does, and never in place', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const run = (start: api.Baggage) => {
          const states = [start];
          for (const change of steps) states.push(change(states.at(-1)!));
          return states.map((state) => [state.getAllEntries(), state.getEntry('a')]);
        };
        expect(run(createBaggage())).toEqual(run(api.propagation.createBaggage()));
      }),
    );
  });
});

describe('the host’s context', () => {
  afterEach(() => api.context.disable());

  const manager = (active: () => api.Context): api.ContextManager => ({
    active,
    with: (_context, fn, thisArg, ...args) => fn.apply(thisArg as never, args),
    bind: (_context, target) => target,
    enable: () => manager(active),
    disable: () => manager(active),
  });

  it('is the root where there is none', () => {
    expect(activeHostContext()).toBe(rootContext);
  });

  it('is what is active in the API', () => {
    const context = api.ROOT_CONTEXT.setValue(key, 'theirs');
    api.context.setGlobalContextManager(manager(() => context));
    expect(activeHostContext()).toBe(context);
  });

  it('is the root where the host throws', () => {
    api.context.setGlobalContextManager(
      manager(() => {
        throw new Error('gone');
      }),
    );
    expect(activeHostContext()).toBe(rootContext);
  });
});
