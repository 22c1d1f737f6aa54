import { describe, expect, it, vi } from 'vitest';
import { createMetricRegistry, TelemetryError } from '../../src/index.ts';
import { Registry } from '../../src/metrics/registry.ts';
import { createManualClock } from '../support/telemetry.ts';

async function pointsOf(registry: { collect: Registry['collect'] }, name: string) {
  const { metrics } = await registry.collect();
  return metrics.find((family) => family.name === name)?.points ?? [];
}

function codeOf(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(TelemetryError);
    return (error as TelemetryError).code;
  }
  return undefined;
}

describe('definitions', () => {
  it('of the same name and labels give the same instrument, in whatever order', () => {
    const registry = createMetricRegistry();
    registry.counter('jobs_total', { labels: ['queue', 'state'] }).inc({ queue: 'mail', state: 'ok' });
    registry.counter('jobs_total', { labels: ['state', 'queue'] }).inc({ queue: 'mail', state: 'ok' });
    expect(registry.value('jobs_total', { queue: 'mail', state: 'ok' })).toBe(2);
  });

  it.each<[string, (registry: Registry) => unknown]>([
    ['another type', (r) => r.gauge('x')],
    ['another kind', (r) => r.histogram('x')],
    ['other labels', (r) => r.counter('x', { labels: ['a'] })],
    ['a sum that may go down, for a gauge', (r) => r.define('g', 'gauge', [], { additive: true })],
    ['other buckets', (r) => r.histogram('h', { buckets: [1, 2, 3] })],
  ])('of the same name and %s throw', (_, define) => {
    const registry = new Registry();
    registry.counter('x');
    registry.gauge('g');
    registry.histogram('h', { buckets: [1, 2] });
    expect(codeOf(() => define(registry))).toBe('invalid_metric');
  });

  it.each(['', '1x', 'a b', 'ä', 'x'.repeat(256), undefined, null, 5, {}])('by the name %j throw', (name) => {
    expect(codeOf(() => createMetricRegistry().counter(name as string))).toBe('invalid_metric');
  });

  it.each([
    [{ labelNames: ['a'] }, 'there is no option x.labelNames: known are help, unit, labels, observe, buckets'],
    [{ labels: 'a' }, 'x.labels is "a": it must be a list of'],
    [{ buckets: 5 }, 'x.buckets is 5: it must be a list of numbers'],
  ])('with the options %j throw, and say what there is', (options, message) => {
    const registry = createMetricRegistry();
    for (const define of ['counter', 'gauge', 'histogram'] as const) {
      expect(() => registry[define]('x', options as object)).toThrow(message);
    }
  });

  it.each([['__name'], ['le'], ['1a'], [''], ['a b'], ['a', 'a']])('with the labels %j throw', (...labels) => {
    expect(codeOf(() => createMetricRegistry().counter('x', { labels }))).toBe('invalid_metric');
  });

  it.each([[[2, 1]], [[1, 1]], [[Number.NaN]], [[1, Number.POSITIVE_INFINITY]]])(
    'with the buckets %j throw',
    (buckets) => {
      expect(codeOf(() => createMetricRegistry().histogram('x', { buckets }))).toBe('invalid_metric');
    },
  );

  it('take a namespace, with which values are found or without', async () => {
    const registry = createMetricRegistry({ namespace: 'shop' });
    registry.counter('orders_total').inc();
    expect((await registry.collect()).metrics.map(({ name }) => name)).toEqual(['shop_orders_total']);
    expect(registry.value('orders_total')).toBe(1);
    expect(registry.value('shop_orders_total')).toBe(1);
    expect(registry.value('nothing')).toBeUndefined();
  });
});

