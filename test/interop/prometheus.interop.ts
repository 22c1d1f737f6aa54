import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMetricsServer, type MetricsServer, type Telemetry } from '../../adapters/node/index.ts';
import { protobuf } from '../../src/otlp/protobuf.ts';
import { buildPeer } from './collector/build.ts';
import { isMissing, until } from './peer.ts';
import { basketBuckets, callModel, createProgram, createShop, recordSpans, seriesPerMetric } from './program.ts';
import { type Prometheus, startPrometheus, token, untilQuery } from './prometheus.ts';

interface Target {
  health: string;
  lastError: string;
  scrapeUrl: string;
}

const debian = isMissing('prometheus', ['--version']);
const built = await buildPeer('prometheus');

describe.skipIf(debian)('Prometheus 2 (skipped where it is not installed)', () => {
  scrapes({ start: (url) => startPrometheus('prometheus', url, ['--enable-feature=exemplar-storage']), utf8: false });
});

describe.skipIf('missing' in built)(`Prometheus 3${'missing' in built ? ` (${built.missing})` : ''}`, () => {
  const path = 'path' in built ? built.path : '';
  scrapes({ start: (url) => startPrometheus(path, url, ['--enable-feature=exemplar-storage']), utf8: true });
  pushes(() =>
    startPrometheus(path, undefined, [
      '--web.enable-otlp-receiver',
      '--enable-feature=exemplar-storage,otlp-deltatocumulative',
    ]),
  );
});

/** What a scraper of our page must find. */
function scrapes({ start, utf8 }: { start: (url: string) => Promise<Prometheus>; utf8: boolean }): void {
  let telemetry: Telemetry;
  let server: MetricsServer;
  let prometheus: Prometheus;
  /** Sampled spans, whose ids exemplars name. */
  const sales: { traceId: string; spanId: string }[] = [];

  beforeAll(async () => {
    telemetry = createProgram({ serviceName: 'shop', serviceVersion: '1.2.3' });
    telemetry.metrics.gauge('limit_items', { labels: ['side'] }).set({ side: 'upper' }, Number.POSITIVE_INFINITY);
    telemetry.metrics.gauge('limit_items', { labels: ['side'] }).set({ side: 'lower' }, Number.NEGATIVE_INFINITY);
    telemetry.meter.createCounter('größe.bytes', { unit: 'By' });
    telemetry.meter.createCounter('http.server.sent', { unit: 'By' }).add(7, { 'url.path': '/a' });
    const shop = createShop(telemetry);
    sales.push(shop.sell().spanContext(), shop.sell().spanContext());
    await recordSpans(telemetry);
    server = createMetricsServer(telemetry, { port: 0, host: '127.0.0.1', token });
    await server.start();
    prometheus = await start(server.url);
    await until('a scrape', async () => ((await prometheus.query('up{job="shop"}')) === 1 ? true : undefined));
  });
  afterAll(async () => {
    await prometheus?.stop();
    await server?.stop();
    await telemetry?.shutdown();
  });

  it('is up, without a scrape error', async () => {
    const { activeTargets } = await prometheus.get<{ activeTargets: Target[] }>('targets');
    expect(activeTargets).toMatchObject([{ health: 'up', lastError: '', scrapeUrl: server.url }]);
    expect(await prometheus.query('scrape_samples_scraped')).toBeGreaterThan(50);
    expect(await prometheus.query('scrape_samples_scraped - scrape_samples_post_metric_relabeling')).toBe(0);
  });

  it('adds up counters', async () => {
    await untilQuery(prometheus, 'sum(llm_requests_total)', 1);
    await untilQuery(
      prometheus,
      'llm_requests_total{provider="openai",model="acme-1",operation="chat",status="ok",agent="shopper"}',
      1,
    );
    await untilQuery(prometheus, 'sum by (token_type) (llm_tokens_total{token_type="input"})', 20);
    await untilQuery(prometheus, 'sum(llm_cost_usd_total)', 0.04);
    await untilQuery(prometheus, 'sum(llm_tool_executions_total{status="error"})', 1);
    await untilQuery(prometheus, String.raw`orders_total{shop="größe \"1\"\n"}`, 2);
    await untilQuery(prometheus, 'sum(crowd_total)', 2 * (seriesPerMetric + 10));
    await untilQuery(prometheus, 'crowd_total{otel_metric_overflow="true"}', 20);
    await untilQuery(prometheus, 'open_orders', -1);
    await untilQuery(prometheus, 'limit_items{side="upper"}', Number.POSITIVE_INFINITY);
    await untilQuery(prometheus, 'limit_items{side="lower"}', Number.NEGATIVE_INFINITY);
  });

  it('finds quantiles in histograms', async () => {
    const [, second, third] = basketBuckets;
    // Of 0.25, 0.5 and 9 seconds the middle one lies halfway into the second bucket.
    await untilQuery(
      prometheus,
      'histogram_quantile(0.5, sum by (le) (basket_seconds_bucket))',
      0.25 + (second! - 0.25) / 2,
    );
    await untilQuery(prometheus, 'histogram_quantile(0.99, sum by (le) (basket_seconds_bucket))', third!);
    await untilQuery(prometheus, 'basket_seconds_sum / basket_seconds_count', 3.25);
    await untilQuery(prometheus, 'count(llm_request_duration_seconds_bucket)', 11);
    const quantile = await prometheus.query(
      'histogram_quantile(0.5, sum by (le) (llm_request_duration_seconds_bucket))',
    );
    expect(quantile).toBeGreaterThan(0);
    expect(quantile).toBeLessThanOrEqual(60);
  });

  it('knows who emits', async () => {
    const instance = telemetry.spans[0]!.resource.attributes['service.instance.id'];
    const name = (dotted: string) => (utf8 ? `"${dotted}"` : dotted.replaceAll('.', '_'));
    const labels = {
      'service.name': 'shop',
      'service.version': '1.2.3',
      'deployment.environment.name': 'staging',
      'host.cpus': '2',
      'service.instance.id': instance,
    };
    const matchers = Object.entries(labels).map(([label, value]) => `${name(label)}="${value}"`);
    await untilQuery(prometheus, `target_info{${matchers}}`, 1);
    const version = name('service.version');
    const joined = `llm_requests_total * on (job, instance) group_left(${version}) target_info`;
    await untilQuery(prometheus, `sum by (${version}) (${joined})`, 1);
  });

  it('keeps type, unit and help', async () => {
    type Metadata = Record<string, { type: string; help: string; unit: string }[]>;
    const metadata = await prometheus.get<Metadata>('metadata');
    expect(metadata.basket_seconds).toMatchObject([{ type: 'histogram', unit: 'seconds' }]);
    const [orders] = metadata.orders_total ?? metadata.orders ?? [];
    expect(orders).toMatchObject({ type: 'counter', help: 'Orders, "all"' });
    expect(metadata.stock_items).toMatchObject([{ type: 'gauge' }]);
  });

  it('stores exemplars', async () => {
    type Series = {
      seriesLabels: Record<string, string>;
      exemplars: { labels: Record<string, string>; value: string; timestamp: number }[];
    };
    const query = async (text: string) => {
      const found = await prometheus.get<Series[]>('query_exemplars', {
        query: text,
        start: '0',
        end: `${Date.now() / 1000 + 60}`,
      });
      return found.length > 0 ? found : undefined;
    };
    const { traceId, spanId } = sales[1]!;
    const buckets = await until('exemplars', () => query('basket_seconds_bucket'));
    const byBucket = buckets.map(({ seriesLabels, exemplars }) => [
      seriesLabels.le,
      exemplars.map(({ value }) => Number(value)),
    ]);
    expect(byBucket.sort()).toEqual(
      [
        ['+Inf', [9]],
        ['0.25', [0.25]],
        ['1.0', [0.5]],
      ]
        .map(([le, values]) => [normalBound(buckets, le as string), values])
        .sort(),
    );
    for (const { exemplars } of buckets) expect(exemplars[0]!.labels).toEqual({ trace_id: traceId, span_id: spanId });
    const orders = await until('exemplars', () => query('orders_total'));
    expect(orders[0]!.exemplars[0]!.labels).toEqual({ trace_id: traceId, span_id: spanId });
  });

  it('sees names of OpenTelemetry, by what it asked for', async () => {
    const query = utf8
      ? '{"http.server.sent_bytes_total","url.path"="/a"}'
      : 'http_server_sent_bytes_total{url_path="/a"}';
    await untilQuery(prometheus, query, 7);
  });

  it('follows what happens', async () => {
    for (const calls of [2, 3]) {
      await callModel(telemetry);
      await untilQuery(prometheus, 'sum(llm_requests_total)', calls);
    }
    await untilQuery(prometheus, 'sum(increase(llm_tokens_total{token_type="output"}[1h])) > bool 0', 1);
    const { activeTargets } = await prometheus.get<{ activeTargets: Target[] }>('targets');
    expect(activeTargets).toMatchObject([{ health: 'up', lastError: '' }]);
  });
}

