import { type Check, string } from '../../src/checks.ts';
import { TelemetryError } from '../../src/errors.ts';

/** A client of `ioredis`, alone or of a cluster. */
export interface Ioredis {
  readonly status: string;
  eval(script: string, keyCount: number, ...keysAndArguments: string[]): Promise<unknown>;
}

/** A client, pool or cluster of `redis` (node-redis). The application connects it. */
export interface NodeRedis {
  readonly isOpen: boolean;
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
}

/** A client of `@upstash/redis`, which speaks REST. */
export interface UpstashRedis {
  eval(script: string, keys: string[], args: string[]): Promise<unknown>;
}

export type RedisClient = Ioredis | NodeRedis | UpstashRedis;

/** Runs a script whose reply is a text that no client takes for JSON. */
export type Evaluate = (script: string, keys: string[], args: string[]) => Promise<string>;

/** Names of one store's keys. All have its prefix as their hash tag: one slot of a cluster, which one script may touch. */
export type KeyName = (...parts: string[]) => string;

const defaultPrefix = 'edgespan';
const maxPrefixLength = 128;

export const prefixCheck: Check = {
  allowed: `a text of 1 to ${maxPrefixLength} characters without braces`,
  test: (v) => string.test(v) && (v as string).length <= maxPrefixLength && !/[{}]/.test(v as string),
};

/** Checks what a store is made of, and rejects with `store_failed` whatever keeps the client from answering. */
export function connect(client: RedisClient, prefix = defaultPrefix): { evaluate: Evaluate; keyName: KeyName } {
  if (typeof client?.eval !== 'function') {
    const message = 'redis: client must be a client of ioredis, redis or @upstash/redis';
    throw new TelemetryError('invalid_option', message, { option: 'client' });
  }
  return {
    async evaluate(script, keys, args) {
      let reply: unknown;
      try {
        reply = await callEval(client, script, keys, args);
      } catch (error) {
        throw new TelemetryError('store_failed', `redis: ${reasonOf(error)}`, { cause: error });
      }
      // A client may be set up for bytes.
      if (reply !== undefined && reply !== null) return String(reply);
      throw unexpected();
    },
    keyName: (...parts) => [`{${prefix}}`, ...parts].join(':'),
  };
}

/** For a reply that is none of the script's. */
export function unexpected(): TelemetryError {
  return new TelemetryError('store_failed', 'redis: an unexpected reply');
}

function callEval(client: RedisClient, script: string, keys: string[], args: string[]): Promise<unknown> {
  if (isNodeRedis(client)) return client.eval(script, { keys, arguments: args });
  return isIoredis(client) ? client.eval(script, keys.length, ...keys, ...args) : client.eval(script, keys, args);
}

function isNodeRedis(client: RedisClient): client is NodeRedis {
  return typeof (client as NodeRedis).isOpen === 'boolean';
}

function isIoredis(client: RedisClient): client is Ioredis {
  return typeof (client as Ioredis).status === 'string';
}

/** A code or a name. Messages of clients may have the address with its password, or the whole command, in them. */
function reasonOf(error: unknown): string {
  const { code, name, message } = (error ?? {}) as { code?: unknown; name?: unknown; message?: unknown };
  // Upstash's client puts a few words before Redis's own.
  const [, reply] = /(?:^|: )([A-Z]{2,})\b/.exec(typeof message === 'string' ? message : '') ?? [];
  if (reply) return `answered ${reply}`;
  return `failed by ${[code, name, 'an error'].find((text) => typeof text === 'string' && text !== '')}`;
}