describe("prom-client's argument order", () => {
  it('counters', () => {
    const registry = createMetricRegistry();
    const plain = registry.counter('plain_total');
    plain.inc();
    plain.inc(2);
    plain.inc({}, 3);
    plain.inc(undefined as never, 4);
    plain.inc(0);
    const labelled = registry.counter('labelled_total', { labels: ['a'] });
    labelled.inc({ a: 'x' });
    labelled.inc({ a: 'x' }, 2);
    labelled.inc({ a: 1 });
    labelled.inc({ a: '1' });
    labelled.inc({});
    expect(registry.value('plain_total')).toBe(10);
    expect(registry.value('labelled_total', { a: 'x' })).toBe(3);
    expect(registry.value('labelled_total', { a: '1' })).toBe(2);
    expect(registry.value('labelled_total', { a: '' })).toBe(1);
    expect(registry.value('labelled_total')).toBe(6);
  });

  it('gauges', () => {
    const registry = createMetricRegistry();
    const plain = registry.gauge('plain');
    plain.set(5);
    plain.inc();
    plain.inc(2);
    plain.dec();
    plain.dec(3);
    const labelled = registry.gauge('labelled', { labels: ['a'] });
    labelled.set({ a: 'x' }, 5);
    labelled.inc({ a: 'x' }, 2);
    labelled.dec({ a: 'x' });
    labelled.set({ a: 'y' }, Number.NEGATIVE_INFINITY);
    expect(registry.value('plain')).toBe(4);
    expect(registry.value('labelled', { a: 'x' })).toBe(6);
    expect(registry.value('labelled', { a: 'y' })).toBe(Number.NEGATIVE_INFINITY);
  });

  it('histograms', async () => {
    const registry = createMetricRegistry();
    const plain = registry.histogram('plain', { buckets: [1, 2] });
    for (const value of [1, 2, 3]) plain.observe(value);
    const labelled = registry.histogram('labelled', { labels: ['a'] });
    labelled.observe({ a: 'x' }, 0.3);
    expect(await pointsOf(registry as Registry, 'plain')).toMatchObject([{ counts: [1, 1, 1], count: 3, sum: 6 }]);
    expect(registry.value('labelled', { a: 'x' })).toBe(1);
  });

  it('timers, by the monotonic clock', async () => {
    const clock = createManualClock();
    let wallMs = 0;
    const registry = new Registry({ ...clock, now: () => (wallMs -= 1000) });
    const end = registry.histogram('seconds', { labels: ['a', 'b'] }).startTimer({ a: 'x' });
    clock.advance(1500);
    expect(end({ b: 'y' })).toBe(1.5);
    expect(await pointsOf(registry, 'seconds')).toMatchObject([{ labels: { a: 'x', b: 'y' }, sum: 1.5, count: 1 }]);
  });
});

describe('measurements that are none', () => {
  it.each<[string, (registry: Registry) => void]>([
    ['a counter that goes down', (r) => r.counter('x').inc(-1)],
    ['NaN', (r) => r.counter('x').inc(Number.NaN)],
    ['infinity', (r) => r.counter('x').inc(Number.POSITIVE_INFINITY)],
    ['text', (r) => r.counter('x').inc('5' as never)],
    ['text with labels', (r) => r.counter('x').inc({}, '5' as never)],
    ['a gauge without a value', (r) => r.gauge('x').set({} as never)],
    ['a gauge of NaN', (r) => r.gauge('x').set(Number.NaN)],
    ['a histogram of NaN', (r) => r.histogram('x').observe(Number.NaN)],
    ['a histogram without a value', (r) => r.histogram('x').observe(undefined as never)],
  ])('are ignored and counted: %s', async (_, measure) => {
    const registry = new Registry();
    measure(registry);
    expect(await pointsOf(registry, 'x')).toEqual([]);
    expect(registry.value('edgespan_invalid_measurements_total', { metric: 'x' })).toBe(1);
  });

  it('leave out the sum of a histogram that may go down', async () => {
    const registry = new Registry();
    const histogram = registry.histogram('x', { buckets: [0] });
    histogram.observe(5);
    histogram.observe(-1);
    const [point] = await pointsOf(registry, 'x');
    expect(point).toMatchObject({ counts: [1, 1], count: 2 });
    expect(point).not.toHaveProperty('sum');
  });
});

