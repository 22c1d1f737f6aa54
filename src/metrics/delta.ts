import type { MetricFamily, MetricsSnapshot, Point } from './snapshot.ts';

/** What a series has counted, and since when. */
interface Tally {
  readonly value: number;
  readonly counts: readonly number[];
  readonly sum: number;
  readonly count: number;
  readonly startUnixNano?: bigint;
}

interface Last {
  /** The series as it was last read. */
  seen: Tally;
  /** What was read and could not be delivered. */
  owed: Tally;
}

const nothing: Tally = { value: 0, counts: [], sum: 0, count: 0 };

/**
 * Turns cumulative snapshots into what happened since the last one. What could not be delivered is given back and is
 * part of the next delta. Series are known by their labels object, which a registry keeps.
 */
export interface DeltaReader {
  read(snapshot: MetricsSnapshot): MetricsSnapshot;
  restore(delta: MetricsSnapshot): void;
}

export interface DeltaOptions {
  /** What a cumulative value counts as: by whole numbers, deltas add up to them. */
  readonly round?: (value: number, family: MetricFamily) => number;
  /** Up-down counters by how much they changed, where otherwise what may go down keeps its total. */
  readonly additive?: boolean;
}

export function createDeltaReader({ round = (value) => value, additive }: DeltaOptions = {}): DeltaReader {
  const lasts = new WeakMap<Point['labels'], Last>();
  let since: bigint | undefined;

  function lastOf({ labels }: Point): Last {
    const last = lasts.get(labels) ?? { seen: nothing, owed: nothing };
    lasts.set(labels, last);
    return last;
  }

  function isDelta(family: MetricFamily): boolean {
    return family.type !== 'gauge' || Boolean(additive && family.additive);
  }

  function subtract(point: Point, family: MetricFamily): Point[] {
    const last = lastOf(point);
    const now = toTally(point);
    const { seen, owed } = last;
    last.seen = now;
    last.owed = nothing;
    // What counts less than before has begun anew.
    const isLess = !family.additive && (now.value < seen.value || now.count < seen.count);
    const before = isLess ? nothing : seen;
    const change = (a: number, b: number) => round(a, family) - round(b, family);
    const value = change(now.value, before.value) + owed.value;
    const count = now.count - before.count + owed.count;
    if (value === 0 && count === 0) return [];
    const startUnixNano = owed.startUnixNano ?? since ?? point.startUnixNano;
    const exemplars = point.exemplars?.filter((exemplar) => exemplar.timeUnixNano >= startUnixNano);
    const base = { ...point, startUnixNano, ...(exemplars && { exemplars }) };
    if (!point.counts) return [{ ...base, value }];
    const counts = now.counts.map((n, i) => n - (before.counts[i] ?? 0) + (owed.counts[i] ?? 0));
    return [
      { ...base, counts, count, ...(point.sum !== undefined && { sum: change(now.sum, before.sum) + owed.sum }) },
    ];
  }

  return {
    read(snapshot) {
      const metrics: MetricFamily[] = [];
      let time = since;
      // Receivers that add deltas up drop a point that is not newer than the last, and clocks may stand still.
      const earliest = since === undefined ? 0n : since + 1n;
      const later = (point: Point) => (point.timeUnixNano < earliest ? { ...point, timeUnixNano: earliest } : point);
      for (const family of snapshot.metrics) {
        const points = isDelta(family)
          ? family.points.flatMap((point) => subtract(later(point), family))
          : family.points;
        if (points.length > 0) metrics.push({ ...family, points });
        for (const point of points) if (time === undefined || point.timeUnixNano > time) time = point.timeUnixNano;
      }
      since = time;
      return { ...snapshot, temporality: 'delta', metrics };
    },
    restore(delta) {
      for (const family of delta.metrics.filter(isDelta)) {
        for (const point of family.points) {
          const last = lastOf(point);
          last.owed = add(last.owed, toTally(point));
        }
      }
    },
  };
}

function toTally({ value = 0, counts = [], sum = 0, count = 0, startUnixNano }: Point): Tally {
  return { value, counts, sum, count, startUnixNano };
}

function add(a: Tally, b: Tally): Tally {
  const starts = [a.startUnixNano, b.startUnixNano].filter((start) => start !== undefined);
  return {
    value: a.value + b.value,
    counts: b.counts.map((n, i) => n + (a.counts[i] ?? 0)),
    sum: a.sum + b.sum,
    count: a.count + b.count,
    startUnixNano: starts.reduce((least, start) => (start < least ? start : least)),
  };
}
