import { TelemetryError } from '../errors.ts';
import type { MetricFamily, MetricsSnapshot, Point } from './snapshot.ts';

/**
 * Several registries as one page. Counters, up-down counters and histograms of equal labels add up, of gauges the
 * newest stays; resource attributes of the first snapshot win. Throws a `TelemetryError` (`invalid_metric`) where a
 * name means two things: another type, unit or bounds, or deltas beside cumulative values.
 */
export function mergeSnapshots(snapshots: readonly MetricsSnapshot[]): MetricsSnapshot {
  const [first, ...others] = snapshots;
  if (!first) return { temporality: 'cumulative', resource: {}, metrics: [] };
  if (others.length === 0) return first;
  const families = new Map<string, MetricFamily[]>();
  for (const { temporality, metrics } of snapshots) {
    if (temporality !== first.temporality) throw mismatch('snapshots', 'temporality');
    for (const family of metrics) {
      const key = familyKey(family);
      const same = families.get(key);
      if (same) same.push(family);
      else families.set(key, [family]);
    }
  }
  return {
    temporality: first.temporality,
    resource: Object.assign({}, ...snapshots.map(({ resource }) => resource).reverse()),
    metrics: Array.from(families.values(), mergeFamilies),
  };
}

/** Scopes keep their own families: OpenTelemetry lets two libraries use one name. */
export function familyKey({ name, scope }: Pick<MetricFamily, 'name' | 'scope'>): string {
  return JSON.stringify([name, scope?.name, scope?.version, scope?.schemaUrl]);
}

function mergeFamilies(families: readonly MetricFamily[]): MetricFamily {
  const first = families[0]!;
  if (families.length === 1) return first;
  const points = new Map<string, Point>();
  for (const family of families) {
    checkSame(first, family);
    for (const point of family.points) {
      const key = seriesKey(point);
      const known = points.get(key);
      points.set(key, known ? mergePoints(first, known, point) : point);
    }
  }
  // HELP and unit may be missing in one registry.
  const help = families.find((family) => family.help)?.help;
  const unit = families.find((family) => family.unit)?.unit;
  return { ...first, help, unit, points: [...points.values()] };
}

function checkSame(a: MetricFamily, b: MetricFamily): void {
  const difference = differenceOf(a, b);
  if (difference) throw mismatch(a.name, difference);
}

/** Why two families of one name can't be one. */
export function differenceOf(a: Omit<MetricFamily, 'points'>, b: Omit<MetricFamily, 'points'>): string | undefined {
  if (a.type !== b.type || !a.additive !== !b.additive) return 'type';
  if (a.unit && b.unit && a.unit !== b.unit) return 'unit';
  return `${a.bounds}` === `${b.bounds}` ? undefined : 'bounds';
}

function mismatch(name: string, what: string): TelemetryError {
  return new TelemetryError('invalid_metric', `${name}: registries differ in ${what}`);
}

/** The same for equal labels, whatever their order. */
export function seriesKey({ labels }: Pick<Point, 'labels'>): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The labels object of the first stays, since encoders remember by it. */
function mergePoints({ type, additive }: MetricFamily, a: Point, b: Point): Point {
  const [older, newer] = a.timeUnixNano > b.timeUnixNano ? [b, a] : [a, b];
  if (type === 'gauge' && !additive) return { ...newer, labels: a.labels };
  return {
    ...a,
    startUnixNano: a.startUnixNano < b.startUnixNano ? a.startUnixNano : b.startUnixNano,
    timeUnixNano: newer.timeUnixNano,
    value: add(a.value, b.value),
    sum: add(a.sum, b.sum),
    count: add(a.count, b.count),
    counts: a.counts?.map((count, index) => count + (b.counts?.[index] ?? 0)),
    exemplars: [...(older.exemplars ?? []), ...(newer.exemplars ?? [])],
  };
}

/** Unknown on one side is unknown in the sum. */
function add(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a + b;
}
