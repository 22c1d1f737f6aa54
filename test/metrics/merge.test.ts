import { describe, expect, it } from 'vitest';
import { TelemetryError } from '../../src/errors.ts';
import { mergeSnapshots } from '../../src/metrics/merge.ts';
import type { MetricFamily, MetricsSnapshot, Point } from '../../src/metrics/snapshot.ts';

function snapshot(...metrics: MetricFamily[]): MetricsSnapshot {
  return { temporality: 'cumulative', resource: {}, metrics };
}

function family(type: MetricFamily['type'], points: Partial<Point>[], rest: Partial<MetricFamily> = {}): MetricFamily {
  const base = { labels: {}, startUnixNano: 10n, timeUnixNano: 20n };
  return { name: 'm', type, points: points.map((point) => ({ ...base, ...point })), ...rest };
}

function mergePoints(a: MetricFamily, b: MetricFamily) {
  const { metrics } = mergeSnapshots([snapshot(a), snapshot(b)]);
  expect(metrics).toHaveLength(1);
  return metrics[0]!.points;
}

describe('mergeSnapshots', () => {
  it('is empty for none and the same for one', () => {
    expect(mergeSnapshots([])).toEqual({ temporality: 'cumulative', resource: {}, metrics: [] });
    const one = snapshot(family('counter', [{ value: 1 }]));
    expect(mergeSnapshots([one])).toBe(one);
  });

  it('puts families and series beside each other', () => {
    const a = family('counter', [{ labels: { x: '1' }, value: 1 }]);
    const b = family('counter', [{ labels: { x: '2' }, value: 2 }]);
    const other = family('gauge', [{ value: 3 }], { name: 'other' });
    const merged = mergeSnapshots([snapshot(a), snapshot(other, b)]);
    expect(merged.metrics).toEqual([{ ...a, points: [...a.points, ...b.points] }, other]);
    expect(merged.metrics[0]!.points[0]!.labels).toBe(a.points[0]!.labels);
  });

  it('adds counters of equal labels, whatever their order', () => {
    const labels = { x: '1', y: '2' };
    const points = mergePoints(
      family('counter', [{ labels, value: 1, startUnixNano: 10n, timeUnixNano: 20n }]),
      family('counter', [{ labels: { y: '2', x: '1' }, value: 2.5, startUnixNano: 5n, timeUnixNano: 15n }]),
    );
    expect(points).toMatchObject([{ labels, value: 3.5, startUnixNano: 5n, timeUnixNano: 20n }]);
    expect(points[0]!.labels).toBe(labels);
  });

  it('does not take labels for equal that only look so when joined', () => {
    const points = mergePoints(
      family('counter', [{ labels: { a: 'b,c', d: '' }, value: 1 }]),
      family('counter', [{ labels: { a: 'b', 'c,d': '' }, value: 2 }]),
    );
    expect(points.map(({ value }) => value)).toEqual([1, 2]);
  });

  it('adds histograms of equal bounds', () => {
    const exemplar = { value: 1, traceId: 'a', spanId: 'b', timeUnixNano: 1n };
    const newest = { ...exemplar, value: 2 };
    const [point] = mergePoints(
      family('histogram', [{ counts: [1, 0, 2], sum: 5, count: 3, timeUnixNano: 21n, exemplars: [newest] }], {
        bounds: [1, 2],
      }),
      family('histogram', [{ counts: [0, 4, 1], sum: 9, count: 5, exemplars: [exemplar] }], { bounds: [1, 2] }),
    );
    expect(point).toMatchObject({ counts: [1, 4, 3], sum: 14, count: 8, exemplars: [exemplar, newest] });
  });

  it('knows no sum where one side has none', () => {
    const [point] = mergePoints(
      family('histogram', [{ counts: [1], count: 1 }], { bounds: [] }),
      family('histogram', [{ counts: [1], sum: 2, count: 1 }], { bounds: [] }),
    );
    expect(point!.sum).toBeUndefined();
    expect(point).toMatchObject({ count: 2, counts: [2] });
  });

  it.each([
    [20n, 21n, 2],
    [21n, 20n, 1],
  ])('keeps the newest gauge: %d and %d', (first, second, value) => {
    const points = mergePoints(
      family('gauge', [{ value: 1, timeUnixNano: first }]),
      family('gauge', [{ value: 2, timeUnixNano: second }]),
    );
    expect(points.map((point) => point.value)).toEqual([value]);
  });

  it('adds gauges that are sums', () => {
    const [point] = mergePoints(
      family('gauge', [{ value: 5 }], { additive: true }),
      family('gauge', [{ value: -2 }], { additive: true }),
    );
    expect(point!.value).toBe(3);
  });

  it('takes HELP and unit from whoever has them, resource attributes from the first', () => {
    const merged = mergeSnapshots([
      { ...snapshot(family('counter', [])), resource: { a: 1 } },
      { ...snapshot(family('counter', [], { help: 'Help', unit: 's' })), resource: { a: 2, b: 2 } },
    ]);
    expect(merged.metrics[0]).toMatchObject({ help: 'Help', unit: 's' });
    expect(merged.resource).toEqual({ a: 1, b: 2 });
  });

  it('keeps families of two scopes apart', () => {
    const scoped = family('gauge', [{ value: 1 }], { scope: { name: 'lib' } });
    expect(mergeSnapshots([snapshot(family('counter', [])), snapshot(scoped)]).metrics).toHaveLength(2);
  });

  it.each([
    ['type', family('counter', []), family('gauge', [])],
    ['type', family('gauge', []), family('gauge', [], { additive: true })],
    ['bounds', family('histogram', [], { bounds: [1] }), family('histogram', [], { bounds: [1, 2] })],
    ['unit', family('counter', [], { unit: 's' }), family('counter', [], { unit: 'ms' })],
  ])('refuses another %s', (what, a, b) => {
    expect(() => mergeSnapshots([snapshot(a), snapshot(b)])).toThrow(
      expect.objectContaining({ code: 'invalid_metric', message: expect.stringContaining(what) }),
    );
  });

  it('refuses deltas beside cumulative values', () => {
    expect(() => mergeSnapshots([snapshot(), { ...snapshot(), temporality: 'delta' }])).toThrow(TelemetryError);
  });
});
