import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Redis } from 'ioredis';

/**
 * Upstash's REST before a redis-server: a command as a JSON array, many of them at `/pipeline`, replies in base64 where
 * that is asked for. https://upstash.com/docs/redis/features/restapi
 */
export interface RedisRest {
  readonly url: string;
  readonly token: string;
  /** How many requests have come. */
  readonly requests: number;
  /** The connection breaks after the next `count` requests were carried out, before any answer. */
  loseAnswers(count: number): void;
  close(): Promise<void>;
}

type Reply = { result: unknown } | { error: string };

export async function createRedisRest(port: number): Promise<RedisRest> {
  const redis = new Redis(port, '127.0.0.1', { maxRetriesPerRequest: 0 });
  redis.on('error', () => {});
  const token = 'secret-token';
  let [requests, toLose] = [0, 0];

  async function run([name, ...args]: readonly (string | number)[]): Promise<Reply> {
    try {
      return { result: await redis.call(String(name), ...args) };
    } catch (error) {
      return { error: (error as Error).message };
    }
  }

  async function answer(request: IncomingMessage): Promise<[status: number, body: unknown]> {
    const body = (await readJson(request)) as never;
    if (request.headers.authorization !== `Bearer ${token}`)
      return [401, { error: 'WRONGPASS invalid or missing auth token' }];
    const encode = request.headers['upstash-encoding'] === 'base64' ? toBase64 : (value: unknown) => value;
    const show = (reply: Reply) => ('error' in reply ? reply : { result: encode(reply.result) });
    if (request.url === '/pipeline') return [200, (await Promise.all((body as never[]).map(run))).map(show)];
    const reply = await run(body);
    return ['error' in reply ? 400 : 200, show(reply)];
  }

  const server = createServer(async (request, response) => {
    requests++;
    const [status, body] = await answer(request);
    if (toLose > 0) {
      toLose--;
      response.destroy();
      return;
    }
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token,
    get requests() {
      return requests;
    },
    loseAnswers(count) {
      toLose = count;
    },
    async close() {
      redis.disconnect();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function toBase64(value: unknown): unknown {
  if (typeof value === 'string') return value === 'OK' ? value : Buffer.from(value).toString('base64');
  return Array.isArray(value) ? value.map(toBase64) : value;
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  return JSON.parse(text);
}
