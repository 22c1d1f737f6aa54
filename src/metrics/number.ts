import type { Attributes } from '@opentelemetry/api';
import { toUnixNano } from '../clock.ts';
import type { CardinalityGuard } from './cardinality.ts';
import {
  createSeriesBase,
  hasLabels,
  type Instrument,
  type InstrumentHost,
  notBefore,
  type PendingExemplar,
  type SeriesBase,
  type TraceRef,
  toExemplar,
} from './instrument.ts';
import type { Observed } from './metric-registry.ts';
import { type LabelValues, SeriesTable } from './series.ts';
import type { MetricFamily, Point } from './snapshot.ts';

interface NumberSeries {
  readonly base: SeriesBase;
  value: number;
  /** When it was last set: in which collection, and the time of a gauge. */
  round: number;
  setMs?: number;
  exemplar?: PendingExemplar;
}

/** A counter, a gauge, or OpenTelemetry's up-down counter: one number a series. */
export class NumberInstrument implements Instrument {
  readonly family: Omit<MetricFamily, 'points'>;
  readonly labelNames: readonly string[];
  readonly #host: InstrumentHost;
  readonly #series: SeriesTable<NumberSeries>;
  readonly #monotonic: boolean;
  /** What keeps its newest value. */
  readonly #isLast: boolean;
  /** Takes the whole part of what it is given, as OpenTelemetry's SDK does. */
  readonly #isWhole: boolean;
  readonly observers = new Map<unknown, () => void | Promise<void>>();

  constructor(
    family: Omit<MetricFamily, 'points'>,
    labelNames: readonly string[],
    host: InstrumentHost,
    guard: CardinalityGuard,
  ) {
    this.family = family;
    this.labelNames = labelNames;
    this.#host = host;
    this.#monotonic = family.type === 'counter';
    this.#isLast = family.type === 'gauge' && !family.additive;
    this.#isWhole = family.integer === true;
    this.#series = new SeriesTable(family.name, guard, (key) => ({
      base: createSeriesBase(key, host),
      value: 0,
      round: 0,
    }));
  }

  add(value: number, labels?: LabelValues, trace: TraceRef | null | undefined = this.#host.activeTrace()): void {
    if (this.#accepts(value)) this.#add(this.#series.find(this.labelNames, labels), value, trace);
  }

  addTo(
    value: number,
    attributes: Attributes | undefined,
    trace: TraceRef | null | undefined = this.#host.activeTrace(),
  ): void {
    if (this.#accepts(value)) this.#add(this.#series.findByAttributes(attributes), value, trace);
  }

  set(value: number, labels?: LabelValues): void {
    if (this.#isSettable(value)) this.#set(this.#series.find(this.labelNames, labels), value);
  }

  /** Sets what a callback observed, or what OpenTelemetry's gauge records. */
  setTo(value: number, attributes: Attributes | undefined): void {
    if (this.#isSettable(value)) this.#set(this.#series.findByAttributes(attributes), value);
  }

  points(timeUnixNano: bigint, round: number): Point[] {
    return this.#current(round).map(({ base, value, setMs, exemplar }) => {
      const time = notBefore(base, timeUnixNano);
      const point = {
        ...base,
        timeUnixNano: time,
        ...(setMs !== undefined && { setUnixNano: toUnixNano(setMs) }),
        value,
      };
      return exemplar ? { ...point, exemplars: [toExemplar(exemplar)] } : point;
    });
  }

  total(labels: Readonly<Record<string, string>>, round: number): number | undefined {
    let total: number | undefined;
    for (const series of this.#current(round)) if (hasLabels(series.base, labels)) total = (total ?? 0) + series.value;
    return total;
  }

  #current(round: number): NumberSeries[] {
    const all = this.#series.values();
    return this.observers.size > 0 ? all.filter((series) => series.round >= round) : all;
  }

  #set(series: NumberSeries, value: number): void {
    series.value = this.#isWhole ? Math.trunc(value) : value;
    series.round = this.#host.round();
    if (this.#isLast) series.setMs = this.#host.now();
  }

  #add(series: NumberSeries, value: number, trace: TraceRef | null | undefined): void {
    series.value += this.#isWhole ? Math.trunc(value) : value;
    if (this.#isLast) series.setMs = this.#host.now();
    else if (trace && this.#monotonic) series.exemplar = { value, trace, timeMs: this.#host.now() };
  }

  #accepts(value: number): boolean {
    if (Number.isFinite(value) && !(this.#monotonic && value < 0)) return true;
    this.#host.invalid(this.family.name);
    return false;
  }

  /** A gauge may be infinite: Prometheus has a word for it. The total of a counter may neither be that nor negative. */
  #isSettable(value: number): boolean {
    if (this.#monotonic) return this.#accepts(value);
    if (typeof value === 'number' && !Number.isNaN(value)) return true;
    this.#host.invalid(this.family.name);
    return false;
  }
}

/** Adds by prom-client's habits: labels first, then the value, either left out. */
export function addWith(instrument: NumberInstrument, sign: 1 | -1, a?: LabelValues | number, b: number = 1): void {
  // A string or the like is no set of labels, but a value that the instrument ignores and counts.
  const isLabels = typeof a === 'object' || a === undefined;
  const value = isLabels ? b : a;
  instrument.add(typeof value === 'number' ? sign * value : Number.NaN, isLabels ? a : undefined);
}

/** Sets what a callback answers, now or later. */
export function observeInto(
  target: NumberInstrument,
  observed: Observed<never> | Promise<Observed<never>>,
): void | Promise<void> {
  if (observed instanceof Promise) return observed.then((value) => observeInto(target, value));
  if (typeof observed === 'number') target.set(observed);
  else for (const [labels, value] of observed) target.set(value, labels);
}
