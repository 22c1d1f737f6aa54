/** Figures by the labels that a query groups by: `label=value,…`, without empty ones; of one sum the key is `''`. */
export type Figures = Readonly<Record<string, number>>;

export function keyOf(row: object, by: string): string {
  const labels = by.split(' ').filter(Boolean).toSorted();
  const pairs = labels.map((label) => [label, (row as Record<string, unknown>)[label]] as const);
  return pairs.flatMap(([label, value]) => (value ? [`${label}=${value}`] : [])).join();
}

/** Counts rows, or sums what is known of each. */
export function sumBy<T extends object>(
  rows: readonly T[],
  by = '',
  value: (row: T) => number | undefined = () => 1,
): Figures {
  const sums: Record<string, number> = {};
  for (const row of rows) {
    const amount = value(row);
    if (amount === undefined) continue;
    const key = keyOf(row, by);
    sums[key] = (sums[key] ?? 0) + amount;
  }
  return sums;
}

export function map(figures: Figures, fn: (value: number, key: string) => number): Figures {
  return Object.fromEntries(Object.entries(figures).map(([key, value]) => [key, fn(value, key)]));
}

export const scale = (figures: Figures, factor: number): Figures => map(figures, (value) => value * factor);

/** As PromQL divides: what stands on both sides. */
export function over(a: Figures, b: Figures): Figures {
  return Object.fromEntries(Object.entries(a).flatMap(([key, value]) => (key in b ? [[key, value / b[key]!]] : [])));
}

/** By the buckets alone, as `histogram_quantile` finds it: between two bounds on a straight line. */
export function quantileBy<T extends object>(
  q: number,
  bounds: readonly number[],
  rows: readonly T[],
  by: string,
  value: (row: T) => number | undefined,
): Figures {
  const known = rows.filter((row) => value(row) !== undefined);
  const keys = new Set(known.map((row) => keyOf(row, by)));
  const valuesOf = (key: string) => known.filter((row) => keyOf(row, by) === key).map((row) => value(row)!);
  return Object.fromEntries(Array.from(keys, (key) => [key, quantile(q, bounds, valuesOf(key))]));
}

function quantile(q: number, bounds: readonly number[], values: readonly number[]): number {
  const rank = q * values.length;
  let below = 0;
  for (const [i, bound] of bounds.entries()) {
    const upTo = values.filter((value) => value <= bound).length;
    const lower = i === 0 ? 0 : bounds[i - 1]!;
    // A lowest bound that is no more than 0 is what Prometheus answers.
    if (upTo >= rank && upTo > below)
      return bound <= 0 ? bound : lower + (bound - lower) * ((rank - below) / (upTo - below));
    below = upTo;
  }
  return bounds.at(-1)!;
}

/** Cumulative counts by bound, those of 0 left out. */
export function bucketsOf(bounds: readonly number[], values: readonly number[]): Figures {
  const all = [...bounds, Number.POSITIVE_INFINITY];
  return Object.fromEntries(
    all.flatMap((bound) => {
      const count = values.filter((value) => value <= bound).length;
      return count > 0 ? [[`le=${bound === Number.POSITIVE_INFINITY ? '+Inf' : bound}`, count]] : [];
    }),
  );
}

/** What has no such label has the name that panels and rules give it. */
export function named<T extends object>(rows: readonly T[], label: string): T[] {
  return rows.map((row) => ({ ...row, [label]: (row as Record<string, unknown>)[label] || '(none)' }));
}
