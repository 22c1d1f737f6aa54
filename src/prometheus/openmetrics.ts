import type { MetricFamily, Point } from '../metrics/snapshot.ts';
import { renderExemplar } from './exemplar.ts';
import type { ExposedFamily } from './exposed-family.ts';
import { createHistogramRenderer } from './histogram.ts';
import { escapeText } from './labels.ts';
import { lineStart, renderMetadata, renderStart } from './line.ts';
import type { NameEscaping } from './negotiate.ts';
import { renderNumber, renderSeconds } from './number.ts';
import { renderPoints, type SeriesText } from './series.ts';

/** One family in OpenMetrics 1.0: https://prometheus.io/docs/specs/om/open_metrics_spec/ */
export function renderOpenMetricsFamily(family: ExposedFamily, escaping: NameEscaping): string[] {
  const { type, unit, help } = family;
  const name = familyName(family);
  let metadata = renderMetadata('TYPE', name, type);
  if (unit && name.endsWith(`_${unit}`)) metadata += renderMetadata('UNIT', name, unit);
  if (help) metadata += renderMetadata('HELP', name, escapeText(help));
  return [metadata, ...renderPoints(family, escaping, (part) => createRenderer(name, part))];
}

/** The names that a family occupies; two families must not meet in any of them. */
export function openMetricsNames(family: ExposedFamily): string[] {
  const name = familyName(family);
  if (family.type === 'gauge') return [name];
  const suffixes = family.type === 'counter' ? ['_total'] : ['_bucket', '_sum', '_count'];
  return ['', '_created', ...suffixes].map((suffix) => name + suffix);
}

/** Families of counters are named without the suffix of their samples. */
function familyName({ name, type }: ExposedFamily): string {
  return type === 'counter' ? name.slice(0, -'_total'.length) : name;
}

function createRenderer(name: string, { type, bounds }: MetricFamily): (point: Point, series: SeriesText) => string {
  if (type === 'gauge') return ({ value }, { start }) => (value === undefined ? '' : start + renderNumber(value));
  const render = type === 'counter' ? renderCounter : createHistogramRenderer(name, bounds, true);
  const created = lineStart(`${name}_created`);
  return (point, series) => {
    const lines = render(point, series);
    if (!lines || point.startUnixNano <= 0n) return lines;
    return lines + renderStart(created, series.labels) + renderSeconds(point.startUnixNano);
  };
}

/** A counter that is negative or no number would make a parser refuse the whole page. */
function renderCounter({ value, exemplars }: Point, { start }: SeriesText): string {
  if (value === undefined || !(value >= 0)) return '';
  const exemplar = exemplars?.at(-1);
  return start + renderNumber(value) + (exemplar ? renderExemplar(exemplar) : '');
}
