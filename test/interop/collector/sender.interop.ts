import type { AddressInfo } from 'node:net';
import { type ServerType, serve } from '@hono/node-server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ReadableSpan } from '../../../adapters/node/index.ts';
import { fromHrTime } from '../../../src/clock.ts';
import { createCollector } from '../../../src/collector/index.ts';
import { protobuf } from '../../../src/otlp/protobuf.ts';
import { getJson, getMetrics } from '../../collector/support.ts';
import { freePorts, type Peer, startPeer, until } from '../peer.ts';
import { attributes, createProgram, createShop, recordSpans, remote, scope, seriesPerMetric } from '../program.ts';
import { buildPeer } from './build.ts';
import { untilReady } from './run.ts';

const built = await buildPeer('collector');
const title = 'an OpenTelemetry Collector that sends on to ours';

/** What its `otlp_http` exporter is told, and what its requests are then like. */
const wires = {
  protobuf: { settings: {}, type: 'application/x-protobuf', packed: 'gzip' },
  json: { settings: { encoding: 'json' }, type: 'application/json', packed: 'gzip' },
  plain: { settings: { encoding: 'json', compression: 'none' }, type: 'application/json', packed: undefined },
} as const;
type Wire = keyof typeof wires;
const names = Object.keys(wires) as Wire[];

const keys = { sesame: 'shop' };
const asTenant = { 'x-api-key': 'sesame' };
const asAdmin = { 'x-api-key': 'hunter2' };

