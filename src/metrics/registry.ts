import { type Clock, secondsSince, toUnixNano, withTimeout } from '../clock.ts';
import { createCardinalityGuard, defaultCaps, defaultSeriesPerMetric } from './cardinality.ts';
import {
  alreadyDefined,
  type Buckets,
  checkBuckets,
  checkMetricOptions,
  checkNames,
  checkRegistryOptions,
  checkSame,
  type Definition,
} from './definition.ts';
import { HistogramInstrument } from './histogram.ts';
import type { FamilyDetails, Instrument, InstrumentHost, Observation, TraceRef } from './instrument.ts';
import { describeFamily } from './instrument.ts';
import type {
  Counter,
  Gauge,
  Histogram,
  MetricOptions,
  MetricRegistry,
  MetricRegistryOptions,
  Observed,
} from './metric-registry.ts';
import { addWith, NumberInstrument, observeInto } from './number.ts';
import type { LabelValues } from './series.ts';
import type { MetricFamily, MetricsSnapshot } from './snapshot.ts';

/** Rastir's bounds for durations, in seconds. */
const defaultBuckets: readonly number[] = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60];

/** A registry, and what the library itself needs of it. */
export class Registry implements MetricRegistry {
  readonly #instruments = new Map<string, Instrument>();
  readonly #prefix: string;
  readonly #beforeCollect: (() => void)[] = [];
  readonly #onSeries: (() => void)[] = [];
  readonly #now: () => number;
  readonly #monotonic: () => number;
  #round = 0;
  readonly host: InstrumentHost;
  readonly #guard: ReturnType<typeof createCardinalityGuard>;
  #redactLabel: ((text: string, label: string) => string) | undefined;
  #activeTrace: (() => TraceRef | undefined) | undefined;

  constructor(options: MetricRegistryOptions & Partial<Clock> = {}) {
    this.#prefix = options.namespace ? `${options.namespace}_` : '';
    this.#now = options.now ?? (() => Date.now());
    this.#monotonic = options.monotonic ?? (() => performance.now());
    const invalid = (metric: string) =>
      this.define('edgespan_invalid_measurements_total', 'counter', ['metric'], {
        help: 'Measurements that were no number the metric can take.',
      }).add(1, { metric }, null);
    const overflow = (metric: string) => {
      if (metric !== overflowMetric) this.#overflowCounter().add(1, { metric }, null);
    };
    this.host = {
      now: this.#now,
      activeTrace: () => this.#activeTrace?.(),
      invalid,
      round: () => this.#round,
      created: () => {
        for (const hear of this.#onSeries) hear();
      },
    };
    this.#guard = createCardinalityGuard(
      { ...defaultCaps, ...options.cardinality },
      options.seriesPerMetric ?? defaultSeriesPerMetric,
      overflow,
      () => this.#redactLabel,
    );
  }

  /** Caps of label values yet to come. */
  limitLabels(caps: Readonly<Record<string, number>>): void {
    this.#guard.limit(caps);
  }

  /** Of label values yet to come. */
  redactLabels(redact: (text: string, label: string) => string): void {
    this.#redactLabel = redact;
  }

