import type { Point } from '../metrics/snapshot.ts';
import { renderBucketExemplars } from './exemplar.ts';
import { lineStart, renderStart } from './line.ts';
import { renderBound, renderNumber } from './number.ts';
import type { SeriesText } from './series.ts';

const noBounds: readonly number[] = [];

/** The end of each bucket's label set, by the bounds array that a family keeps. */
type BucketEnds = WeakMap<readonly number[], readonly string[]>;
const textEnds: BucketEnds = /* @__PURE__ */ new WeakMap();
const openMetricsEnds: BucketEnds = /* @__PURE__ */ new WeakMap();

/**
 * Renders the points of a histogram. A sum that negative observations made undefined is left out, in OpenMetrics the
 * count with it: the standard wants both or none.
 */
export function createHistogramRenderer(
  name: string,
  bounds: readonly number[] = noBounds,
  openMetrics: boolean,
): (point: Point, series: SeriesText) => string {
  const ends = bucketEnds(bounds, openMetrics);
  const sumStart = lineStart(`${name}_sum`);
  const countStart = lineStart(`${name}_count`);

  return ({ counts, sum, exemplars }, { start, labels }) => {
    if (counts?.length !== ends.length) return '';
    const notes = openMetrics && exemplars?.length ? renderBucketExemplars(exemplars, bounds) : undefined;
    let text = '';
    let total = 0;
    for (let i = 0; i < ends.length; i++) {
      total += counts[i]!;
      text = text + start + ends[i] + total;
      if (notes?.[i]) text += notes[i];
    }
    if (sum !== undefined) text += renderStart(sumStart, labels) + renderNumber(sum);
    if (sum !== undefined || !openMetrics) text += renderStart(countStart, labels) + total;
    return text;
  };
}

function bucketEnds(bounds: readonly number[], openMetrics: boolean): readonly string[] {
  const known = openMetrics ? openMetricsEnds : textEnds;
  let ends = known.get(bounds);
  if (!ends) {
    ends = [...bounds, Number.POSITIVE_INFINITY].map((bound) => `le="${renderBound(bound, openMetrics)}"} `);
    known.set(bounds, ends);
  }
  return ends;
}
