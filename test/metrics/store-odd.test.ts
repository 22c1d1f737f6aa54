import { describe, expect, it } from 'vitest';
import {
  createMemoryMetricStore,
  createMetricRegistry,
  type MetricSource,
  type MetricStore,
  metricsHandler,
  type TelemetryError,
  type TelemetryOptions,
} from '../../src/index.ts';
import { createAlsTelemetry } from '../support/telemetry.ts';

function create(options: TelemetryOptions) {
  const errors: TelemetryError[] = [];
  return { errors, telemetry: createAlsTelemetry({ onError: (error) => errors.push(error), ...options }) };
}

async function scrape(...sources: MetricSource[]) {
  const response = await metricsHandler(sources)(new Request('http://localhost/metrics'));
  return { status: response.status, page: await response.text() };
}

const jobsIn = (page: string) => Number(/^jobs_total (\S+)/m.exec(page)?.[1]);

describe('a store of one’s own', () => {
  it.each([
    undefined,
    {},
    { temporality: 'cumulative', resource: {}, metrics: null },
    { temporality: 'delta', resource: {}, metrics: [] },
    { temporality: 'cumulative', resource: {}, metrics: [{ name: 'x', type: 'counter' }] },
    { temporality: 'cumulative', resource: {}, metrics: [{ name: 'x', type: 'counter', points: [{ value: 1 }] }] },
  ])('that collects no snapshot is one that fails: %o', async (snapshot) => {
    const store = { merge: async () => {}, collect: async () => snapshot } as unknown as MetricStore;
    const { telemetry, errors } = create({ metrics: { store } });
    expect((await scrape(telemetry)).status).toBe(503);
    expect(errors).toMatchObject([{ code: 'store_failed', message: expect.stringContaining('no snapshot') }]);
  });

  it('that rejects for no reason gets the batch again', async () => {
    const memory = createMemoryMetricStore();
    let isDown = true;
    const merge: MetricStore['merge'] = (batch) => (isDown ? Promise.reject(undefined) : memory.merge(batch));
    const { telemetry } = create({ metrics: { store: { merge, collect: memory.collect } } });
    telemetry.metrics.counter('jobs_total').inc(3);
    expect(await telemetry.flush()).toMatchObject({ ok: false, metrics: { sent: 0, dropped: 0, pending: 1 } });
    isDown = false;
    expect(jobsIn((await scrape(telemetry)).page)).toBe(3);
  });
});

describe('a registry that telemetries share', () => {
  it('is on one page once, with a store or without', async () => {
    const registry = createMetricRegistry();
    const store = createMemoryMetricStore();
    const [stored, other, plain, twin] = [{ store }, { store }, {}, {}].map(
      (metrics) => create({ metrics: { registry, ...metrics } }).telemetry,
    );
    registry.counter('jobs_total').inc(3);
    for (const sources of [
      [plain, twin],
      [plain, registry],
      [registry, plain, twin],
      [stored, other],
      [plain, stored],
      [registry, stored, other, plain],
    ]) {
      const { status, page } = await scrape(...(sources as MetricSource[]));
      expect([status, jobsIn(page)]).toEqual([200, 3]);
    }
  });

  it('is still there beside a telemetry that is off', async () => {
    const registry = createMetricRegistry();
    registry.counter('jobs_total').inc(3);
    for (const options of [{ enabled: false }, { metrics: { enabled: false } }]) {
      const off = create({ ...options, metrics: { registry, ...options.metrics } }).telemetry;
      expect(jobsIn((await scrape(off, registry)).page)).toBe(3);
    }
  });
});
