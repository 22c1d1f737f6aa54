import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Delivery, Signal } from '../../src/delivery.ts';
import { Registry } from '../../src/metrics/registry.ts';
import type { MetricsSnapshot } from '../../src/metrics/snapshot.ts';
import { createMetricExporter, createOtlpSpanSink } from '../../src/otlp/exporter.ts';
import type { ReadableSpan } from '../../src/trace/readable-span.ts';
import { createManualClock, settle } from '../support/telemetry.ts';

type Outcome = 'ok' | 'refused' | 'too_large' | 'busy' | 'lost' | 'unreachable';

/** A metric exporter whose requests hold snapshots, and whose endpoint answers as it is told. */
function createSetup(options: { temporality?: 'delta' | 'cumulative'; resendUnconfirmed?: boolean } = {}) {
  const clock = createManualClock();
  const registry = new Registry(clock);
  const delivered: MetricsSnapshot[] = [];
  const lost: MetricsSnapshot[] = [];
  const deliveries: Delivery<unknown>[] = [];
  let recorded = 0;
  let encoded: MetricsSnapshot | undefined;
  const queue: (Outcome | Promise<Outcome>)[] = [];
  const fetch = async (): Promise<Response> => {
    const snapshot = encoded!;
    const outcome = (await queue.shift()) ?? 'ok';
    if (outcome === 'ok') delivered.push(snapshot);
    else if (outcome === 'refused' || outcome === 'lost') lost.push(snapshot);
    else if (outcome === 'too_large' && countPoints(snapshot) === 1) lost.push(snapshot);
    if (outcome === 'lost') throw new TypeError('terminated');
    if (outcome === 'unreachable') throw Object.assign(new TypeError('x'), { cause: { code: 'ECONNREFUSED' } });
    return new Response('', { status: { ok: 200, refused: 400, too_large: 413, busy: 429 }[outcome] });
  };
  const exporter = createMetricExporter({
    target: {
      url: 'https://otlp.test/v1/metrics',
      headers: () => ({}),
      encoder: {
        contentType: 'application/json',
        traces: () => new Uint8Array(1),
        metrics(snapshot) {
          encoded = snapshot;
          return new Uint8Array(1);
        },
      },
      compression: 'none',
      timeoutMs: 0,
    },
    port: { fetch: () => fetch, clock, random: () => 0, maxRetries: 0 },
    temporality: options.temporality ?? 'delta',
    resendUnconfirmed: options.resendUnconfirmed ?? false,
    collect: () => registry.collect(),
    ledger: {
      recorded: (_: Signal, count) => {
        recorded += count;
      },
      delivered: (_, delivery) => void deliveries.push(delivery),
      dropped: () => {},
    },
  });
  const flush = () => exporter.flush(Number.POSITIVE_INFINITY);
  return { clock, registry, exporter, flush, queue, delivered, lost, deliveries, recorded: () => recorded };
}

function countPoints(snapshot: MetricsSnapshot): number {
  return snapshot.metrics.reduce((sum, { points }) => sum + points.length, 0);
}

/** Values of counters and counts of histograms, by series, over several deltas. */
function sumUp(snapshots: readonly MetricsSnapshot[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const { metrics } of snapshots) {
    for (const { name, points } of metrics) {
      for (const { labels, value, count } of points) {
        const key = `${name}${JSON.stringify(labels)}`;
        sums[key] = (sums[key] ?? 0) + (value ?? count ?? 0);
      }
    }
  }
  return sums;
}

