import { asArray, parseJson } from '../../src/json.ts';
import { refuse, wrongOf } from '../../src/metrics/batch-check.ts';
import { familyKey } from '../../src/metrics/merge.ts';
import { batchMemoryMs, type MetricBatch, type MetricStore, maxStoredSeries } from '../../src/metrics/store.ts';
import { checkAgainst, checkStoreOptions, defaultExpireAfterMs, toSnapshot } from '../../src/metrics/stored-family.ts';
import type { StoredFamily } from '../../src/metrics/stored-series.ts';
import { connect, prefixCheck, type RedisClient, unexpected } from './client.ts';
import { decodeFamily, decodeFields, encodeFamily } from './metric-fields.ts';
import { collectScript, mergeScript } from './metric-scripts.ts';

export interface RedisMetricStoreOptions {
  /** Of all its keys, `edgespan`; at most 128 characters, no braces. */
  prefix?: string;
  /** Milliseconds after which a series that nobody has touched is forgotten, and begins anew; a day. */
  expireAfterMs?: number;
  /** Series of a family, 10,000; what comes beyond counts in one of its own. */
  maxSeries?: number;
}

/**
 * Metrics of all processes and isolates before one Redis. A batch is one script, which applies it whole and once; a
 * page is another, which only reads. Counts last as long as Redis keeps them, see `createRedisBudgetStore`.
 *
 * @example
 * createTelemetry({ metrics: { store: createRedisMetricStore(new Redis()) } });
 */
/* @__NO_SIDE_EFFECTS__ */
export function createRedisMetricStore(client: RedisClient, options: RedisMetricStoreOptions = {}): MetricStore {
  checkStoreOptions(options, { prefix: prefixCheck });
  const { prefix, expireAfterMs = defaultExpireAfterMs, maxSeries = maxStoredSeries } = options;
  const { evaluate, keyName } = connect(client, prefix);
  const keys = [keyName('metrics'), keyName('metrics', 'touched')];

  return {
    async merge(batch) {
      checkAgainst(batch, () => undefined, 0);
      const families = JSON.stringify(batch.families.filter(({ points }) => points.length > 0).map(encodeFamily));
      const args = [expireAfterMs, families, maxSeries, batchMemoryMs].map(String);
      const id = keyName('metrics', 'batch', JSON.stringify(batch.batchId));
      const reply = await evaluate(mergeScript, [...keys, id], args);
      if (reply !== 'done') throwRefusal(batch, reply);
    },
    async collect() {
      const reply = await evaluate(collectScript, keys, [String(expireAfterMs)]);
      if (!reply.startsWith('fields ')) throw unexpected();
      return toSnapshot(decodeFields(reply.slice('fields '.length)), 0, expireAfterMs);
    },
  };
}

/** Why the script refused, in the words of all stores: it answers what it knows of the batch's families. */
function throwRefusal(batch: MetricBatch, reply: string): never {
  const [, word, rest = ''] = /^(refused|beyond) (.*)$/s.exec(reply) ?? [];
  if (word === 'beyond') {
    const beyond = batch.families.filter((family) => familyKey(family) === rest);
    refuse(beyond.flatMap((family) => wrongOf(family, 'a sum beyond 64 bits')));
  }
  const [count, ...parts] = asArray(parseJson(rest)).map(String);
  const known = new Map<string, StoredFamily>();
  for (let i = 0; i + 2 < parts.length; i += 3) {
    const [key = '', shape = '', unit] = parts.slice(i, i + 3);
    known.set(key, decodeFamily(key, shape, unit));
  }
  if (word === 'refused') checkAgainst(batch, (key) => known.get(key), Number(count));
  throw unexpected();
}
