import type { Attributes } from '@opentelemetry/api';
import { TelemetryError } from '../errors.ts';
import type { MetricFamily, MetricsSnapshot } from '../metrics/snapshot.ts';
import type { ExposedFamily } from './exposed-family.ts';
import { renderLabels } from './labels.ts';
import { renderMetadata } from './line.ts';
import { exposedName } from './name.ts';
import type { NameEscaping, PrometheusFormat } from './negotiate.ts';
import { openMetricsNames, renderOpenMetricsFamily } from './openmetrics.ts';
import { renderTextFamily, textNames } from './text.ts';

/** What of a snapshot is exposed. */
export interface RenderOptions {
  /**
   * Keeps the families it answers true for. It is asked by the name in Prometheus's classic charset
   * (`llm_requests_total`, `target_info`), whatever the scraper negotiated.
   */
  filter?: (name: string) => boolean;
  /** A remark for people who read the page: the HELP of the gauge `edgespan_local_metrics`. */
  note?: string;
}

/**
 * A cumulative snapshot as Prometheus text or OpenMetrics. Of two families that end up with one name the later is
 * left out if its type differs, else their series stand under the first one's HELP. Throws a `TelemetryError` for a
 * snapshot of deltas: Prometheus adds nothing up.
 *
 * @example
 * renderPrometheus(await registry.collect(), negotiateFormat(request.headers.get('accept')));
 */
export function renderPrometheus(
  snapshot: MetricsSnapshot,
  { type, escaping }: PrometheusFormat,
  { filter, note }: RenderOptions = {},
): string {
  if (snapshot.temporality === 'delta') throw new TelemetryError('invalid_metric', 'Prometheus cannot read deltas');
  const openMetrics = type === 'openmetrics';
  const taken = new Set(['target', 'target_info']);
  const lines = !filter || filter('target_info') ? [renderTarget(snapshot.resource, openMetrics, escaping)] : [];
  const families = snapshot.metrics.filter((family) => !filter || filter(exposedName(family, 'underscores').name));
  for (const family of groupFamilies(note ? [noteFamily(note), ...families] : families, escaping)) {
    const names = (openMetrics ? openMetricsNames : textNames)(family);
    if (names.some((name) => taken.has(name))) continue;
    for (const name of names) taken.add(name);
    for (const line of (openMetrics ? renderOpenMetricsFamily : renderTextFamily)(family, escaping)) lines.push(line);
  }
  lines.push(openMetrics ? '\n# EOF\n' : '\n');
  return lines.join('').slice(1);
}

function groupFamilies(families: readonly MetricFamily[], escaping: NameEscaping): Iterable<ExposedFamily> {
  const groups = new Map<string, ExposedFamily>();
  for (const family of families) {
    if (family.points.length === 0 || family.name === '') continue;
    const { name, unit } = exposedName(family, escaping);
    const group = groups.get(name);
    if (!group) groups.set(name, { name, unit, type: family.type, help: family.help, parts: [family] });
    else if (group.type === family.type) {
      group.help ||= family.help;
      group.parts.push(family);
    }
  }
  return groups.values();
}

/** https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/#resource-attributes-1 */
function renderTarget(resource: Attributes, openMetrics: boolean, escaping: NameEscaping): string {
  const labels = renderLabels(resource, escaping);
  if (labels === '') return '';
  const help = 'Target metadata';
  const metadata = openMetrics
    ? renderMetadata('TYPE', 'target', 'info') + renderMetadata('HELP', 'target', help)
    : renderMetadata('HELP', 'target_info', help) + renderMetadata('TYPE', 'target_info', 'gauge');
  return `${metadata}\ntarget_info{${labels}} 1`;
}

function noteFamily(note: string): MetricFamily {
  const point = { labels: {}, startUnixNano: 0n, timeUnixNano: 0n, value: 1 };
  return { name: 'edgespan_local_metrics', type: 'gauge', help: note, points: [point] };
}
