import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { chatStream } from '../../suites/upstream.ts';
import { startWorld, type World } from './world.ts';

describe('events, objects and entrypoints of a Worker', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world.stop());
  afterEach(() => world.clear());

  async function isPending(work: Promise<unknown>): Promise<boolean> {
    let settled = false;
    work.finally(() => {
      settled = true;
    });
    // A whole round trip to the same isolate: whatever could have settled has.
    await (await world.get('/empty')).arrayBuffer();
    return !settled;
  }

  it('a cron run is a span, and is over when its flush is', async () => {
    let answer = () => {};
    const mayAnswer = new Promise<void>((resolve) => {
      answer = resolve;
    });
    world.otlp.answerAfter((index) => (index === 0 ? mayAnswer : undefined));
    const worker = await world.worker.miniflare.getWorker();
    const run = worker.scheduled({ cron: '*/5 * * * *' });
    const job = await world.otlp.span('scheduled');
    expect(await isPending(run)).toBe(true);
    answer();
    expect(await run).toMatchObject({ outcome: 'ok' });
    expect(job.attributes).toMatchObject({ 'faas.trigger': 'timer', 'faas.cron': '*/5 * * * *' });
    expect((await world.otlp.span('chat gpt-4o-mini')).parentSpanId).toBe(job.spanId);
  });

  it('a cron run that fails still fails, with the error on its span', async () => {
    const worker = await world.worker.miniflare.getWorker();
    expect(await worker.scheduled({ cron: 'fails' })).toMatchObject({ outcome: 'exception' });
    expect((await world.otlp.span('scheduled')).status).toEqual({ code: 2, message: 'the cron job failed' });
  });

  it('a queue batch is one CONSUMER span; a message continues the trace that it carries', async () => {
    const [traceId, spanId] = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331'];
    const worker = await world.worker.miniflare.getWorker();
    const trace = { traceparent: `00-${traceId}-${spanId}-01` };
    const messages = [{ id: 'm1', timestamp: new Date(0), attempts: 1, body: { trace } }];
    expect(await worker.queue('jobs', messages)).toMatchObject({ outcome: 'ok' });
    const batch = await world.otlp.span('process jobs');
    expect(batch.kind).toBe(5);
    expect(batch.attributes).toMatchObject({
      'messaging.system': 'cloudflare_queues',
      'messaging.destination.name': 'jobs',
      'messaging.batch.message_count': 1,
    });
    const message = await world.otlp.span('process message');
    expect([message.traceId, message.parentSpanId]).toEqual([traceId, spanId]);
    expect((await world.otlp.span('execute_tool look_up')).parentSpanId).toBe(message.spanId);
    expect((await world.otlp.span('chat gpt-4o-mini')).parentSpanId).toBe(message.spanId);
  });

  it('an email is handled once and flushed', async () => {
    const url = new URL('/cdn-cgi/handler/email?from=a@example.com&to=b@example.com', world.worker.url);
    const body = 'From: a@example.com\r\nTo: b@example.com\r\nMessage-ID: <1@example.com>\r\nSubject: hi\r\n\r\nhello';
    const response = await fetch(url, { method: 'POST', body });
    expect(response.status, await response.text()).toBe(200);
    await world.otlp.span('email');
    await world.otlp.until(() => world.otlp.total('hits_total', { path: 'email a@example.com' }) > 0);
    expect(world.otlp.total('hits_total', { path: 'email a@example.com' })).toBe(1);
  });

  it('an RPC method of a Durable Object keeps this, private fields and name, and continues the carried trace', async () => {
    const first = (await (await world.get('/rpc')).json()) as { name: string; notes: string[] };
    expect(first).toEqual({ name: 'Room room', notes: ['note'] });
    const [caller, remember, call] = await Promise.all(
      ['caller', 'remember', 'chat gpt-4o-mini'].map((name) => world.otlp.span(name)),
    );
    expect([remember?.traceId, remember?.parentSpanId]).toEqual([caller?.traceId, caller?.spanId]);
    expect(call?.parentSpanId).toBe(remember?.spanId);
  });

  it('fetch of a Durable Object is a SERVER span that streams', async () => {
    expect(await (await world.get('/room')).text()).toBe(chatStream.join(''));
    await world.otlp.until(() => world.otlp.spans.filter(({ name }) => name === 'GET').length >= 2);
    const call = await world.otlp.span('chat gpt-4o-mini');
    const parent = world.otlp.spans.find(({ spanId }) => spanId === call.parentSpanId);
    expect(parent).toMatchObject({ name: 'GET', kind: 2 });
  });

  it('an alarm is a span', async () => {
    await (await world.get('/room/alarm')).text();
    const alarm = await world.otlp.span('alarm');
    expect((await world.otlp.span('execute_tool look_up')).parentSpanId).toBe(alarm.spanId);
    const { notes } = (await (await world.get('/rpc')).json()) as { notes: string[] };
    expect(notes).toContain('alarm');
  });

  it('an entrypoint class keeps its name, this and private fields, for fetch and RPC', async () => {
    expect(await (await world.get('/helper')).text()).toBe('HelperBase GET!');
    expect(await (await world.get('/helper/rpc')).text()).toBe('HI!');
    const [caller, shout] = [await world.otlp.span('caller'), await world.otlp.span('shout')];
    expect([shout.traceId, shout.parentSpanId]).toEqual([caller.traceId, caller.spanId]);
  });

  it('background work that an entrypoint class hands to its context is flushed, too', async () => {
    expect(await (await world.get('/helper/background')).text()).toBe('HelperBase GET!');
    await world.otlp.span('chat gpt-4o-mini');
    await world.otlp.span('execute_tool look_up');
  });
});
