import { toWellFormed } from '../attributes.ts';
import type { MetricFamily } from '../metrics/snapshot.ts';
import type { NameEscaping } from './negotiate.ts';
import { unitSuffix } from './unit.ts';

type NamedFamily = Pick<MetricFamily, 'name' | 'type' | 'unit' | 'additive'>;

/** A family's name as it is exposed (counters end in `_total`), and its unit in Prometheus's words. */
export interface ExposedName {
  readonly name: string;
  readonly unit: string;
}

/**
 * `foo.bar` of unit `By` as a counter: `foo_bar_bytes_total`. An escaping other than `underscores` keeps the characters
 * of the name and gives it the same suffixes.
 * https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/#otlp-metric-points-to-prometheus
 */
export function exposedName(family: NamedFamily, escaping: NameEscaping): ExposedName {
  const unit = family.unit === '1' ? ratioSuffix(family) : unitSuffix(family.unit ?? '');
  const total = family.type === 'counter' ? '_total' : '';
  let name = escaping === 'underscores' ? sanitize(family.name, /[^a-zA-Z0-9_:]/g, '_') : toWellFormed(family.name);
  // A name of nothing else keeps it: families have to have a name.
  if (total && name.endsWith(total) && name !== total) name = name.slice(0, -total.length);
  if (!endsWithWord(name, unit)) name += `_${unit}`;
  return { name: escapeName(name + total, escaping, true), unit };
}

/** A label's name, by the same rules but for the colon, which labels do not have. */
export function labelName(name: string, escaping: NameEscaping): string {
  return escaping === 'underscores'
    ? sanitize(name, /[^a-zA-Z0-9_]/g, 'key_')
    : escapeName(toWellFormed(name), escaping, false);
}

/** Whether a name needs no quotes in any version of the formats. */
export function isClassicName(name: string, colon: boolean): boolean {
  return (colon ? /^[a-zA-Z_:][a-zA-Z0-9_:]*$/ : /^[a-zA-Z_][a-zA-Z0-9_]*$/).test(name);
}

function ratioSuffix({ type, additive }: NamedFamily): string {
  return type === 'gauge' && !additive ? 'ratio' : '';
}

function endsWithWord(name: string, word: string): boolean {
  return word === '' || (name.endsWith(word) && !/[a-zA-Z0-9]/.test(name.at(-word.length - 1) ?? ''));
}

function sanitize(name: string, forbidden: RegExp, digitPrefix: string): string {
  const clean = name.replace(forbidden, '_').replace(/__+/g, '_');
  return /^\d/.test(clean) ? digitPrefix + clean : clean;
}

/** https://prometheus.io/docs/instrumenting/escaping_schemes/, and prometheus/common where the two differ. */
function escapeName(name: string, escaping: NameEscaping, colon: boolean): string {
  const forbidden = colon ? /^\d|[^a-zA-Z0-9_:]/gu : /^\d|[^a-zA-Z0-9_]/gu;
  if (escaping === 'dots') {
    return name.replaceAll('_', '__').replace(forbidden, (char) => (char === '.' ? '_dot_' : '__'));
  }
  if (escaping !== 'values' || isClassicName(name, colon)) return name;
  const escaped = name.replaceAll('_', '__').replace(forbidden, (char) => `_${char.codePointAt(0)!.toString(16)}_`);
  return `U__${escaped}`;
}
