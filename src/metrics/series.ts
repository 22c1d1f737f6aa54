import type { Attributes } from '@opentelemetry/api';
import { isKey, limitValue } from '../attributes.ts';
import { type CardinalityGuard, maxLabelLength, overflowLabels, overflowValue } from './cardinality.ts';

/** Characters that an attribute of a series may have in OTLP; its label has fewer. */
const maxAttributeLength = 4096;

export type LabelValues = Readonly<Record<string, unknown>>;

/** What identifies a series: its labels, and for one of OpenTelemetry's Meter the attributes they were made from. */
export interface SeriesKey {
  readonly labels: Readonly<Record<string, string>>;
  readonly attributes?: Attributes;
}

/** A step on the way to a series: by the value of one label. Most labels repeat their last value. */
class Level<S> {
  readonly nodes = new Map<unknown, Level<S> | S>();
  lastValue: unknown = this.nodes;
  lastNode: Level<S> | S | undefined;

  get(value: unknown): Level<S> | S | undefined {
    if (value === this.lastValue) return this.lastNode;
    const node = this.nodes.get(value);
    if (node !== undefined) {
      this.lastValue = value;
      this.lastNode = node;
    }
    return node;
  }
}

/**
 * Finds the series of a label set without building a key: one map lookup per label, since a joined string would cost
 * more than the measurement itself. The map by canonical key decides when that path is new.
 */
export class SeriesTable<S> {
  readonly #metric: string;
  readonly #guard: CardinalityGuard;
  readonly #create: (key: SeriesKey) => S;
  readonly #series = new Map<string, S>();
  /** The series are at the leaves. Raw values (1 and "1") may lead to the same one. */
  readonly #paths = new Level<S>();
  #pathCount = 0;
  #overflow: S | undefined;

  constructor(metric: string, guard: CardinalityGuard, create: (key: SeriesKey) => S) {
    this.#metric = metric;
    this.#guard = guard;
    this.#create = create;
  }

  /** The series of values for label names declared beforehand. Of values that throw when they are read there are none. */
  find(names: readonly string[], values: LabelValues | undefined): S {
    try {
      let node: Level<S> | S | undefined = this.#paths;
      for (let i = 0; i < names.length; i++) {
        node = (node as Level<S>).get(values?.[names[i]!]);
        if (node === undefined) return this.#findNew(names, values);
      }
      return node === this.#paths ? this.#lookUp(names, values) : (node as S);
    } catch {
      return this.#lookUp(names, undefined);
    }
  }

  #findNew(names: readonly string[], values: LabelValues | undefined): S {
    const series = this.#lookUp(names, values);
    if (series !== this.#overflow) this.#remember(names, values, series);
    return series;
  }

  /** The series of attributes whose names are not known beforehand. */
  findByAttributes(attributes: Attributes | undefined): S {
    try {
      return this.#lookUp(sortedNames(attributes), attributes, true);
    } catch {
      return this.#lookUp([], undefined, true);
    }
  }

  /** All series, that of the overflow last. */
  values(): S[] {
    const all = [...this.#series.values()];
    if (this.#overflow !== undefined) all.push(this.#overflow);
    return all;
  }

  #lookUp(names: readonly string[], values: LabelValues | undefined, typed = false): S {
    const labels: Record<string, string> = {};
    let key = '';
    for (const name of names) {
      const value = this.#guard.value(name, values?.[name]);
      labels[name] = value;
      // Lengths keep two label sets apart whatever their values contain.
      key += `${name.length}:${name}${value.length}:${value}`;
    }
    const found = this.#series.get(key);
    if (found !== undefined) return found;
    if (this.#series.size >= this.#guard.seriesPerMetric) {
      this.#guard.overflow(this.#metric);
      this.#overflow ??= this.#create({ labels: overflowLabels() });
      return this.#overflow;
    }
    const series = this.#create(typed ? { labels, attributes: withCaps(values, labels, this.#guard) } : { labels });
    this.#series.set(key, series);
    return series;
  }

  /** Keeps the path of raw values, where their number is bounded by that of the series. */
  #remember(names: readonly string[], values: LabelValues | undefined, series: S): void {
    if (this.#pathCount >= 4 * this.#guard.seriesPerMetric) return;
    const raws = names.map((name) => values?.[name]);
    if (raws.some((raw) => typeof raw === 'object' || (typeof raw === 'string' && raw.length > maxLabelLength))) return;
    this.#pathCount++;
    const last = raws.pop();
    let node = this.#paths;
    for (const raw of raws) {
      let next = node.nodes.get(raw) as Level<S> | undefined;
      if (!next) {
        next = new Level();
        node.nodes.set(raw, next);
      }
      node = next;
    }
    node.nodes.set(last, series);
  }
}

function sortedNames(attributes: Attributes | undefined): string[] {
  const names: string[] = [];
  if (typeof attributes !== 'object') return names;
  for (const name in attributes) if (isKey(name) && attributes[name] !== undefined) names.push(name);
  return names.length > 1 ? names.sort() : names;
}

/** The attributes as they were given, save where a cap replaced a value or a secret may be in one. */
function withCaps(values: LabelValues | undefined, labels: SeriesKey['labels'], guard: CardinalityGuard): Attributes {
  const attributes: Attributes = {};
  for (const name in labels) {
    const given = values?.[name];
    const isText = typeof given === 'string' || typeof given === 'object';
    const keeps = labels[name] !== overflowValue && !(isText && guard.redacts());
    const value = keeps ? limitValue(given, maxAttributeLength) : labels[name];
    if (value !== undefined) attributes[name] = value;
  }
  return attributes;
}
