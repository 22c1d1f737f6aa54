import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import * as prom from 'prom-client';
import { createTelemetry } from '../../dist/core.js';
import type { Line } from '../compare.ts';

const labelNames = ['provider', 'model', 'operation', 'status'] as const;
const buckets = [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60];
const models = ['gpt-4o', 'gpt-4o-mini', 'gpt-5', 'o4-mini', 'gpt-4.1', 'gpt-4.1-mini', 'o3', 'gpt-5-mini'];
const operations = 1000;

const createLabels = (i: number) => ({ provider: 'openai', model: models[i & 7]!, operation: 'chat', status: 'ok' });

function createPeerMeter() {
  const reader = new PeriodicExportingMetricReader({
    exporter: { export: (_metrics, done) => done({ code: 0 }), forceFlush: async () => {}, shutdown: async () => {} },
    exportIntervalMillis: 2 ** 31 - 1,
  });
  return new MeterProvider({ readers: [reader] }).getMeter('bench');
}

function repeat(record: (i: number) => void): () => void {
  return () => {
    for (let i = 0; i < operations; i++) record(i);
  };
}

/** Each measurement with a label object of its own, as applications make them. */
export function createMetricLines(): Line[] {
  const { metrics } = createTelemetry();
  const meter = createPeerMeter();
  const registers = [new prom.Registry()];

  const counter = metrics.counter('requests_total', { labels: labelNames });
  const promCounter = new prom.Counter({ name: 'requests_total', help: 'h', labelNames, registers });
  const otelCounter = meter.createCounter('requests');
  const count = repeat((i) => counter.inc(createLabels(i)));

  const histogram = metrics.histogram('seconds', { labels: labelNames, buckets });
  const promHistogram = new prom.Histogram({ name: 'seconds', help: 'h', labelNames, buckets, registers });
  const advice = { explicitBucketBoundaries: buckets };
  const otelHistogram = meter.createHistogram('seconds', { advice });
  const observe = repeat((i) => histogram.observe(createLabels(i), i / 100));

  const line = (name: string, peerName: string, goal: number, ours: () => void, peer: (i: number) => void): Line => ({
    name: `${name} with a fresh label object`,
    peerName,
    goal,
    operations,
    ours,
    peer: repeat(peer),
  });
  return [
    line('counter inc', 'prom-client', 0.5, count, (i) => promCounter.inc(createLabels(i))),
    line('counter inc', 'OpenTelemetry SDK 3', 0.1, count, (i) => otelCounter.add(1, createLabels(i))),
    line('histogram observe', 'prom-client', 0.5, observe, (i) => promHistogram.observe(createLabels(i), i / 100)),
    line('histogram observe', 'OpenTelemetry SDK 3', 0.1, observe, (i) =>
      otelHistogram.record(i / 100, createLabels(i)),
    ),
  ];
}