describe.skipIf('missing' in built)('missing' in built ? `${title} (${built.missing})` : title, () => {
  const collector = createCollector({ keys, adminKey: 'hunter2' });
  /** What came: path, content type and encoding. */
  const requests = new Set<string>();
  let server: ServerType;
  let sender: Peer;
  let ports: Record<Wire, number>;

  beforeAll(async () => {
    const fetch = (request: Request) => {
      const { headers, url } = request;
      requests.add([new URL(url).pathname, headers.get('content-type'), headers.get('content-encoding')].join(' '));
      return collector.fetch(request);
    };
    server = serve({ fetch, port: 0, hostname: '127.0.0.1' });
    await new Promise((resolve) => server.once('listening', resolve));
    const free = await freePorts(names.length);
    ports = Object.fromEntries(names.map((name, i) => [name, free[i]])) as Record<Wire, number>;
    sender = startPeer((built as { path: string }).path, ['--config', `yaml:${JSON.stringify(configure())}`]);
    await untilReady(sender);
  });
  afterAll(async () => {
    await sender?.stop();
    server?.close();
  });

  /** A pipeline for each wire: what comes by its receiver leaves by its exporter. */
  function configure() {
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const each = <T>(kind: string, of: (name: Wire) => T) =>
      Object.fromEntries(names.map((name) => [`${kind}/${name}`, of(name)]));
    const through = (name: Wire) => ({ receivers: [`otlp/${name}`], exporters: [`otlp_http/${name}`] });
    return {
      receivers: each('otlp', (name) => ({ protocols: { http: { endpoint: `127.0.0.1:${ports[name]}` } } })),
      exporters: each('otlp_http', (name) => ({ endpoint, headers: asTenant, ...wires[name].settings })),
      service: {
        telemetry: { metrics: { level: 'none' } },
        pipelines: { ...each('traces', through), ...each('metrics', through) },
      },
    };
  }

  function program(wire: Wire, service: string, temporality?: 'delta' | 'cumulative') {
    const otlp = {
      endpoint: `http://127.0.0.1:${ports[wire]}`,
      encoder: protobuf,
      ...(temporality && { temporality }),
    };
    return createProgram({ serviceName: service, otlp, metrics: { enabled: temporality !== undefined } });
  }

  describe.each(names)('by %s', (wire) => {
    it('gives back each span as it was sent', async () => {
      const service = `spans ${wire}`;
      const telemetry = program(wire, service);
      await recordSpans(telemetry);
      const sent = telemetry.spans;
      expect(await telemetry.shutdown()).toMatchObject({ ok: true, traces: { sent: 7 } });

      for (const traceId of new Set(sent.map((span) => span.spanContext().traceId))) {
        const spans = sent.filter((span) => span.spanContext().traceId === traceId);
        const shown = await until(`trace ${traceId}`, async () => {
          const answer = await getJson(collector, `/v1/traces/${traceId}`, asTenant);
          return (answer.spans as { span_id: string }[] | undefined)?.length === spans.length ? answer : undefined;
        });
        const byId = (a: { span_id: string }, b: { span_id: string }) => (a.span_id < b.span_id ? -1 : 1);
        expect((shown.spans as { span_id: string }[]).toSorted(byId)).toEqual(spans.map(describeSpan).toSorted(byId));
        expect(await getJson(collector, `/v1/traces/${traceId}`, asAdmin)).toMatchObject({ error: {} });
      }
      const settle = sent.find(({ name }) => name === 'settle')!;
      expect(describeSpan(settle)).toMatchObject({
        ...{ kind: 'producer', status: 'error', status_message: 'refused', attributes, scope },
        events: [{ name: 'queued', attributes: { place: 3, share: 0.25 } }, { name: 'exception' }],
        links: [{ trace_id: remote.traceId, span_id: remote.spanId, attributes: { reason: 'retry', attempt: 2 } }],
        resource: { 'service.name': service, 'host.cpus': 2, 'host.load': 0.5, 'host.spot': true },
      });
      expect(requests).toContain(`/v1/traces ${wires[wire].type} ${wires[wire].packed ?? ''}`);
    });

    it.each(['cumulative', 'delta'] as const)('shows metrics as they were counted, %s', async (temporality) => {
      const service = `${temporality} ${wire}`;
      const telemetry = program(wire, service, temporality);
      const shop = createShop(telemetry);
      for (const sales of [1, 2]) {
        for (let sale = 0; sale < sales; sale++) shop.sell();
        expect(await telemetry.flush()).toMatchObject({ ok: true });
      }
      const from = `environment="staging"`;
      const of = `service="${service}"`;
      const shopA = String.raw`shop="größe \"1\"\n"`;
      const expected = [
        `orders_total{${from},${of},${shopA}} 3`,
        `orders_total{${from},${of},shop="b"} 6`,
        `revenue_USD_total{${from},${of},${shopA}} 0.75`,
        `stock_items{${from},${of},${shopA}} 98`,
        `open_orders{${from},${of},${shopA}} 1`,
        `basket_seconds_bucket{${from},${of},${shopA},le="0.25"} 3`,
        `basket_seconds_bucket{${from},${of},${shopA},le="1"} 6`,
        `basket_seconds_bucket{${from},${of},${shopA},le="4"} 6`,
        `basket_seconds_bucket{${from},${of},${shopA},le="+Inf"} 9`,
        `basket_seconds_sum{${from},${of},${shopA}} 29.25`,
        `basket_seconds_count{${from},${of},${shopA}} 9`,
        `payments_total{attempt="2",${from},methods="[\\"card\\",\\"cash\\"]",ratio="0.5",retried="true",${of}} 3`,
        `crowd_total{${from},otel_metric_overflow="true",${of}} 30`,
        `crowd_total{${from},${of},user="u${seriesPerMetric - 1}"} 3`,
      ];
      const lines = await until(`three sales of ${service}`, async () => {
        const page = (await getMetrics(collector, asAdmin)).split('\n').filter((line) => line.includes(of));
        const plain = page.map((line) => line.replace(/otel_scope_\w+="[^"]*",/g, ''));
        return plain.includes(expected[0]!) ? plain : undefined;
      });
      expect(lines).toEqual(expect.arrayContaining(expected));
      expect(requests).toContain(`/v1/metrics ${wires[wire].type} ${wires[wire].packed ?? ''}`);
      await telemetry.shutdown();
    });
  });

  it('had nothing to complain of', () => {
    expect(sender.output()).not.toMatch(/\b(error|partial|dropp|retry)/i);
  });
});

const kinds = ['internal', 'server', 'client', 'producer', 'consumer'];
const statuses = ['unset', 'ok', 'error'];

const nanosOf = ([seconds, nanos]: ReadableSpan['startTime']) => BigInt(seconds) * 1_000_000_000n + BigInt(nanos);

/** A span of the sender's as the query API should show it. */
function describeSpan(span: ReadableSpan) {
  const { name, kind, status, events, links, resource, instrumentationScope } = span;
  const { traceId, spanId } = span.spanContext();
  return {
    ...{ trace_id: traceId, span_id: spanId, name, kind: kinds[kind] },
    ...(span.parentSpanContext && { parent_span_id: span.parentSpanContext.spanId }),
    service: resource.attributes['service.name'],
    start_ms: fromHrTime(span.startTime),
    end_ms: fromHrTime(span.endTime),
    // On the wire a span has a start and an end.
    duration_ms: Number(nanosOf(span.endTime) - nanosOf(span.startTime)) / 1e6,
    status: statuses[status.code],
    ...(status.message && { status_message: status.message }),
    attributes: span.attributes,
    resource: resource.attributes,
    scope: instrumentationScope,
    events: events.map(({ name, time, attributes = {} }) => ({ name, time_ms: fromHrTime(time), attributes })),
    links: links.map(({ context, attributes }) => ({
      ...{ trace_id: context.traceId, span_id: context.spanId, attributes },
    })),
  };
}
