import { type BatchObservableCallback, type Meter, ValueType } from '@opentelemetry/api';
import { describe, expect, it } from 'vitest';
import { createMeterProvider } from '../../src/metrics/meter.ts';
import { Registry } from '../../src/metrics/registry.ts';

function createSetup() {
  const registry = new Registry();
  const errors: unknown[] = [];
  const provider = createMeterProvider(registry, (error) => errors.push(error));
  async function points(name: string) {
    const family = (await registry.collect()).metrics.find((one) => one.name === name);
    return family?.points.map(({ labels, value, counts }) => ({ labels, value, ...(counts && { counts }) }));
  }
  return { registry, errors, provider, meter: provider.getMeter('lib', '1.0', { schemaUrl: 'https://x' }), points };
}

describe('instruments', () => {
  it('record under their attributes', async () => {
    const { meter, points } = createSetup();
    meter.createCounter('requests').add(2, { route: '/a', ok: true });
    meter.createCounter('requests').add(1, { ok: true, route: '/a' });
    meter.createGauge('size').record(7);
    meter.createGauge('size').record(5);
    meter.createHistogram('ms').record(30);
    meter.createHistogram('own', { advice: { explicitBucketBoundaries: [1] } }).record(1);
    expect(await points('requests')).toEqual([{ labels: { ok: 'true', route: '/a' }, value: 3 }]);
    expect(await points('size')).toEqual([{ labels: {}, value: 5 }]);
    expect((await points('ms'))![0]!.counts).toHaveLength(16);
    expect((await points('own'))![0]!.counts).toEqual([1, 0]);
  });

  it('keep description, unit, scope and the types of attributes', async () => {
    const { meter, registry } = createSetup();
    meter.createCounter('bytes', { description: 'Bytes read', unit: 'By' }).add(1, { port: 80, tags: ['a', 'b'] });
    expect((await registry.collect()).metrics[0]).toMatchObject({
      name: 'bytes',
      help: 'Bytes read',
      unit: 'By',
      scope: { name: 'lib', version: '1.0', schemaUrl: 'https://x' },
      points: [{ labels: { port: '80', tags: '["a","b"]' }, attributes: { port: 80, tags: ['a', 'b'] } }],
    });
  });

  it('that go up and down add up', async () => {
    const { meter, registry } = createSetup();
    const active = meter.createUpDownCounter('active');
    active.add(3);
    active.add(-1);
    expect((await registry.collect()).metrics[0]).toMatchObject({
      type: 'gauge',
      additive: true,
      points: [{ value: 2 }],
    });
  });

  it.each<[string, (meter: Meter) => void]>([
    ['an invalid name', (m) => m.createCounter('1 bad').add(1)],
    ['no name', (m) => m.createHistogram(undefined as never).record(1)],
    ['a name taken by another type', (m) => m.createGauge('taken').record(1)],
    ['a counter that may go down, by the name of a gauge', (m) => m.createUpDownCounter('gauge').add(1)],
    ['another unit', (m) => m.createCounter('taken', { unit: 'ms' }).add(1)],
    ['a name taken by an observable', (m) => m.createUpDownCounter('observed').add(1)],
    ['an observable of an invalid name', (m) => m.createObservableGauge('1 bad').addCallback((r) => r.observe(1))],
    ['an observable of a taken name', (m) => m.createObservableGauge('taken').addCallback((r) => r.observe(1))],
    ['an observable of a counter', (m) => m.createObservableCounter('taken').addCallback((r) => r.observe(1))],
  ])('of %s record nothing, and onError hears of it', async (_, use) => {
    const { meter, registry, errors } = createSetup();
    meter.createCounter('taken', { unit: 's' });
    meter.createGauge('gauge');
    meter.createObservableUpDownCounter('observed');
    use(meter);
    expect((await registry.collect()).metrics).toEqual([]);
    expect(errors).toMatchObject([{ code: 'invalid_metric' }]);
  });

  it('go on without advice that is wrong or comes too late, and onError hears of it', async () => {
    const { meter, errors, points } = createSetup();
    const record = (name: string, explicitBucketBoundaries?: number[]) =>
      meter.createHistogram(name, explicitBucketBoundaries && { advice: { explicitBucketBoundaries } }).record(1);
    record('wrong', [2, 1]);
    expect((await points('wrong'))![0]!.counts).toHaveLength(16);
    expect(errors).toMatchObject([{ code: 'invalid_metric' }]);
    record('own', [1]);
    record('own');
    expect(errors).toHaveLength(1);
    record('own', [5]);
    expect(errors).toHaveLength(2);
    expect((await points('own'))![0]!.counts).toEqual([3, 0]);
  });

  it('of integers take the whole part, and say so', async () => {
    const { meter, registry } = createSetup();
    const options = { valueType: ValueType.INT, advice: { explicitBucketBoundaries: [1] } };
    meter.createCounter('c', options).add(1.7);
    meter.createGauge('g', options).record(-1.7);
    meter.createHistogram('h', options).record(1.7);
    meter.createCounter('d', { valueType: ValueType.DOUBLE }).add(1);
    const { metrics } = await registry.collect();
    expect(metrics.map(({ integer, points: [p] }) => [integer, p!.value ?? p!.sum])).toEqual([
      [true, 1],
      [true, -1],
      [true, 1],
      [undefined, 1],
    ]);
  });

  it('count what comes with attributes that cannot be read', async () => {
    const { meter, points } = createSetup();
    const hostile = {
      get bad(): string {
        throw new Error('no');
      },
    };
    meter.createCounter('c').add(1, hostile);
    meter.createGauge('g').record(2, hostile);
    meter.createHistogram('h').record(3, hostile);
    meter.createCounter('c').add(1, 'text' as never);
    expect(await points('c')).toEqual([{ labels: {}, value: 2 }]);
    expect(await points('g')).toEqual([{ labels: {}, value: 2 }]);
    expect(await points('h')).toMatchObject([{ labels: {} }]);
  });

  it('keep attributes apart that JSON has no word for', async () => {
    const { meter, points } = createSetup();
    const values = [[2n ** 60n], [2n], new Uint8Array([255]), [Number.NaN], [null]];
    for (const v of values) meter.createCounter('c').add(1, { v } as never);
    expect((await points('c'))!.map(({ labels }) => labels.v)).toEqual([
      '["1152921504606846976"]',
      '[2]',
      '/w==',
      '["NaN"]',
      '[null]',
    ]);
  });

  it('have a scope of texts, whatever getMeter was given', async () => {
    const { provider, registry } = createSetup();
    provider
      .getMeter(undefined as never, 1 as never, { schemaUrl: null as never })
      .createCounter('c')
      .add(1);
    expect((await registry.collect()).metrics[0]!.scope).toEqual({ name: '' });
  });

  it('ignore values that are none', async () => {
    const { meter, registry, points } = createSetup();
    meter.createCounter('c').add(-1);
    meter.createCounter('c').add(Number.NaN);
    meter.createHistogram('h').record('1' as never);
    expect(await points('c')).toBeUndefined();
    expect(registry.value('edgespan_invalid_measurements_total')).toBe(3);
  });
});

