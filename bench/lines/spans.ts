import { ROOT_CONTEXT, type Tracer } from '@opentelemetry/api';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { createTelemetry } from '../../dist/core.js';
import type { Line } from '../compare.ts';

export const batch = 512;

/** The attributes of a model call: some known when it starts, the others at its end. */
export function recordSpan(tracer: Tracer, i: number): void {
  const attributes = {
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'openai',
    'gen_ai.request.model': 'gpt-4o-mini',
    'gen_ai.request.temperature': 0.7,
    'gen_ai.request.max_tokens': 1024,
    'server.address': 'api.openai.com',
    'server.port': 443,
  };
  const span = tracer.startSpan('chat gpt-4o-mini', { kind: 2, attributes }, ROOT_CONTEXT);
  span.setAttributes({
    'gen_ai.response.id': `chatcmpl-${i}`,
    'gen_ai.response.model': 'gpt-4o-mini-2024-07-18',
    'gen_ai.response.finish_reasons': ['stop'],
    'gen_ai.usage.input_tokens': 40 + i,
    'gen_ai.usage.output_tokens': 400 + i,
    'gen_ai.response.time_to_first_chunk': 0.25,
  });
  span.setAttribute('http.response.status_code', 200);
  span.setAttribute('llm.cost_usd', 0.000246);
  span.end();
}

/** A batch through the whole pipeline to an exporter that does nothing: neither side drops a span. */
export function createSpanLine(): Line {
  const telemetry = createTelemetry({ serviceName: 'bench', exporters: [() => {}], flush: { batchSize: batch * 2 } });
  const processor = new BatchSpanProcessor({
    exporter: { export: (_spans, done) => done({ code: 0 }), shutdown: async () => {} },
    maxExportBatchSize: batch * 2,
  });
  const peerTracer = new TracerProvider({ spanProcessors: [processor] }).getTracer('bench');
  return {
    name: 'span with 15 attributes, start to end',
    peerName: 'OpenTelemetry SDK 3',
    goal: 0.3,
    operations: batch,
    ours() {
      for (let i = 0; i < batch; i++) recordSpan(telemetry.tracer, i);
      return telemetry.flush();
    },
    peer() {
      for (let i = 0; i < batch; i++) recordSpan(peerTracer, i);
      return processor.forceFlush();
    },
  };
}
