import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type OtlpServer, startOtlpServer } from '../../support/otlp-server.ts';
import { type StartedWorker, startWorker } from '../../support/worker.ts';

const program = `
import { WorkerEntrypoint } from 'cloudflare:workers';
import { createTelemetry, instrument } from 'edgespan/workers';

const telemetry = createTelemetry({ flush: { intervalMs: 20 } });
const work = telemetry.tool({ name: 'work' }, async (value) => value);

class App extends WorkerEntrypoint {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === '/arrow') return this.env.ARROW.fetch(request);
    if (pathname === '/rpc') return Response.json([
      await this.env.APP.queue('job'), await this.env.APP.scheduled({ at: 1 }), await this.env.APP.email('a@example.com'),
    ]);
    return this.env.PLAIN.getByName('a').fetch(request);
  }
  async scheduled(controller) {
    await work(controller);
    if (controller.cron === 'fails') throw new Error('the cron job failed');
    return controller.at;
  }
  async queue(batch) {
    await work();
    return batch.messages ? batch.ackAll() : batch + '!';
  }
  async email(message) {
    await work();
    return message.from ? undefined : message;
  }
}
export default instrument(App, telemetry);

class ArrowBase extends WorkerEntrypoint {
  fetch = async () => new Response(await work('arrow'));
}
export const Arrow = instrument(ArrowBase, telemetry);

/** As Durable Objects were written before there was a class to extend. */
class PlainObject {
  constructor(state, env) {
    this.state = state;
  }
  async fetch(request) {
    if (new URL(request.url).pathname === '/timer') setTimeout(() => this.tick(), 40);
    return new Response(await this.state.storage.get('word') ?? 'plain');
  }
  async tick() {
    await work();
  }
}
export const Plain = instrument(PlainObject, telemetry);
`;

describe('classes that a Worker exports', () => {
  let otlp: OtlpServer;
  let worker: StartedWorker;
  beforeAll(async () => {
    otlp = await startOtlpServer();
    worker = await startWorker(program, {
      name: 'app',
      bindings: { OTEL_EXPORTER_OTLP_ENDPOINT: otlp.url },
      durableObjects: { PLAIN: { className: 'Plain', useSQLite: true } },
      serviceBindings: { APP: 'app', ARROW: { name: 'app', entrypoint: 'Arrow' } },
    });
  });
  afterAll(() => Promise.all([worker.stop(), otlp.stop()]));
  afterEach(() => otlp.clear());

  const get = async (path: string) => (await fetch(new URL(path, worker.url))).text();
  const spansAt = (path: string) =>
    otlp.spans.filter(({ kind, attributes }) => kind === 2 && attributes['url.path'] === path);

  it('have the events of an entrypoint class in spans like those of an object', async () => {
    const handlers = await worker.miniflare.getWorker();
    expect(await handlers.scheduled({ cron: 'fails' })).toMatchObject({ outcome: 'exception' });
    const job = await otlp.span('scheduled');
    expect(job).toMatchObject({ status: { code: 2, message: 'the cron job failed' } });
    expect(job.attributes).toMatchObject({ 'faas.trigger': 'timer', 'faas.cron': 'fails' });
    expect((await otlp.span('execute_tool work')).parentSpanId).toBe(job.spanId);
    const messages = [{ id: 'm1', timestamp: new Date(0), attempts: 1, body: 1 }];
    expect(await handlers.queue('jobs', messages)).toMatchObject({ outcome: 'ok', ackAll: true });
    expect(await otlp.span('process jobs')).toMatchObject({ kind: 5 });
    const url = new URL('/cdn-cgi/handler/email?from=a@example.com&to=b@example.com', worker.url);
    const body = 'From: a@example.com\r\nTo: b@example.com\r\nMessage-ID: <1@example.com>\r\n\r\nhello';
    expect((await fetch(url, { method: 'POST', body })).status).toBe(200);
    expect(await otlp.span('email')).toMatchObject({ kind: 5 });
  });

  it('answer over RPC by methods that have the name of an event', async () => {
    expect(await get('/rpc')).toBe('["job!",1,"a@example.com"]');
    await otlp.until(() => otlp.spans.length >= 4);
    expect(new Set(otlp.spans.map(({ name }) => name))).toEqual(new Set(['GET', 'execute_tool work']));
  });

  it('may have their handler as a property', async () => {
    expect(await get('/arrow')).toBe('arrow');
    await otlp.until(() => spansAt('/arrow').length === 2);
    const tool = await otlp.span('execute_tool work');
    expect(spansAt('/arrow').map(({ spanId }) => spanId)).toContain(tool.parentSpanId);
  });

  it('need not extend the platform’s', async () => {
    expect(await get('/plain')).toBe('plain');
    await otlp.until(() => spansAt('/plain').length === 2);
  });

  it('have what a timer does sent, although nobody calls again', async () => {
    expect(await get('/timer')).toBe('plain');
    expect(await otlp.span('execute_tool work')).toBeDefined();
  });
});
