import { context, createContextKey, metrics, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { afterEach, describe, expect, it } from 'vitest';
import { createAlsTelemetry } from './support/telemetry.ts';

afterEach(() => {
  for (const api of [trace, metrics, context, propagation]) api.disable();
  // What is left has the version of whoever came first, and the API registers under its own alone.
  Reflect.deleteProperty(globalThis, Symbol.for('opentelemetry.js.api.1'));
});

describe('register', () => {
  it('reaches tracers that were taken before, where it is given the API', () => {
    const early = trace.getTracer('library');
    const telemetry = createAlsTelemetry();
    const undo = telemetry.register({ context, metrics, propagation, trace });
    early.startSpan('theirs').end();
    expect(telemetry.spans.map(({ name }) => name)).toEqual(['theirs']);
    undo();
    trace.getTracer('library').startSpan('later').end();
    expect(telemetry.spans).toHaveLength(1);
  });

  it("makes ours OpenTelemetry's, until its undo", async () => {
    const telemetry = createAlsTelemetry();
    const undo = telemetry.register();
    // With nothing active yet, the root: neither asks the other for ever.
    expect(trace.getSpan(context.active())).toBeUndefined();
    expect(telemetry.activeSpan()).toBeUndefined();
    await trace.getTracer('library', '1').startActiveSpan('theirs', async (span) => {
      await Promise.resolve();
      expect(trace.getActiveSpan()).toBe(span);
      expect(telemetry.activeSpan()).toBe(span);
      telemetry.span('ours', () => {});
      span.end();
    });
    telemetry.span('ours', () => trace.getTracer('library').startSpan('theirs').end());
    metrics.getMeter('library').createCounter('seen').add(2);
    const carrier: Record<string, string> = {};
    telemetry.span('x', () => propagation.inject(context.active(), carrier));
    expect(carrier.traceparent).toMatch(/^00-/);
    expect(telemetry.metrics.value('seen')).toBe(2);
    const parents = telemetry.spans.map(({ name, parentSpanContext }) => [name, parentSpanContext !== undefined]);
    expect(parents).toEqual([
      ['ours', true],
      ['theirs', false],
      ['theirs', true],
      ['ours', false],
      ['x', false],
    ]);
    undo();
    undo();
    trace.getTracer('library').startSpan('after').end();
    expect(telemetry.spans).toHaveLength(5);
    expect(telemetry.health().ok).toBe(true);
  });

  it('carries, binds and restores contexts', () => {
    createAlsTelemetry().register();
    const key = createContextKey('k');
    const inner = ROOT_CONTEXT.setValue(key, 1);
    const self = { n: 5 };
    const read = function (this: typeof self, add: number) {
      return [context.active().getValue(key), this.n + add];
    };
    expect(context.with(inner, read, self, 2)).toEqual([1, 7]);
    expect(context.bind(inner, read).call(self, 3)).toEqual([1, 8]);
    expect(context.bind(inner, 5)).toBe(5);
    expect(context.active().getValue(key)).toBeUndefined();
  });

  it('leaves everything to a host that has tracers of its own', async () => {
    const exporter = new InMemorySpanExporter();
    const host = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
    trace.setGlobalTracerProvider(host);
    const telemetry = createAlsTelemetry();
    const undo = telemetry.register();
    trace.getTracer('library').startSpan('theirs').end();
    metrics.getMeter('library').createCounter('seen').add(1);
    expect(exporter.getFinishedSpans().map(({ name }) => name)).toEqual(['theirs']);
    expect(telemetry.spans).toEqual([]);
    expect(telemetry.metrics.value('seen')).toBeUndefined();
    expect(telemetry.health()).toMatchObject({ ok: false, problems: [{ count: 1 }] });
    undo();
    trace.getTracer('library').startSpan('still theirs').end();
    expect(exporter.getFinishedSpans()).toHaveLength(2);
  });

  it('nests under a span of the host', () => {
    const host = new TracerProvider().getTracer('host');
    const telemetry = createAlsTelemetry();
    const outer = host.startSpan('outer');
    telemetry.with({ parent: outer }, () => telemetry.span('inner', () => {}));
    expect(telemetry.spans[0]!.parentSpanContext?.spanId).toBe(outer.spanContext().spanId);
  });
});
