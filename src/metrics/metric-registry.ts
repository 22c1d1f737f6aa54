import type { MetricsSnapshot } from './snapshot.ts';

export type Labels<L extends string> = { readonly [K in L]?: string | number | boolean };

/** What a callback of a gauge answers: one number, or one for each label set. */
export type Observed<L extends string> = number | Iterable<readonly [Labels<L>, number]>;

export interface MetricOptions<L extends string> {
  /** One line about it, on metrics pages; none by default. */
  help?: string;
  /** UCUM: `s`, `By`, `{token}`. Prometheus names get it as a suffix. */
  unit?: string;
  /** Names of its labels; none by default. A label that a measurement does not give is empty. */
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
    options?: MetricOptions<L> & { observe?: () => Observed<L> | Promise<Observed<L>> },
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
  /** Prefix of every name, joined by an underscore; none by default. */
  namespace?: string;
  /** Distinct values a label may have: `{ model: 50 }`. */
  cardinality?: Record<string, number>;
  /** Series of a metric, 2,000; what exceeds it goes to one overflow series. */
  seriesPerMetric?: number;
}
