import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  createMemoryMetricStore,
  createMetricRegistry,
  type MetricBatch,
  type MetricStore,
  metricsHandler,
  type TelemetryOptions,
} from '../../src/index.ts';
import { chatCompletion, chatRequest, chatUrl, createAlsTelemetry, createManualClock } from '../support/telemetry.ts';

/** One isolate of several that share a store. */
function createIsolate(store: MetricStore, { metrics, ...options }: TelemetryOptions = {}) {
  return createAlsTelemetry({
    serviceName: 'shop',
    fetch: async () => Response.json(chatCompletion()),
    onError: () => {},
    ...options,
    metrics: { store, ...metrics },
    runtime: { ephemeral: true, ...options.runtime },
  });
}

type Isolate = ReturnType<typeof createIsolate>;

async function call({ fetch }: Isolate, times = 1): Promise<void> {
  for (let i = 0; i < times; i++) await (await fetch(chatUrl, chatRequest())).text();
}

async function scrape(telemetry: Isolate, init?: RequestInit): Promise<{ status: number; page: string }> {
  const response = await telemetry.metricsHandler(new Request('http://localhost/metrics', init));
  return { status: response.status, page: await response.text() };
}

/** The values of a family's samples, by labels. */
function samples(page: string, name: string): number[] {
  const lines = page.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return lines.map((line) => Number(line.slice(line.lastIndexOf(' ') + 1)));
}

describe('a page of a store', () => {
  it('shows the calls of all isolates, to the nano-dollar, whichever is asked', async () => {
    const store = createMemoryMetricStore();
    const isolates = Array.from({ length: 5 }, () => createIsolate(store));
    let total = 0;
    for (const [i, isolate] of isolates.entries()) {
      for (let k = 0; k <= i; k++) {
        await call(isolate, 20);
        total += 20;
        if (k % 2) await isolate.flush();
      }
    }
    const pages = [];
    for (const isolate of isolates) pages.push((await scrape(isolate)).page);
    const last = pages.at(-1)!;
    expect(samples(last, 'llm_requests_total')).toEqual([total]);
    // Ten tokens in at 2.5 USD a million and five out at 10.
    expect(samples(last, 'llm_cost_usd_total')).toEqual([(total * 75_000) / 1e9]);
    expect(samples(last, 'llm_cost_per_request_usd_sum')).toEqual([(total * 75_000) / 1e9]);
    expect(samples(last, 'llm_tokens_total').toSorted((a, b) => a - b)).toEqual([5 * total, 10 * total]);
    const again = await scrape(isolates[0]!);
    expect(samples(again.page, 'llm_requests_total')).toEqual([total]);
  });

  it('has what this isolate has not flushed yet, its own target, and no note', async () => {
    const isolate = createIsolate(createMemoryMetricStore(), { serviceName: 'till' });
    await call(isolate);
    const { status, page } = await scrape(isolate);
    expect(status).toBe(200);
    expect(samples(page, 'llm_requests_total')).toEqual([1]);
    expect(page).toContain('service_name="till"');
    expect(page).not.toContain('edgespan_local_metrics');
    expect(page).not.toContain('gen_ai');
    expect(await isolate.prometheus()).toContain('llm_requests_total');
    const semconv = createIsolate(createMemoryMetricStore(), { metrics: { semconv: true } });
    await call(semconv);
    expect((await scrape(semconv)).page).toContain('gen_ai_client_token_usage_bucket');
  });

  it('adds up with a registry beside it, and with telemetries of other stores; one store is read once', async () => {
    const [store, other] = [createMemoryMetricStore(), createMemoryMetricStore()];
    const [a, b, c] = [createIsolate(store), createIsolate(store), createIsolate(other)];
    const registry = createMetricRegistry();
    registry
      .counter('llm_requests_total', { labels: ['provider', 'model', 'operation', 'status', 'agent'] })
      .inc({ provider: 'local', model: '', operation: 'chat', status: 'ok' }, 100);
    for (const isolate of [a, b, c]) await call(isolate, 3);
    const response = await metricsHandler([a, b, registry, c])(new Request('http://localhost/metrics'));
    expect(samples(await response.text(), 'llm_requests_total')).toEqual([9, 100]);
  });

  it('counts a registry once that several telemetries send to one store', async () => {
    const store = createMemoryMetricStore();
    const registry = createMetricRegistry();
    const [a, b] = [createIsolate(store, { metrics: { registry } }), createIsolate(store, { metrics: { registry } })];
    registry.counter('jobs_total').inc(3);
    await a.flush();
    await b.flush();
    expect(samples((await scrape(b)).page, 'jobs_total')).toEqual([3]);
  });

  it('is empty where telemetry is off, and nothing is sent', async () => {
    const store = createMemoryMetricStore();
    const merge = vi.spyOn(store, 'merge');
    for (const isolate of [
      createIsolate(store, { enabled: false }),
      createIsolate(store, { metrics: { enabled: false, local: true } }),
    ]) {
      await call(isolate);
      await isolate.flush();
      const { status, page } = await scrape(isolate);
      expect(status).toBe(200);
      expect(samples(page, 'llm_requests_total')).toEqual([]);
    }
    expect(merge).not.toHaveBeenCalled();
  });

  it('is nobody’s without the token', async () => {
    const store = createMemoryMetricStore();
    const collect = vi.spyOn(store, 'collect');
    const isolate = createIsolate(store, { metrics: { token: 'secret' } });
    expect((await scrape(isolate)).status).toBe(401);
    expect(collect).not.toHaveBeenCalled();
    expect((await scrape(isolate, { headers: { authorization: 'Bearer secret' } })).status).toBe(200);
  });

  it('without a store is refused by one isolate of many, which names the remedies', async () => {
    const isolate = createAlsTelemetry({ runtime: { ephemeral: true } });
    const { status, page } = await scrape(isolate);
    expect(status).toBe(501);
    for (const remedy of ['metrics.store', 'otlp.endpoint', 'metrics: { local: true }']) expect(page).toContain(remedy);
  });
});

