import type { Attributes } from '@opentelemetry/api';
import { toUnixNano } from '../clock.ts';
import type { NumberInstrument } from './number.ts';
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
  /** The number of the collection that is under way or was last. */
  readonly round: () => number;
  /** A series that was not there before. */
  readonly created: () => void;
}

/** An instrument as the registry keeps it. */
export interface Instrument {
  readonly family: Omit<MetricFamily, 'points'>;
  readonly labelNames: readonly string[];
  /** Of what callbacks observe, only what they have since a round: a queue that is gone has no size. */
  points(timeUnixNano: bigint, round: number): Point[];
  /** Callbacks that observe values when they are asked for, by who gave them. */
  readonly observers?: ReadonlyMap<unknown, () => void | Promise<void>>;
  /** The sum of what the series with these labels hold; a histogram's count. */
  total(labels: Readonly<Record<string, string>>, round: number): number | undefined;
}

/** What series of every kind share: identity and start. */
export interface SeriesBase {
  readonly labels: Readonly<Record<string, string>>;
  readonly attributes?: Attributes;
  readonly startUnixNano: bigint;
}

export function createSeriesBase(key: SeriesKey, host: InstrumentHost): SeriesBase {
  host.created();
  return { ...key, startUnixNano: toUnixNano(host.now()) };
}

/** When a point was read: never before its series began, although a clock may be set back. */
export function notBefore({ startUnixNano }: SeriesBase, timeUnixNano: bigint): bigint {
  return timeUnixNano < startUnixNano ? startUnixNano : timeUnixNano;
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

/** What a family says of itself. */
export type FamilyDetails = {
  help?: string | undefined;
  unit?: string | undefined;
  additive?: boolean | undefined;
  integer?: boolean | undefined;
  scope?: MetricFamily['scope'];
};

/** Only what it says. */
export function describeFamily({ help, unit, additive, integer, scope }: FamilyDetails): FamilyDetails {
  const kind = { ...(additive && { additive }), ...(integer && { integer }) };
  return { ...(help && { help }), ...(unit && { unit }), ...kind, ...(scope && { scope }) };
}

export interface Observation {
  observe?: ((target: NumberInstrument) => void | Promise<void>) | undefined;
  /** Whose callback it is: another one of the same replaces it, so that a definition may be repeated. */
  observer?: unknown;
}
