import { expect } from 'vitest';
import type { Labels, Sample } from './history.ts';
import { type Figures, keyOf } from './sums.ts';

/** Equal, but for the fraction of a second by which a window is longer than what lies between its scrapes. */
export function expectFigures(what: string, samples: readonly Sample[], wanted: Figures, isAll: boolean): void {
  const shown = Object.fromEntries(
    samples.map(({ labels: { __name__, le, ...labels }, value }) => {
      // Bounds are written `1` in one format and `1.0` in the other.
      const all: Labels = { ...labels, ...(le && { le: le.replace(/\.0$/, '') }) };
      return [keyOf(all, Object.keys(all).join(' ')), value];
    }),
  );
  if (isAll) expect(Object.keys(wanted).length, `${what}: nothing to show`).toBeGreaterThan(0);
  for (const [key, value] of Object.entries(wanted)) {
    expect(shown[key], `${what}: ${key} is ${shown[key]}, not ${value} (${JSON.stringify(shown)})`).toBeDefined();
    const off = Math.abs(shown[key]! - value);
    expect(off <= Math.abs(value) * 1e-3 + 1e-12, `${what}: ${key} is ${shown[key]}, not ${value}`).toBe(true);
  }
  // Counters that stood still show 0, and have no percentiles.
  const others = Object.entries(shown).filter(
    ([key, value]) => !(key in wanted) && value !== 0 && !Number.isNaN(value),
  );
  expect(others, what).toEqual([]);
}
