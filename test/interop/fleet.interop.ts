import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Child } from '../support/child.ts';
import { buildPeer } from './collector/build.ts';
import { readExample, readPage, startFleetCollector, startFleetWorker, startProcess } from './fleet.ts';
import { freePorts, until } from './peer.ts';
import { type Prometheus, runPrometheus, untilQuery } from './prometheus.ts';

const collectorBuilt = await buildPeer('collector');
const prometheusBuilt = await buildPeer('prometheus');
const missing = [collectorBuilt, prometheusBuilt].flatMap((built) => ('missing' in built ? [built.missing] : []));
const pathOf = (built: typeof collectorBuilt) => ('path' in built ? built.path : '');

/** Calls of each process, no two the same, and what each call has: 20 tokens in, 5 out, 0.04 dollars. */
const callsOf = [41, 64, 83] as const;
const processCalls = 41 + 64 + 83;
const often = { 'scrape_interval: 15s': 'scrape_interval: 1s' };

async function expectCalls(prometheus: Prometheus, calls: number, filter = 'job="fleet"'): Promise<void> {
  await untilQuery(prometheus, `sum(llm_requests_total{${filter},model="acme-1",status="ok"})`, calls);
  await untilQuery(prometheus, `sum(llm_tokens_total{${filter},token_type="input"})`, calls * 20);
  await untilQuery(prometheus, `sum(llm_tokens_total{${filter},token_type="output"})`, calls * 5);
  await untilQuery(prometheus, `sum(llm_request_duration_seconds_count{${filter}})`, calls);
  await untilQuery(prometheus, `sum(llm_request_duration_seconds_bucket{${filter},le="+Inf"})`, calls);
  expect(await prometheus.query(`sum(llm_cost_usd_total{${filter}})`)).toBeCloseTo(calls * 0.04, 9);
}

async function expectEnded(children: readonly Child[]): Promise<void> {
  for (const { ended } of children) expect(await ended).toMatchObject({ code: 0, stderr: '' });
}

describe.skipIf(missing.length > 0)(`fleets of examples/fleet${missing.map((why) => ` (${why})`)}`, () => {
  const running: { stop(): Promise<unknown> }[] = [];
  function keep<T extends { stop(): Promise<unknown> }>(started: T): T {
    running.push(started);
    return started;
  }
  afterAll(async () => {
    for (const each of running.reverse()) await each.stop();
  });

  describe('deltas, a Collector that adds them up, and a Prometheus that scrapes it', () => {
    const requests = 50;
    let collector: Awaited<ReturnType<typeof startFleetCollector>>;
    let prometheus: Prometheus;
    let workers: Awaited<ReturnType<typeof startFleetWorker>>[];
    const total = processCalls + 3 * requests;

    beforeAll(async () => {
      collector = keep(await startFleetCollector(pathOf(collectorBuilt)));
      const config = readExample('prometheus-collector.yml', { '127.0.0.1:9464': collector.page, ...often });
      const flags = ['--enable-feature=created-timestamp-zero-ingestion'];
      prometheus = keep(await runPrometheus(pathOf(prometheusBuilt), config, flags));
      const env = {
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
        OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'delta',
      };
      const processes = callsOf.map((calls) => startProcess(calls, env));
      workers = await Promise.all(callsOf.map(async () => keep(await startFleetWorker(collector.endpoint))));
      await Promise.all(workers.map(call));
      await expectEnded(processes);
    });

    /** One after the other in each Worker, all Workers at once. */
    async function call(worker: { url: URL }): Promise<void> {
      for (let request = 0; request < requests; request++) {
        expect(await (await fetch(worker.url)).text()).toBe('called');
      }
    }

    it('the Collector’s page has every call, by instance', async () => {
      const page = await until('all calls', async () => {
        const text = await (await fetch(`http://${collector.page}/metrics`)).text();
        return readPage(text, 'llm_requests_total').sum >= total ? text : undefined;
      });
      expect(readPage(page, 'llm_requests_total', 'job="fleet"')).toEqual({ sum: total, instances: 6 });
      expect(readPage(page, 'llm_tokens_total', 'token_type="input"')).toEqual({ sum: total * 20, instances: 6 });
      expect(readPage(page, 'llm_request_duration_seconds_count')).toEqual({ sum: total, instances: 6 });
      expect(readPage(page, 'llm_cost_usd_total').sum).toBeCloseTo(total * 0.04, 9);
    });

    it('the Collector’s own page counts what it took', async () => {
      const own = await (await fetch(`http://${collector.ownPage}/metrics`)).text();
      expect(own).toMatch(/^otelcol_deltatocumulative_datapoints[{ ]/m);
    });

    it('Prometheus has every call', () => expectCalls(prometheus, total));

    it('counts from zero what it first sees at more than that', async () => {
      await untilQuery(prometheus, 'count(increase(llm_requests_total{job="fleet"}[1h]) > 0)', 6);
    });

    it('keeps the calls of instances that are gone', async () => {
      await Promise.all(workers.map((worker) => worker.stop()));
      const late = startProcess(7, {
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
        OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'delta',
      });
      await expectEnded([late]);
      await expectCalls(prometheus, total + 7);
      await untilQuery(prometheus, 'sum(last_over_time(llm_requests_total{job="fleet"}[1h]))', total + 7);
    });
  });

  describe('cumulative OTLP into Prometheus 3', () => {
    let prometheus: Prometheus;
    let env: Record<string, string>;
    beforeAll(async () => {
      const config = readExample('prometheus-otlp.yml', {});
      prometheus = keep(await runPrometheus(pathOf(prometheusBuilt), config, ['--web.enable-otlp-receiver']));
      env = { OTEL_EXPORTER_OTLP_ENDPOINT: `${prometheus.url}/api/v1/otlp` };
    });

    it('has every call', async () => {
      await expectEnded(callsOf.map((calls) => startProcess(calls, env)));
      await expectCalls(prometheus, processCalls);
      await untilQuery(prometheus, 'count(llm_requests_total{deployment_environment_name="staging"})', 3);
    });

    it('takes no deltas', async () => {
      const child = startProcess(9, {
        ...env,
        OTEL_SERVICE_NAME: 'deltas',
        OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'delta',
      });
      // It is told, and says so: what is lost is not lost in silence.
      expect(await child.ended).toMatchObject({ code: 0, stderr: 'edgespan: status 500 (export_refused)\n' });
      expect(await prometheus.query('sum(llm_requests_total{job="deltas"})')).toBeUndefined();
      await expectCalls(prometheus, processCalls);
    });
  });

  describe('a plain scrape of each process', () => {
    let prometheus: Prometheus;
    const processes: Child[] = [];
    beforeAll(async () => {
      const ports = await freePorts(callsOf.length);
      for (const [index, calls] of callsOf.entries()) {
        processes.push(startProcess(calls, { METRICS_PORT: `${ports[index]}` }));
      }
      const targets = Object.fromEntries(
        ports.map((port, index) => [`127.0.0.1:910${index + 1}`, `127.0.0.1:${port}`]),
      );
      const config = readExample('prometheus-scrape.yml', { ...targets, ...often });
      prometheus = keep(await runPrometheus(pathOf(prometheusBuilt), config));
    });
    afterAll(() => {
      for (const { process } of processes) process.kill();
    });

    it('has every call', async () => {
      for (const [index, child] of processes.entries()) await child.line(`made ${callsOf[index]}`);
      await untilQuery(prometheus, 'sum(up{job="shop"})', 3);
      await expectCalls(prometheus, processCalls, 'job="shop"');
    });
  });
});
