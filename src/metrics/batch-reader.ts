import { cut } from '../attributes.ts';
import { maxFamilyTextLength } from './batch-check.ts';
import { createDeltaReader } from './delta.ts';
import type { MetricFamily, MetricsSnapshot, Point } from './snapshot.ts';
import type { BatchFamily } from './store.ts';

/** A gauge that stays as it is goes along so often, or its series would expire. */
const gaugeRefreshMs = 300_000;

/** What a gauge was when it was last read. */
interface LastGauge {
  readonly value: number | undefined;
  readonly set: bigint;
  readonly readAt: number;
}

/** What of a gauge is news. */
interface GaugeNews {
  readonly labels: Point['labels'];
  readonly last: LastGauge;
  readonly changed: boolean;
}

/** Turns cumulative snapshots of a registry into what happened since the last one, in integers. */
export interface BatchReader {
  /** Nothing where nothing happened that is worth sending; it is part of what is read next. */
  read(snapshot: MetricsSnapshot, nowMs: number): BatchFamily[];
}

/**
 * An integer is what a cumulative value rounds to, and a delta the difference of two of them: however often it is read,
 * the deltas add up to the rounded total. Families that are `isOwn` are no reason to send; they go along.
 */
export function createBatchReader(isOwn: (family: Pick<MetricFamily, 'name'>) => boolean): BatchReader {
  /** By name. A family that counted in ones goes on in millionths once it has a fraction. */
  const scales = new Map<string, number>();
  const gauges = new WeakMap<Point['labels'], LastGauge>();
  const deltas = createDeltaReader({ additive: true, round: (value, { name }) => Math.round(value * scaleOf(name)) });

  function scaleOf(name: string): number {
    return scales.get(name) ?? 1;
  }

  function learnScale(family: MetricFamily): void {
    const { name, points } = family;
    const known = scales.get(name) ?? usualScale(family);
    const hasFraction = known === 1 && points.some(({ value = 0, sum = 0 }) => value % 1 !== 0 || sum % 1 !== 0);
    scales.set(name, hasFraction ? 1e6 : known);
  }

  function newsOf({ labels, value, setUnixNano, timeUnixNano }: Point, nowMs: number): GaugeNews[] {
    const known = gauges.get(labels);
    const set = setUnixNano ?? timeUnixNano;
    const isDue = !known || set > known.set || Math.abs(nowMs - known.readAt) >= gaugeRefreshMs;
    const last = { value, set, readAt: nowMs };
    return isDue ? [{ labels, last, changed: !known || known.value !== value }] : [];
  }

  return {
    read(snapshot, nowMs) {
      snapshot.metrics.forEach(learnScale);
      const delta = deltas.read(snapshot);
      const news: GaugeNews[] = [];
      const families = delta.metrics.flatMap((family) => {
        const { name, points } = family;
        if (!isLast(family)) return [{ ...describe(family), scale: scaleOf(name), points: points.map(toBatchPoint) }];
        const due = points.flatMap((point) => newsOf(point, nowMs));
        news.push(...due);
        const set = new Set(due.map(({ labels }) => labels));
        const newest = points.filter(({ labels }) => set.has(labels)).map(toBatchPoint);
        return newest.length > 0 ? [{ ...describe(family), points: newest }] : [];
      });
      const counted = families.some((family) => !isLast(family) && !isOwn(family));
      if (!counted && !news.some(({ changed }) => changed)) {
        deltas.restore(delta);
        return [];
      }
      for (const { labels, last } of news) gauges.set(labels, last);
      return families;
    },
  };
}

/** A gauge that keeps its newest value. */
function isLast({ type, additive }: MetricFamily): boolean {
  return type === 'gauge' && !additive;
}

function usualScale({ name, unit = '' }: MetricFamily): number {
  if (/(^|[._])usd([._]|$)/i.test(name) || /^\{?usd\}?$/i.test(unit)) return 1e9;
  return unit === 's' || /[._]seconds([._]|$)/.test(name) ? 1e6 : 1;
}

function describe({ points, help, ...family }: MetricFamily): Omit<BatchFamily, 'points'> {
  return { ...family, ...(help && { help: cut(help, maxFamilyTextLength) }) };
}

/** Without what a store does not keep. */
function toBatchPoint({ attributes, setUnixNano, ...point }: Point): Point {
  return { ...point, timeUnixNano: setUnixNano ?? point.timeUnixNano };
}

/** So many of a snapshot's points, from one of them on and round to the first. */
export function windowOf(snapshot: MetricsSnapshot, from: number, count: number): MetricsSnapshot {
  const total = countPoints(snapshot.metrics);
  if (total <= count) return snapshot;
  let index = total - (from % total);
  const isInside = () => index++ % total < count;
  const metrics = snapshot.metrics.map((family) => ({ ...family, points: family.points.filter(isInside) }));
  return { ...snapshot, metrics: metrics.filter(({ points }) => points.length > 0) };
}

/** Families in groups of at most so many points. */
export function splitFamilies(families: readonly BatchFamily[], maxPoints: number): BatchFamily[][] {
  const groups: BatchFamily[][] = [];
  let room = 0;
  for (const family of families) {
    for (let from = 0; from < family.points.length; ) {
      if (room === 0) {
        groups.push([]);
        room = maxPoints;
      }
      const points = family.points.slice(from, from + room);
      groups.at(-1)!.push({ ...family, points });
      from += points.length;
      room -= points.length;
    }
  }
  return groups;
}

export function countPoints(families: readonly MetricFamily[]): number {
  return families.reduce((sum, { points }) => sum + points.length, 0);
}
