import { asArray, asNumber, asObject, asString, type Json } from '../../../json.ts';

/** `null` where nothing is known of a step. */
export type Series = readonly (number | null)[];

const measures = ['requests', 'errors', 'tokens', 'cost_usd', 'p50_ms', 'p95_ms', 'p99_ms', 'ttft_p95_ms'] as const;
export type Measure = (typeof measures)[number];
const sums: readonly Measure[] = ['requests', 'errors', 'tokens', 'cost_usd'];

export interface Group {
  readonly name: string;
  /** Other groups in one, of which there are no percentiles. */
  readonly isRest: boolean;
  readonly series: Readonly<Record<Measure, Series>>;
}

export interface Budget {
  readonly name: string;
  readonly window: string;
  readonly service: string | undefined;
  readonly limitUsd: number;
  readonly spentUsd: number | undefined;
}

export interface Stats {
  /** Epoch seconds of each step. */
  readonly times: readonly number[];
  readonly stepMs: number;
  /** The one with the most requests first. */
  readonly groups: readonly Group[];
  readonly budgets: readonly Budget[];
}

/** Lines of a chart; further groups are added up. */
export const maxGroups = 8;

/** The answer of `GET /v1/stats` about the last `minutes`, which are shown where nobody has called, too. */
export function readStats(value: unknown, minutes = 0): Stats {
  const json = asObject(value) ?? {};
  const stepMs = asNumber(json.step_ms) ?? 60_000;
  const start = asNumber(json.start_ms) ?? 0;
  const given = Object.entries(asObject(json.groups) ?? {}).map(([name, group]) => readGroup(name, asObject(group)));
  const lengths = given.flatMap(({ series }) => measures.map((name) => series[name].length));
  const length = lengths.length > 0 ? Math.max(...lengths) : Math.ceil((minutes * 60_000) / stepMs);
  return {
    times: Array.from({ length }, (_, i) => (start + i * stepMs) / 1000),
    stepMs,
    groups: withRest(given.sort((a, b) => total(b, 'requests') - total(a, 'requests'))),
    budgets: asArray(json.budgets).flatMap(readBudget),
  };
}

function readGroup(name: string, json: Json | undefined): Group {
  const read = (measure: Measure): Series => asArray(json?.[measure]).map((value) => asNumber(value) ?? null);
  return { name: name || '(none)', isRest: false, series: eachMeasure(read) };
}

function eachMeasure(read: (measure: Measure) => Series): Group['series'] {
  const entries: [Measure, Series][] = measures.map((measure) => [measure, read(measure)]);
  return Object.fromEntries(entries) as Record<Measure, Series>;
}

function withRest(groups: readonly Group[]): Group[] {
  if (groups.length <= maxGroups) return [...groups];
  const rest = groups.slice(maxGroups - 1);
  const add = (measure: Measure): Series => {
    if (!sums.includes(measure)) return [];
    const longest = Math.max(...rest.map(({ series }) => series[measure].length));
    return Array.from({ length: longest }, (_, i) => sumKnown(rest.map(({ series }) => series[measure][i] ?? null)));
  };
  const others = { name: `${rest.length} others`, isRest: true, series: eachMeasure(add) };
  return [...groups.slice(0, maxGroups - 1), others];
}

function readBudget(value: unknown): Budget[] {
  const json = asObject(value);
  const limitUsd = asNumber(json?.limit_usd);
  if (!json || limitUsd === undefined) return [];
  const { name, window, service, spent_usd } = json;
  const words = { name: asString(name) ?? 'budget', window: asString(window) ?? '', service: asString(service) };
  return [{ ...words, limitUsd, spentUsd: asNumber(spent_usd) }];
}

/** `null` where none is known. */
function sumKnown(series: Series): number | null {
  const known = series.filter((value) => value !== null);
  return known.length > 0 ? known.reduce((sum, value) => sum + value, 0) : null;
}

export function total({ series }: Group, measure: Measure): number {
  return sumKnown(series[measure]) ?? 0;
}

/** The sum, unless no call has said what it would be: steps without calls are known to have none. */
export function knownTotal(group: Group, measure: Measure): number | undefined {
  const sum = total(group, measure);
  return sum === 0 && group.series[measure].includes(null) ? undefined : sum;
}

/** The highest value of any step: percentiles of steps have no sum and no mean. */
export function peak({ series }: Group, measure: Measure): number | undefined {
  const known = series[measure].filter((value) => value !== null);
  return known.length > 0 ? Math.max(...known) : undefined;
}

/** Each series on top of those before it. */
export function stack(all: readonly Series[]): Series[] {
  const sums: number[] = [];
  return all.map((values) => values.map((value, i) => (sums[i] = (sums[i] ?? 0) + (value ?? 0))));
}

/** Points that no line reaches: none within `reach` steps is known. */
export function lonely(values: Series, reach: number): number[] {
  const known = values.flatMap((value, i) => (value === null ? [] : [i]));
  const isFar = (a: number | undefined, b: number) => a === undefined || Math.abs(a - b) > reach;
  return known.filter((i, at) => isFar(known[at - 1], i) && isFar(known[at + 1], i));
}
