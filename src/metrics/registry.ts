import { toUnixNano } from '../clock.ts';
import { TelemetryError } from '../errors.ts';
import { createCardinalityGuard, defaultCaps, defaultSeriesPerMetric } from './cardinality.ts';
import { HistogramInstrument } from './histogram.ts';
import type { Instrument, InstrumentHost, TraceRef } from './instrument.ts';
import { NumberInstrument } from './number.ts';
import type { LabelValues } from './series.ts';
import type { MetricFamily, MetricsSnapshot } from './snapshot.ts';

export type Labels<L extends string> = { readonly [K in L]?: string | number | boolean };

export interface MetricOptions<L extends string> {
  help?: string;
  /** UCUM: `s`, `By`, `{token}`. Prometheus names get it as a suffix. */
  unit?: string;
  labels?: readonly L[];
}

/** Goes up. A negative or non-finite value is ignored and counted. */
export interface Counter<L extends string = never> {
  inc(value?: number): void;
  inc(labels: Labels<L>, value?: number): void;
}

export interface Gauge<L extends string = never> {
  set(value: number): void;
  set(labels: Labels<L>, value: number): void;
  inc(value?: number): void;
  inc(labels: Labels<L>, value?: number): void;
  dec(value?: number): void;
  dec(labels: Labels<L>, value?: number): void;
}

export interface Histogram<L extends string = never> {
  observe(value: number): void;
  observe(labels: Labels<L>, value: number): void;
  /** Starts a timer; the function returned observes the seconds since then and returns them. */
  startTimer(labels?: Labels<L>): (labels?: Labels<L>) => number;
}

/**
 * Metrics by prom-client's habits: labels first, then the value. Defining the same name with the same labels again
 * gives the same instrument; other labels or another type throw.
 *
 * @example
 * const jobs = telemetry.metrics.counter('jobs_total', { help: 'Jobs done', labels: ['queue'] });
 * jobs.inc({ queue: 'mail' });
 */
export interface MetricRegistry {
  counter<const L extends string = never>(name: string, options?: MetricOptions<L>): Counter<L>;
  gauge<const L extends string = never>(
    name: string,
    options?: MetricOptions<L> & { observe?: () => number | Iterable<readonly [Labels<L>, number]> },
  ): Gauge<L>;
  histogram<const L extends string = never>(
    name: string,
    options?: MetricOptions<L> & { buckets?: readonly number[] },
  ): Histogram<L>;
  /** Sum of all series that carry the given labels; of a histogram the number of observations. */
  value(name: string, labels?: Record<string, string>): number | undefined;
  collect(): Promise<MetricsSnapshot>;
}

export interface MetricRegistryOptions {
  /** Prefix of every name, joined by an underscore. */
  namespace?: string;
  /** Distinct values a label may have: `{ model: 50 }`. */
  cardinality?: Record<string, number>;
  /** 2,000 by default; what exceeds it goes to one overflow series. */
  seriesPerMetric?: number;
}

/** Rastir's bounds for durations, in seconds. */
export const defaultBuckets: readonly number[] = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60];

const validName = /^[a-zA-Z_:][a-zA-Z0-9_:.\-/]{0,254}$/;
const validLabel = /^[a-zA-Z_][a-zA-Z0-9_.]*$/;

/** A registry, and what the library itself needs of it. */
export class Registry implements MetricRegistry {
  readonly #instruments = new Map<string, Instrument>();
  readonly #prefix: string;
  readonly #beforeCollect: (() => void)[] = [];
  readonly #now: () => number;
  readonly host: InstrumentHost;
  readonly #guard: ReturnType<typeof createCardinalityGuard>;
  #traceSources: (() => TraceRef | undefined)[] = [];

