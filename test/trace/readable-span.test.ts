import {
  ConsoleSpanExporter,
  InMemorySpanExporter,
  type ReadableSpan as OtelReadableSpan,
  type SpanExporter as OtelSpanExporter,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { describe, expect, expectTypeOf, it, vi } from 'vitest';
import type { ReadableSpan, SpanExporter, TelemetryOptions } from '../../src/index.ts';
import { createAlsTelemetry } from '../support/telemetry.ts';

describe('the shape of a span', () => {
  it("is OpenTelemetry SDK 3's, both ways", () => {
    expectTypeOf<ReadableSpan>().toExtend<OtelReadableSpan>();
    expectTypeOf<OtelReadableSpan>().toExtend<ReadableSpan>();
    expectTypeOf<OtelSpanExporter>().toExtend<NonNullable<TelemetryOptions['exporters']>[number]>();
    expectTypeOf<SpanExporter>().toExtend<OtelSpanExporter>();
  });

  it('has every field that a span of their SDK has to read', () => {
    const theirs = new TracerProvider().getTracer('x').startSpan('x') as unknown as OtelReadableSpan;
    const telemetry = createAlsTelemetry();
    telemetry.span('x', () => {});
    const ours = telemetry.spans[0]!;
    const fields = ['name', 'kind', 'spanContext', 'startTime', 'endTime', 'status', 'attributes', 'links', 'events'];
    fields.push('duration', 'ended', 'resource', 'instrumentationScope');
    fields.push('droppedAttributesCount', 'droppedEventsCount', 'droppedLinksCount');
    for (const field of fields) {
      const [a, b] = [theirs, ours].map((span) => span[field as keyof ReadableSpan]);
      expect(typeof b, field).toBe(typeof a);
    }
  });

  it("is taken by OpenTelemetry's exporters", async () => {
    const memory = new InMemorySpanExporter();
    const dir = vi.spyOn(console, 'dir').mockImplementation(() => {});
    const telemetry = createAlsTelemetry({ exporters: [memory, new ConsoleSpanExporter()], serviceName: 'shop' });
    telemetry.span('outer', () => telemetry.span('inner', (span) => span.addEvent('e', { a: 1 })));
    const result = await telemetry.flush();
    dir.mockRestore();
    expect(result).toMatchObject({ ok: true, traces: { sent: 4, dropped: 0, pending: 0 } });
    expect(memory.getFinishedSpans().map((span) => span.name)).toEqual(['inner', 'outer']);
    const [inner, outer] = memory.getFinishedSpans();
    expect(inner!.parentSpanContext?.spanId).toBe(outer!.spanContext().spanId);
    expect(inner!.resource.attributes['service.name']).toBe('shop');
    await telemetry.shutdown();
  });
});
