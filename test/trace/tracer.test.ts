import {
  type Context,
  createContextKey,
  createTraceState,
  ROOT_CONTEXT,
  type SpanContext,
  trace,
} from '@opentelemetry/api';
import { suppressTracing } from '@opentelemetry/core';
import { describe, expect, it } from 'vitest';
import { createTelemetry } from '../../src/index.ts';

import { createAlsTelemetry } from '../support/telemetry.ts';

function under(parent: Partial<SpanContext>): Context {
  const context = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1, isRemote: true, ...parent };
  return trace.setSpanContext(ROOT_CONTEXT, context);
}

describe('ids', () => {
  it('are lowercase hex, each its own', () => {
    const telemetry = createTelemetry({ inMemory: true });
    for (let i = 0; i < 600; i++) telemetry.span('x', () => {});
    const contexts = telemetry.spans.map((span) => span.spanContext());
    expect(new Set(contexts.map(({ traceId }) => traceId)).size).toBe(600);
    expect(new Set(contexts.map(({ spanId }) => spanId)).size).toBe(600);
    for (const { traceId, spanId } of contexts) {
      expect(traceId).toMatch(/^[0-9a-f]{32}$/);
      expect(spanId).toMatch(/^[0-9a-f]{16}$/);
    }
  });

  it('are never zero, even where chance has it', () => {
    const telemetry = createTelemetry({ inMemory: true, runtime: { random: (bytes) => bytes.fill(0) } });
    telemetry.span('x', () => {});
    const context = telemetry.spans[0]!.spanContext();
    expect(trace.isSpanContextValid(context)).toBe(true);
  });

  it('that can not be made leave the application without a span', () => {
    const errors: unknown[] = [];
    const random = () => {
      throw new Error('no randomness in global scope');
    };
    const telemetry = createTelemetry({ inMemory: true, runtime: { random }, onError: (error) => errors.push(error) });
    expect(telemetry.span('x', () => 7)).toBe(7);
    expect(telemetry.spans).toEqual([]);
    expect(errors).toHaveLength(1);
  });
});

describe('flags', () => {
  it.each([
    ['a sampled root', undefined, {}, 3],
    ['an unsampled root', undefined, { ratio: 0 }, 2],
    ['the child of a sampled random parent', 3, {}, 3],
    ['the child of a sampled parent', 1, {}, 1],
    ['the child of an unsampled parent', 0, {}, 0],
    ['the child of an unsampled random parent', 2, { ratio: 1 }, 2],
    ['the child of a parent with unknown flags', 0xff, {}, 3],
  ])('of %s', (_, parentFlags, sampling, flags) => {
    const telemetry = createTelemetry({ sampling });
    const context = parentFlags === undefined ? ROOT_CONTEXT : under({ traceFlags: parentFlags });
    expect(telemetry.tracer.startSpan('x', {}, context).spanContext().traceFlags).toBe(flags);
  });
});

describe('parents', () => {
  it('give trace id, trace state and their own id', () => {
    const telemetry = createAlsTelemetry();
    const traceState = createTraceState('vendor=x');
    telemetry.tracer.startActiveSpan('outer', {}, under({ traceState }), (outer) => {
      telemetry.tracer.startSpan('inner').end();
      outer.end();
    });
    const [inner, outer] = telemetry.spans;
    expect(outer!.spanContext()).toMatchObject({ traceId: 'a'.repeat(32), traceState });
    expect(outer!.parentSpanContext).toMatchObject({ spanId: 'b'.repeat(16), isRemote: true });
    expect(inner!.spanContext()).toMatchObject({ traceId: 'a'.repeat(32), traceState });
    expect(inner!.parentSpanContext?.spanId).toBe(outer!.spanContext().spanId);
  });

  it.each([
    ['zeros', { traceId: '0'.repeat(32) }],
    ['a zero span id', { spanId: '0'.repeat(16) }],
    ['a short id', { traceId: 'abc' }],
    ['no hex', { traceId: 'z'.repeat(32) }],
  ])('of %s are none', (_, parent) => {
    const span = createAlsTelemetry().tracer.startSpan('x', {}, under(parent));
    expect(trace.isSpanContextValid(span.spanContext())).toBe(true);
    expect((span as unknown as { parentSpanContext?: unknown }).parentSpanContext).toBeUndefined();
  });

  it('are left out by root', () => {
    const telemetry = createAlsTelemetry();
    telemetry.span('outer', () => telemetry.tracer.startSpan('root', { root: true }).end());
    const [root, outer] = telemetry.spans;
    expect(root!.parentSpanContext).toBeUndefined();
    expect(root!.spanContext().traceId).not.toBe(outer!.spanContext().traceId);
  });

  it('of another telemetry leave the span with its own', async () => {
    const [a, b] = [createAlsTelemetry({ serviceName: 'a' }), createAlsTelemetry({ serviceName: 'b' })];
    a.span('outer', (outer) => {
      const context = trace.setSpan(ROOT_CONTEXT, outer);
      b.tracer.startSpan('inner', {}, context).end();
    });
    expect(a.spans.map(({ name }) => name)).toEqual(['outer']);
    expect(b.spans.map(({ name }) => name)).toEqual(['inner']);
    expect(b.spans[0]!.resource.attributes['service.name']).toBe('b');
    expect(b.spans[0]!.parentSpanContext?.spanId).toBe(a.spans[0]!.spanContext().spanId);
  });
});

describe('startActiveSpan', () => {
  it('takes its three forms and gives what the function gives', () => {
    const { tracer } = createAlsTelemetry();
    const key = createContextKey('k');
    expect(tracer.startActiveSpan('a', (span) => span.spanContext().traceId.length)).toBe(32);
    expect(tracer.startActiveSpan('a', { attributes: { x: 1 } }, () => 'two')).toBe('two');
    expect(tracer.startActiveSpan('a', {}, ROOT_CONTEXT.setValue(key, 1), () => 'three')).toBe('three');
  });
});

describe('suppressed tracing', () => {
  it("is OpenTelemetry's way to leave exports untraced", () => {
    const telemetry = createAlsTelemetry();
    const span = telemetry.tracer.startSpan('x', {}, suppressTracing(ROOT_CONTEXT));
    span.end();
    expect(span.isRecording()).toBe(false);
    expect(telemetry.spans).toEqual([]);
  });

  it('holds while spans are exported', async () => {
    const telemetry = createAlsTelemetry({
      exporters: [() => telemetry.tracer.startSpan('export').end()],
    });
    await telemetry.span('request', () => telemetry.flush());
    await telemetry.flush();
    expect(telemetry.spans.map(({ name }) => name)).toEqual(['request']);
  });
});

describe('scopes', () => {
  it('name the library, ours by default', () => {
    const telemetry = createAlsTelemetry();
    telemetry.span('ours', () => {});
    telemetry.tracerProvider.getTracer('theirs', '2.0', { schemaUrl: 'https://x' }).startSpan('theirs').end();
    const named = createAlsTelemetry({ scope: { name: 'mine' } });
    named.span('x', () => {});
    expect(telemetry.spans.map((span) => span.instrumentationScope)).toEqual([
      { name: 'edgespan', version: expect.any(String) },
      { name: 'theirs', version: '2.0', schemaUrl: 'https://x' },
    ]);
    expect(named.spans[0]!.instrumentationScope).toEqual({ name: 'mine' });
  });
});