describe('observables', () => {
  it('ask their callbacks each time, and forget what these no longer say', async () => {
    const { meter, points } = createSetup();
    let queues = ['mail', 'push'];
    const gauge = meter.createObservableGauge('size');
    const callback = (result: { observe(value: number, attributes: object): void }) => {
      for (const queue of queues) result.observe(queue.length, { queue });
    };
    gauge.addCallback(callback as never);
    expect(await points('size')).toHaveLength(2);
    queues = ['push'];
    expect(await points('size')).toEqual([{ labels: { queue: 'push' }, value: 4 }]);
    gauge.removeCallback(callback as never);
    expect(await points('size')).toBeUndefined();
  });

  it('are counters of a total, or sums that may go down', async () => {
    const { meter, registry } = createSetup();
    meter.createObservableCounter('total').addCallback((result) => {
      result.observe(5);
      result.observe(-5, { less: 'than nothing' });
    });
    meter.createObservableUpDownCounter('open').addCallback(async (result) => result.observe(-2));
    const { metrics } = await registry.collect();
    expect(metrics).toMatchObject([
      { name: 'total', type: 'counter', points: [{ value: 5 }] },
      { name: 'open', type: 'gauge', additive: true, points: [{ value: -2 }] },
    ]);
    await registry.collect();
    expect(registry.value('total')).toBe(5);
  });

  it('are the same by the same name, from whatever meter', async () => {
    const { provider, points } = createSetup();
    const [a, b] = [provider.getMeter('a'), provider.getMeter('b')];
    a.createObservableGauge('size').addCallback((result) => result.observe(1, { by: 'a' }));
    b.createObservableGauge('size').addCallback((result) => result.observe(2, { by: 'b' }));
    expect(await points('size')).toHaveLength(2);
  });

  it('do not suffer from a callback that throws or rejects', async () => {
    const { meter, errors, points } = createSetup();
    const gauge = meter.createObservableGauge('size');
    gauge.addCallback(() => {
      throw new Error('sync');
    });
    gauge.addCallback(() => Promise.reject(new Error('async')));
    gauge.addCallback((result) => result.observe(3));
    expect(await points('size')).toEqual([{ labels: {}, value: 3 }]);
    expect(errors.map((error) => (error as Error).message)).toEqual(['sync', 'async']);
  });

  it('share a batch callback, which is called once', async () => {
    const { provider, points } = createSetup();
    const used = provider.getMeter('lib').createObservableGauge('used');
    const free = provider.getMeter('lib').createObservableGauge('free');
    const other = provider.getMeter('lib').createObservableGauge('other');
    let calls = 0;
    const batch: BatchObservableCallback = (result) => {
      calls++;
      result.observe(used, 1);
      result.observe(free, 2, { disk: 'a' });
      result.observe(other, 3);
    };
    // A meter of its own each time, as `telemetry.meter` gives.
    provider.getMeter('lib').addBatchObservableCallback(batch, [used, free]);
    provider.getMeter('lib').addBatchObservableCallback(batch, [used, free]);
    expect(await points('used')).toEqual([{ labels: {}, value: 1 }]);
    expect(calls).toBe(1);
    expect(await points('free')).toEqual([{ labels: { disk: 'a' }, value: 2 }]);
    expect(await points('other')).toBeUndefined();
    calls = 0;
    provider.getMeter('lib').removeBatchObservableCallback(batch, [used]);
    provider.getMeter('lib').removeBatchObservableCallback(batch, [used, other]);
    await points('used');
    expect(calls).toBe(1);
    provider.getMeter('lib').removeBatchObservableCallback(batch, [free, used]);
    await points('used');
    expect(calls).toBe(1);
  });

  it('share a batch callback although one of them is invalid', async () => {
    const { meter, points } = createSetup();
    const [bad, good] = [meter.createObservableGauge('1 bad'), meter.createObservableGauge('good')];
    meter.addBatchObservableCallback(
      (result) => {
        result.observe(bad, 1);
        result.observe(good, 2);
      },
      [bad, good],
    );
    expect(await points('good')).toEqual([{ labels: {}, value: 2 }]);
  });

  it('of two telemetries on one registry are all asked', async () => {
    const { registry, provider, points } = createSetup();
    const second = createMeterProvider(registry, () => {});
    provider
      .getMeter('x')
      .createObservableGauge('size')
      .addCallback((result) => result.observe(1, { by: 'a' }));
    second
      .getMeter('x')
      .createObservableGauge('size')
      .addCallback((result) => result.observe(2, { by: 'b' }));
    expect(await points('size')).toHaveLength(2);
  });
});
