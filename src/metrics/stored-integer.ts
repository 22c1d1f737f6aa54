/** An integer of any size: a string of digits beyond what a double holds exactly. */
export type StoredInteger = number | string;

export function addIntegers(a: StoredInteger, b: StoredInteger): StoredInteger {
  const sum = Number(a) + Number(b);
  // Rounding makes no safe integer of one that is not.
  if (typeof a === 'number' && typeof b === 'number' && Number.isSafeInteger(sum)) return sum;
  const exact = BigInt(a) + BigInt(b);
  const number = Number(exact);
  return Number.isSafeInteger(number) ? number : String(exact);
}

/** Integers by how many of them make one unit. Several scales of one series are kept apart, so that nothing is rounded. */
export type ScaledSums = Readonly<Record<string, StoredInteger>>;

export function addScaled(sums: ScaledSums | undefined, scale: number, value: StoredInteger): ScaledSums {
  return { ...sums, [scale]: addIntegers(sums?.[scale] ?? 0, value) };
}

/** The double that is nearest to the sum in its unit. */
export function toUnit(sums: ScaledSums): number {
  const scales = Object.keys(sums);
  const [only] = scales;
  if (only === undefined) return 0;
  const value = sums[only]!;
  if (scales.length === 1 && typeof value === 'number') return value / Number(only);
  const finest = scales.reduce((a, b) => (a.length > b.length ? a : b));
  const total = scales.reduce((sum, scale) => sum + BigInt(sums[scale]!) * (BigInt(finest) / BigInt(scale)), 0n);
  // By its digits: no other way to divide so great a number rounds once.
  const digits = String(total < 0n ? -total : total).padStart(finest.length, '0');
  const point = digits.length - finest.length + 1;
  return Number(`${total < 0n ? '-' : ''}${digits.slice(0, point)}.${digits.slice(point)}`);
}
