import { propagation, ROOT_CONTEXT, type SpanContext, trace } from '@opentelemetry/api';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Carrier, getter, setter } from '../../src/propagation/carrier.ts';
import { parseTraceState } from '../../src/propagation/trace-state.ts';
import { traceContext, w3c } from '../../src/propagation/w3c.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const spanId = 'b7ad6b7169203331';
const valid = `00-${traceId}-${spanId}-01`;

function extract(carrier: unknown) {
  return trace.getSpanContext(w3c.extract(ROOT_CONTEXT, carrier as Carrier, getter));
}

function inject(span: Partial<SpanContext>) {
  const carrier: Record<string, string> = {};
  const context = trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: 1, ...span });
  w3c.inject(context, carrier, setter);
  return carrier;
}

describe('extracting traceparent', () => {
  it('gives a remote span context', () => {
    expect(extract({ traceparent: valid })).toEqual({ traceId, spanId, traceFlags: 1, isRemote: true });
  });

  it.each([
    valid,
    ` ${valid}`,
    `\t${valid} \t`,
    `cc-${traceId}-${spanId}-01-extra`,
    `cc-${traceId}-${spanId}-01-`,
    `cc-${traceId}-${spanId}-01`,
  ])('accepts %j', (traceparent) => {
    expect(extract({ traceparent })).toMatchObject({ traceId, spanId, traceFlags: 1 });
  });

  it.each([
    valid.toUpperCase(),
    `00-${traceId.toUpperCase()}-${spanId}-01`,
    `00-${traceId}-${spanId}-01-extra`,
    `00-${traceId}-${spanId}-01-`,
    `cc-${traceId}-${spanId}-01.extra`,
    `cc-${traceId}-${spanId}-0`,
    `ff-${traceId}-${spanId}-01`,
    `00-${'0'.repeat(32)}-${spanId}-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
    `00-${traceId.slice(1)}-${spanId}-01`,
    `00-${traceId}-${spanId}`,
    `00-${traceId}-${spanId}-0x`,
    `00_${traceId}_${spanId}_01`,
    `${valid}\n`,
    `${valid}, ${valid}`,
    `cc-${traceId}-${spanId}-01-${'x'.repeat(2000)}`,
    '',
  ])('rejects %j and its tracestate', (traceparent) => {
    expect(extract({ traceparent, tracestate: 'a=1' })).toBeUndefined();
  });

  it.each([42, null, {}, [], [valid, valid], true, undefined])('rejects %j', (traceparent) => {
    expect(extract({ traceparent })).toBeUndefined();
  });

  it('rejects two headers and accepts an array of one', () => {
    const headers = new Headers();
    headers.append('traceparent', valid);
    expect(extract(headers)).toBeDefined();
    headers.append('traceparent', valid);
    expect(extract(headers)).toBeUndefined();
    expect(extract({ traceparent: [valid] })).toBeDefined();
  });

  it.each([
    ['00', 0],
    ['01', 1],
    ['02', 2],
    ['03', 3],
    ['ff', 3],
    ['fd', 1],
  ])('flags %s are %i, and sent on as 0%i', (flags, traceFlags) => {
    const span = extract({ traceparent: `00-${traceId}-${spanId}-${flags}` })!;
    expect(span.traceFlags).toBe(traceFlags);
    expect(inject(span).traceparent).toBe(`00-${traceId}-${spanId}-0${traceFlags}`);
  });

  it('keeps the context it cannot better', () => {
    const context = trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: 1 });
    expect(w3c.extract(context, { traceparent: 'bad' }, getter)).toBe(context);
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.anything(), fc.anything(), fc.anything(), (traceparent, tracestate, baggage) => {
        w3c.extract(ROOT_CONTEXT, { traceparent, tracestate, baggage }, getter);
        w3c.extract(ROOT_CONTEXT, traceparent as Carrier, getter);
      }),
    );
  });
});

describe('extracting tracestate', () => {
  function state(tracestate: unknown) {
    return extract({ traceparent: valid, tracestate })?.traceState?.serialize();
  }

  it('joins several headers in order', () => {
    const all = Array.from({ length: 32 }, (_, i) => `k${i}=1`);
    expect(state([all.slice(0, 10).join(), '', all.slice(10).join()])).toBe(all.join());
    expect(state([all.join(), 'more=1'])).toBeUndefined();
  });

  it.each(['', 'BAD=1', 42, null, {}])('%j leaves the trace as it is', (tracestate) => {
    expect(extract({ traceparent: valid, tracestate })).toEqual({ traceId, spanId, traceFlags: 1, isRemote: true });
  });

  it('is discarded without traceparent', () => {
    expect(extract({ tracestate: 'foo=1' })).toBeUndefined();
  });
});

describe('injecting', () => {
  it('writes both headers', () => {
    expect(inject({ traceState: parseTraceState('a=1')! })).toEqual({ traceparent: valid, tracestate: 'a=1' });
  });

  it('writes no empty tracestate, and nothing without a valid span', () => {
    expect(inject({ traceState: parseTraceState('')! })).toEqual({ traceparent: valid });
    expect(inject({ traceId: '0'.repeat(32) })).toEqual({});
    const carrier = {};
    w3c.inject(ROOT_CONTEXT, carrier, setter);
    expect(carrier).toEqual({});
  });

  it('brings back what was extracted', () => {
    const incoming = { traceparent: valid, tracestate: 'a=1,b=2', baggage: 'k=v' };
    const outgoing = new Headers();
    w3c.inject(w3c.extract(ROOT_CONTEXT, incoming, getter), outgoing, setter);
    expect(Object.fromEntries(outgoing)).toEqual(incoming);
  });
});

it('names its fields', () => {
  expect(w3c.fields()).toEqual(['traceparent', 'tracestate', 'baggage']);
});

it('leaves baggage to those who ask for traceContext alone', () => {
  const context = traceContext.extract(ROOT_CONTEXT, { traceparent: valid, baggage: 'k=v' }, getter);
  expect(propagation.getBaggage(context)).toBeUndefined();
});
