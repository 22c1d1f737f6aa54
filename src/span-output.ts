import type { Ledger } from './delivery.ts';
import type { Redaction } from './features/redaction.ts';
import type { TelemetryOptions } from './options.ts';
import type { OtlpConfig } from './otlp/config.ts';
import { createOtlpSpanSink, type OtlpPort } from './otlp/exporter.ts';
import type { ResolvedLimits, resolveFlush } from './settings.ts';
import { createConsoleExporter, createExporterSink, createSpanMemory, type SpanMemory } from './trace/exporters.ts';
import type { RecordingSpan } from './trace/span.ts';
import { createSpanPipeline, type SendSpans, type SpanPipeline } from './trace/span-pipeline.ts';

export interface SpanOutputOptions {
  readonly options: TelemetryOptions;
  readonly enabled: boolean;
  readonly otlp: OtlpConfig;
  readonly port: OtlpPort;
  readonly limits: ResolvedLimits;
  readonly flushing: ReturnType<typeof resolveFlush>;
  readonly ledger: Ledger;
  readonly redactor: Redaction | undefined;
}

/** Where ended spans go: to memory, and to each exporter through a buffer of its own. */
export interface SpanOutput {
  readonly memory: SpanMemory;
  readonly pipelines: readonly SpanPipeline[];
  /** Answers how many spans wait in the fullest buffer. */
  emit(span: RecordingSpan): number;
}

const defaultMemorySpans = 1000;

export function createSpanOutput(given: SpanOutputOptions): SpanOutput {
  const { options, limits, flushing, ledger, redactor } = given;
  const { monotonic } = given.port.clock;
  const memory = createSpanMemory(memorySpans(options.inMemory));
  const pipelines = listSinks(given).map((sink) =>
    createSpanPipeline({
      sink,
      ledger,
      maxSpans: limits.spans,
      maxBytes: limits.bytes,
      batchSize: flushing.batchSize,
      monotonic,
    }),
  );
  return {
    memory,
    pipelines,
    emit(span) {
      redactor?.span(span);
      if (options.inMemory) memory.add(span);
      let buffered = 0;
      for (const pipeline of pipelines) {
        pipeline.add(span);
        buffered = Math.max(buffered, pipeline.buffered);
      }
      return buffered;
    },
  };
}

function listSinks({ options, enabled, otlp, port }: SpanOutputOptions): SendSpans[] {
  if (!enabled) return [];
  const target = otlp.traces;
  const { monotonic } = port.clock;
  const sinks = (options.exporters ?? []).map((exporter) => createExporterSink(exporter, monotonic));
  if (target) sinks.unshift(createOtlpSpanSink(target, port));
  if (options.console ?? otlp.console) sinks.push(createExporterSink(createConsoleExporter(printLine), monotonic));
  return sinks;
}

function memorySpans(inMemory: TelemetryOptions['inMemory']): number {
  return typeof inMemory === 'object' ? (inMemory.maxSpans ?? defaultMemorySpans) : defaultMemorySpans;
}

function printLine(line: string): void {
  console.log(line);
}
