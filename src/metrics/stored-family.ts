import { type Checks, checkValues, count } from '../checks.ts';
import { checkBatch, refuse, wrongOf } from './batch-check.ts';
import { differenceOf, familyKey } from './merge.ts';
import type { MetricFamily, MetricsSnapshot } from './snapshot.ts';
import type { BatchFamily, MetricBatch } from './store.ts';
import { isExpired, type StoredFamily, type StoredSeries, toPoint } from './stored-series.ts';

/** A store has so many families at most. */
export const maxStoredFamilies = 2_000;
/** Series that nobody has touched for a day expire, unless told otherwise. */
export const defaultExpireAfterMs = 86_400_000;

/** Throws a `TelemetryError` for options of a store that are unknown or wrong, `more` than its bounds among them. */
export function checkStoreOptions(options: object, more: Checks = {}): void {
  checkValues(options, { expireAfterMs: count, maxSeries: count, ...more });
}

/** What a family and one of its name have in common; help and unit may be missing on one side. */
export function joinFamilies(stored: StoredFamily | undefined, given: BatchFamily): StoredFamily {
  const { name, type, additive, help, unit, bounds, scope } = { ...given };
  const own = { name, type, ...(additive && { additive }), ...(bounds && { bounds }), ...(scope && { scope }) };
  const words = { help: stored?.help ?? help, unit: stored?.unit ?? unit };
  return { ...own, ...(words.help && { help: words.help }), ...(words.unit && { unit: words.unit }) };
}

/**
 * Throws a `StoreRefusal` for a batch that this store can't take: what no store could, families that differ from what
 * it has, and more families than it may have. `stored` answers a family that has living series; `count` is the number
 * of families.
 */
export function checkAgainst(
  batch: MetricBatch,
  stored: (key: string) => StoredFamily | undefined,
  count: number,
): void {
  checkBatch(batch);
  const fresh = new Map<string, StoredFamily>();
  const wrong = batch.families.flatMap((family) => {
    const key = familyKey(family);
    const known = stored(key) ?? fresh.get(key);
    if (known) {
      const difference = differenceOf(known, family);
      return wrongOf(family, difference && `another ${difference} than the store has`);
    }
    if (count + fresh.size >= maxStoredFamilies) return wrongOf(family, `beyond ${maxStoredFamilies} families`);
    fresh.set(key, family);
    return [];
  });
  refuse(wrong);
}

/** A family and its series by key. */
export type FamilySeries = readonly [StoredFamily, Iterable<readonly [string, StoredSeries]>];

/** What is alive, in the units of its families; families by name, so that pages of one store look alike. */
export function toSnapshot(families: Iterable<FamilySeries>, now: number, expireAfterMs: number): MetricsSnapshot {
  const metrics: MetricFamily[] = [];
  for (const [family, series] of families) {
    const points = [...series]
      .filter(([, one]) => !isExpired(one, now, expireAfterMs))
      .map(([key, one]) => toPoint(key, family, one));
    if (points.length > 0) metrics.push({ ...family, points });
  }
  return { temporality: 'cumulative', resource: {}, metrics: metrics.sort((a, b) => (a.name < b.name ? -1 : 1)) };
}
