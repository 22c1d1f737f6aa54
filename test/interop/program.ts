import { type Attributes, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import {
  createTelemetry,
  type ReadableSpan,
  type Telemetry,
  type TelemetryOptions,
} from '../../adapters/node/index.ts';

/** One model's price, so that costs are known to the cent. */
const prices = { 'acme-1': { input: 1000, output: 4000 } };

const completion = {
  id: 'chatcmpl-7',
  object: 'chat.completion',
  created: 1_800_000_000,
  model: 'acme-1',
  choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'Shoes.' } }],
  usage: { prompt_tokens: 20, completion_tokens: 5, total_tokens: 25 },
};

/** Series of a metric before the overflow; the library's own families need fewer. */
export const seriesPerMetric = 30;

/** A telemetry on Node whose model calls are answered by a stand-in. Only its owner flushes it. */
export function createProgram(options: TelemetryOptions): Telemetry {
  return createTelemetry({
    fetch: async () => Response.json(completion),
    prices,
    inMemory: true,
    flush: { intervalMs: 3_600_000, maxRetries: 0, timeoutMs: 30_000 },
    limits: { seriesPerMetric },
    environment: 'staging',
    resource: { 'host.cpus': 2, 'host.load': 0.5, 'host.spot': true, 'host.tags': ['a', 'b'] },
    ...options,
  });
}

/** Of all the kinds that OpenTelemetry has. */
export const attributes: Attributes = {
  text: 'größe "😀"\n\\',
  empty: '',
  int: 42,
  negative: -7,
  large: Number.MAX_SAFE_INTEGER,
  double: 0.5,
  tiny: 1e-300,
  flag: true,
  off: false,
  strings: ['a', 'b"\n'],
  numbers: [1, 2.5],
  flags: [true, false],
  nothing: [],
  map: { inner: { deep: [1, 'x'] } },
};

/** The remote span that a settlement continues. */
export const remote = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 };

export const scope = { name: 'shop.checkout', version: '2.1.0', schemaUrl: 'https://opentelemetry.io/schemas/1.30.0' };

/** An agent with a tool, a retrieval and a model call, a tool that fails, and a span of OpenTelemetry's own tracer. */
export async function recordSpans(telemetry: Telemetry): Promise<void> {
  const search = telemetry.tool({ name: 'search' }, async (_what: string) => ['boots']);
  const recall = telemetry.retrieval({ name: 'memory', count: (found: string[]) => found.length }, async () => [
    'a',
    'b',
  ]);
  const fail = telemetry.tool({ name: 'pay' }, async () => {
    throw new TypeError('no "money"\n');
  });
  const shopper = telemetry.agent({ name: 'shopper' }, async () => {
    await search('shoes');
    await recall();
    await callModel(telemetry);
    await fail().catch(() => undefined);
  });
  await shopper();
  recordSettlement(telemetry);
}

/** One model call: 20 tokens in, 5 out, 0.04 dollars. */
export async function callModel(telemetry: Telemetry): Promise<void> {
  const response = await telemetry.fetch('https://api.openai.com/v1/chat/completions', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'acme-1', temperature: 0.25, messages: [{ role: 'user', content: 'Shoes?' }] }),
  });
  await response.json();
}

function recordSettlement(telemetry: Telemetry): void {
  const tracer = telemetry.tracerProvider.getTracer(scope.name, scope.version, { schemaUrl: scope.schemaUrl });
  const links = [{ context: remote, attributes: { reason: 'retry', attempt: 2 } }];
  const span = tracer.startSpan('settle', { kind: SpanKind.PRODUCER, attributes, links });
  span.addEvent('queued', { place: 3, share: 0.25 });
  span.recordException(new RangeError('too "much"'));
  span.setStatus({ code: SpanStatusCode.ERROR, message: 'refused' });
  span.end();
  tracer.startSpan('settled', { kind: SpanKind.CONSUMER }).setStatus({ code: SpanStatusCode.OK }).end();
}

/** Each call adds the same to every counter and histogram, in a span that becomes their exemplar. */
export interface Shop {
  sell(): ReadableSpan;
}

export const basketBuckets = [0.25, 1, 4];

export function createShop(telemetry: Telemetry): Shop {
  const { metrics } = telemetry;
  const orders = metrics.counter('orders_total', { help: 'Orders, "all"', labels: ['shop'] });
  const revenue = metrics.counter('revenue', { unit: 'USD', labels: ['shop'] });
  const stock = metrics.gauge('stock_items', { labels: ['shop'] });
  const basket = metrics.histogram('basket_seconds', { unit: 's', labels: ['shop'], buckets: basketBuckets });
  const crowd = metrics.counter('crowd_total', { labels: ['user'] });
  const meter = telemetry.meterProvider.getMeter(scope.name, scope.version, { schemaUrl: scope.schemaUrl });
  const open = meter.createUpDownCounter('open_orders', { unit: '{order}' });
  const payments = meter.createCounter('payments');
  let sales = 0;

  function record(): void {
    const shop = 'größe "1"\n';
    orders.inc({ shop });
    orders.inc({ shop: 'b' }, 2);
    revenue.inc({ shop }, 0.25);
    stock.set({ shop }, 100 - sales);
    for (const seconds of [0.25, 0.5, 9]) basket.observe({ shop }, seconds);
    for (let user = 0; user < seriesPerMetric + 10; user++) crowd.inc({ user: `u${user}` });
    open.add(sales === 1 ? -3 : 2, { shop });
    payments.add(1, { retried: true, attempt: 2, ratio: 0.5, methods: ['card', 'cash'] });
  }

  return {
    sell() {
      telemetry.span('sale', record);
      sales++;
      return telemetry.spans.at(-1)!;
    },
  };
}
