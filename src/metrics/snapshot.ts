import type { Attributes } from '@opentelemetry/api';
import type { InstrumentationScope } from '../instrumentation-scope.ts';

/** A measurement that stands for its bucket or series, with the trace it was made in. */
export interface Exemplar {
  readonly value: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly timeUnixNano: bigint;
}

/** One series at one time. Counters and gauges have `value`, histograms `counts`, `sum` and `count`. */
export interface Point {
  /** The same object for the same series in every snapshot of a registry, so that encoders may remember by it. */
  readonly labels: Readonly<Record<string, string>>;
  /** The labels with their types and full length, where OpenTelemetry's Meter was given them; OTLP sends these. */
  readonly attributes?: Attributes;
  readonly startUnixNano: bigint;
  readonly timeUnixNano: bigint;
  /** When a gauge was last set, where that is known; `timeUnixNano` is when it was read. */
  readonly setUnixNano?: bigint;
  readonly value?: number;
  /** One more than the family's bounds; not cumulative; bucket i holds values in (bounds[i-1], bounds[i]]. */
  readonly counts?: readonly number[];
  /** Absent where an observation was negative: the sum would not be monotonic. */
  readonly sum?: number;
  readonly count?: number;
  readonly exemplars?: readonly Exemplar[];
}

export interface MetricFamily {
  /** As it was defined: `llm_requests_total`, `gen_ai.client.operation.duration`. */
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** A gauge whose series add up (an OpenTelemetry UpDownCounter): a non-monotonic sum in OTLP. */
  readonly additive?: boolean;
  readonly help?: string;
  /** Values are whole numbers by definition; all others are doubles in OTLP, as one kind for good. */
  readonly integer?: boolean;
  /** UCUM, as OpenTelemetry has it: `s`, `By`, `{token}`. */
  readonly unit?: string;
  readonly bounds?: readonly number[];
  /** The instrumentation scope of a family made through OpenTelemetry's Meter. */
  readonly scope?: InstrumentationScope;
  readonly points: readonly Point[];
}

/** All that an encoder sees of metrics: plain data, families and series each once. */
export interface MetricsSnapshot {
  readonly temporality: 'delta' | 'cumulative';
  readonly resource: Attributes;
  readonly metrics: readonly MetricFamily[];
}
