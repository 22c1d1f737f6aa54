import { toUnixNano } from '../clock.ts';
import { seriesKey } from './merge.ts';
import type { Exemplar, MetricFamily, Point } from './snapshot.ts';
import type { BatchFamily } from './store.ts';
import { addIntegers, addScaled, type ScaledSums, type StoredInteger, toUnit } from './stored-integer.ts';

/** What a store knows of a family besides its series: plain JSON. */
export type StoredFamily = Omit<MetricFamily, 'points'>;

/** An exemplar, its time in nanoseconds as digits. */
export type StoredExemplar = readonly [value: number, traceId: string, spanId: string, timeUnixNano: string];

/** One series as stores keep it: plain JSON, times in nanoseconds as digits. Its labels are in its key. */
export interface StoredSeries {
  readonly start: string;
  readonly time: string;
  /** Epoch milliseconds, by the store's clock, when a batch last had it. */
  readonly touched: number;
  /** A gauge: its value, where it is infinite as a word. */
  readonly value?: number | string;
  /** A counter, an up-down counter or the sum of a histogram; absent where a histogram's is unknown. */
  readonly sums?: ScaledSums;
  /** A histogram's, one more than its bounds. */
  readonly counts?: readonly StoredInteger[];
  /** The newest of each bucket, or the newest. */
  readonly exemplars?: readonly StoredExemplar[];
}

/** Clocks of senders may be ahead by so much; a later time becomes this one, or it would hold a gauge for ever. */
export const maxClockSkewMs = 60_000;

/** The series that takes what exceeds a family's bound. */
export const overflowSeriesKey = '[["otel_metric_overflow","true"]]';

/**
 * A series and a point of a batch that was checked, as one. The series starts when the store first hears of it: a sender
 * that comes later with an earlier start must not move it, nor may the least of several shards' starts.
 */
function mergePoint(stored: StoredSeries | undefined, family: BatchFamily, point: Point, now: number): StoredSeries {
  const latest = toUnixNano(now + maxClockSkewMs);
  const given = point.timeUnixNano < latest ? point.timeUnixNano : latest;
  const known = stored ? BigInt(stored.time) : 0n;
  const exemplars = joinExemplars(family.bounds, stored?.exemplars, point.exemplars?.map(toStoredExemplar));
  return {
    start: stored?.start ?? String(toUnixNano(now)),
    time: String(given > known ? given : known),
    touched: now,
    ...mergeValue(stored, family, point, given, known),
    ...(exemplars && { exemplars }),
  };
}

function mergeValue(
  stored: StoredSeries | undefined,
  { type, additive, bounds, scale = 1 }: BatchFamily,
  { value = 0, sum, counts = [] }: Point,
  time: bigint,
  knownTime: bigint,
): Pick<StoredSeries, 'value' | 'sums' | 'counts'> {
  if (type === 'histogram') {
    const known = stored?.counts ?? new Array<number>((bounds?.length ?? 0) + 1).fill(0);
    const unknownSum = sum === undefined || (stored && !stored.sums);
    return {
      counts: known.map((count, i) => addIntegers(count, counts[i] ?? 0)),
      ...(!unknownSum && { sums: addScaled(stored?.sums, scale, sum) }),
    };
  }
  if (type === 'counter' || additive) return { sums: addScaled(stored?.sums, scale, value) };
  const known = stored?.value;
  // Of two values of one time the greater: who arrives first must not decide.
  const isNewer = known === undefined || time > knownTime || (time === knownTime && value > Number(known));
  const newest = isNewer ? value : known;
  return { value: Number.isFinite(newest) ? newest : String(newest) };
}

/** The newest of each bucket. */
export function joinExemplars(
  bounds: readonly number[] = [],
  stored: readonly StoredExemplar[] = [],
  given: readonly StoredExemplar[] = [],
): StoredExemplar[] | undefined {
  if (stored.length + given.length === 0) return undefined;
  const byBucket = new Map<number, StoredExemplar>();
  for (const exemplar of [...stored, ...given]) {
    const above = bounds.findIndex((bound) => exemplar[0] <= bound);
    const bucket = above < 0 ? bounds.length : above;
    const known = byBucket.get(bucket);
    if (!known || orderOf(exemplar) > orderOf(known)) byBucket.set(bucket, exemplar);
  }
  return [...byBucket.values()];
}

/** By time; of two of one time, whichever arrives first, the same. */
function orderOf([value, traceId, spanId, time]: StoredExemplar): string {
  return `${time.padStart(20, '0')} ${traceId} ${spanId} ${value}`;
}

/** A series that nobody has touched for so long begins anew. */
export function isExpired({ touched }: StoredSeries, now: number, expireAfterMs: number): boolean {
  return now - touched > expireAfterMs;
}

/** A stored series as snapshots have it. */
export function toPoint(key: string, family: StoredFamily, series: StoredSeries): Point {
  const start = BigInt(series.start);
  const time = BigInt(series.time);
  return {
    labels: Object.fromEntries(JSON.parse(key) as [string, string][]),
    startUnixNano: start,
    // The clock of a sender may be behind that of the store.
    timeUnixNano: time > start ? time : start,
    ...toNumbers(family, series),
    ...(series.exemplars && { exemplars: series.exemplars.map(toExemplar) }),
  };
}

function toNumbers({ type, additive }: StoredFamily, { value, sums, counts = [] }: StoredSeries): Partial<Point> {
  if (type === 'histogram') {
    const count = Number(counts.reduce(addIntegers, 0));
    return { counts: counts.map(Number), count, ...(sums && { sum: toUnit(sums) }) };
  }
  return { value: type === 'counter' || additive ? toUnit(sums ?? {}) : Number(value) };
}

function toStoredExemplar({ value, traceId, spanId, timeUnixNano }: Exemplar): StoredExemplar {
  return [value, traceId, spanId, String(timeUnixNano)];
}

function toExemplar([value, traceId, spanId, time]: StoredExemplar): Exemplar {
  return { value, traceId, spanId, timeUnixNano: BigInt(time) };
}

/** How much a store keeps, and for how long. */
export interface StoreBounds {
  readonly maxSeries: number;
  readonly expireAfterMs: number;
}

/** Where the series of a family are, by `seriesKey`. */
export interface SeriesSpace {
  readonly size: number;
  get(key: string): StoredSeries | undefined;
  set(key: string, series: StoredSeries): void;
}

/** Applies the points of a family that was checked: what expired begins anew, what exceeds the bound is counted in one series. */
export function mergeSeries(space: SeriesSpace, family: BatchFamily, now: number, bounds: StoreBounds): void {
  for (const point of family.points) {
    const own = seriesKey(point);
    const overflows = !space.get(own) && space.size - (space.get(overflowSeriesKey) ? 1 : 0) >= bounds.maxSeries;
    const key = overflows ? overflowSeriesKey : own;
    const stored = space.get(key);
    const alive = stored && !isExpired(stored, now, bounds.expireAfterMs) ? stored : undefined;
    space.set(key, mergePoint(alive, family, point, now));
  }
}
