import { ROOT_CONTEXT, type TextMapPropagator, trace } from '@opentelemetry/api';
import { describe, expect, it } from 'vitest';
import { b3 } from '../../src/propagation/b3.ts';
import { getter, setter } from '../../src/propagation/carrier.ts';
import { createPropagator } from '../../src/propagation/composite.ts';
import { w3c } from '../../src/propagation/w3c.ts';

const traceId = '80f198ee56343ba864fe8b2a57d3eff7';
const spanId = 'e457b5a2e4d86bd1';
const otherId = '0af7651916cd43dd8448eb211c80319c';
const w3cHeader = `00-${traceId}-${spanId}-01`;
const b3Header = `${otherId}-${spanId}-1`;

const broken: TextMapPropagator = {
  inject: () => {
    throw new Error('no');
  },
  extract: () => {
    throw new Error('no');
  },
  fields: () => ['broken'],
};

function traceOf(formats: readonly TextMapPropagator[], carrier: Record<string, string>) {
  return trace.getSpanContext(createPropagator(formats).extract(ROOT_CONTEXT, carrier, getter))?.traceId;
}

describe('createPropagator', () => {
  it('injects every format once', () => {
    const calls: string[] = [];
    const context = trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: 1 });
    createPropagator([w3c, b3, b3]).inject(context, {}, { set: (_, key) => calls.push(key) });
    expect(calls).toEqual(['traceparent', 'b3']);
  });

  it('extracts what any of them finds, the last one first', () => {
    expect(traceOf([w3c, b3], { traceparent: w3cHeader })).toBe(traceId);
    expect(traceOf([w3c, b3], { b3: b3Header })).toBe(otherId);
    expect(traceOf([w3c, b3], { traceparent: w3cHeader, b3: b3Header })).toBe(otherId);
    expect(traceOf([b3, w3c], { traceparent: w3cHeader, b3: b3Header })).toBe(traceId);
    expect(traceOf([], { traceparent: w3cHeader })).toBeUndefined();
  });

  it('passes over a format that throws', () => {
    expect(traceOf([broken, w3c, broken], { traceparent: w3cHeader })).toBe(traceId);
    const carrier: Record<string, string> = {};
    const context = trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: 1 });
    createPropagator([broken, w3c]).inject(context, carrier, setter);
    expect(carrier).toEqual({ traceparent: w3cHeader });
  });

  it('names the fields of all', () => {
    expect(createPropagator([w3c, b3, broken, w3c]).fields()).toEqual([
      'traceparent',
      'tracestate',
      'baggage',
      'b3',
      'broken',
    ]);
  });
});
