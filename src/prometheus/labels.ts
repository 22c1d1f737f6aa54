import { toWellFormed } from '../attributes.ts';
import { toLabelText } from '../metrics/label-value.ts';
import type { MetricFamily, Point } from '../metrics/snapshot.ts';
import { isClassicName, labelName } from './name.ts';
import type { NameEscaping } from './negotiate.ts';

/** Names that the exposition itself gives to series; labels that would meet them are left out. */
const nameLabel = '__name__';
const boundLabel = 'le';
const scopeLabels = ['otel_scope_name', 'otel_scope_version', 'otel_scope_schema_url'] as const;

/** A label set without braces. */
export interface LabelText {
  readonly text: string;
  /** Some label has another name than it was given or is left out, so that two series may have become one. */
  readonly renamed: boolean;
}

/** Renders the labels of a family's points, after those of its scope. */
export function createLabelRenderer(
  { scope, type }: MetricFamily,
  escaping: NameEscaping,
): (labels: Point['labels']) => LabelText {
  const prefix = scope ? renderScope(scope, escaping) : '';
  const names = [nameLabel, ...(type === 'histogram' ? [boundLabel] : []), ...(prefix ? scopeLabels : [])];
  const taken = new Set(names.flatMap((name) => [name, labelName(name, escaping)]));
  return (labels) => {
    const own = renderLabels(labels, escaping, taken);
    return {
      text: prefix && own ? `${prefix},${own}` : prefix || own,
      renamed: own !== renderLabels(labels, 'allow-utf-8') || hasLost(labels),
    };
  };
}

/** Whether no escaping writes all that the labels have: names of no length are left out, halves of surrogate pairs alike. */
function hasLost(labels: Point['labels']): boolean {
  return Object.entries(labels).some(([name, value]) => name === '' || /\p{Cs}/u.test(name + value));
}

/**
 * `a="1",b="2"`. Names that become the same label are one, their values joined in the order of the original names.
 * https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/#metric-attributes
 */
export function renderLabels(
  labels: Readonly<Record<string, unknown>>,
  escaping: NameEscaping,
  taken?: ReadonlySet<string>,
): string {
  const origins = new Map<string, string[]>();
  for (const key of Object.keys(labels)) {
    const name = labelName(key, escaping);
    if (name === '' || taken?.has(name)) continue;
    const keys = origins.get(name);
    if (keys) keys.push(key);
    else origins.set(name, [key]);
  }
  const pairs: string[] = [];
  for (const [name, keys] of origins) {
    const values = keys.sort().map((key) => toLabelText(labels[key]));
    pairs.push(`${isClassicName(name, false) ? name : `"${escapeText(name)}"`}="${escapeText(values.join(';'))}"`);
  }
  return pairs.join(',');
}

/** Escapes what stands between quotes. */
export function escapeText(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}

/** Escapes a HELP text of the version without quotes. */
export function escapeHelp(text: string): string {
  return toWellFormed(text).replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function renderScope({ name, version, schemaUrl }: NonNullable<MetricFamily['scope']>, escaping: NameEscaping): string {
  const values = [name, version, schemaUrl];
  const labels = scopeLabels.map((label, index) => [label, values[index]] as const).filter(([, value]) => value);
  return renderLabels(Object.fromEntries(labels), escaping);
}