describe('gauges that are observed', () => {
  it('are read when somebody asks', async () => {
    const registry = new Registry();
    const sizes = new Map([
      ['mail', 3],
      ['push', 1],
    ]);
    let memory = 10;
    registry.gauge('memory', { observe: () => memory++ });
    registry.gauge('size', {
      labels: ['queue'],
      observe: () => [...sizes].map(([queue, size]) => [{ queue }, size] as const),
    });
    expect(registry.value('memory')).toBe(10);
    expect(registry.value('size', { queue: 'mail' })).toBe(3);
    expect(await pointsOf(registry, 'memory')).toMatchObject([{ value: 11 }]);
    sizes.delete('push');
    sizes.set('sms', 7);
    expect((await pointsOf(registry, 'size')).map(({ labels, value }) => [labels.queue, value])).toEqual([
      ['mail', 3],
      ['sms', 7],
    ]);
    expect(registry.value('size')).toBe(10);
  });

  it('may take their time', async () => {
    const registry = new Registry();
    registry.gauge('late', { observe: async () => 5 });
    expect(await pointsOf(registry, 'late')).toMatchObject([{ value: 5 }]);
    expect(registry.value('late')).toBe(5);
  });

  it('that throw or reject are counted, and hurt no others', async () => {
    const registry = new Registry();
    registry.gauge('throws', {
      observe() {
        throw new Error('no');
      },
    });
    registry.gauge('rejects', { observe: () => Promise.reject(new Error('no')) });
    registry.gauge('garbage', { observe: () => 'text' as never });
    registry.gauge('fine', { observe: () => 1 });
    expect(await pointsOf(registry, 'fine')).toMatchObject([{ value: 1 }]);
    for (const metric of ['throws', 'rejects', 'garbage']) {
      expect(registry.value('edgespan_invalid_measurements_total', { metric })).toBeGreaterThan(0);
    }
  });

  it('that never answer are not waited for', async () => {
    vi.useFakeTimers();
    try {
      const registry = new Registry();
      registry.gauge('hangs', { observe: () => new Promise<number>(() => {}) });
      registry.counter('x').inc();
      const collected = pointsOf(registry, 'x');
      await vi.advanceTimersByTimeAsync(2000);
      expect(await collected).toMatchObject([{ value: 1 }]);
    } finally {
      vi.useRealTimers();
    }
  });

  it('may be defined again and again: the newest callback counts', async () => {
    const registry = new Registry();
    let calls = 0;
    for (let i = 0; i < 100; i++) {
      registry.gauge('x', {
        observe: () => {
          calls++;
          return i;
        },
      });
    }
    expect(await pointsOf(registry, 'x')).toMatchObject([{ value: 99 }]);
    expect(calls).toBe(1);
  });
});