  counter<const L extends string = never>(name: string, options: MetricOptions<L> = {}): Counter<L> {
    const instrument = this.define(this.#fullName(name, options), 'counter', options.labels, options);
    return { inc: (a?: LabelValues | number, b?: number) => addWith(instrument, 1, a, b) };
  }

  gauge<const L extends string = never>(
    name: string,
    options: MetricOptions<L> & { observe?: () => Observed<L> | Promise<Observed<L>> } = {},
  ): Gauge<L> {
    const fullName = this.#fullName(name, options);
    const { observe } = options;
    const instrument = this.define(fullName, 'gauge', options.labels, {
      ...options,
      observe: observe && ((target: NumberInstrument) => observeInto(target, observe())),
      observer: 'gauge',
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
    const instrument = this.defineHistogram(this.#fullName(name, options), options.labels, options);
    const observe = (a: LabelValues | number, b?: number) =>
      typeof a === 'number' ? instrument.record(a) : instrument.record(b as number, a);
    return {
      observe,
      startTimer: (atStart) => {
        const start = this.#monotonic();
        return (atEnd) => {
          const seconds = secondsSince(start, this.#monotonic);
          instrument.record(seconds, { ...atStart, ...atEnd });
          return seconds;
        };
      },
    };
  }

  value(name: string, labels: Record<string, string> = {}): number | undefined {
    for (const prepare of this.#beforeCollect) prepare();
    const instrument = this.#instruments.get(name) ?? this.#instruments.get(this.#prefix + name);
    if (!instrument) return undefined;
    const round = ++this.#round;
    // What is observed later is not known yet: what was observed last has to do.
    return instrument.total(labels, this.#observe(instrument).length > 0 ? 0 : round);
  }

  async collect(): Promise<MetricsSnapshot> {
    for (const prepare of this.#beforeCollect) prepare();
    const instruments = [...this.#instruments.values()];
    const round = ++this.#round;
    const pending = instruments.flatMap((instrument) => this.#observe(instrument));
    if (pending.length > 0) await withTimeout(Promise.all(pending), observeTimeoutMs);
    const time = toUnixNano(this.#now());
    const metrics: MetricFamily[] = [];
    for (const instrument of instruments) {
      const points = instrument.points(time, round);
      if (points.length > 0) metrics.push({ ...instrument.family, points });
    }
    return { temporality: 'cumulative', resource: {}, metrics };
  }

  /** Defines, or finds, a counter or gauge under its full name. */
  define(
    name: string,
    type: 'counter' | 'gauge',
    labels: readonly string[] = [],
    details: FamilyDetails & Observation = {},
  ): NumberInstrument {
    const family = { name, type, ...describeFamily(details) };
    const create = () => new NumberInstrument(family, labels, this.host, this.#guard);
    const isKnown = this.#instruments.has(name);
    const instrument = this.#findOrAdd(family, labels, NumberInstrument, create);
    const { observe, observer } = details;
    if (!observe) return instrument;
    // Its callbacks would hide what it was told otherwise.
    if (isKnown && instrument.observers.size === 0) throw alreadyDefined(name, 'way to measure');
    instrument.observers.set(observer, () => observe(instrument));
    return instrument;
  }

  defineHistogram(
    name: string,
    labels: readonly string[] = [],
    details: FamilyDetails & Buckets = {},
  ): HistogramInstrument {
    const bounds = details.buckets ?? details.otherwise ?? defaultBuckets;
    checkBuckets(name, bounds);
    const family = { name, type: 'histogram' as const, bounds: [...bounds], ...describeFamily(details) };
    const create = () => new HistogramInstrument(family, labels, this.host, this.#guard);
    const found = this.#findOrAdd(family, labels, HistogramInstrument, create);
    if (details.buckets && found.family.bounds.join() !== bounds.join()) throw alreadyDefined(name, 'buckets');
    return found;
  }

  /** Runs before values are read: the place for what is counted late. */
  beforeCollect(prepare: () => void): void {
    this.#beforeCollect.push(prepare);
  }

  /** Told of each new series, before it counts anything: that there is something to send. Must not throw. */
  onSeries(hear: () => void): void {
    this.#onSeries.push(hear);
  }

  /** Where exemplars find the active trace; several telemetries may share a registry. */
  addTraceSource(source: () => TraceRef | undefined): void {
    const earlier = this.#activeTrace;
    this.#activeTrace = earlier ? () => earlier() ?? source() : source;
  }

  #fullName(name: string, options: object): string {
    checkMetricOptions(name, options);
    return typeof name === 'string' ? this.#prefix + name : name;
  }

  #findOrAdd<I extends Instrument>(
    definition: Definition,
    labels: readonly string[],
    kind: abstract new (...args: never[]) => I,
    create: () => I,
  ): I {
    const { name } = definition;
    const found = this.#instruments.get(name);
    if (found) {
      if (!(found instanceof kind)) throw alreadyDefined(name, 'type');
      checkSame(found, definition, labels);
      return found;
    }
    checkNames(name, labels);
    const created = create();
    this.#instruments.set(name, created);
    return created;
  }

  /** Runs an instrument's callbacks; what is answered is still to come. */
  #observe({ family, observers }: Instrument): Promise<void>[] {
    const failed = () => this.host.invalid(family.name);
    return [...(observers?.values() ?? [])].flatMap((observe) => {
      try {
        return observe()?.catch(failed) ?? [];
      } catch {
        failed();
        return [];
      }
    });
  }

  #overflowCounter(): NumberInstrument {
    return this.define(overflowMetric, 'counter', ['metric'], {
      help: 'Measurements that went to an overflow series.',
    });
  }
}

/** Callbacks that take longer are not waited for. */
const observeTimeoutMs = 2000;
const overflowMetric = 'edgespan_series_overflow_total';

/**
 * A registry of one's own, to be shared by several telemetries (`metrics: { registry }`) or kept apart from all.
 *
 * @example
 * const registry = createMetricRegistry({ namespace: 'shop' });
 * registry.counter('orders_total').inc(); // shop_orders_total
 */
export function createMetricRegistry(options: MetricRegistryOptions = {}): MetricRegistry {
  checkRegistryOptions(options);
  return new Registry(options);
}
