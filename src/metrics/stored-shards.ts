import { differenceOf, familyKey } from './merge.ts';
import type { FamilySeries } from './stored-family.ts';
import { addIntegers, type ScaledSums } from './stored-integer.ts';
import { isExpired, joinExemplars, type StoredFamily, type StoredSeries } from './stored-series.ts';

/** A series that a shard should keep, since another shard has it too: its family's key, its own, and when it was touched. */
export type SeriesTouch = readonly [family: string, series: string, touched: number];

type Joined = Map<string, { readonly family: StoredFamily; readonly series: Map<string, StoredSeries> }>;

/**
 * The living series of several shards as those of one store, by integers: sums are exact. A family that shards know with
 * other bounds, types or units, as of two versions that were deployed at a time, is that of the first shard that has it:
 * the page must not fail for the others.
 */
export function joinShards(
  shards: readonly (readonly FamilySeries[])[],
  now: number,
  expireAfterMs: number,
): FamilySeries[] {
  return Array.from(join(shards, now, expireAfterMs).values(), ({ family, series }) => [family, series] as const);
}

/**
 * For each shard the series that it has not seen for long, whereas another has: were it to forget them, sums would go
 * down. At most `max` a shard.
 */
export function staleSeries(
  shards: readonly (readonly FamilySeries[])[],
  now: number,
  expireAfterMs: number,
  max: number,
): SeriesTouch[][] {
  const joined = join(shards, now, expireAfterMs);
  return shards.map((shard) => {
    const touches: SeriesTouch[] = [];
    for (const [family, series] of shard) {
      const key = familyKey(family);
      for (const [id, one] of series) {
        const newest = joined.get(key)?.series.get(id)?.touched ?? one.touched;
        if (newest > one.touched && isExpired(one, now, expireAfterMs / 2)) touches.push([key, id, newest]);
        if (touches.length === max) return touches;
      }
    }
    return touches;
  });
}

function join(shards: readonly (readonly FamilySeries[])[], now: number, expireAfterMs: number): Joined {
  const joined: Joined = new Map();
  for (const [family, series] of shards.flat()) {
    const key = familyKey(family);
    const known = joined.get(key);
    if (known && differenceOf(known.family, family)) continue;
    const all = known?.series ?? new Map<string, StoredSeries>();
    for (const [id, one] of series) {
      if (isExpired(one, now, expireAfterMs)) continue;
      const other = all.get(id);
      all.set(id, other ? joinSeries(family, other, one) : one);
    }
    joined.set(key, { family: { ...family, ...known?.family }, series: all });
  }
  return joined;
}

function joinSeries({ type, additive, bounds }: StoredFamily, a: StoredSeries, b: StoredSeries): StoredSeries {
  const [older, newer] = BigInt(a.time) > BigInt(b.time) ? [b, a] : [a, b];
  const exemplars = joinExemplars(bounds, older.exemplars, newer.exemplars);
  return {
    start: BigInt(a.start) < BigInt(b.start) ? a.start : b.start,
    time: newer.time,
    touched: Math.max(a.touched, b.touched),
    ...(type === 'gauge' && !additive ? joinGauges(older, newer) : joinSums(a, b)),
    ...(exemplars && { exemplars }),
  };
}

/** The newest, and of two of one time the greater. */
function joinGauges(older: StoredSeries, newer: StoredSeries): Pick<StoredSeries, 'value'> {
  const [a, b] = [older.value!, newer.value!];
  return { value: older.time === newer.time && Number(a) > Number(b) ? a : b };
}

function joinSums(a: StoredSeries, b: StoredSeries): Pick<StoredSeries, 'sums' | 'counts'> {
  const { counts, sums } = a;
  return {
    ...(counts && { counts: counts.map((count, i) => addIntegers(count, b.counts?.[i] ?? 0)) }),
    // Unknown on one side is unknown in the sum.
    ...(sums && b.sums && { sums: addSums(sums, b.sums) }),
  };
}

function addSums(a: ScaledSums, b: ScaledSums): ScaledSums {
  const sums = { ...a };
  for (const [scale, value] of Object.entries(b)) sums[scale] = addIntegers(sums[scale] ?? 0, value);
  return sums;
}
