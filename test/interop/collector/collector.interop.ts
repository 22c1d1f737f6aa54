import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FlushResult, TelemetryError, TelemetryOptions } from '../../../adapters/node/index.ts';
import { protobuf } from '../../../src/otlp/protobuf.ts';
import { type Metrics, type Traces, toPlain, toWire } from '../otlp-json.ts';
import { freePorts, until } from '../peer.ts';
import {
  attributes,
  basketBuckets,
  createProgram,
  createShop,
  recordSpans,
  remote,
  scope,
  seriesPerMetric,
} from '../program.ts';
import { buildPeer } from './build.ts';
import { type Collector, findMetric, findSpan, smallBodyBytes, startCollector, token } from './run.ts';

const built = await buildPeer('collector');
const title = 'an OpenTelemetry Collector';

const wires = [
  { encoding: 'JSON', compression: 'none' },
  { encoding: 'JSON', compression: 'gzip' },
  { encoding: 'protobuf', compression: 'none' },
  { encoding: 'protobuf', compression: 'gzip' },
] as const;

type Wire = (typeof wires)[number];
type Otlp = NonNullable<TelemetryOptions['otlp']>;

function toOtlp({ encoding, compression }: Wire): Otlp {
  return { compression, ...(encoding === 'protobuf' && { encoder: protobuf }) };
}

