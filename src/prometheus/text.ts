import type { ExposedFamily } from './exposed-family.ts';
import { createHistogramRenderer } from './histogram.ts';
import { escapeHelp } from './labels.ts';
import { renderMetadata } from './line.ts';
import type { NameEscaping } from './negotiate.ts';
import { renderNumber } from './number.ts';
import { renderPoints } from './series.ts';

/** One family in Prometheus's own text: https://prometheus.io/docs/instrumenting/exposition_formats/ */
export function renderTextFamily(family: ExposedFamily, escaping: NameEscaping): string[] {
  const { name, type, help } = family;
  const metadata = (help ? renderMetadata('HELP', name, escapeHelp(help)) : '') + renderMetadata('TYPE', name, type);
  const points = renderPoints(family, escaping, ({ bounds }) =>
    type === 'histogram'
      ? createHistogramRenderer(name, bounds, false)
      : ({ value }, { start }) => (value === undefined ? '' : start + renderNumber(value)),
  );
  return [metadata, ...points];
}

/** The names that a family occupies. */
export function textNames({ name, type }: ExposedFamily): string[] {
  return type === 'histogram' ? [name, `${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];
}