describe('a store that can not be reached', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it.each([
    ['fails', () => Promise.reject(new Error('redis://user:password@host'))],
    ['does not answer', () => new Promise<never>(() => {})],
    [
      'throws',
      () => {
        throw new Error('redis://user:password@host');
      },
    ],
  ])('that %s gives 503 and a clear text, never half the numbers', async (_, collect) => {
    const errors: string[] = [];
    const { merge } = createMemoryMetricStore();
    const isolate = createIsolate(
      { merge, collect },
      { onError: ({ code, message }) => errors.push(`${code} ${message}`) },
    );
    await call(isolate);
    const scraping = scrape(isolate);
    await vi.advanceTimersByTimeAsync(5000);
    const { status, page } = await scraping;
    expect(status).toBe(503);
    expect(page).toBe('The metric store (metrics.store) does not answer, and no isolate has all numbers.\n');
    expect(errors).toEqual([expect.stringMatching(/^store_failed the metric store failed: (redis|no answer)/)]);
    const prometheus = isolate.prometheus().catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(5000);
    expect(await prometheus).toMatchObject({ name: 'TelemetryError', code: 'store_failed' });
  });

  it('keeps no call waiting and loses nothing', async () => {
    const memory = createMemoryMetricStore();
    let isDown = true;
    const store: MetricStore = {
      merge: (batch) => (isDown ? new Promise(() => {}) : memory.merge(batch)),
      collect: () => memory.collect(),
    };
    const isolate = createIsolate(store);
    for (let i = 0; i < 20; i++) {
      await call(isolate);
      const flushing = isolate.flush({ timeoutMs: 100 });
      await vi.advanceTimersByTimeAsync(100);
      expect((await flushing).ok).toBe(false);
    }
    isDown = false;
    expect(samples((await scrape(isolate)).page, 'llm_requests_total')).toEqual([20]);
    expect(isolate.health().problems).toMatchObject([
      { code: 'store_failed', action: expect.stringContaining('waits') },
    ]);
  });
});

describe('where a process lives on', () => {
  it.each([
    ['a counter', (process: Isolate) => process.metrics.counter('jobs_total').inc()],
    ['a call that is not sampled', (process: Isolate) => call(process)],
  ])('sends by interval although there is no endpoint, also where %s is all there is', async (_, work) => {
    const clock = createManualClock();
    const store = createMemoryMetricStore();
    const merge = vi.spyOn(store, 'merge');
    let tick = () => {};
    const every = vi.fn((_: number, run: () => void) => {
      tick = run;
      return () => {};
    });
    const options = { sampling: { ratio: 0 }, runtime: { ...clock, ephemeral: false, every } };
    const process = createIsolate(store, options);
    expect(every).not.toHaveBeenCalled();
    await work(process);
    expect(every).toHaveBeenCalledTimes(1);
    tick();
    await vi.waitFor(() => expect(merge).toHaveBeenCalledTimes(1));
    await work(process);
    await process.shutdown();
    const { page } = await scrape(createIsolate(store));
    expect([...samples(page, 'jobs_total'), ...samples(page, 'llm_requests_total')]).toEqual([2]);
  });
});

describe('a store of one’s own', () => {
  it('needs no more than merge and collect', async () => {
    const batches = new Map<string, MetricBatch>();
    const store: MetricStore = {
      async merge(batch) {
        batches.set(batch.batchId, batch);
      },
      async collect() {
        const families = [...batches.values()].flatMap(({ families }) => families);
        const jobs = families.filter(({ name }) => name === 'jobs_total').flatMap(({ points }) => points);
        const value = jobs.reduce((sum, point) => sum + point.value!, 0);
        const [first] = jobs;
        return {
          temporality: 'cumulative',
          resource: {},
          metrics: [{ name: 'jobs_total', type: 'counter', points: first ? [{ ...first, value }] : [] }],
        };
      },
    };
    const isolate = createIsolate(store);
    for (let i = 0; i < 3; i++) {
      isolate.metrics.counter('jobs_total').inc(2);
      await isolate.flush();
    }
    expect(samples((await scrape(isolate)).page, 'jobs_total')).toEqual([6]);
  });

  it.each([{}, { merge() {} }, 5, 'redis'])('that is none is refused: %o', (store) => {
    const options = { metrics: { store: store as unknown as MetricStore } };
    const wrong = expect.objectContaining({ code: 'invalid_option', option: 'metrics.store' });
    expect(() => createAlsTelemetry(options)).toThrow(wrong);
  });
});
