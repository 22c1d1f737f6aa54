import { describe, expect, it } from 'vitest';
import type { ReadableSpan, SpanExporter, TelemetryError, TelemetryOptions } from '../../src/index.ts';
import { renderSpan } from '../../src/trace/exporters.ts';
import { createAlsTelemetry, createManualClock } from '../support/telemetry.ts';

function names(spans: readonly ReadableSpan[]): string[] {
  return spans.map(({ name }) => name);
}

function spansOf(count: number, telemetry: ReturnType<typeof createAlsTelemetry>, prefix = ''): void {
  for (let i = 0; i < count; i++) telemetry.span(`${prefix}${i}`, () => {});
}

type Exporters = NonNullable<TelemetryOptions['exporters']>;

describe('several exporters', () => {
  const failures: Record<string, Exporters[number]> = {
    'a function that throws': () => {
      throw new Error('down');
    },
    'a function that rejects': () => Promise.reject(new Error('down')),
    'one that reports a failure': { export: (_, done) => done({ code: 1 }), shutdown: async () => {} },
    'one that throws': {
      export() {
        throw new Error('down');
      },
      shutdown: async () => {},
    },
    'one whose method is async and rejects': {
      export: async () => Promise.reject(new Error('down')),
      shutdown: async () => {},
    },
    'one that answers nothing': { export: (_, done) => done(undefined as never), shutdown: async () => {} },
    'one that throws what is no error': () => Promise.reject(Object.create(null)),
  };

  it.each(Object.entries(failures))('do not suffer from %s', async (_, failing) => {
    const got: string[] = [];
    const errors: TelemetryError[] = [];
    const telemetry = createAlsTelemetry({
      exporters: [failing, (spans) => void got.push(...names(spans))],
      onError: (error) => errors.push(error),
    });
    spansOf(3, telemetry);
    const result = await telemetry.flush();
    expect(got).toEqual(['0', '1', '2']);
    expect(result).toMatchObject({ ok: false, traces: { sent: 3, dropped: 3, pending: 0 } });
    expect(result.traces.lastError?.code).toBe('exporter_failed');
    expect(errors.map(({ code }) => code)).toEqual(['exporter_failed']);
    expect(telemetry.metrics.value('edgespan_dropped_total', { signal: 'traces', reason: 'exporter_failed' })).toBe(3);
    expect(telemetry.health()).toMatchObject({ ok: false, problems: [{ code: 'exporter_failed', count: 1 }] });
  });

  it('do not wait past the deadline for one that hangs', async () => {
    const got: string[] = [];
    const telemetry = createAlsTelemetry({
      exporters: [() => new Promise<void>(() => {}), (spans) => void got.push(...names(spans))],
    });
    spansOf(1, telemetry);
    const result = await telemetry.flush({ timeoutMs: 5 });
    expect(got).toEqual(['0']);
    expect(result.traces).toMatchObject({ sent: 1, dropped: 1, pending: 0 });
  });

  it('are flushed and shut down, once, even if that hangs', async () => {
    const calls: string[] = [];
    const exporter: SpanExporter = {
      export: (spans, done) => {
        calls.push(`export ${spans.length}`);
        done({ code: 0 });
      },
      forceFlush: async () => void calls.push('forceFlush'),
      shutdown: async () => void calls.push('shutdown'),
    };
    const hanging: SpanExporter = { export: (_, done) => done({ code: 0 }), shutdown: () => new Promise(() => {}) };
    const telemetry = createAlsTelemetry({ exporters: [exporter, hanging] });
    spansOf(2, telemetry);
    await telemetry.shutdown({ timeoutMs: 5 });
    await telemetry.shutdown({ timeoutMs: 5 });
    expect(calls).toEqual(['export 2', 'forceFlush', 'shutdown']);
  });
});

describe('the buffer', () => {
  it('is bounded by spans', async () => {
    const got: string[] = [];
    const telemetry = createAlsTelemetry({ exporters: [(s) => void got.push(...names(s))], limits: { spans: 3 } });
    spansOf(5, telemetry);
    expect(await telemetry.flush()).toMatchObject({ ok: false, traces: { sent: 3, dropped: 2, pending: 0 } });
    expect(got).toEqual(['0', '1', '2']);
    expect(telemetry.metrics.value('edgespan_dropped_total', { reason: 'buffer_full' })).toBe(2);
    expect(telemetry.metrics.value('edgespan_spans_total', { result: 'recorded' })).toBe(5);
  });

  it.each([
    ['attributes', (text: string) => ({ attributes: { text } })],
    ['nested attributes', (text: string) => ({ attributes: { deep: { list: [text] } } })],
    ['attribute names', (text: string) => ({ attributes: { [text]: 1 } })],
  ])('is bounded by bytes of %s', async (_, options) => {
    const telemetry = createAlsTelemetry({
      exporters: [() => {}],
      limits: { bytes: 10_000, valueLength: 100_000 },
    });
    telemetry.span('small', () => {});
    telemetry.span('big', options('x'.repeat(20_000)), () => {});
    telemetry.span('small', () => {});
    expect((await telemetry.flush()).traces).toMatchObject({ sent: 2, dropped: 1 });
  });

  it('is bounded by bytes of events', async () => {
    const telemetry = createAlsTelemetry({ exporters: [() => {}], limits: { bytes: 5000 } });
    telemetry.span('big', (span) => {
      for (let i = 0; i < 100; i++) span.addEvent('an event with some name');
    });
    expect((await telemetry.flush()).traces).toMatchObject({ sent: 0, dropped: 1 });
  });

  it('counts what is being sent', async () => {
    let release = () => {};
    const telemetry = createAlsTelemetry({
      exporters: [() => new Promise<void>((resolve) => (release = resolve))],
      limits: { spans: 3 },
    });
    spansOf(2, telemetry);
    const flushing = telemetry.flush();
    spansOf(2, telemetry);
    release();
    expect((await flushing).traces).toMatchObject({ sent: 2, dropped: 1, pending: 1 });
  });
});

describe('memory', () => {
  it('holds the newest spans, from their end and before any flush', () => {
    const telemetry = createAlsTelemetry({ inMemory: { maxSpans: 2 } });
    spansOf(3, telemetry);
    const before = telemetry.spans;
    expect(names(before)).toEqual(['1', '2']);
    telemetry.clearSpans();
    expect(telemetry.spans).toEqual([]);
    expect(names(before)).toEqual(['1', '2']);
  });

  it('holds nothing unless asked', () => {
    const telemetry = createAlsTelemetry({ inMemory: false });
    spansOf(1, telemetry);
    expect(telemetry.spans).toEqual([]);
  });
});

describe('the console', () => {
  it('gets a line a span', () => {
    const clock = createManualClock();
    const telemetry = createAlsTelemetry({ runtime: clock });
    telemetry.span('work', { attributes: { a: 1, big: (2n ** 60n) as never } }, (span) => {
      clock.advance(12.34);
      span.setStatus({ code: 2, message: 'bad' });
    });
    const [span] = telemetry.spans;
    const { traceId, spanId } = span!.spanContext();
    expect(renderSpan(span!)).toBe(
      `span work 12.3ms ERROR bad trace=${traceId} span=${spanId} {"a":1,"big":"1152921504606846976"}`,
    );
  });
});