  constructor(options: MetricRegistryOptions & { now?: () => number } = {}) {
    this.#prefix = options.namespace ? `${options.namespace}_` : '';
    this.#now = options.now ?? (() => Date.now());
    const invalid = (metric: string) =>
      this.define('edgespan_invalid_measurements_total', 'counter', ['metric'], {
        help: 'Measurements that were no number the metric can take.',
      }).add(1, { metric }, null);
    const overflow = (metric: string) => {
      if (metric !== overflowMetric) this.#overflowCounter().add(1, { metric }, null);
    };
    this.host = { now: this.#now, activeTrace: () => this.#activeTrace(), invalid };
    this.#guard = createCardinalityGuard(
      { ...defaultCaps, ...options.cardinality },
      options.seriesPerMetric ?? defaultSeriesPerMetric,
      overflow,
    );
  }

  counter<const L extends string = never>(name: string, options: MetricOptions<L> = {}): Counter<L> {
    const instrument = this.define(this.#prefix + name, 'counter', options.labels, options);
    return { inc: (a?: LabelValues | number, b?: number) => addWith(instrument, 1, a, b) };
  }

  gauge<const L extends string = never>(
    name: string,
    options: MetricOptions<L> & { observe?: () => number | Iterable<readonly [Labels<L>, number]> } = {},
  ): Gauge<L> {
    const { observe } = options;
    const instrument = this.define(this.#prefix + name, 'gauge', options.labels, {
      ...options,
      observe: observe && ((target: NumberInstrument) => observeInto(target, observe())),
    });
    return {
      set: (a: LabelValues | number, b?: number) =>
        typeof a === 'number' ? instrument.set(a) : instrument.set(b as number, a),
      inc: (a?: LabelValues | number, b?: number) => addWith(instrument, 1, a, b),
      dec: (a?: LabelValues | number, b?: number) => addWith(instrument, -1, a, b),
    };
  }

