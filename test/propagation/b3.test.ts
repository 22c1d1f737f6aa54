import { ROOT_CONTEXT, type SpanContext, type TextMapPropagator, trace } from '@opentelemetry/api';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { b3, b3multi } from '../../src/propagation/b3.ts';
import { type Carrier, getter, setter } from '../../src/propagation/carrier.ts';
import { getSamplingHint } from '../../src/trace/sampling-hint.ts';

const traceId = '80f198ee56343ba864fe8b2a57d3eff7';
const spanId = 'e457b5a2e4d86bd1';
const parentId = '05e3ac9a4f6e3b90';

function read(propagator: TextMapPropagator, carrier: unknown) {
  const context = propagator.extract(ROOT_CONTEXT, carrier as Carrier, getter);
  return { span: trace.getSpanContext(context), hint: getSamplingHint(context) };
}

/** Both propagators read the same. */
function extract(carrier: unknown) {
  const found = read(b3, carrier);
  expect(read(b3multi, carrier)).toEqual(found);
  return found;
}

function forward(carrier: Carrier, child?: Partial<SpanContext>) {
  let context = b3.extract(ROOT_CONTEXT, carrier, getter);
  if (child) context = trace.setSpanContext(context, { traceId, spanId: parentId, traceFlags: 0, ...child });
  const single: Record<string, string> = {};
  const multi: Record<string, string> = {};
  b3.inject(context, single, setter);
  b3multi.inject(context, multi, setter);
  return { single, multi };
}

const remote = (traceFlags: number) => ({ traceId, spanId, traceFlags, isRemote: true });

describe('extracting', () => {
  it.each([
    [`${traceId}-${spanId}-1`, remote(1), 'accept'],
    [`${traceId}-${spanId}-0`, remote(0), 'deny'],
    [`${traceId}-${spanId}-d`, remote(1), 'debug'],
    [`${traceId}-${spanId}`, remote(0), 'defer'],
    [`${traceId}-${spanId}-1-${parentId}`, remote(1), 'accept'],
    ['0', undefined, 'deny'],
    ['1', undefined, 'accept'],
    ['d', undefined, 'debug'],
    [` ${traceId}-${spanId}-1 `, remote(1), 'accept'],
    [`${traceId}-${spanId}-1, ${parentId}`, remote(1), 'accept'],
  ])('reads b3: %s', (header, span, hint) => {
    expect(extract({ b3: header })).toEqual({ span, hint });
  });

  it.each([
    [{ 'X-B3-TraceId': traceId, 'X-B3-SpanId': spanId, 'X-B3-Sampled': '1' }, remote(1), 'accept'],
    [{ 'X-B3-TraceId': traceId, 'X-B3-SpanId': spanId, 'X-B3-Sampled': 'true' }, remote(1), 'accept'],
    [{ 'X-B3-TraceId': traceId, 'X-B3-SpanId': spanId, 'X-B3-Sampled': 'False' }, remote(0), 'deny'],
    [{ 'X-B3-TraceId': traceId, 'X-B3-SpanId': spanId, 'X-B3-ParentSpanId': parentId }, remote(0), 'defer'],
    [{ 'X-B3-TraceId': traceId, 'X-B3-SpanId': spanId, 'X-B3-Sampled': '' }, remote(0), 'defer'],
    [{ 'X-B3-TraceId': traceId, 'X-B3-SpanId': spanId, 'X-B3-Sampled': '0', 'X-B3-Flags': '1' }, remote(1), 'debug'],
    [{ 'X-B3-Sampled': '0' }, undefined, 'deny'],
    [{ 'X-B3-Flags': '1' }, undefined, 'debug'],
    [{ 'X-B3-TraceId': traceId, 'X-B3-Sampled': '0' }, undefined, 'deny'],
  ])('reads %j', (headers, span, hint) => {
    expect(extract(headers)).toEqual({ span, hint });
    expect(extract(new Headers(headers as Record<string, string>))).toEqual({ span, hint });
  });

  it('pads a trace id of 16 digits', () => {
    const padded = `0000000000000000${spanId}`;
    expect(extract({ b3: `${spanId}-${parentId}-1` }).span?.traceId).toBe(padded);
    expect(extract({ 'x-b3-traceid': spanId, 'x-b3-spanid': parentId }).span?.traceId).toBe(padded);
  });

  const other = { 'X-B3-TraceId': spanId.repeat(2), 'X-B3-SpanId': parentId, 'X-B3-Sampled': '0' };

  it('prefers the single header, and takes the others where it is invalid', () => {
    expect(extract({ b3: `${traceId}-${spanId}-1`, ...other }).span).toEqual(remote(1));
    expect(extract({ b3: 'nonsense', ...other }).span).toMatchObject({ traceId: spanId.repeat(2), spanId: parentId });
  });

  it.each([
    `${traceId.toUpperCase()}-${spanId}-1`,
    `${'0'.repeat(32)}-${spanId}-1`,
    `${traceId}-${'0'.repeat(16)}-1`,
    `${traceId.slice(1)}-${spanId}`,
    `${traceId}-${spanId}-2`,
    `${traceId}-${spanId}-1-${parentId.slice(1)}`,
    `${traceId}-${spanId}-1-${parentId}-x`,
    traceId,
    '',
    'true',
    'a'.repeat(1_000_000),
    42,
    null,
    {},
  ])('finds nothing in %j', (header) => {
    expect(extract({ b3: header })).toEqual({ span: undefined, hint: undefined });
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.anything(), fc.anything(), (single, sampled) => {
        b3.extract(ROOT_CONTEXT, { b3: single, 'x-b3-sampled': sampled, 'x-b3-traceid': single }, getter);
        b3multi.extract(ROOT_CONTEXT, single as Carrier, getter);
      }),
    );
  });
});

