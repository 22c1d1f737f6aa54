import type { Attributes } from '@opentelemetry/api';
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
import { type LabelValues, SeriesTable } from './series.ts';
import type { MetricFamily, Point } from './snapshot.ts';

interface HistogramSeries {
  readonly base: SeriesBase;
  readonly counts: number[];
  sum: number;
  count: number;
  /** The sum of a histogram with negative observations is no counter and is left out. */
  negative: boolean;
  exemplars?: (PendingExemplar | undefined)[];
}

/** Observations in buckets whose upper bounds are inclusive. */
export class HistogramInstrument implements Instrument {
  readonly family: Omit<MetricFamily, 'points'> & { readonly bounds: readonly number[] };
  readonly labelNames: readonly string[];
  readonly #host: InstrumentHost;
  readonly #series: SeriesTable<HistogramSeries>;
  readonly #isWhole: boolean;

  constructor(
    family: Omit<MetricFamily, 'points'> & { readonly bounds: readonly number[] },
    labelNames: readonly string[],
    host: InstrumentHost,
    guard: CardinalityGuard,
  ) {
    this.family = family;
    this.labelNames = labelNames;
    this.#host = host;
    this.#isWhole = family.integer === true;
    this.#series = new SeriesTable(family.name, guard, (key) => ({
      base: createSeriesBase(key, host),
      counts: new Array<number>(family.bounds.length + 1).fill(0),
      sum: 0,
      count: 0,
      negative: false,
    }));
  }

  record(value: number, labels?: LabelValues, trace: TraceRef | null | undefined = this.#host.activeTrace()): void {
    if (this.#accepts(value)) this.#record(this.#series.find(this.labelNames, labels), value, trace);
  }

  recordTo(
    value: number,
    attributes: Attributes | undefined,
    trace: TraceRef | null | undefined = this.#host.activeTrace(),
  ): void {
    if (this.#accepts(value)) this.#record(this.#series.findByAttributes(attributes), value, trace);
  }

  /** `recordTo` for attributes that stay the same: their series is found once. */
  bind(attributes: Attributes): (value: number, trace: TraceRef | null) => void {
    const series = this.#series.findByAttributes(attributes);
    return (value, trace) => {
      if (this.#accepts(value)) this.#record(series, value, trace);
    };
  }

  points(timeUnixNano: bigint): Point[] {
    return this.#series.values().map(({ base, counts, sum, count, negative, exemplars }) => {
      const time = notBefore(base, timeUnixNano);
      const point = { ...base, timeUnixNano: time, counts: [...counts], count, ...(!negative && { sum }) };
      return exemplars ? { ...point, exemplars: exemplars.flatMap((kept) => (kept ? [toExemplar(kept)] : [])) } : point;
    });
  }

  total(labels: Readonly<Record<string, string>>): number | undefined {
    let total: number | undefined;
    for (const series of this.#series.values()) if (hasLabels(series.base, labels)) total = (total ?? 0) + series.count;
    return total;
  }

  #record(series: HistogramSeries, given: number, trace: TraceRef | null | undefined): void {
    const { bounds } = this.family;
    const value = this.#isWhole ? Math.trunc(given) : given;
    let bucket = 0;
    while (bucket < bounds.length && value > bounds[bucket]!) bucket++;
    series.counts[bucket]!++;
    series.sum += value;
    series.count++;
    if (value < 0) series.negative = true;
    if (!trace) return;
    series.exemplars ??= [];
    series.exemplars[bucket] = { value, trace, timeMs: this.#host.now() };
  }

  #accepts(value: number): boolean {
    if (Number.isFinite(value)) return true;
    this.#host.invalid(this.family.name);
    return false;
  }
}
