import * as api from '@opentelemetry/api';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createAlsTelemetry } from '../support/telemetry.ts';

const apiKey = Symbol.for('opentelemetry.js.api.1');
const globals = globalThis as { [apiKey]?: Record<string, unknown> };
const clear = () => Reflect.deleteProperty(globalThis, apiKey);

describe('the object that every copy of the API reads', () => {
  beforeEach(clear);
  afterEach(clear);

  it('is gone after the undo, and free for the API', () => {
    const undo = createAlsTelemetry().register();
    expect(Object.keys(globals[apiKey]!).sort()).toEqual(['context', 'metrics', 'propagation', 'trace', 'version']);
    undo();
    expect(globals[apiKey]).toBeUndefined();
    expect(api.trace.setGlobalTracerProvider(new api.ProxyTracerProvider())).toBe(true);
    api.trace.disable();
  });

  it.each(['1.9.0', '1.10.0'])('of a host keeps its version %s and what it has', (version) => {
    const diag = {};
    globals[apiKey] = Object.defineProperty({ diag }, 'version', { value: version, enumerable: true });
    const telemetry = createAlsTelemetry();
    const undo = telemetry.register();
    expect(globals[apiKey]).toMatchObject({ version, trace: telemetry.tracerProvider });
    undo();
    expect(globals[apiKey]).toEqual({ version, diag });
  });

  it('keeps the slots that a host has filled, each counted', () => {
    const metrics = {};
    globals[apiKey] = { version: '1.10.0', metrics };
    const telemetry = createAlsTelemetry({ onError: () => {} });
    const undo = telemetry.register();
    expect(globals[apiKey]).toMatchObject({ trace: telemetry.tracerProvider, metrics });
    expect(telemetry.health().problems).toMatchObject([{ count: 1 }]);
    undo();
    expect(globals[apiKey]).toEqual({ version: '1.10.0', metrics });
  });

  it('takes nothing of what came after it', () => {
    const undo = createAlsTelemetry().register();
    const trace = {};
    globals[apiKey]!.trace = trace;
    undo();
    expect(globals[apiKey]!.trace).toBe(trace);
  });

  it('may be frozen: that is counted', () => {
    globals[apiKey] = Object.freeze({ version: '1.10.0' });
    const telemetry = createAlsTelemetry({ onError: () => {} });
    telemetry.register()();
    expect(telemetry.health().problems).toMatchObject([{ count: 1 }]);
  });
});

describe('the API after register', () => {
  beforeEach(clear);
  afterEach(clear);

  it('reaches us with tracer, meter, context and propagator', () => {
    const telemetry = createAlsTelemetry();
    const undo = telemetry.register();
    const span = api.trace.getTracer('library').startSpan('theirs');
    const carrier: Record<string, string> = {};
    const context = api.trace.setSpan(api.ROOT_CONTEXT, span);
    api.context.with(context, () => {
      expect(telemetry.activeSpan()).toBe(span);
      api.propagation.inject(api.context.active(), carrier);
      telemetry.span('inner', () => {});
    });
    span.end();
    api.metrics.getMeter('library').createCounter('seen').add(2);
    undo();
    const { traceId, spanId } = span.spanContext();
    expect(carrier.traceparent).toBe(`00-${traceId}-${spanId}-03`);
    expect(telemetry.spans.map(({ name, parentSpanContext }) => [name, parentSpanContext?.spanId])).toEqual([
      ['inner', spanId],
      ['theirs', undefined],
    ]);
    expect(telemetry.metrics.value('seen')).toBe(2);
    api.trace.getTracer('library').startSpan('after').end();
    expect(telemetry.spans).toHaveLength(2);
  });

  it('hands a tracer of before over where the user has set our provider himself', () => {
    const tracer = api.trace.getTracer('early');
    const telemetry = createAlsTelemetry();
    expect(api.trace.setGlobalTracerProvider(telemetry.tracerProvider)).toBe(true);
    const undo = telemetry.register();
    tracer.startActiveSpan('early', (span) => {
      expect(api.trace.getActiveSpan()).toBe(span);
      span.end();
    });
    undo();
    api.trace.disable();
    expect(telemetry.spans.map(({ name }) => name)).toEqual(['early']);
    expect(telemetry.health().ok).toBe(true);
  });
});