describe('injecting', () => {
  it.each([
    [1, '1'],
    [0, '0'],
    [3, '1'],
    [2, '0'],
  ])('writes flags %i as %s, and never the parent', (traceFlags, state) => {
    expect(forward({}, { traceFlags })).toEqual({
      single: { b3: `${traceId}-${parentId}-${state}` },
      multi: { 'x-b3-traceid': traceId, 'x-b3-spanid': parentId, 'x-b3-sampled': state },
    });
  });

  it('sends debug on, without Sampled', () => {
    expect(forward({ b3: `${traceId}-${spanId}-d` }, { traceFlags: 1 })).toEqual({
      single: { b3: `${traceId}-${parentId}-d` },
      multi: { 'x-b3-traceid': traceId, 'x-b3-spanid': parentId, 'x-b3-flags': '1' },
    });
  });

  it.each(['0', '1'])('sends on a lone %s', (state) => {
    expect(forward({ b3: state })).toEqual({ single: { b3: state }, multi: { 'x-b3-sampled': state } });
  });

  it('sends on a lone d', () => {
    expect(forward({ 'X-B3-Flags': '1' })).toEqual({ single: { b3: 'd' }, multi: { 'x-b3-flags': '1' } });
  });

  it('leaves open what nobody decided', () => {
    expect(forward({ b3: `${traceId}-${spanId}` }).single).toEqual({ b3: `${traceId}-${spanId}` });
    expect(forward({ b3: `${traceId}-${spanId}` }, { traceFlags: 1 }).single).toEqual({
      b3: `${traceId}-${parentId}-1`,
    });
  });

  it('writes nothing where there is nothing', () => {
    expect(forward({})).toEqual({ single: {}, multi: {} });
    expect(forward({}, { traceId: '0'.repeat(32) })).toEqual({ single: {}, multi: {} });
  });
});

it('names its fields', () => {
  expect(b3.fields()).toEqual(['b3']);
  expect(b3multi.fields()).toEqual(['x-b3-traceid', 'x-b3-spanid', 'x-b3-sampled', 'x-b3-flags']);
});
