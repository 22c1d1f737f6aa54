import type { MetricsSnapshot } from '../../src/index.ts';
import { equal, near, ok, thrown } from './assert.ts';
import { createReceiver, readMetrics } from './receiver.ts';
import { createClock, createTelemetry, type Suite } from './suite.ts';

function family(snapshot: MetricsSnapshot, name: string) {
  const found = snapshot.metrics.find((metric) => metric.name === name);
  ok(found, `no family ${name}`);
  return found;
}

export const metrics: Suite = [
  {
    name: 'metrics: counters, gauges and histograms hold what they were told',
    async run(env) {
      const { metrics } = createTelemetry(env);
      const jobs = metrics.counter('jobs_total', { labels: ['queue'] });
      jobs.inc({ queue: 'mail' });
      jobs.inc({ queue: 'mail' }, 2.5);
      jobs.inc({ queue: 'push' });
      const depth = metrics.gauge('depth');
      depth.set(7);
      depth.inc();
      depth.dec(3);
      const seconds = metrics.histogram('seconds', { buckets: [0.1, 1] });
      for (const value of [0.05, 0.1, 0.2, 5]) seconds.observe(value);
      equal(metrics.value('jobs_total', { queue: 'mail' }), 3.5, 'mail');
      equal(metrics.value('jobs_total'), 4.5, 'all');
      equal(metrics.value('depth'), 5, 'gauge');
      const [point] = family(await metrics.collect(), 'seconds').points;
      equal(point?.counts, [2, 1, 1], 'buckets: upper bounds are inclusive');
      near(point?.sum, 5.35, 'sum');
      equal(point?.count, 4, 'count');
    },
  },
  {
    name: 'metrics: a registry of its own has a prefix, and several telemetries share one',
    async run(env) {
      const registry = env.edgespan.createMetricRegistry({ namespace: 'shop' });
      registry.counter('orders_total').inc();
      const [a, b] = [createTelemetry(env, { metrics: { registry } }), createTelemetry(env, { metrics: { registry } })];
      a.metrics.counter('orders_total').inc();
      b.metrics.counter('orders_total').inc();
      equal(registry.value('shop_orders_total'), 3, 'orders');
      equal(registry.value('orders_total'), 3, 'orders by their short name');
    },
  },
  {
    name: 'metrics: the same definition is the same instrument, another one is refused',
    async run(env) {
      const { metrics } = createTelemetry(env);
      metrics.counter('a_total', { labels: ['x'] }).inc({ x: 1 });
      metrics.counter('a_total', { labels: ['x'] }).inc({ x: 1 });
      equal(metrics.value('a_total'), 2, 'value');
      for (const redefine of [
        () => metrics.counter('a_total', { labels: ['y'] }),
        () => metrics.gauge('a_total', { labels: ['x'] }),
        () => metrics.counter('a b'),
        () => metrics.counter('ok_total', { labels: ['le'] }),
        () => metrics.histogram('h', { buckets: [2, 1] }),
      ]) {
        const error = (await thrown(redefine)) as { name: string; code: string };
        equal([error.name, error.code], ['TelemetryError', 'invalid_metric'], 'error');
      }
    },
  },
  {
    name: 'metrics: what is no number is ignored and counted',
    run(env) {
      const { metrics } = createTelemetry(env);
      const counter = metrics.counter('c_total');
      counter.inc(1);
      for (const wrong of [-1, Number.NaN, Number.POSITIVE_INFINITY, 'x' as unknown as number]) counter.inc(wrong);
      const histogram = metrics.histogram('h', { buckets: [1] });
      histogram.observe(Number.NaN);
      equal(metrics.value('c_total'), 1, 'value');
      equal(metrics.value('edgespan_invalid_measurements_total'), 5, 'ignored');
    },
  },
  {
    name: 'metrics: beyond the cap of a label its values are one, and nothing is lost from the sum',
    run(env) {
      const { metrics } = createTelemetry(env, { metrics: { cardinality: { model: 3 } } });
      const calls = metrics.counter('calls_total', { labels: ['model'] });
      for (let i = 0; i < 10; i++) calls.inc({ model: `m${i}` });
      equal(metrics.value('calls_total'), 10, 'sum');
      equal(metrics.value('calls_total', { model: 'm2' }), 1, 'within the cap');
      equal(metrics.value('calls_total', { model: '__cardinality_overflow__' }), 7, 'beyond it');
    },
  },
  {
    name: 'metrics: beyond the series of a metric one series takes the rest',
    run(env) {
      const { metrics } = createTelemetry(env, { limits: { seriesPerMetric: 4 } });
      const calls = metrics.counter('calls_total', { labels: ['id'] });
      for (let i = 0; i < 10; i++) calls.inc({ id: i });
      equal(metrics.value('calls_total'), 10, 'sum');
      equal(metrics.value('calls_total', { otel_metric_overflow: 'true' }), 6, 'overflow');
      equal(metrics.value('edgespan_series_overflow_total', { metric: 'calls_total' }), 6, 'counted');
    },
  },
  {
    name: 'metrics: label values are cut at 128 characters',
    async run(env) {
      const { metrics } = createTelemetry(env);
      metrics.counter('c_total', { labels: ['x'] }).inc({ x: 'a'.repeat(500) });
      const [point] = family(await metrics.collect(), 'c_total').points;
      equal(point?.labels.x?.length, 128, 'length');
    },
  },
  {
    name: 'metrics: measurements in a sampled span carry it as exemplar',
    async run(env) {
      const clock = createClock();
      const telemetry = createTelemetry(env, { clock });
      const hits = telemetry.metrics.counter('hits_total');
      const seconds = telemetry.metrics.histogram('seconds', { buckets: [1] });
      const { traceId, spanId } = telemetry.span('s', (span) => {
        hits.inc();
        seconds.observe(2);
        return span.spanContext();
      });
      const snapshot = await telemetry.metrics.collect();
      const timeUnixNano = BigInt(clock.now()) * 1_000_000n;
      for (const [name, value] of [
        ['hits_total', 1],
        ['seconds', 2],
      ] as const) {
        equal(family(snapshot, name).points[0]?.exemplars, [{ value, traceId, spanId, timeUnixNano }], name);
      }
      const unsampled = createTelemetry(env, { sampling: { ratio: 0 } });
      unsampled.span('s', () => unsampled.metrics.counter('hits_total').inc());
      equal(family(await unsampled.metrics.collect(), 'hits_total').points[0]?.exemplars, undefined, 'unsampled');
    },
  },
  {
    name: 'metrics: callbacks are asked when values are read',
    async run(env) {
      const { metrics, meter } = createTelemetry(env);
      let depth = 3;
      metrics.gauge('depth', { observe: () => depth });
      metrics.gauge('bad', {
        observe: () => {
          throw new Error('x');
        },
      });
      const heap = meter.createObservableGauge('heap', { unit: 'By' });
      heap.addCallback(async (result) => result.observe(depth * 10, { kind: 'old' }));
      const read = async () => {
        const snapshot = await metrics.collect();
        return ['depth', 'heap'].map((name) => family(snapshot, name).points[0]?.value);
      };
      equal(await read(), [3, 30], 'first');
      depth = 4;
      equal(await read(), [4, 40], 'second');
    },
  },
  {
    name: 'metrics: measure counts calls, failures and seconds',
    async run(env) {
      const clock = createClock();
      const telemetry = createTelemetry(env, { clock });
      const work = telemetry.measure({ name: 'work' }, async (fail: boolean) => {
        clock.advance(2000);
        if (fail) throw new Error('x');
        return 'done';
      });
      equal(await work(false), 'done', 'result');
      await thrown(() => work(true));
      const { metrics } = telemetry;
      equal([metrics.value('work_calls_total'), metrics.value('work_failures_total')], [2, 1], 'counts');
      equal(family(await metrics.collect(), 'work_duration_seconds').points[0]?.sum, 4, 'seconds');
    },
  },
  {
    name: 'metrics: deltas say what happened since the last flush, cumulative values all of it',
    async run(env) {
      for (const temporality of ['delta', 'cumulative'] as const) {
        const clock = createClock();
        const receiver = createReceiver();
        const { fetch } = receiver;
        const otlp = { endpoint: 'https://otlp.test', temporality, fetch };
        const telemetry = createTelemetry(env, { clock, otlp });
        const jobs = telemetry.metrics.counter('jobs_total', { labels: ['queue'] });
        const seconds = telemetry.metrics.histogram('seconds', { buckets: [1] });
        for (const times of [2, 3, 0]) {
          for (let i = 0; i < times; i++) jobs.inc({ queue: 'mail' });
          if (times) seconds.observe(0.5);
          clock.advance(1000);
          equal((await telemetry.flush()).ok, true, 'flush');
        }
        const sent = receiver.bodies('/v1/metrics').map(readMetrics);
        const numbers = sent.map((all) => all.find(({ name }) => name === 'jobs_total')?.values[0]);
        const counts = sent.map((all) => all.find(({ name }) => name === 'seconds')?.values[0]);
        equal(numbers, temporality === 'delta' ? [2, 3] : [2, 5, 5], `${temporality} counter`);
        equal(counts, temporality === 'delta' ? [1, 1] : [1, 2, 2], `${temporality} histogram`);
        const kinds = new Set(sent.flatMap((all) => all.flatMap((metric) => metric.temporality ?? [])));
        equal([...kinds], [temporality === 'delta' ? 1 : 2], 'aggregationTemporality');
      }
    },
  },
];
