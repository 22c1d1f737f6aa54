import type { Attributes } from '@opentelemetry/api';
import { toUnixNano } from '../clock.ts';
import type { SeriesKey } from './series.ts';
import type { Exemplar, MetricFamily, Point } from './snapshot.ts';

/** The trace a measurement is made in. */
export interface TraceRef {
  readonly traceId: string;
  readonly spanId: string;
}

/** What an instrument needs of its registry. */
export interface InstrumentHost {
  readonly now: () => number;
  /** The sampled span that is active, for exemplars. */
  readonly activeTrace: () => TraceRef | undefined;
  /** A measurement that is no number the instrument can take. */
  readonly invalid: (metric: string) => void;
}

/** An instrument as the registry keeps it. */
export interface Instrument {
  readonly family: Omit<MetricFamily, 'points'>;
  readonly labelNames: readonly string[];
  points(timeUnixNano: bigint): Point[];
  /** Runs callbacks that observe values when they are asked for. */
  observe?(): void | Promise<void>;
  /** The sum of what the series with these labels hold; a histogram's count. */
  total(labels: Readonly<Record<string, string>>): number | undefined;
}

/** What series of every kind share: identity and start. */
export interface SeriesBase {
  readonly labels: Readonly<Record<string, string>>;
  readonly attributes?: Attributes;
  readonly startUnixNano: bigint;
}

export function createSeriesBase(key: SeriesKey, host: InstrumentHost): SeriesBase {
  return { ...key, startUnixNano: toUnixNano(host.now()) };
}

/** An exemplar with its time still in milliseconds: most are replaced before anybody reads them. */
export interface PendingExemplar {
  readonly value: number;
  readonly trace: TraceRef;
  readonly timeMs: number;
}

export function toExemplar({ value, trace, timeMs }: PendingExemplar): Exemplar {
  return { value, traceId: trace.traceId, spanId: trace.spanId, timeUnixNano: toUnixNano(timeMs) };
}

export function hasLabels(series: SeriesBase, labels: Readonly<Record<string, string>>): boolean {
  for (const name in labels) if ((series.labels[name] ?? '') !== String(labels[name])) return false;
  return true;
}
