import { checkValues, count, integer } from '../../src/checks.ts';
import { fnv1a } from '../../src/digest.ts';
import { checkBatch } from '../../src/metrics/batch-check.ts';
import { type MetricStore, maxStoredSeries } from '../../src/metrics/store.ts';
import { decodeBlock } from '../../src/metrics/stored-blocks.ts';
import { defaultExpireAfterMs, type FamilySeries, toSnapshot } from '../../src/metrics/stored-family.ts';
import { joinShards, staleSeries } from '../../src/metrics/stored-shards.ts';
import { unwrap } from './answer.ts';
import type { MetricsAggregator, PackedFamily } from './metrics-aggregator.ts';
import { checkNamespace } from './namespace.ts';

/** Each is asked by every scrape. */
const maxShards = 64;
/** Requests of an invocation that may wait for their headers, https://developers.cloudflare.com/workers/platform/limits/. */
const parallelReads = 6;
/** A change is one row of at most 2 MB. */
const maxTouches = 200;

export interface DurableObjectMetricStoreOptions {
  /** Objects that share the work, 1. May grow with a deployment, not shrink: what the last ones hold would be missing. */
  shards?: number;
  /** A series that no batch has had for so long begins anew, a day. */
  expireAfterMs?: number;
  /** Series of a family in each object, 10,000. */
  maxSeries?: number;
}

/**
 * Metrics of all isolates in Durable Objects. A batch is one RPC to an object that its id chooses, so that a repetition
 * meets the same; a scrape asks all of them. Throws a `TelemetryError` (`invalid_option`) for wrong options, or where
 * there is no such binding.
 *
 * @example
 * export { MetricsAggregator } from 'edgespan/workers';
 * createTelemetry((env) => ({ metrics: { store: createDurableObjectMetricStore(env.METRICS, { shards: 4 }) } }));
 */
/* @__NO_SIDE_EFFECTS__ */
export function createDurableObjectMetricStore<T extends Rpc.DurableObjectBranded | undefined>(
  namespace: DurableObjectNamespace<T>,
  options: DurableObjectMetricStoreOptions = {},
): MetricStore {
  const factory = 'createDurableObjectMetricStore';
  const objects = checkNamespace<MetricsAggregator>(namespace, factory, 'MetricsAggregator');
  checkValues(options, { shards: integer(1, maxShards), expireAfterMs: count, maxSeries: integer(1, maxStoredSeries) });
  const { shards = 1, expireAfterMs = defaultExpireAfterMs, maxSeries = maxStoredSeries } = options;

  /** Made for each call, since a stub belongs to the request that made it. */
  const shardAt = (index: number) => objects.getByName(`metrics-${index}`);

  async function readAll(): Promise<FamilySeries[][]> {
    const read = new Array<FamilySeries[]>(shards);
    let next = 0;
    const lane = async () => {
      while (next < shards) {
        const index = next++;
        read[index] = (await shardAt(index).collect()).map(unpack);
      }
    };
    await Promise.all(Array.from({ length: Math.min(parallelReads, shards) }, lane));
    return read;
  }

  return {
    async merge(batch) {
      checkBatch(batch);
      const shard = shardAt(fnv1a(String(batch.batchId)) % shards);
      unwrap(await shard.merge(batch, { maxSeries, expireAfterMs }));
    },
    async collect() {
      const read = await readAll();
      const now = Date.now();
      if (shards > 1) {
        const stale = staleSeries(read, now, expireAfterMs, maxTouches);
        const touching = stale.map((touches, i) => (touches.length > 0 ? shardAt(i).touch(touches) : undefined));
        // What fails is tried again by the next scrape, long before the series expires.
        await Promise.allSettled(touching);
      }
      return toSnapshot(joinShards(read, now, expireAfterMs), now, expireAfterMs);
    },
  };
}

function unpack({ family, blocks }: PackedFamily): FamilySeries {
  return [family, blocks.flatMap((block) => [...decodeBlock(block).series])];
}
