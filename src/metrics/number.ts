import type { Attributes } from '@opentelemetry/api';
import type { CardinalityGuard } from './cardinality.ts';
import {
  createSeriesBase,
  hasLabels,
  type Instrument,
  type InstrumentHost,
  type PendingExemplar,
  type SeriesBase,
  type TraceRef,
  toExemplar,
} from './instrument.ts';
import { type LabelValues, SeriesTable } from './series.ts';
import type { MetricFamily, Point } from './snapshot.ts';

interface NumberSeries {
  readonly base: SeriesBase;
  value: number;
  exemplar?: PendingExemplar;
}

/** A counter, a gauge, or OpenTelemetry's up-down counter: one number a series. */
export class NumberInstrument implements Instrument {
  readonly family: Omit<MetricFamily, 'points'>;
  readonly labelNames: readonly string[];
  readonly #host: InstrumentHost;
  readonly #series: SeriesTable<NumberSeries>;
  readonly #monotonic: boolean;
  readonly #observe: (() => void | Promise<void>) | undefined;

  constructor(
    family: Omit<MetricFamily, 'points'>,
    labelNames: readonly string[],
    host: InstrumentHost,
    guard: CardinalityGuard,
    observe?: (instrument: NumberInstrument) => void | Promise<void>,
  ) {
    this.family = family;
    this.labelNames = labelNames;
    this.#host = host;
    this.#monotonic = family.type === 'counter';
    this.#series = new SeriesTable(family.name, guard, (key) => ({ base: createSeriesBase(key, host), value: 0 }));
    this.#observe = observe && (() => observe(this));
  }

  observe(): void | Promise<void> {
    return this.#observe?.();
  }

  add(value: number, labels?: LabelValues, trace: TraceRef | null | undefined = this.#host.activeTrace()): void {
    if (this.#accepts(value)) this.#add(this.#series.find(this.labelNames, labels), value, trace);
  }

  addTo(value: number, attributes: Attributes | undefined): void {
    if (this.#accepts(value)) this.#add(this.#series.findByAttributes(attributes), value, this.#host.activeTrace());
  }

  set(value: number, labels?: LabelValues): void {
    if (this.#isNumber(value)) this.#series.find(this.labelNames, labels).value = value;
  }

  /** Sets what a callback observed, or what OpenTelemetry's gauge records. */
  setTo(value: number, attributes: Attributes | undefined): void {
    if (this.#isNumber(value)) this.#series.findByAttributes(attributes).value = value;
  }

  points(timeUnixNano: bigint): Point[] {
    return this.#series.values().map(({ base, value, exemplar }) => {
      const point = { ...base, timeUnixNano, value };
      return exemplar ? { ...point, exemplars: [toExemplar(exemplar)] } : point;
    });
  }

  total(labels: Readonly<Record<string, string>>): number | undefined {
    let total: number | undefined;
    for (const series of this.#series.values()) if (hasLabels(series.base, labels)) total = (total ?? 0) + series.value;
    return total;
  }

  #add(series: NumberSeries, value: number, trace: TraceRef | null | undefined): void {
    series.value += value;
    if (trace && this.#monotonic) series.exemplar = { value, trace, timeMs: this.#host.now() };
  }

  #accepts(value: number): boolean {
    if (Number.isFinite(value) && !(this.#monotonic && value < 0)) return true;
    this.#host.invalid(this.family.name);
    return false;
  }

  /** A gauge may be infinite: Prometheus has a word for it. */
  #isNumber(value: number): boolean {
    if (typeof value === 'number' && !Number.isNaN(value)) return true;
    this.#host.invalid(this.family.name);
    return false;
  }
}
