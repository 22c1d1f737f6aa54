import { messageOf } from '../errors.ts';
import { checkBatch } from '../metrics/batch-check.ts';
import type { MetricFamily, Point } from '../metrics/snapshot.ts';

/**
 * Why no store could take a point that was pushed: a number that is none, labels that are too long. Looked at before it is
 * added up, since a store refuses a family whole, with the points of others, and a sum keeps what is no number for good.
 */
export function faultOfPoint({ help: _cutLater, ...family }: MetricFamily, point: Point): string | undefined {
  const isLast = family.type === 'gauge' && !family.additive;
  try {
    checkBatch({ batchId: 'point', families: [{ ...family, points: [isLast ? point : rounded(point)] }] });
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** Stores add up integers, which fractions become later. */
function rounded({ value, sum, ...point }: Point): Point {
  return {
    ...point,
    ...(value !== undefined && { value: Math.round(value) }),
    ...(sum !== undefined && { sum: Math.round(sum) }),
  };
}
