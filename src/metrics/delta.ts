import type { MetricFamily, MetricsSnapshot, Point } from './snapshot.ts';

interface Last {
  value: number;
  counts: number[];
  sum: number;
  count: number;
}

/**
 * Turns cumulative snapshots into what happened since the last one. What could not be delivered is given back and is
 * part of the next delta. Series are known by their labels object, which a registry keeps.
 */
export interface DeltaReader {
  read(snapshot: MetricsSnapshot): MetricsSnapshot;
  restore(delta: MetricsSnapshot): void;
}

export function createDeltaReader(): DeltaReader {
  const lasts = new WeakMap<Point['labels'], Last>();
  let since: bigint | undefined;

  function lastOf(point: Point): Last {
    let last = lasts.get(point.labels);
    if (!last) {
      last = { value: 0, counts: point.counts?.map(() => 0) ?? [], sum: 0, count: 0 };
      lasts.set(point.labels, last);
    }
    return last;
  }

  function subtract(point: Point): Point | undefined {
    const last = lastOf(point);
    const { counts, sum, count } = point;
    const startUnixNano = since ?? point.startUnixNano;
    const exemplars = point.exemplars?.filter((exemplar) => exemplar.timeUnixNano >= startUnixNano);
    const base = { ...point, startUnixNano, ...(exemplars && { exemplars }) };
    if (counts && count !== undefined) {
      if (count === last.count) return undefined;
      const delta = counts.map((n, i) => n - last.counts[i]!);
      const difference = { ...base, counts: delta, count: count - last.count };
      return sum === undefined ? difference : { ...difference, sum: sum - last.sum };
    }
    return point.value === last.value ? undefined : { ...base, value: point.value! - last.value };
  }

  function advance(delta: Point, sign: 1 | -1): void {
    const last = lastOf(delta);
    last.value += sign * (delta.value ?? 0);
    last.sum += sign * (delta.sum ?? 0);
    last.count += sign * (delta.count ?? 0);
    for (const [i, n] of delta.counts?.entries() ?? []) last.counts[i] = last.counts[i]! + sign * n;
  }

  function isDelta(family: MetricFamily): boolean {
    return family.type !== 'gauge';
  }

  return {
    read(snapshot) {
      const metrics: MetricFamily[] = [];
      let time = since;
      for (const family of snapshot.metrics) {
        const points = isDelta(family) ? family.points.flatMap((point) => subtract(point) ?? []) : family.points;
        if (isDelta(family)) for (const point of points) advance(point, 1);
        if (points.length > 0) metrics.push({ ...family, points });
        for (const point of points) if (time === undefined || point.timeUnixNano > time) time = point.timeUnixNano;
      }
      since = time;
      return { ...snapshot, temporality: 'delta', metrics };
    },
    restore(delta) {
      for (const family of delta.metrics) if (isDelta(family)) for (const point of family.points) advance(point, -1);
    },
  };
}
