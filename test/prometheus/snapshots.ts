import type { Attributes } from '@opentelemetry/api';
import type { MetricFamily, MetricsSnapshot, Point } from '../../src/metrics/snapshot.ts';
import { negotiateFormat, type PrometheusFormat } from '../../src/prometheus/negotiate.ts';

export const text = negotiateFormat(null);
export const openMetrics = negotiateFormat('application/openmetrics-text; version=1.0.0');

export function escapedBy(escaping: PrometheusFormat['escaping'], type: PrometheusFormat['type'] = 'text') {
  const mediaType = type === 'text' ? 'text/plain' : 'application/openmetrics-text';
  return negotiateFormat(`${mediaType}; version=1.0.0; escaping=${escaping}`);
}

export function snapshotOf(metrics: readonly MetricFamily[], resource: Attributes = {}): MetricsSnapshot {
  return { temporality: 'cumulative', resource, metrics };
}

export function point(labels: Record<string, string>, values: Partial<Point>): Point {
  return { labels, startUnixNano: 0n, timeUnixNano: 1_700_000_060_000_000_000n, ...values };
}

export function counter(name: string, points: readonly Point[], rest: Partial<MetricFamily> = {}): MetricFamily {
  return { name, type: 'counter', points, ...rest };
}

export function gauge(name: string, points: readonly Point[], rest: Partial<MetricFamily> = {}): MetricFamily {
  return { name, type: 'gauge', points, ...rest };
}

export function histogram(name: string, points: readonly Point[], rest: Partial<MetricFamily> = {}): MetricFamily {
  return { name, type: 'histogram', bounds: [0.005, 1, 10], points, ...rest };
}
