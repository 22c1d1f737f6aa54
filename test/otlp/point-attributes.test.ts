import { describe, expect, it } from 'vitest';
import { createMeterProvider } from '../../src/metrics/meter.ts';
import { Registry } from '../../src/metrics/registry.ts';
import { json } from '../../src/otlp/json.ts';

interface Point {
  attributes: { key: string; value: unknown }[];
  count?: string;
}

/** The points of the only metric that `record` makes by OpenTelemetry's Meter. */
async function encode(record: (registry: Registry) => void, registry = new Registry()): Promise<Point[]> {
  record(registry);
  const request = JSON.parse(new TextDecoder().decode(json.metrics(await registry.collect())));
  const [metric] = request.resourceMetrics[0].scopeMetrics[0].metrics;
  return (metric.sum ?? metric.histogram).dataPoints;
}

const meter = (registry: Registry) => createMeterProvider(registry, () => {}).getMeter('shop');

describe('attributes of points', () => {
  it("keep the types and lengths that OpenTelemetry's Meter was given", async () => {
    const long = 'x'.repeat(200);
    const [point] = await encode((registry) =>
      meter(registry)
        .createCounter('c')
        .add(1, { retried: true, attempt: 2, ratio: 0.5, methods: ['card'], long }),
    );
    expect(Object.fromEntries(point!.attributes.map(({ key, value }) => [key, value]))).toEqual({
      retried: { boolValue: true },
      attempt: { intValue: '2' },
      ratio: { doubleValue: 0.5 },
      methods: { arrayValue: { values: [{ stringValue: 'card' }] } },
      long: { stringValue: long },
    });
  });

  it('are cut at 4,096 characters', async () => {
    const [point] = await encode((registry) =>
      meter(registry)
        .createCounter('c')
        .add(1, { long: 'x'.repeat(5000) }),
    );
    expect(point!.attributes).toEqual([{ key: 'long', value: { stringValue: 'x'.repeat(4096) } }]);
  });

  it('say of a value beyond its cap that it is one, not whose series it was first', async () => {
    const points = await encode(
      (registry) => {
        const counter = meter(registry).createCounter('c');
        for (const model of ['a', 'b', 'c']) counter.add(1, { model, n: 1 });
      },
      new Registry({ cardinality: { model: 1 } }),
    );
    expect(points.map(({ attributes }) => attributes)).toEqual([
      [
        { key: 'model', value: { stringValue: 'a' } },
        { key: 'n', value: { intValue: '1' } },
      ],
      [
        { key: 'model', value: { stringValue: '__cardinality_overflow__' } },
        { key: 'n', value: { intValue: '1' } },
      ],
    ]);
  });

  it('come with the count of a histogram', async () => {
    const [point] = await encode((registry) => meter(registry).createHistogram('h').record(7));
    expect(point).toMatchObject({ attributes: [], count: '1' });
  });
});
