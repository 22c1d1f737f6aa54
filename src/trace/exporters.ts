import { fromHrTime, withTimeout } from '../clock.ts';
import type { Delivery } from '../delivery.ts';
import { messageOf, TelemetryError } from '../errors.ts';
import { statusError } from './otel-span.ts';
import type { ExportFunction, ReadableSpan, SpanExporter } from './readable-span.ts';
import type { SendSpans } from './span-pipeline.ts';

/**
 * An exporter of somebody else's as a sink. It has its own retries, if any: what it refuses, and what it has not
 * answered at the deadline, is dropped and counted, and hurts no other exporter.
 */
export function createExporterSink(exporter: SpanExporter | ExportFunction, monotonic: () => number): SendSpans {
  return async <S extends ReadableSpan>(spans: readonly S[], deadline: number) => {
    let result: { code: number; error?: Error } | undefined;
    try {
      const exported = exportTo(exporter, spans).then((answer) => {
        result = answer;
      });
      await withTimeout(exported, Math.max(0, deadline - monotonic()));
    } catch (error) {
      return failed(spans, error);
    }
    if (result?.code === 0) return { sent: spans.length, dropped: {}, returned: [] };
    return failed(
      spans,
      result?.error ?? new Error(result ? 'exporter reported a failure' : 'exporter did not answer'),
    );
  };
}

async function exportTo(
  exporter: SpanExporter | ExportFunction,
  spans: readonly ReadableSpan[],
): Promise<{ code: number; error?: Error }> {
  if (typeof exporter === 'function') {
    await exporter(spans);
    return { code: 0 };
  }
  const answer = await new Promise<{ code: number; error?: Error }>((resolve, reject) => {
    // Its type answers nothing, but one that is async may reject.
    const returned: unknown = exporter.export([...spans], resolve);
    Promise.resolve(returned).catch(reject);
  });
  // Some take spans into a buffer of their own, which would die with the invocation.
  if (answer?.code === 0) await exporter.forceFlush?.();
  return answer;
}

function failed<S>(spans: readonly S[], cause: unknown): Delivery<S> {
  return {
    sent: 0,
    dropped: { exporter_failed: spans.length },
    returned: [],
    error: new TelemetryError('exporter_failed', messageOf(cause), { cause }),
  };
}

/** One readable line a span. */
export function createConsoleExporter(write: (line: string) => void): ExportFunction {
  return (spans) => {
    for (const span of spans) write(renderSpan(span));
  };
}

export function renderSpan(span: ReadableSpan): string {
  const { traceId, spanId } = span.spanContext();
  const status = span.status.code === statusError ? ` ERROR ${span.status.message ?? ''}` : '';
  const parent = span.parentSpanContext ? ` parent=${span.parentSpanContext.spanId}` : '';
  const attributes = JSON.stringify(span.attributes, (_, value) => (typeof value === 'bigint' ? `${value}` : value));
  return `span ${span.name} ${fromHrTime(span.duration).toFixed(1)}ms${status} trace=${traceId} span=${spanId}${parent} ${attributes}`;
}

/** The newest spans in memory, for tests and debugging; filled when a span ends. */
export interface SpanMemory {
  add(span: ReadableSpan): void;
  list(): readonly ReadableSpan[];
  clear(): void;
}

export function createSpanMemory(maxSpans: number): SpanMemory {
  let spans: ReadableSpan[] = [];
  return {
    add(span) {
      spans.push(span);
      if (spans.length > maxSpans) spans.shift();
    },
    list: () => [...spans],
    clear: () => {
      spans = [];
    },
  };
}