/** Bounds are written `1` in one format and `1.0` in the other; Prometheus 3 makes them equal. */
function normalBound(series: { seriesLabels: Record<string, string> }[], bound: string): string {
  return series.some(({ seriesLabels }) => seriesLabels.le === bound) ? bound : bound.replace('.0', '');
}

/** What an OTLP receiver of Prometheus must find, which takes protobuf and JSON. */
function pushes(start: () => Promise<Prometheus>): void {
  describe.each([
    ['JSON', 'gzip', 'cumulative'],
    ['JSON', 'none', 'delta'],
    ['protobuf', 'gzip', 'delta'],
    ['protobuf', 'none', 'cumulative'],
  ] as const)('by OTLP, %s, compression %s, %s', (encoding, compression, temporality) => {
    let prometheus: Prometheus;
    beforeAll(async () => {
      prometheus = await start();
    });
    afterAll(() => prometheus?.stop());

    it('adds up', async () => {
      const telemetry = createProgram({
        serviceName: 'shop',
        serviceVersion: '1.2.3',
        otlp: {
          endpoint: `${prometheus.url}/api/v1/otlp`,
          compression,
          temporality,
          ...(encoding === 'protobuf' && { encoder: protobuf }),
        },
      });
      const shop = createShop(telemetry);
      for (const sales of [1, 2]) {
        for (let sale = 0; sale < sales; sale++) shop.sell();
        // Prometheus has no traces: its 404 is counted, and metrics arrive all the same.
        const { metrics } = await telemetry.flush();
        expect(metrics).toMatchObject({ dropped: 0, pending: 0 });
        expect(metrics.lastError).toBeUndefined();
      }
      await untilQuery(prometheus, String.raw`orders_total{job="shop",shop="größe \"1\"\n"}`, 3);
      await untilQuery(prometheus, 'sum(crowd_total)', 3 * (seriesPerMetric + 10));
      await untilQuery(prometheus, 'basket_seconds_sum / basket_seconds_count', 3.25);
      await untilQuery(prometheus, 'histogram_quantile(0.5, sum by (le) (basket_seconds_bucket))', 0.625);
      await untilQuery(prometheus, 'sum(open_orders)', 1);
      await untilQuery(prometheus, 'target_info{service_version="1.2.3"}', 1);
      await telemetry.shutdown();
    });
  });
}
