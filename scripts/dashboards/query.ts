import { filters, labelsOf } from './families.ts';

export type Matchers = Readonly<Record<string, string>>;

/** All that the dashboard shows, and the least time around a point of a graph. */
export const range = '$__range';
export const rateInterval = '$__rate_interval';

/** A selector that follows the dashboard's variables as far as the family has their labels. A label nobody has throws. */
export function select(metric: string, matchers: Matchers = {}): string {
  const labels = labelsOf(metric);
  checkLabels(metric, Object.keys(matchers));
  const chosen = filters.filter((name) => labels.includes(name));
  const parts = [
    ...chosen.map((name) => `${name}=~"$${name}"`),
    ...Object.entries(matchers).map(([name, value]) => {
      const [, operator, text] = /^(!=|=~|!~)?(.*)$/s.exec(value)!;
      return `${name}${operator ?? '='}"${text}"`;
    }),
  ];
  return parts.length > 0 ? `${metric}{${parts.join(',')}}` : metric;
}

/** Sums, apart by these labels, `''` for one sum: what was counted in the time that the dashboard shows. */
export function increase(metric: string, by = '', matchers: Matchers = {}, window = range): string {
  checkLabels(metric, split(by));
  return sum(`increase(${select(metric, matchers)}[${window}])`, by);
}

/** The same, a second. */
export function rate(metric: string, by = '', matchers: Matchers = {}, window = rateInterval): string {
  checkLabels(metric, split(by));
  return sum(`rate(${select(metric, matchers)}[${window}])`, by);
}

/** Of gauges and recorded figures. */
export function sumOf(metric: string, by = '', matchers: Matchers = {}): string {
  checkLabels(metric, split(by));
  return sum(select(metric, matchers), by);
}

export function quantile(
  q: number,
  histogram: string,
  by = '',
  matchers: Matchers = {},
  window = rateInterval,
): string {
  const metric = `${histogram}_bucket`;
  checkLabels(metric, split(by));
  return `histogram_quantile(${q}, ${sum(`rate(${select(metric, matchers)}[${window}])`, `le ${by}`.trim())})`;
}

/** Over the whole time that the dashboard shows. */
export function quantileOfRange(q: number, histogram: string, by = '', matchers: Matchers = {}): string {
  return quantile(q, histogram, by, matchers, range);
}

/** The mean of a histogram's observations. */
export function mean(histogram: string, by = '', window = range): string {
  return `${increase(`${histogram}_sum`, by, {}, window)} / ${increase(`${histogram}_count`, by, {}, window)}`;
}

/** Gives what has no agent (or other label) a name that a legend can show. */
export function named(expr: string, label: string): string {
  return `label_replace(${expr}, "${label}", "(none)", "${label}", "")`;
}

function sum(expr: string, by: string): string {
  return by ? `sum by (${split(by).join(', ')}) (${expr})` : `sum(${expr})`;
}

function split(by: string): string[] {
  return by.split(' ').filter(Boolean);
}

function checkLabels(metric: string, names: readonly string[]): void {
  const labels = labelsOf(metric);
  for (const name of names) if (!labels.includes(name)) throw new Error(`${metric} has no label ${name}`);
}
