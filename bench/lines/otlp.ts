import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { createTelemetry } from '../../dist/core.js';
import type { Line } from '../compare.ts';
import { batch, recordSpan } from './spans.ts';

/** From recording the spans to the bytes of the request; ours has the transport on top, to a fetch that answers. */
export function createOtlpLine(): Line {
  let bytes: number | undefined;
  const telemetry = createTelemetry({
    serviceName: 'bench',
    flush: { batchSize: batch * 2 },
    otlp: {
      endpoint: 'http://127.0.0.1:4318',
      fetch: async (_url, init) => {
        bytes = (init?.body as Uint8Array | undefined)?.length;
        return new Response('{}', { headers: { 'content-type': 'application/json' } });
      },
    },
  });
  let peerBytes: number | undefined;
  const processor = new BatchSpanProcessor({
    exporter: {
      export(spans, done) {
        peerBytes = JsonTraceSerializer.serializeRequest(spans)?.length;
        done({ code: 0 });
      },
      shutdown: async () => {},
    },
    maxExportBatchSize: batch * 2,
  });
  const peerTracer = new TracerProvider({ spanProcessors: [processor] }).getTracer('bench');
  return {
    name: `OTLP JSON of ${batch} spans, record to bytes`,
    peerName: 'OpenTelemetry SDK 3',
    goal: 0.7,
    operations: batch,
    async ours() {
      for (let i = 0; i < batch; i++) recordSpan(telemetry.tracer, i);
      await telemetry.flush();
      if (!bytes) throw new Error('nothing was sent');
    },
    async peer() {
      for (let i = 0; i < batch; i++) recordSpan(peerTracer, i);
      await processor.forceFlush();
      if (!peerBytes) throw new Error('nothing was encoded');
    },
  };
}
