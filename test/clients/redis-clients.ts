import { Redis as UpstashClient } from '@upstash/redis';
import { Redis as IoredisClient } from 'ioredis';
import { createClient } from 'redis';
import type { RedisClient } from '../../adapters/redis/index.ts';
import type { RedisRest } from './redis-rest.ts';

/** A client of its own kind, connected, and how it leaves. */
export interface Connected {
  readonly client: RedisClient;
  close(): void;
}

export type Connect = (port: number, rest: RedisRest) => Promise<Connected>;

/** Every client as its documentation makes it; failures are for the commands to tell. */
export const connects: Readonly<Record<string, Connect>> = {
  async ioredis(port) {
    const client = new IoredisClient(port, '127.0.0.1', { maxRetriesPerRequest: 1, retryStrategy: () => 20 });
    client.on('error', () => {});
    return { client, close: () => client.disconnect() };
  },
  async 'node-redis'(port) {
    const client = createClient({ url: `redis://127.0.0.1:${port}`, disableOfflineQueue: true });
    client.on('error', () => {});
    await client.connect();
    return { client, close: () => client.destroy() };
  },
  async '@upstash/redis'(_port, { url, token }) {
    const client = new UpstashClient({ url, token, retry: { retries: 5, backoff: () => 0 } });
    return { client, close() {} };
  },
};
