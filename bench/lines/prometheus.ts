import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import * as prom from 'prom-client';
import { createTelemetry } from '../../dist/core.js';
import type { Line } from '../compare.ts';

const labelNames = ['provider', 'model', 'operation', 'status'] as const;
type LabelSet = Record<(typeof labelNames)[number], string>;
const buckets = [0.1, 0.25, 0.5, 1, 2, 5, 10];
const counters = ['requests_total', 'tokens_total', 'errors_total', 'tool_calls_total'];
/** 4 counters of 400 series, and 40 histograms of 8 buckets, sum and count: 2,000 series. */
const counterSeries = 400;
const histogramSeries = 40;
const series = counters.length * counterSeries + histogramSeries * (buckets.length + 3);

function createLabels(i: number): LabelSet {
  return {
    provider: `provider${i % 8}`,
    model: `model-${i % 50}-2024-07-18`,
    operation: 'chat',
    status: `${200 + (i % 7)}`,
  };
}

/** Records the same everywhere; a `labels` object stands for the same series all along. */
function fill(
  count: (name: string, labels: LabelSet, value: number) => void,
  observe: (labels: LabelSet, value: number) => void,
) {
  for (const name of counters) for (let i = 0; i < counterSeries; i++) count(name, createLabels(i), i * 1.5);
  for (let i = 0; i < histogramSeries; i++) for (let j = 0; j < 20; j++) observe(createLabels(i), j / 2);
}

function createOurs(): () => Promise<string> {
  const telemetry = createTelemetry();
  const { metrics } = telemetry;
  const known = counters.map(
    (name) => [name, metrics.counter(name, { labels: labelNames, help: 'A counter.' })] as const,
  );
  const byName = new Map(known);
  const histogram = metrics.histogram('seconds', { labels: labelNames, buckets, help: 'A histogram.' });
  fill(
    (name, labels, value) => byName.get(name)!.inc(labels, value),
    (labels, value) => histogram.observe(labels, value),
  );
  return () => telemetry.prometheus();
}

function createPromClient(): () => Promise<string> {
  const registry = new prom.Registry();
  const registers = [registry];
  const byName = new Map(
    counters.map((name) => [name, new prom.Counter({ name, help: 'A counter.', labelNames, registers })] as const),
  );
  const histogram = new prom.Histogram({ name: 'seconds', help: 'A histogram.', labelNames, buckets, registers });
  fill(
    (name, labels, value) => byName.get(name)!.inc(labels, value),
    (labels, value) => histogram.observe(labels, value),
  );
  return () => registry.metrics();
}

function createOtel(): () => Promise<string> {
  const reader = new PrometheusExporter({ preventServerStart: true });
  const meter = new MeterProvider({ readers: [reader] }).getMeter('bench');
  const byName = new Map(
    counters.map((name) => [name, meter.createCounter(name, { description: 'A counter.' })] as const),
  );
  const advice = { explicitBucketBoundaries: buckets };
  const histogram = meter.createHistogram('seconds', { description: 'A histogram.', advice });
  fill(
    (name, labels, value) => byName.get(name)!.add(value, labels),
    (labels, value) => histogram.record(value, labels),
  );
  const serializer = new PrometheusSerializer();
  return async () => serializer.serialize((await reader.collect()).resourceMetrics);
}

function countSeries(page: string, name: RegExp): number {
  return page.split('\n').filter((line) => name.test(line)).length;
}

/** Snapshot to text, as a scrape has it. */
export async function createPrometheusLines(): Promise<Line[]> {
  const ours = createOurs();
  const peers = [
    { peerName: 'prom-client', goal: 0.2, peer: createPromClient() },
    { peerName: "OpenTelemetry's exporter", goal: 0.03, peer: createOtel() },
  ];
  for (const page of [ours, ...peers.map(({ peer }) => peer)]) {
    const found = countSeries(await page(), /^(requests|tokens|errors|tool_calls)_total\{|^seconds_/);
    if (found !== series) throw new Error(`${found} series instead of ${series}`);
  }
  return peers.map((peer) => ({ name: 'Prometheus text of 2,000 series', operations: 1, ours, ...peer }));
}