describe.skipIf('missing' in built)('missing' in built ? `${title} (${built.missing})` : title, () => {
  let collector: Collector;
  beforeAll(async () => {
    collector = await startCollector((built as { path: string }).path);
  });
  afterAll(() => collector?.stop());

  function program(service: string, otlp: Otlp, options: TelemetryOptions = {}) {
    return createProgram({ ...options, serviceName: service, otlp: { endpoint: collector.endpoint, ...otlp } });
  }

  describe.each(wires)('takes $encoding, compression $compression', (wire) => {
    const name = (what: string) => `${what} ${wire.encoding} ${wire.compression}`;

    it('spans', async () => {
      const service = name('spans');
      const telemetry = program(service, toOtlp(wire), { metrics: { enabled: false } });
      await recordSpans(telemetry);
      const sent = telemetry.spans;
      const none = { sent: 0, dropped: 0, pending: 0 };
      expect(await telemetry.shutdown()).toEqual({
        ok: true,
        traces: { sent: sent.length, dropped: 0, pending: 0 },
        metrics: none,
      });

      const batches = await until('spans', () => atLeast(collector.traces(service), 1));
      for (const span of sent) {
        const found = findSpan(batches, span.name);
        const { traceId, spanId } = span.spanContext();
        expect(found).toMatchObject({
          traceId,
          spanId,
          kind: span.kind + 1,
          startTimeUnixNano: toNanos(span.startTime),
          endTimeUnixNano: toNanos(span.endTime),
        });
        expect(found.parentSpanId || undefined).toBe(span.parentSpanContext?.spanId);
        expect(toPlain(found.attributes)).toEqual(toWire(span.attributes));
      }
      expect(sent.map((span) => span.name).sort()).toEqual([
        'chat acme-1',
        'execute_tool pay',
        'execute_tool search',
        'invoke_agent shopper',
        'retrieval memory',
        'settle',
        'settled',
      ]);
      expectTree(batches);
      expectSettlement(batches);
      expectResource(batches, service, telemetry.spans[0]!.resource.attributes['service.instance.id']);
    });

    it('cumulative metrics', async () => {
      const service = name('cumulative');
      const telemetry = program(service, { ...toOtlp(wire), temporality: 'cumulative' });
      const shop = createShop(telemetry);
      const sale = shop.sell();
      expect(await telemetry.flush()).toMatchObject({ ok: true });
      shop.sell();
      expect(await telemetry.flush()).toMatchObject({ ok: true });

      const [first, second] = await until('metrics', () => atLeast(collector.metrics(service), 2));
      expectShop(first!, { sales: 1, temporality: 2 });
      expectShop(second!, { sales: 2, temporality: 2 });
      expectOverflow(second!, 10 * 2);
      expectScopes(second!);
      if (wire.encoding === 'JSON') expectExemplars(first!, sale.spanContext());
      await expectPage(collector, service, 2);
      await telemetry.shutdown();
    });

    it('deltas, which deltatocumulative adds up', async () => {
      const service = name('delta');
      const telemetry = program(service, { ...toOtlp(wire), temporality: 'delta' });
      const shop = createShop(telemetry);
      for (const sales of [1, 2, 1]) {
        for (let sale = 0; sale < sales; sale++) shop.sell();
        expect(await telemetry.flush()).toMatchObject({ ok: true });
      }
      const batches = await until('metrics', () => atLeast(collector.metrics(service), 3));
      expectShop(batches[0]!, { sales: 1, temporality: 1 });
      expectShop(batches[1]!, { sales: 2, soldBefore: 1, temporality: 1 });
      expectShop(batches[2]!, { sales: 1, soldBefore: 3, temporality: 1 });
      expectOverflow(batches[1]!, 10 * 2);
      const times = batches.map((batch) => findMetric(batch, 'orders_total').sum!.dataPoints[0]!);
      expect(times[1]!.startTimeUnixNano).toBe(times[0]!.timeUnixNano);
      expect(times[2]!.startTimeUnixNano).toBe(times[1]!.timeUnixNano);
      await expectPage(collector, service, 4);
      await telemetry.shutdown();
    });
  });

  it('shows the exemplars of JSON deltas on its OpenMetrics page', async () => {
    const telemetry = program('exemplars', { temporality: 'delta' });
    const { traceId, spanId } = createShop(telemetry).sell().spanContext();
    await telemetry.flush();
    const line = await until('the exemplar', async () => {
      const lines = (await collector.page(true)).split('\n').filter((each) => each.includes('job="exemplars"'));
      return lines.find((each) => each.startsWith('basket_seconds_bucket') && each.includes('le="+Inf"'));
    });
    expect(line).toContain(`trace_id="${traceId}"`);
    expect(line).toContain(`span_id="${spanId}"`);
    await telemetry.shutdown();
  });

  it('takes what has its token, below a base path', async () => {
    const telemetry = program('guarded', {
      endpoint: collector.guardedEndpoint,
      headers: { authorization: `Bearer ${token}` },
    });
    createShop(telemetry).sell();
    expect(await telemetry.shutdown()).toMatchObject({ ok: true, traces: { sent: 1 } });
    findSpan(await until('the span', () => atLeast(collector.traces('guarded'), 1)), 'sale');
    await until('metrics', () => atLeast(collector.metrics('guarded'), 1));
  });

  it.each([
    ['without its token', () => ({}), 401],
    ['with a wrong one', () => ({ authorization: 'Bearer wrong-secret-5678' }), 401],
  ])('refuses what comes %s', async (_, headers, status) => {
    const errors: TelemetryError[] = [];
    const service = `refused ${JSON.stringify(headers())}`;
    const otlp = { endpoint: collector.guardedEndpoint, headers };
    const telemetry = program(service, otlp, { metrics: { enabled: false }, onError: (error) => errors.push(error) });
    telemetry.span('secret', () => {});
    const { ok, traces } = await telemetry.shutdown();
    expect({ ok, ...traces }).toMatchObject({ ok: false, sent: 0, dropped: 1, pending: 0 });
    expect(traces.lastError).toMatchObject({ code: 'export_refused', message: expect.stringContaining(`${status}`) });
    expect(errors.map((error) => error.code)).toEqual(['export_refused']);
    expect(`${traces.lastError}`).not.toContain('wrong-secret');
    expect(telemetry.metrics.value('edgespan_dropped_total', { signal: 'traces', reason: 'refused' })).toBe(1);
    expect(collector.traces(service)).toEqual([]);
  });

  it('refuses a path that it does not serve', async () => {
    const otlp = { endpoint: `${collector.endpoint}/elsewhere` };
    const telemetry = program('lost', otlp, { metrics: { enabled: false } });
    telemetry.span('lost', () => {});
    const { traces } = await telemetry.shutdown();
    expect(traces).toMatchObject({ sent: 0, dropped: 1, lastError: { code: 'export_refused' } });
    expect(traces.lastError?.message).toContain('404');
  });

  it('says 400 of a body beyond its limit, which is no invitation to send halves', async () => {
    const otlp = { endpoint: collector.smallEndpoint };
    const telemetry = program('small', otlp, { metrics: { enabled: false } });
    telemetry.span('fits', () => {});
    expect((await telemetry.flush()).traces).toEqual({ sent: 1, dropped: 0, pending: 0 });
    telemetry.span(
      'long',
      { attributes: Object.fromEntries(['a', 'b', 'c'].map((key) => [key, key.repeat(smallBodyBytes / 2)])) },
      () => {},
    );
    const { traces } = await telemetry.shutdown();
    expect(traces).toMatchObject({ sent: 0, dropped: 1, lastError: { code: 'export_refused' } });
    expect(traces.lastError?.message).toMatch(/400.*too large/);
    const batches = await until('the span', () => atLeast(collector.traces('small'), 1));
    findSpan(batches, 'fits');
  });

  it('gets after its start what was recorded before', async () => {
    const ports = await freePorts(4);
    const otlp: Otlp = { endpoint: `http://127.0.0.1:${ports[0]}`, temporality: 'delta' };
    const telemetry = createProgram({ serviceName: 'early', otlp });
    const shop = createShop(telemetry);
    shop.sell();
    const early = await telemetry.flush();
    expect(early).toMatchObject({
      ok: false,
      traces: { sent: 0, dropped: 0, pending: 1 },
      metrics: { sent: 0, dropped: 0 },
    });
    expect(early.metrics.pending).toBeGreaterThan(0);
    shop.sell();

    const late = await startCollector((built as { path: string }).path, ports);
    try {
      const result: FlushResult = await telemetry.shutdown();
      expect(result).toMatchObject({
        ok: true,
        traces: { sent: 2, dropped: 0, pending: 0 },
        metrics: { dropped: 0, pending: 0 },
      });
      const [batch] = await until('metrics', () => atLeast(late.metrics('early'), 1));
      expectShop(batch!, { sales: 2, temporality: 1 });
      await expectPage(late, 'early', 2);
      const spans = late
        .traces('early')
        .flatMap(({ resourceSpans = [] }) =>
          resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((group) => group.spans)),
        );
      expect(spans.map((span) => span.name)).toEqual(['sale', 'sale']);
    } finally {
      await late.stop();
    }
  });
});

