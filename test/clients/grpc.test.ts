import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTelemetry, type TelemetryError } from '../../adapters/node/index.ts';
import { isInstalled, remedy } from './installed.ts';
import { chatCompletion, toolCall } from './openai-wire.ts';

const name = '@opentelemetry/exporter-trace-otlp-grpc';
const installed = isInstalled(name);
const grpc = installed ? await import('@opentelemetry/exporter-trace-otlp-grpc') : undefined;

interface DecodedSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: string;
  attributes: Record<string, unknown>;
  status: { code: string };
}

interface DecodedTraces {
  resourceSpans: {
    resource: { attributes: Record<string, unknown> };
    scopeSpans: { scope: { name: string }; spans: DecodedSpan[] }[];
  }[];
}

/** `@elastic/mockotlpserver` has no types; this is what the test takes of it. */
interface MockOtlp {
  MockOtlpServer: new (options: object) => { start(): Promise<void>; close(): Promise<void>; grpcUrl: URL };
  normalizeTrace(request: object): DecodedTraces;
}
const mock = createRequire(import.meta.url)('@elastic/mockotlpserver') as MockOtlp;

describe.skipIf(!installed)(`${name} in exporters (${remedy})`, () => {
  /** It answers before it has decoded. */
  let decoded = Promise.withResolvers<DecodedTraces>();
  const server = new mock.MockOtlpServer({
    services: ['grpc'],
    grpcHostname: '127.0.0.1',
    grpcPort: 0,
    logLevel: 'fatal',
    onTrace: (request: object) => decoded.resolve(mock.normalizeTrace(request)),
  });
  beforeAll(() => server.start());
  afterAll(() => server.close());

  function start(url: string) {
    const exporter = new grpc!.OTLPTraceExporter({ url, timeoutMillis: 5000 });
    return createTelemetry({
      serviceName: 'grpc-service',
      exporters: [exporter],
      runtime: { env: {} },
      // With a tool call, since the receiver cannot show an empty list.
      fetch: async () => Response.json(chatCompletion(null, [toolCall])),
    });
  }

  async function ask(telemetry: ReturnType<typeof start>): Promise<void> {
    const body = JSON.stringify({ model: 'gpt-4o-mini', messages: [] });
    const agent = telemetry.agent({ name: 'helper' }, async () => {
      const response = await telemetry.fetch('https://api.openai.com/v1/chat/completions', { method: 'POST', body });
      await response.text();
    });
    await agent();
  }

  it('delivers our spans to a gRPC receiver', async () => {
    const telemetry = start(server.grpcUrl.href);
    await ask(telemetry);
    decoded = Promise.withResolvers();
    const result = await telemetry.flush();
    expect(result).toMatchObject({ ok: true, traces: { sent: 2, dropped: 0, pending: 0 } });

    const { resourceSpans } = await decoded.promise;
    expect(resourceSpans).toHaveLength(1);
    const { resource, scopeSpans } = resourceSpans[0]!;
    expect(resource.attributes).toMatchObject({ 'service.name': 'grpc-service', 'process.runtime.name': 'nodejs' });
    expect(scopeSpans.map(({ scope }) => scope.name)).toEqual(['edgespan']);
    const [chat, agent] = scopeSpans[0]!.spans as [DecodedSpan, DecodedSpan];
    expect(agent).toMatchObject({ name: 'invoke_agent helper', kind: 'SPAN_KIND_INTERNAL' });
    expect(chat).toMatchObject({
      name: 'chat gpt-4o-mini',
      kind: 'SPAN_KIND_CLIENT',
      traceId: agent.traceId,
      parentSpanId: agent.spanId,
      attributes: {
        'gen_ai.provider.name': 'openai',
        'gen_ai.response.model': 'gpt-4o-mini-2024-07-18',
        // It shows integers of 64 bits as text.
        'gen_ai.usage.input_tokens': '1000',
        'gen_ai.usage.output_tokens': '500',
        'gen_ai.response.finish_reasons': ['tool_calls'],
        'llm.tool_names': ['get_weather'],
        'llm.cost_usd': 0.00045,
      },
    });
    expect(chat.traceId).toMatch(/^[0-9a-f]{32}$/);
    await telemetry.shutdown();
  });

  it('loses only its own spans where nobody listens, and says how many', async () => {
    const telemetry = start('http://127.0.0.1:1');
    await ask(telemetry);
    const { ok, traces } = await telemetry.flush({ timeoutMs: 500 });
    expect(ok).toBe(false);
    expect(traces).toMatchObject({ sent: 0, dropped: 2, pending: 0, lastError: { code: 'exporter_failed' } });
    await telemetry.shutdown({ timeoutMs: 500 });
  });
});

describe('OTEL_EXPORTER_OTLP_PROTOCOL=grpc', () => {
  it.each([['OTEL_EXPORTER_OTLP_PROTOCOL'], ['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL']])(
    'by %s gives one warning that names the package',
    async (variable) => {
      const warnings: TelemetryError[] = [];
      const sent: string[] = [];
      const telemetry = createTelemetry({
        runtime: { env: { [variable]: 'grpc', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' } },
        otlp: {
          fetch: async (url) => {
            sent.push(String(url));
            return new Response('{}', { headers: { 'content-type': 'application/json' } });
          },
        },
        onError: (error) => warnings.push(error),
      });
      telemetry.span('work', () => {});
      await telemetry.flush();
      await telemetry.shutdown();
      expect(warnings.map(({ code }) => code)).toEqual(['protocol_unavailable']);
      expect(warnings[0]?.message).toContain(name);
      expect(telemetry.health().problems).toMatchObject([{ code: 'protocol_unavailable', count: 1 }]);
      expect(sent).toContain('http://127.0.0.1:4318/v1/traces');
    },
  );
});
