import { join } from 'node:path';
import { type Request as WorkerRequest, Response as WorkerResponse } from 'miniflare';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isInstalled, remedy } from '../clients/installed.ts';
import { response } from '../clients/openai-wire.ts';
import { type OtlpServer, type SentSpan, startOtlpServer } from '../support/otlp-server.ts';
import { startWorker } from '../support/worker.ts';
import { createConsumer, listPrograms } from './consumer.ts';

describe.skipIf(!isInstalled('openai'))(`a Worker of queue, cron and Durable Object (${remedy})`, () => {
  let otlp: OtlpServer;
  beforeAll(async () => {
    otlp = await startOtlpServer();
  });
  afterAll(() => otlp.stop());

  it.each(listPrograms('jobs-worker.ts', 'g-queue-cron-do.ts'))('%s traces across all three', async (_name, text) => {
    otlp.clear();
    const folder = createConsumer({ 'program.ts': text });
    const vendor: { url: string; authorization: string | null; body: unknown }[] = [];
    const worker = await startWorker(`export { default, Room } from ${JSON.stringify(join(folder, 'program.ts'))};`, {
      bindings: { OPENAI_API_KEY: 'sk-test', OTLP_ENDPOINT: 'https://otlp.example.com' },
      queueProducers: { JOBS: 'jobs' },
      queueConsumers: { jobs: { maxBatchTimeout: 0 } },
      durableObjects: { ROOM: 'Room' },
      async outboundService(request: WorkerRequest) {
        const { hostname, pathname } = new URL(request.url);
        const body = await request.text();
        if (hostname === 'otlp.example.com') {
          const { status } = await fetch(otlp.url + pathname, { method: 'POST', body });
          return new WorkerResponse('{}', { status, headers: { 'content-type': 'application/json' } });
        }
        vendor.push({ url: request.url, authorization: request.headers.get('authorization'), body: JSON.parse(body) });
        return WorkerResponse.json(response());
      },
    });
    try {
      const handle = await worker.miniflare.getWorker();
      await handle.scheduled({ cron: '0 7 * * *' });
      const scheduled = await otlp.span('scheduled');
      expect(scheduled.attributes).toMatchObject({ 'faas.trigger': 'timer', 'faas.cron': '0 7 * * *' });

      const batch = await otlp.span('process jobs');
      expect(batch).toMatchObject({ kind: 5, attributes: { 'messaging.batch.message_count': 1 } });
      expect(batch.traceId).not.toBe(scheduled.traceId);
      const job = await otlp.span('process job');
      expect(job).toMatchObject({ traceId: scheduled.traceId, parentSpanId: scheduled.spanId });
      const chat = await otlp.span('chat gpt-4o-mini');
      expect(chat).toMatchObject({ traceId: job.traceId, parentSpanId: job.spanId, kind: 3 });
      expect(chat.resource).toMatchObject({ 'service.name': 'jobs', 'process.runtime.name': 'workerd' });
      expect(chat.attributes).toMatchObject({
        'gen_ai.usage.input_tokens': 1000,
        'gen_ai.usage.output_tokens': 500,
        'llm.cost_usd': 0.00042,
      });
      expect(vendor).toMatchObject([
        {
          url: 'https://api.openai.com/v1/responses',
          authorization: 'Bearer sk-test',
          body: { model: 'gpt-4o-mini', input: 'daily' },
        },
      ]);
      const of = { provider: 'openai', model: chat.attributes['gen_ai.response.model'] };
      await otlp.until(() => otlp.total('llm_cost_usd_total', of) > 0);
      expect(otlp.total('llm_cost_usd_total', of)).toBeCloseTo(0.00042, 9);
      expect(otlp.total('llm_requests_total', { ...of, status: 'ok' })).toBe(1);

      const rooms = await worker.miniflare.getDurableObjectNamespace('ROOM');
      const room = rooms.get(rooms.idFromName('lobby')) as unknown as {
        say(text: string, trace: Record<string, string>): Promise<number>;
      };
      const { traceId, spanId }: SentSpan = scheduled;
      expect(await room.say('hello', { traceparent: `00-${traceId}-${spanId}-01` })).toBe(5);
      expect(await otlp.span('room.say')).toMatchObject({ traceId, parentSpanId: spanId });
    } finally {
      await worker.stop();
    }
  });
});