describe('cardinality', () => {
  it('is 2,000 series by default, the rest in one that says so', async () => {
    const registry = new Registry();
    const counter = registry.counter('x_total', { labels: ['user'] });
    for (let i = 0; i < 2003; i++) counter.inc({ user: `${i}` });
    counter.inc({ user: '0' }, 10);
    const points = await pointsOf(registry, 'x_total');
    expect(points).toHaveLength(2001);
    expect(points[0]).toMatchObject({ labels: { user: '0' }, value: 11 });
    expect(points.at(-1)).toMatchObject({ labels: { otel_metric_overflow: 'true' }, value: 3 });
    expect(registry.value('x_total')).toBe(2013);
    expect(registry.value('edgespan_series_overflow_total', { metric: 'x_total' })).toBe(3);
  });

  it('caps labels by name, the first values winning, and loses nothing from the sum', () => {
    const registry = new Registry({ cardinality: { model: 2, tenant: 1 } });
    const counter = registry.counter('x_total', { labels: ['model', 'tenant', 'free'] });
    for (const model of ['a', 'b', 'c', 'd', 'a']) counter.inc({ model, tenant: 't', free: model });
    expect(registry.value('x_total', { model: 'a' })).toBe(2);
    expect(registry.value('x_total', { model: '__cardinality_overflow__' })).toBe(2);
    expect(registry.value('x_total', { free: 'd' })).toBe(1);
    expect(registry.value('x_total')).toBe(5);
  });

  it('caps models at 50 by default, over all metrics of a registry', () => {
    const registry = new Registry();
    const [a, b] = ['a', 'b'].map((name) => registry.counter(name, { labels: ['model'] }));
    for (let i = 0; i < 51; i++) a!.inc({ model: `m${i}` });
    b!.inc({ model: 'm50' });
    b!.inc({ model: 'm49' });
    expect(registry.value('a', { model: '__cardinality_overflow__' })).toBe(1);
    expect(registry.value('b', { model: '__cardinality_overflow__' })).toBe(1);
    expect(registry.value('b', { model: 'm49' })).toBe(1);
  });

  it('cuts values at 128 characters', async () => {
    const registry = new Registry();
    registry.counter('x', { labels: ['a'] }).inc({ a: 'v'.repeat(500) });
    registry.counter('x', { labels: ['a'] }).inc({ a: `${'v'.repeat(128)}w` });
    expect(await pointsOf(registry, 'x')).toMatchObject([{ labels: { a: 'v'.repeat(128) }, value: 2 }]);
  });

  it('keeps apart what a joined key would not', async () => {
    const registry = new Registry();
    const counter = registry.counter('x', { labels: ['a', 'b'] });
    counter.inc({ a: '1:b1', b: '' });
    counter.inc({ a: '1', b: 'b1' });
    counter.inc({ a: '', b: '1:b1' });
    expect(await pointsOf(registry, 'x')).toHaveLength(3);
  });

  it('bounds OpenTelemetry attributes too', async () => {
    const registry = new Registry({ seriesPerMetric: 2 });
    const counter = registry.define('x', 'counter');
    for (const user of ['a', 'b', 'c']) counter.addTo(1, { user });
    expect((await pointsOf(registry, 'x')).map(({ labels }) => labels)).toEqual([
      { user: 'a' },
      { user: 'b' },
      { otel_metric_overflow: 'true' },
    ]);
  });
});

it('reads no point before its series began, when the clock was set back', async () => {
  const clock = createManualClock();
  const registry = new Registry(clock);
  registry.counter('jobs_total').inc();
  registry.histogram('job_seconds').observe(1);
  registry.gauge('queue_size').set(1);
  clock.advance(-3_600_000);
  const { metrics } = await registry.collect();
  const points = metrics.flatMap((family) => family.points);
  expect(points).toHaveLength(3);
  for (const { startUnixNano, timeUnixNano } of points) expect(timeUnixNano).toBe(startUnixNano);
});

describe('exemplars', () => {
  it('name the sampled span that is active, one a series and bucket', async () => {
    const clock = createManualClock();
    const registry = new Registry(clock);
    let active: { traceId: string; spanId: string } | undefined;
    registry.addTraceSource(() => active);
    const counter = registry.counter('x_total');
    const histogram = registry.histogram('h', { buckets: [1, 2] });
    counter.inc();
    histogram.observe(0.5);
    active = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) };
    counter.inc(2);
    histogram.observe(1.5);
    clock.advance(1);
    active = { ...active, spanId: 'c'.repeat(16) };
    counter.inc(3);
    registry.gauge('g').set(1);
    expect((await pointsOf(registry, 'x_total'))[0]!.exemplars).toEqual([
      { value: 3, traceId: 'a'.repeat(32), spanId: 'c'.repeat(16), timeUnixNano: 1_700_000_000_001_000_000n },
    ]);
    expect((await pointsOf(registry, 'h'))[0]!.exemplars).toMatchObject([{ value: 1.5, spanId: 'b'.repeat(16) }]);
    expect((await pointsOf(registry, 'g'))[0]).not.toHaveProperty('exemplars');
  });
});