function atLeast<T>(items: readonly T[], count: number): readonly T[] | undefined {
  return items.length >= count ? items : undefined;
}

function toNanos([seconds, nanos]: readonly [number, number]): string {
  return `${BigInt(seconds) * 1_000_000_000n + BigInt(nanos)}`;
}

function expectTree(batches: readonly Traces[]): void {
  const agent = findSpan(batches, 'invoke_agent shopper');
  const children = ['execute_tool search', 'retrieval memory', 'chat acme-1', 'execute_tool pay'];
  for (const child of children.map((name) => findSpan(batches, name))) {
    expect([child.traceId, child.parentSpanId]).toEqual([agent.traceId, agent.spanId]);
    expect(BigInt(child.startTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(agent.startTimeUnixNano));
    expect(BigInt(child.endTimeUnixNano)).toBeLessThanOrEqual(BigInt(agent.endTimeUnixNano));
  }
  const call = findSpan(batches, 'chat acme-1');
  expect(call.kind).toBe(3);
  expect(toPlain(call.attributes)).toMatchObject({
    'gen_ai.provider.name': 'openai',
    'gen_ai.request.model': 'acme-1',
    'gen_ai.request.temperature': 0.25,
    'gen_ai.usage.input_tokens': 20n,
    'gen_ai.usage.output_tokens': 5n,
    'gen_ai.response.finish_reasons': ['stop'],
    'llm.cost_usd': 0.04,
  });
  const failed = findSpan(batches, 'execute_tool pay');
  expect(failed.status).toMatchObject({ code: 2 });
  expect(failed.events).toMatchObject([{ name: 'exception' }]);
  expect(toPlain(failed.events![0]!.attributes)).toMatchObject({
    'exception.type': 'TypeError',
    'exception.message': 'no "money"\n',
  });
}

function expectSettlement(batches: readonly Traces[]): void {
  const span = findSpan(batches, 'settle');
  expect(span).toMatchObject({ kind: 4, status: { code: 2, message: 'refused' } });
  expect(toPlain(span.attributes)).toEqual(toWire(attributes));
  expect(span.links).toMatchObject([{ traceId: remote.traceId, spanId: remote.spanId }]);
  expect(toPlain(span.links![0]!.attributes)).toEqual({ reason: 'retry', attempt: 2n });
  expect(span.events?.map((event) => event.name)).toEqual(['queued', 'exception']);
  expect(toPlain(span.events![0]!.attributes)).toEqual({ place: 3n, share: 0.25 });
  // W3C flags: sampled, and a random trace id; whether the parent is remote is known.
  expect(span.flags).toBe(0x103);
  expect(findSpan(batches, 'settled')).toMatchObject({ kind: 5, status: { code: 1 } });
}

function expectResource(batches: readonly Traces[], service: string, instance: unknown): void {
  const groups = batches.flatMap(({ resourceSpans = [] }) => resourceSpans);
  expect(groups).toHaveLength(1);
  expect(toPlain(groups[0]!.resource?.attributes)).toMatchObject({
    'service.name': service,
    'service.instance.id': instance,
    'telemetry.sdk.language': expect.any(String),
    'deployment.environment.name': 'staging',
    'host.cpus': 2n,
    'host.load': 0.5,
    'host.spot': true,
    'host.tags': ['a', 'b'],
  });
  const scopes = groups[0]!.scopeSpans.map(({ scope, schemaUrl, spans }) => [
    scope?.name,
    scope?.version,
    schemaUrl,
    spans.length,
  ]);
  expect(scopes).toEqual([
    ['edgespan', expect.any(String), undefined, 5],
    [scope.name, scope.version, scope.schemaUrl, 2],
  ]);
}

const firstShop = { shop: 'größe "1"\n' };

/** What a batch says of the shop: of its sales, after those before. */
function expectShop(
  batch: Metrics,
  { sales, soldBefore = 0, temporality }: { sales: number; soldBefore?: number; temporality: 1 | 2 },
): void {
  const orders = findMetric(batch, 'orders_total');
  expect(orders).toMatchObject({ description: 'Orders, "all"' });
  expect(orders.sum).toMatchObject({ aggregationTemporality: temporality, isMonotonic: true });
  expect(orders.sum!.dataPoints.map(({ attributes, asDouble }) => [toPlain(attributes), asDouble])).toEqual([
    [firstShop, sales],
    [{ shop: 'b' }, sales * 2],
  ]);
  const revenue = findMetric(batch, 'revenue');
  expect(revenue.unit).toBe('USD');
  const [earned] = revenue.sum!.dataPoints;
  expect(earned!.asDouble).toBe(sales * 0.25);
  const [stock] = findMetric(batch, 'stock_items').gauge!.dataPoints;
  expect(stock!.asDouble).toBe(100 - (soldBefore + sales - 1));

  const basket = findMetric(batch, 'basket_seconds');
  expect(basket).toMatchObject({ unit: 's', histogram: { aggregationTemporality: temporality } });
  const [point] = basket.histogram!.dataPoints;
  expect(toPlain(point!.attributes)).toEqual(firstShop);
  expect(point!.explicitBounds).toEqual(basketBuckets);
  expect(point!.bucketCounts!.map(Number)).toEqual([sales, sales, 0, sales]);
  expect([Number(point!.count), point!.sum]).toEqual([sales * 3, sales * 9.75]);

  // It goes down as well as up: its total is sent, whatever the preference. The second sale closes three orders.
  const open = findMetric(batch, 'open_orders');
  expect(open.sum).toMatchObject({ aggregationTemporality: 2 });
  expect(open.sum!.isMonotonic ?? false).toBe(false);
  const sold = soldBefore + sales;
  expect(open.sum!.dataPoints[0]!.asDouble).toBe(sold * 2 - (sold > 1 ? 5 : 0));

  const [payment] = findMetric(batch, 'payments').sum!.dataPoints;
  expect(toPlain(payment!.attributes)).toEqual({ retried: true, attempt: 2n, ratio: 0.5, methods: ['card', 'cash'] });
}

/** What exceeds the number of series adds up in one that carries the standard's mark. */
function expectOverflow(batch: Metrics, value: number): void {
  const points = findMetric(batch, 'crowd_total').sum!.dataPoints;
  expect(points).toHaveLength(seriesPerMetric + 1);
  const overflow = points.filter(({ attributes }) => toPlain(attributes)['otel.metric.overflow'] === true);
  expect(overflow.map(({ asDouble }) => asDouble)).toEqual([value]);
}

function expectScopes({ resourceMetrics = [] }: Metrics): void {
  expect(resourceMetrics).toHaveLength(1);
  const groups = resourceMetrics[0]!.scopeMetrics;
  const own = groups.find((group) => group.scope?.name === scope.name);
  expect(own).toMatchObject({ scope: { version: scope.version }, schemaUrl: scope.schemaUrl });
  expect(own!.metrics.map((metric) => metric.name)).toEqual(['open_orders', 'payments']);
}

function expectExemplars(batch: Metrics, { traceId, spanId }: { traceId: string; spanId: string }): void {
  const [point] = findMetric(batch, 'basket_seconds').histogram!.dataPoints;
  expect(point!.exemplars).toMatchObject(
    [0.25, 0.5, 9].map((asDouble) => ({ asDouble, traceId, spanId, timeUnixNano: expect.stringMatching(/^\d{19}$/) })),
  );
  const [orders] = findMetric(batch, 'orders_total').sum!.dataPoints;
  expect(orders!.exemplars).toMatchObject([{ traceId, spanId }]);
}

/** The Collector's own page, once it has everything. */
async function expectPage(collector: Collector, service: string, sales: number): Promise<void> {
  const labels = String.raw`shop="größe \"1\"\n"`;
  const sample = async (name: string, label: string) => {
    const lines = (await collector.page()).split('\n');
    const found = lines.filter(
      (line) => line.startsWith(`${name}{`) && [`job="${service}"`, label].every((part) => line.includes(part)),
    );
    return found.length === 1 ? Number(found[0]!.slice(found[0]!.lastIndexOf(' ') + 1)) : undefined;
  };
  await until(`${sales} sales on the Collector's page`, async () =>
    (await sample('orders_total', labels)) === sales ? true : undefined,
  );
  expect(await sample('orders_total', 'shop="b"')).toBe(sales * 2);
  expect(await sample('crowd_total', 'otel_metric_overflow="true"')).toBe(sales * 10);
  expect(await sample('revenue_USD_total', labels)).toBe(sales * 0.25);
  expect(await sample('stock_items', labels)).toBe(100 - (sales - 1));
  expect(await sample('open_orders', labels)).toBe(sales * 2 - (sales > 1 ? 5 : 0));
  expect(await sample('basket_seconds_bucket', 'le="0.25"')).toBe(sales);
  expect(await sample('basket_seconds_bucket', 'le="1"')).toBe(sales * 2);
  expect(await sample('basket_seconds_bucket', 'le="4"')).toBe(sales * 2);
  expect(await sample('basket_seconds_bucket', 'le="+Inf"')).toBe(sales * 3);
  expect(await sample('basket_seconds_sum', labels)).toBe(sales * 9.75);
  expect(await sample('basket_seconds_count', labels)).toBe(sales * 3);
  expect(await sample('target_info', 'host_cpus="2"')).toBe(1);
}
