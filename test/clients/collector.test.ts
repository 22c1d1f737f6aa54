import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { CompressionAlgorithm, OTLPExporterBase } from '@opentelemetry/otlp-exporter-base';
import { convertLegacyHttpOptions, createOtlpHttpExportDelegate } from '@opentelemetry/otlp-exporter-base/node-http';
import {
  JsonTraceSerializer,
  ProtobufTraceSerializer,
  TraceExporterMetricsHelper,
} from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, type ReadableSpan, TracerProvider } from '@opentelemetry/sdk-trace';
import { afterEach, describe, expect, it } from 'vitest';
import { createCollector } from '../../src/collector/index.ts';
import { getJson, getMetrics } from '../collector/support.ts';

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

async function start(collector: ReturnType<typeof createCollector>): Promise<string> {
  const server = serve({ fetch: collector.fetch, port: 0, hostname: '127.0.0.1' });
  stops.push(() => server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** As `@opentelemetry/exporter-trace-otlp-http` and `-proto` put their parts together. */
class HttpExporter extends OTLPExporterBase<ReadableSpan[]> {
  constructor(url: string, format: 'json' | 'protobuf', headers: Record<string, string>, gzip: boolean) {
    const serializer = format === 'json' ? JsonTraceSerializer : ProtobufTraceSerializer;
    const type = format === 'json' ? 'application/json' : 'application/x-protobuf';
    const compression = gzip ? CompressionAlgorithm.GZIP : CompressionAlgorithm.NONE;
    const config = { url: `${url}/v1/traces`, headers, compression };
    super(
      createOtlpHttpExportDelegate(
        convertLegacyHttpOptions(config, 'TRACES', 'v1/traces', { 'Content-Type': type }),
        serializer,
        'otlp_http_span_exporter',
        TraceExporterMetricsHelper,
        undefined,
      ),
    );
  }
}

describe('the exporters of OpenTelemetry’s SDK 3', () => {
  it.each([
    ['json', false],
    ['json', true],
    ['protobuf', false],
    ['protobuf', true],
  ] as const)('send %s (gzip: %s), and what comes back is what was sent', async (format, gzip) => {
    const collector = createCollector({ keys: { 'key-a': 'a' }, adminKey: 'root' });
    const url = await start(collector);
    const exporter = new HttpExporter(url, format, { 'x-api-key': 'key-a' }, gzip);
    const provider = new TracerProvider({
      resource: resourceFromAttributes({ 'service.name': 'sdk', 'deployment.environment.name': 'test' }),
      spanProcessors: [new BatchSpanProcessor({ exporter })],
    });
    const tracer = provider.getTracer('tests', '1.2.3');
    const startMs = 1_700_000_000_000;
    const attributes = {
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'openai',
      'gen_ai.request.model': 'gpt-4o',
      'gen_ai.usage.input_tokens': 12,
      'gen_ai.request.temperature': 0.25,
      'gen_ai.response.finish_reasons': ['stop'],
      stream: true,
      text: 'ünïcode 🙂',
    };
    const span = tracer.startSpan('chat gpt-4o', { kind: 2, startTime: startMs, attributes });
    span.addEvent('first token', { index: 1 }, startMs + 100);
    span.setStatus({ code: 2, message: 'broken' });
    span.end(startMs + 1234);
    await provider.forceFlush();
    await provider.shutdown();
    const { traceId, spanId } = span.spanContext();
    expect(await getJson(collector, `/v1/traces/${traceId}`, { 'x-api-key': 'key-a' })).toEqual({
      trace_id: traceId,
      spans: [
        {
          ...{ trace_id: traceId, span_id: spanId, name: 'chat gpt-4o', kind: 'client', service: 'sdk' },
          ...{ start_ms: startMs, end_ms: startMs + 1234, duration_ms: 1234 },
          ...{ status: 'error', status_message: 'broken' },
          attributes,
          resource: expect.objectContaining({ 'service.name': 'sdk', 'deployment.environment.name': 'test' }),
          scope: { name: 'tests', version: '1.2.3' },
          events: [{ name: 'first token', time_ms: startMs + 100, attributes: { index: 1 } }],
          links: [],
        },
      ],
    });
    expect(await getMetrics(collector, { 'x-api-key': 'root' })).toMatch(
      /llm_requests_total\{[^}]*status="error"[^}]*service="sdk",environment="test"\} 1/,
    );
  });
});
