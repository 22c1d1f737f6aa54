import { type Check, type Checks, checkValues, count, fn, list, object, text } from '../checks.ts';
import { TelemetryError } from '../errors.ts';
import type { Instrument } from './instrument.ts';
import type { MetricFamily } from './snapshot.ts';

const validName = /^[a-zA-Z_:][a-zA-Z0-9_:.\-/]{0,254}$/;
const validLabel = /^[a-zA-Z_][a-zA-Z0-9_.]*$/;

/** What an instrument is defined by; the rest of its family is description. */
export type Definition = Pick<MetricFamily, 'name' | 'type' | 'additive' | 'unit'>;

/** Throws a `TelemetryError` (`invalid_metric`), as all of these do, for a name or labels that no metric may have. */
export function checkNames(name: string, labels: readonly string[]): void {
  if (typeof name !== 'string' || !validName.test(name)) {
    throw new TelemetryError('invalid_metric', `"${name}" is no metric name`);
  }
  const wrong = labels.find(
    (label, i) => !validLabel.test(label) || /^(__|le$)/.test(label) || labels.indexOf(label) < i,
  );
  if (wrong !== undefined) throw new TelemetryError('invalid_metric', `"${wrong}" of ${name} is no label name`);
}

export const namespace: Check = {
  allowed: 'letters, digits and _',
  test: (v) => typeof v === 'string' && /^[a-zA-Z_]\w*$/.test(v),
};
export const cardinality: Check = {
  allowed: 'integers from 1 by label',
  test: (v) => object.test(v) && Object.values(v as object).every(count.test),
};
/** What a metric and a registry may be told. */
const metricChecks: Checks = {
  help: text,
  unit: text,
  labels: /* @__PURE__ */ list(text),
  observe: fn,
  buckets: /* @__PURE__ */ list({ allowed: 'numbers', test: (v) => typeof v === 'number' }),
};
const registryChecks: Checks = { namespace, cardinality, seriesPerMetric: count };

/** For options that code without types may have got wrong: a metric without the labels that were meant counts too little. */
export function checkMetricOptions(name: string, options: object): void {
  checkValues(options, metricChecks, `${name}.`);
}

export function checkRegistryOptions(options: object): void {
  checkValues(options, registryChecks);
}

/** For another definition of a name that is taken. One that leaves the unit open has that of the first. */
export function checkSame(
  found: Instrument,
  { name, type, additive, unit }: Definition,
  labels: readonly string[],
): void {
  const { family, labelNames } = found;
  const same = family.type === type && Boolean(family.additive) === Boolean(additive);
  if (!same) throw alreadyDefined(name, 'type');
  if (unit && family.unit && unit !== family.unit) throw alreadyDefined(name, 'unit');
  if (labelNames.toSorted().join() !== labels.toSorted().join()) throw alreadyDefined(name, 'labels');
}

export interface Buckets {
  readonly buckets?: readonly number[] | undefined;
  /** Of a histogram that is new and was given none; `defaultBuckets` where this is absent too. */
  readonly otherwise?: readonly number[];
}

export function checkBuckets(name: string, bounds: readonly number[]): void {
  if (!bounds.some((bound, i) => !Number.isFinite(bound) || (i > 0 && bound <= bounds[i - 1]!))) return;
  throw new TelemetryError('invalid_metric', `buckets of ${name} must be finite and strictly increasing`);
}

export function alreadyDefined(name: string, what: string): TelemetryError {
  return new TelemetryError('invalid_metric', `${name} is already defined with another ${what}`);
}