  histogram<const L extends string = never>(
    name: string,
    options: MetricOptions<L> & { buckets?: readonly number[] } = {},
  ): Histogram<L> {
    const instrument = this.defineHistogram(this.#prefix + name, options.labels, options);
    const observe = (a: LabelValues | number, b?: number) =>
      typeof a === 'number' ? instrument.record(a) : instrument.record(b as number, a);
    return {
      observe,
      startTimer: (atStart) => {
        const start = this.#now();
        return (atEnd) => {
          const seconds = Math.max(0, this.#now() - start) / 1000;
          instrument.record(seconds, { ...atStart, ...atEnd });
          return seconds;
        };
      },
    };
  }

  value(name: string, labels: Record<string, string> = {}): number | undefined {
    for (const prepare of this.#beforeCollect) prepare();
    return (this.#instruments.get(name) ?? this.#instruments.get(this.#prefix + name))?.total(labels);
  }

  async collect(): Promise<MetricsSnapshot> {
    for (const prepare of this.#beforeCollect) prepare();
    const instruments = [...this.#instruments.values()];
    const pending = instruments.flatMap((instrument) => this.#observe(instrument) ?? []);
    if (pending.length > 0) await Promise.all(pending);
    const time = toUnixNano(this.#now());
    const metrics: MetricFamily[] = [];
    for (const instrument of instruments) {
      const points = instrument.points(time);
      if (points.length > 0) metrics.push({ ...instrument.family, points });
    }
    return { temporality: 'cumulative', resource: {}, metrics };
  }

  /** Defines, or finds, a counter or gauge under its full name. */
  define(
    name: string,
    type: 'counter' | 'gauge',
    labels: readonly string[] = [],
    details: FamilyDetails & { observe?: ((target: NumberInstrument) => void | Promise<void>) | undefined } = {},
  ): NumberInstrument {
    const { observe, ...rest } = details;
    const family = { name, type, ...describe(rest) };
    const create = () => new NumberInstrument(family, labels, this.host, this.#guard, observe);
    return this.#findOrAdd(name, type, labels, NumberInstrument, create);
  }

  defineHistogram(
    name: string,
    labels: readonly string[] = [],
    details: FamilyDetails & { buckets?: readonly number[] | undefined } = {},
  ): HistogramInstrument {
    const bounds = details.buckets ?? defaultBuckets;
    if (bounds.some((bound, i) => !Number.isFinite(bound) || (i > 0 && bound <= bounds[i - 1]!))) {
      throw new TelemetryError('invalid_metric', `buckets of ${name} must be finite and strictly increasing`);
    }
    const family = { name, type: 'histogram' as const, bounds: [...bounds], ...describe(details) };
    const create = () => new HistogramInstrument(family, labels, this.host, this.#guard);
    const found = this.#findOrAdd(name, 'histogram', labels, HistogramInstrument, create);
    if (details.buckets && found.family.bounds.join() !== bounds.join()) throw alreadyDefined(name, 'buckets');
    return found;
  }

  /** Runs before values are read: the place for what is counted late. Returns its undo. */
  beforeCollect(prepare: () => void): void {
    this.#beforeCollect.push(prepare);
  }

  /** Where exemplars find the active trace; several telemetries may share a registry. */
  addTraceSource(source: () => TraceRef | undefined): void {
    this.#traceSources = [...this.#traceSources, source];
  }

  #findOrAdd<I extends Instrument>(
    name: string,
    type: MetricFamily['type'],
    labels: readonly string[],
    kind: abstract new (...args: never[]) => I,
    create: () => I,
  ): I {
    const found = this.#instruments.get(name);
    if (found) {
      if (!(found instanceof kind) || found.family.type !== type) throw alreadyDefined(name, 'type');
      if (found.labelNames.join() !== labels.join()) throw alreadyDefined(name, 'labels');
      return found;
    }
    if (!validName.test(name)) throw new TelemetryError('invalid_metric', `"${name}" is no metric name`);
    const wrong = labels.find((label) => !validLabel.test(label) || label.startsWith('__') || label === 'le');
    if (wrong !== undefined) throw new TelemetryError('invalid_metric', `"${wrong}" of ${name} is no label name`);
    const created = create();
    this.#instruments.set(name, created);
    return created;
  }

  #observe(instrument: Instrument): Promise<void> | undefined {
    try {
      return instrument.observe?.()?.catch(() => this.host.invalid(instrument.family.name));
    } catch {
      this.host.invalid(instrument.family.name);
      return undefined;
    }
  }

  #activeTrace(): TraceRef | undefined {
    for (const source of this.#traceSources) {
      const trace = source();
      if (trace) return trace;
    }
    return undefined;
  }

  #overflowCounter(): NumberInstrument {
    return this.define(overflowMetric, 'counter', ['metric'], {
      help: 'Measurements that went to an overflow series.',
    });
  }
}

const overflowMetric = 'edgespan_series_overflow_total';

export type FamilyDetails = {
  help?: string | undefined;
  unit?: string | undefined;
  additive?: boolean | undefined;
  scope?: MetricFamily['scope'];
};

/**
 * A registry of one's own, to be shared by several telemetries (`metrics: { registry }`) or kept apart from all.
 *
 * @example
 * const registry = createMetricRegistry({ namespace: 'shop' });
 * registry.counter('orders_total').inc(); // shop_orders_total
 */
export function createMetricRegistry(options: MetricRegistryOptions = {}): MetricRegistry {
  return new Registry(options);
}

function describe({ help, unit, additive, scope }: FamilyDetails): FamilyDetails {
  return { ...(help && { help }), ...(unit && { unit }), ...(additive && { additive }), ...(scope && { scope }) };
}

function addWith(instrument: NumberInstrument, sign: 1 | -1, a: LabelValues | number = 1, b = 1): void {
  // A string or the like is no set of labels, but a value that the instrument ignores and counts.
  if (typeof a === 'object') instrument.add(sign * b, a);
  else instrument.add(sign * a);
}

function observeInto(target: NumberInstrument, observed: number | Iterable<readonly [LabelValues, number]>): void {
  if (typeof observed === 'number') target.set(observed);
  else for (const [labels, value] of observed) target.set(value, labels);
}

function alreadyDefined(name: string, what: string): TelemetryError {
  return new TelemetryError('invalid_metric', `${name} is already defined with another ${what}`);
}
