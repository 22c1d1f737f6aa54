import type { MetricFamily, Point } from '../metrics/snapshot.ts';
import type { ExposedFamily } from './exposed-family.ts';
import { createLabelRenderer } from './labels.ts';
import { lineStart, renderStart } from './line.ts';
import type { NameEscaping } from './negotiate.ts';

/** What stays the same of a series' lines from one scrape to the next. */
export interface SeriesText {
  /** Name and scope, for the case that two families share a labels object. */
  readonly family: string;
  /** The label set without braces. */
  readonly labels: string;
  /** The first line up to its value, of a histogram the bucket lines up to `le`. */
  readonly start: string;
  /** See `LabelText`. */
  readonly renamed: boolean;
}

/** By the labels object, which a registry keeps as long as the series lives. */
const known = /* @__PURE__ */ new Map<NameEscaping, WeakMap<Point['labels'], SeriesText>>();

/**
 * Renders all points of a family. A series that was there before is left out: its labels differ only in characters
 * that the escaping does not tell apart.
 */
export function renderPoints(
  { name, parts }: ExposedFamily,
  escaping: NameEscaping,
  createRenderer: (part: MetricFamily) => (point: Point, series: SeriesText) => string,
): string[] {
  const all: SeriesText[] = [];
  const texts: string[] = [];
  let ambiguous = parts.length > 1;
  for (const part of parts) {
    const findSeries = createSeriesFinder(name, part, escaping);
    const render = createRenderer(part);
    for (const point of part.points) {
      const series = findSeries(point.labels);
      ambiguous ||= series.renamed;
      all.push(series);
      texts.push(render(point, series));
    }
  }
  if (!ambiguous) return texts;
  const seen = new Set<string>();
  return texts.filter((_, index) => seen.size < seen.add(all[index]!.start).size);
}

function createSeriesFinder(
  name: string,
  part: MetricFamily,
  escaping: NameEscaping,
): (labels: Point['labels']) => SeriesText {
  const renderLabels = createLabelRenderer(part, escaping);
  const histogram = part.type === 'histogram';
  const line = lineStart(histogram ? `${name}_bucket` : name);
  const family = `${name} ${renderLabels({}).text}`;
  const cache = known.get(escaping) ?? new WeakMap<Point['labels'], SeriesText>();
  known.set(escaping, cache);
  return (labels) => {
    let series = cache.get(labels);
    if (series?.family !== family) {
      const { text, renamed } = renderLabels(labels);
      const start = histogram ? `${line.open}${text && `${text},`}` : renderStart(line, text);
      series = { family, labels: flatten(text), start: flatten(start), renamed };
      cache.set(labels, series);
    }
    return series;
  };
}

/** One run of characters instead of a tree of them, which each scrape would have to walk again. */
function flatten(text: string): string {
  return [text, ''].join('');
}
