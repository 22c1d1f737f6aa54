import { DurableObject, WorkerEntrypoint } from 'cloudflare:workers';
import { createTelemetry, instrument } from 'edgespan/workers';

interface Env {
  UPSTREAM: string;
  LOCAL_METRICS?: boolean;
  UNREAD_MS?: number;
  ROOM: DurableObjectNamespace<Room>;
  HELPER: Service<WorkerEntrypoint & { shout(text: string, carrier: Record<string, string>): Promise<string> }>;
}

const telemetry = createTelemetry((env: Env) => ({
  metrics: { local: env.LOCAL_METRICS ?? false },
  ...(env.UNREAD_MS && { flush: { timeoutMs: env.UNREAD_MS } }),
}));

// All of this happens in global scope, where workerd allows no I/O, no timer and nothing random.
const { fetch: ask } = telemetry;
const early = telemetry.span('early', () => 42);
const hits = telemetry.metrics.counter('hits_total', { labels: ['path'] });
hits.inc({ path: 'global' });
const lookUp = telemetry.tool({ name: 'look_up' }, async (key: string) => `${key} found`);

const headers = { 'content-type': 'application/json' };

function chat(env: Env, stream = true, signal?: AbortSignal): Promise<Response> {
  const body = JSON.stringify({ model: 'gpt-4o-mini', stream, messages: [] });
  return ask(`${env.UPSTREAM}/v1/chat/completions`, { method: 'POST', headers, body, ...(signal && { signal }) });
}

function message(env: Env): Promise<Response> {
  const body = JSON.stringify({ model: 'claude-sonnet-4-5', max_tokens: 64, stream: true, messages: [] });
  return ask(`${env.UPSTREAM}/v1/messages`, { method: 'POST', headers, body });
}

function upgrade(): Response {
  const { 0: client, 1: server } = new WebSocketPair();
  server.accept();
  server.addEventListener('message', ({ data }) => server.send(`echo ${data}`));
  return new Response(null, { status: 101, webSocket: client, headers: { 'x-upgraded': 'yes' } });
}

async function background(env: Env): Promise<void> {
  await (await chat(env, false)).text();
  await lookUp('key');
}

const handlers = {
  greeting: 'hello',
  async fetch(this: { greeting: string }, request: Request, env: Env, ctx: ExecutionContext): Promise<Response> {
    const { pathname } = new URL(request.url);
    hits.inc({ path: pathname });
    switch (pathname) {
      case '/chat':
        return chat(env);
      case '/message':
        return message(env);
      case '/copied':
        return new Response((await chat(env)).body, { headers: { 'content-type': 'text/event-stream' } });
      case '/json':
        return Response.json(await (await chat(env, false)).json());
      case '/unread':
        await chat(env);
        return new Response('I do not care');
      case '/background':
        ctx.waitUntil(background(env));
        return new Response('soon');
      case '/background/fails':
        ctx.waitUntil(background(env).then(() => Promise.reject(new Error('in the background'))));
        return new Response('soon');
      case '/throw':
        throw new RangeError('thrown by the handler');
      case '/redirect':
        return Response.redirect('https://example.com/there', 302);
      case '/websocket':
        return upgrade();
      case '/empty':
        return new Response(null, { status: 204, headers: { 'x-a': '1' } });
      case '/plain':
        return new Response(`${this.greeting} ${early}`, {
          headers: [
            ['set-cookie', 'a=1'],
            ['set-cookie', 'b=2'],
          ],
        });
      case '/metrics':
        return telemetry.metricsHandler(request);
      case '/room':
        return env.ROOM.getByName('a').fetch(request);
      case '/room/alarm':
        await env.ROOM.getByName('a').schedule();
        return new Response('scheduled');
      case '/rpc':
        return telemetry.span('caller', async (_, inside) =>
          Response.json(await env.ROOM.getByName('a').remember('note', inside.inject())),
        );
      case '/helper':
      case '/helper/background':
        return env.HELPER.fetch(request);
      case '/helper/rpc':
        return telemetry.span(
          'caller',
          async (_, inside) => new Response(await env.HELPER.shout('hi', inside.inject())),
        );
      default:
        return new Response('not here', { status: 404 });
    }
  },
  async scheduled(controller: ScheduledController, env: Env): Promise<void> {
    if (controller.cron === 'fails') throw new Error('the cron job failed');
    await (await chat(env, false)).text();
  },
  async queue(batch: MessageBatch<{ trace: Record<string, string> }>, env: Env): Promise<void> {
    for (const { body } of batch.messages) {
      const parent = telemetry.extract(body.trace);
      await telemetry.span('process message', { parent }, async (_, inside) => {
        await lookUp('queued');
        await (
          await inside.fetch(`${env.UPSTREAM}/v1/chat/completions`, {
            method: 'POST',
            headers,
            body: JSON.stringify({ model: 'gpt-4o-mini' }),
          })
        ).text();
      });
    }
  },
  // Not async, and with no result, as one may write it.
  email(message: ForwardableEmailMessage): void {
    hits.inc({ path: `email ${message.from}` });
  },
};

const entry = instrument(handlers, telemetry);

/** What the flushes of this isolate have to show for themselves; no request of the application, so it leaves no span. */
function accounting(): Response {
  const count = (result: string) => telemetry.metrics.value('edgespan_spans_total', { result }) ?? 0;
  const { problems } = telemetry.health();
  return Response.json({ recorded: count('recorded'), sent: count('sent'), dropped: count('dropped'), problems });
}

export default {
  fetch: (request: Request, env: Env, ctx: ExecutionContext) =>
    request.url.endsWith('/accounting') ? accounting() : entry.fetch(request, env, ctx),
  scheduled: entry.scheduled,
  queue: entry.queue,
  email: entry.email,
};

class RoomBase extends DurableObject<Env> {
  #notes: string[] = [];
  static readonly kind = 'room';

  async remember(note: string, carrier: Record<string, string>): Promise<{ name: string; notes: string[] }> {
    return telemetry.span('remember', { parent: telemetry.extract(carrier) }, async () => {
      await (await chat(this.env, false)).text();
      return this.#add(note);
    });
  }

  #add(note: string) {
    this.#notes.push(note);
    return { name: `${this.constructor.name} ${(this.constructor as typeof RoomBase).kind}`, notes: this.#notes };
  }

  async schedule(): Promise<void> {
    await this.ctx.storage.setAlarm(Date.now());
  }

  override async alarm(): Promise<void> {
    await lookUp('alarm');
    this.#add('alarm');
  }

  override async fetch(): Promise<Response> {
    return chat(this.env);
  }
}

export class Room extends instrument(RoomBase, telemetry) {}

class HelperBase extends WorkerEntrypoint<Env> {
  #mark = '!';

  override async fetch(request: Request): Promise<Response> {
    if (request.url.endsWith('/background')) this.ctx.waitUntil(background(this.env));
    return new Response(`${this.constructor.name} ${request.method}${this.#mark}`);
  }

  async shout(text: string, carrier: Record<string, string>): Promise<string> {
    return telemetry.span('shout', { parent: telemetry.extract(carrier) }, () => text.toUpperCase() + this.#mark);
  }
}

export const Helper = instrument(HelperBase, telemetry);