describe('metrics as deltas', () => {
  it('hold what happened since the last flush, starting where that ended', async () => {
    const { clock, registry, flush, delivered } = createSetup();
    const jobs = registry.counter('jobs_total', { labels: ['queue'] });
    jobs.inc({ queue: 'a' }, 2);
    clock.advance(1000);
    await flush();
    jobs.inc({ queue: 'a' }, 3);
    jobs.inc({ queue: 'b' }, 1);
    clock.advance(1000);
    await flush();
    await flush();
    const points = delivered.map(({ metrics }) => metrics[0]!.points);
    expect(points.map((all) => all.map(({ value }) => value))).toEqual([[2], [3, 1]]);
    expect(points[1]![0]!.startUnixNano).toBe(points[0]![0]!.timeUnixNano);
    expect(points[1]![1]!.startUnixNano).toBe(points[0]![0]!.timeUnixNano);
  });

  it('come back after a failure and join the next ones, from their own start', async () => {
    const { clock, registry, exporter, flush, queue, delivered } = createSetup();
    const seconds = registry.histogram('seconds', { buckets: [1, 2] });
    seconds.observe(0.1);
    seconds.observe(0.7);
    await flush();
    clock.advance(1000);
    seconds.observe(1.5);
    queue.push('busy');
    await flush();
    expect(exporter.pending).toBe(1);
    clock.advance(1000);
    seconds.observe(5);
    await flush();
    expect(exporter.pending).toBe(0);
    const [first, second] = delivered.map(({ metrics }) => metrics[0]!.points[0]!);
    expect(first).toMatchObject({ counts: [2, 0, 0], count: 2 });
    expect(second).toMatchObject({ counts: [0, 1, 1], count: 2, sum: 6.5 });
    expect(second!.startUnixNano).toBe(first!.timeUnixNano);
  });

  it('are not made of rounding errors', async () => {
    const { registry, flush, delivered } = createSetup();
    const dollars = registry.counter('dollars_total');
    dollars.inc(0.1);
    await flush();
    dollars.inc(0.2);
    await flush();
    await flush();
    expect(delivered).toHaveLength(2);
  });

  it('begin anew where an observed counter does', async () => {
    const { registry, flush, delivered } = createSetup();
    let value = 10;
    registry.define('seen_total', 'counter', [], { observe: (target) => target.set(value) });
    await flush();
    value = 4;
    await flush();
    expect(delivered.map(({ metrics }) => metrics[0]!.points[0]!.value)).toEqual([10, 4]);
  });

  it('leave out gauges, whose value is always whole', async () => {
    const { registry, flush, queue, delivered } = createSetup();
    registry.gauge('size').set(5);
    queue.push('busy');
    await flush();
    await flush();
    await flush();
    expect(delivered.map(({ metrics }) => metrics[0]!.points[0]!.value)).toEqual([5, 5]);
  });

  it('are dropped where nobody knows whether they arrived', async () => {
    const { registry, exporter, flush, queue, delivered, deliveries } = createSetup();
    const jobs = registry.counter('jobs_total');
    jobs.inc(2);
    queue.push('lost');
    await flush();
    jobs.inc(3);
    await flush();
    expect(deliveries[0]).toMatchObject({ sent: 0, dropped: { unconfirmed: 1 }, returned: [] });
    expect(exporter.pending).toBe(0);
    expect(delivered.map(({ metrics }) => metrics[0]!.points[0]!.value)).toEqual([3]);
  });

  it('are sent again all the same with resendUnconfirmed', async () => {
    const { registry, flush, queue, delivered } = createSetup({ resendUnconfirmed: true });
    registry.counter('jobs_total').inc(2);
    queue.push('lost');
    await flush();
    await flush();
    expect(delivered.map(({ metrics }) => metrics[0]!.points[0]!.value)).toEqual([2]);
  });

  it('are halved when they are too large, each family whole in its half', async () => {
    const { registry, flush, queue, delivered, lost } = createSetup();
    const jobs = registry.counter('jobs_total', { labels: ['queue'] });
    for (const queueName of ['a', 'b', 'c']) jobs.inc({ queue: queueName });
    registry.counter('other_total').inc();
    queue.push('too_large', 'ok', 'too_large', 'too_large', 'ok');
    await flush();
    const shape = (all: MetricsSnapshot[]) =>
      all.map(({ metrics }) => metrics.map((f) => `${f.name} ${f.points.length}`));
    expect(shape(delivered)).toEqual([['jobs_total 2'], ['other_total 1']]);
    expect(shape(lost)).toEqual([['jobs_total 1']]);
  });

  it('follow one another where two flushes overlap, since receivers drop what overtakes', async () => {
    const { registry, exporter, flush, queue, delivered } = createSetup();
    const jobs = registry.counter('jobs_total');
    let answer = (_: Outcome): void => {};
    queue.push(new Promise<Outcome>((resolve) => (answer = resolve)));
    jobs.inc(1);
    const first = flush();
    await settle(100);
    jobs.inc(10);
    await flush();
    expect(delivered).toEqual([]);
    answer('ok');
    await first;
    expect(exporter.pending).toBe(0);
    expect(delivered.map(({ metrics }) => metrics[0]!.points[0]!.value)).toEqual([1, 10]);
    // The clock stands still, and a receiver drops a point that is not newer than the last.
    const [one, two] = delivered.map(({ metrics }) => metrics[0]!.points[0]!.timeUnixNano);
    expect(two! > one!).toBe(true);
  });

  it('are sent with the next ones where the first flush fails', async () => {
    const { registry, exporter, flush, queue, delivered } = createSetup();
    const jobs = registry.counter('jobs_total');
    let fail = (_: Outcome): void => {};
    queue.push(new Promise<Outcome>((resolve) => (fail = resolve)));
    jobs.inc(1);
    const first = flush();
    await settle(100);
    jobs.inc(10);
    await flush();
    expect(exporter.pending).toBe(1);
    fail('busy');
    await first;
    expect(exporter.pending).toBe(0);
    expect(delivered.map(({ metrics }) => metrics[0]!.points[0]!.value)).toEqual([11]);
  });

  it('lose nothing and count nothing twice, whatever the endpoint does', async () => {
    const outcome = fc.constantFrom<Outcome>('ok', 'refused', 'too_large', 'busy', 'lost', 'unreachable');
    const measurement = fc.record({ series: fc.constantFrom('a', 'b', 'c'), value: fc.integer({ min: 0, max: 9 }) });
    const step = fc.record({
      measured: fc.array(measurement, { maxLength: 5 }),
      outcomes: fc.array(outcome, { maxLength: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
        const { clock, registry, exporter, flush, queue, delivered, lost, deliveries, recorded } = createSetup();
        const total = registry.counter('total', { labels: ['series'] });
        const seconds = registry.histogram('seconds', { labels: ['series'] });
        for (const { measured, outcomes } of steps) {
          for (const { series, value } of measured) {
            total.inc({ series }, value);
            seconds.observe({ series }, value);
          }
          clock.advance(10);
          queue.splice(0, queue.length, ...outcomes);
          const [before, done] = [recorded(), deliveries.length];
          await flush();
          const delivery = deliveries[done];
          const dropped = Object.values(delivery?.dropped ?? {}).reduce((sum, count) => sum + count, 0);
          if (delivery) expect(delivery.sent + dropped + exporter.pending).toBe(recorded() - before);
        }
        queue.length = 0;
        await flush();
        const counted = sumUp([await registry.collect()]);
        const arrived = sumUp([...delivered, ...lost]);
        for (const [key, value] of Object.entries(counted)) expect(arrived[key] ?? 0, key).toBe(value);
      }),
      { numRuns: 200 },
    );
  });
});

describe('cumulative metrics', () => {
  it('are whole in every flush, and sent again where nobody knows whether they arrived', async () => {
    const { registry, exporter, flush, queue, delivered } = createSetup({ temporality: 'cumulative' });
    const jobs = registry.counter('jobs_total');
    jobs.inc(2);
    await flush();
    jobs.inc(3);
    queue.push('lost');
    await flush();
    expect(exporter.pending).toBe(1);
    await flush();
    expect(delivered.map(({ metrics }) => metrics[0]!.points[0]!.value)).toEqual([2, 5]);
    const [first, second] = delivered.map(({ metrics }) => metrics[0]!.points[0]!);
    expect(second!.startUnixNano).toBe(first!.startUnixNano);
  });
});

describe('spans', () => {
  const target = {
    url: 'https://otlp.test/v1/traces',
    headers: () => ({}),
    encoder: { contentType: 'application/json', traces: () => new Uint8Array(1), metrics: () => new Uint8Array(1) },
    compression: 'none' as const,
    timeoutMs: 0,
  };
  const port = { clock: createManualClock(), random: () => 0, maxRetries: 0 };
  const spans = [{}, {}] as ReadableSpan[];

  it('are sent again where nobody knows whether they arrived: their ids dedupe them', async () => {
    const fetch = () => Promise.reject(new TypeError('terminated'));
    const delivery = await createOtlpSpanSink(target, { ...port, fetch: () => fetch })(spans, Number.POSITIVE_INFINITY);
    expect(delivery).toMatchObject({ sent: 0, dropped: {}, returned: spans });
  });

  it('leave a server alone as long as it asked, across flushes, though not for ever', async () => {
    const clock = createManualClock();
    const pauses = ['60', '999999999', undefined];
    let requests = 0;
    const fetch = async () => {
      const pause = pauses[requests++];
      return pause ? new Response('', { status: 429, headers: { 'retry-after': pause } }) : new Response('{}');
    };
    const sink = createOtlpSpanSink(target, { ...port, clock, fetch: () => fetch });
    const flush = async () => [(await sink(spans, clock.monotonic() + 5000)).sent, requests];
    expect(await flush()).toEqual([0, 1]);
    clock.advance(59_999);
    expect(await flush()).toEqual([0, 1]);
    clock.advance(1);
    expect(await flush()).toEqual([0, 2]);
    clock.advance(15 * 60_000 - 1);
    expect(await flush()).toEqual([0, 2]);
    clock.advance(1);
    expect(await flush()).toEqual([2, 3]);
  });

  it('that can not be encoded are dropped', async () => {
    const broken = { ...target.encoder, traces: () => BigInt('x') as never };
    const sink = createOtlpSpanSink({ ...target, encoder: broken }, { ...port, fetch: () => fetch });
    expect(await sink(spans, Number.POSITIVE_INFINITY)).toMatchObject({
      sent: 0,
      dropped: { refused: 2 },
      returned: [],
    });
  });

  it('wait where the headers can not be had', async () => {
    const headers = () => Promise.reject(new Error('secret'));
    const sink = createOtlpSpanSink({ ...target, headers }, { ...port, fetch: () => fetch });
    const delivery = await sink(spans, Number.POSITIVE_INFINITY);
    expect(delivery).toMatchObject({ sent: 0, dropped: {}, returned: spans });
    expect(delivery.error?.message).not.toContain('secret');
  });
});
