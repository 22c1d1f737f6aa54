import { seriesKey } from '../metrics/merge.ts';
import type { MetricFamily, Point } from '../metrics/snapshot.ts';

/** Who has not sent for so long is a new sender. */
const expireAfterMs = 86_400_000;

/**
 * Starts of a series that are told apart: processes that say the same of themselves take turns, and what comes again may
 * come after what is newer.
 */
const maxStarts = 16;

/** One series of one sender, as it was last heard, and what it has come to since we know of it. */
interface Series {
  readonly labels: Point['labels'];
  heardAt: number;
  /** The newest point of each start, the one that was heard of longest ago first. */
  readonly lasts: Map<bigint, Point>;
  total: Tally;
}

interface Tally {
  readonly value: number;
  readonly counts: readonly number[];
  readonly sum: number | undefined;
  readonly count: number;
}

const nothing: Tally = { value: 0, counts: [], sum: 0, count: 0 };

export interface PushedSeriesOptions {
  readonly maxSeries: number;
  readonly monotonic: () => number;
  /**
   * Whether what a series had counted before we first heard of it is in the store already, where the store is older than
   * we are: `since` is when we began, in nanoseconds.
   */
  readonly isKnown: (startUnixNano: bigint) => boolean;
}

/** What is the same for all points of a family in a request. */
export interface Push {
  readonly sender: string;
  readonly temporality: 'delta' | 'cumulative';
}

/**
 * Adds up what many senders push, each series of each sender by itself: deltas as they are, but for one that has come
 * before, and of cumulative values by how much they grew.
 */
export interface PushedSeries {
  /** The point as a total that only grows, with labels that stay the same object; `undefined` where there is no room. */
  add(push: Push, family: MetricFamily, point: Point): Point | undefined;
}

export function createPushedSeries({ maxSeries, monotonic, isKnown }: PushedSeriesOptions): PushedSeries {
  /** The one that was heard of longest ago comes first. */
  const known = new Map<string, Series>();

  function find(key: string, labels: Point['labels']): Series | undefined {
    const now = monotonic();
    const found = known.get(key);
    if (found) {
      known.delete(key);
      known.set(key, found);
      found.heardAt = now;
      return found;
    }
    for (const [oldest, { heardAt }] of known) {
      if (known.size < maxSeries || now - heardAt < expireAfterMs) break;
      known.delete(oldest);
    }
    if (known.size >= maxSeries) return undefined;
    const created = { labels, heardAt: now, lasts: new Map(), total: nothing };
    known.set(key, created);
    return created;
  }

  function grow(series: Series, { temporality }: Push, family: MetricFamily, point: Point): void {
    const { lasts } = series;
    // What goes up and down is what it is now: of a process that has ended nothing is left.
    const start = family.additive && temporality === 'cumulative' ? 0n : point.startUnixNano;
    const last = lasts.get(start);
    if (last?.timeUnixNano === point.timeUnixNano && last.startUnixNano === point.startUnixNano) return;
    const isOlder = last !== undefined && point.timeUnixNano < last.timeUnixNano;
    // A cumulative one that was overtaken is part of what overtook it.
    if (isOlder && temporality === 'cumulative') return;
    if (!isOlder) remember(lasts, start, point);
    if (temporality === 'cumulative' && !last && isKnown(point.startUnixNano)) return;
    const goesOn = temporality === 'cumulative' && last !== undefined && !hasBegunAnew(family, point, last);
    series.total = addTally(goesOn ? addTally(series.total, last, -1) : series.total, point, 1);
  }

  return {
    add(push, family, point) {
      const key = `${push.sender}\n${family.name}\n${family.bounds?.join() ?? ''}\n${seriesKey(point)}`;
      const series = find(key, point.labels);
      if (!series) return undefined;
      const { labels } = series;
      // Of a gauge the newest value is all there is.
      if (family.type === 'gauge' && !family.additive) return { ...point, labels, setUnixNano: point.timeUnixNano };
      grow(series, push, family, point);
      const { value, counts, sum, count } = series.total;
      if (family.type !== 'histogram') return { ...point, labels, value };
      const { sum: _sum, ...rest } = point;
      return { ...rest, labels, counts, count, ...(sum !== undefined && { sum }) };
    },
  };
}

function remember(lasts: Series['lasts'], start: bigint, point: Point): void {
  lasts.delete(start);
  lasts.set(start, point);
  if (lasts.size > maxStarts) for (const oldest of lasts.keys()) if (lasts.delete(oldest)) break;
}

/** What can only grow and is less than it was; an up-down counter may fall. */
function hasBegunAnew({ additive }: MetricFamily, point: Point, last: Point): boolean {
  return !additive && ((point.value ?? 0) < (last.value ?? 0) || (point.count ?? 0) < (last.count ?? 0));
}

/** A sum that one of them does not know is unknown from then on. */
function addTally(total: Tally, point: Point, sign: 1 | -1): Tally {
  const { value = 0, counts = [], sum, count = 0 } = point;
  const length = Math.max(total.counts.length, counts.length);
  return {
    value: total.value + sign * value,
    counts: Array.from({ length }, (_, i) => (total.counts[i] ?? 0) + sign * (counts[i] ?? 0)),
    sum: total.sum === undefined || (point.counts && sum === undefined) ? undefined : total.sum + sign * (sum ?? 0),
    count: total.count + sign * count,
  };
}
