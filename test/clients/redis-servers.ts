import { hasRedis, startRedis, remedy as toRun } from '../support/redis.ts';
import { isInstalled, remedy as toInstall } from './installed.ts';

/** Whether a server and its clients are there. */
export const ready = hasRedis && isInstalled('ioredis');
/** For the names of tests that are skipped. */
export const needs = `${toRun}, ${toInstall}`;

/** A server of its own with a client, until `stop`. */
export async function startWithClient() {
  const { Redis } = await import('ioredis');
  const server = await startRedis();
  const client = new Redis(server.port, '127.0.0.1');
  async function stop(): Promise<void> {
    client.disconnect();
    await server.stop();
  }
  return { server, client, stop };
}

/** A server of its own with Upstash's REST before it, until `stop`. */
export async function startWithRest(options: Parameters<typeof startRedis>[0] = {}) {
  const { createRedisRest } = await import('./redis-rest.ts');
  const server = await startRedis(options);
  const rest = await createRedisRest(server.port);
  async function stop(): Promise<void> {
    await rest.close();
    await server.stop();
  }
  return { server, rest, stop };
}
