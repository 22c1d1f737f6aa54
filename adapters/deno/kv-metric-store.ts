import { TelemetryError } from '../../src/errors.ts';
import { checkBatch } from '../../src/metrics/batch-check.ts';
import {
  type BatchFamily,
  batchMemoryMs,
  type MetricBatch,
  type MetricStore,
  maxStoredSeries,
} from '../../src/metrics/store.ts';
import { mergeBatch, type StoredState } from '../../src/metrics/stored-blocks.ts';
import { checkStoreOptions, defaultExpireAfterMs, toSnapshot } from '../../src/metrics/stored-family.ts';
import {
  createLane,
  type KvPort,
  kvPort,
  maxChecks,
  maxCommitBytes,
  prefixCheck,
  strong,
  toKv,
  untilCommitted,
} from './kv.ts';
import { createFamilyRoom, type FamilyChange } from './kv-families.ts';

export interface DenoKvMetricStoreOptions {
  /** First part of all keys, `edgespan`: stores of other names know nothing of each other. */
  prefix?: string;
  /** Milliseconds after which a series that nobody touched expires; a day. */
  expireAfterMs?: number;
  /** Series of a family, 10,000; what comes beyond is counted in one series. */
  maxSeries?: number;
}

/**
 * One truth for the metrics of all that share a Deno KV: the isolates of Deno Deploy, or processes with one file.
 *
 * A batch is one commit, in which Deno KV checks that nobody wrote meanwhile. One that is too large for that (800 KiB, 100
 * checks) is several, each with how far the batch has come, so that who sends it again completes what is missing. A key
 * bears some ten to a hundred commits a second; let processes flush every few seconds, not after each call.
 *
 * @param kv What `await Deno.openKv()` gives.
 * @throws TelemetryError `invalid_option` for anything else. `merge` rejects with `store_failed` where others never stop
 * to write, or Deno KV fails: the batch may be sent again.
 * @example
 * createTelemetry({ metrics: { store: createDenoKvMetricStore(await Deno.openKv()) } });
 */
/* @__NO_SIDE_EFFECTS__ */
export function createDenoKvMetricStore(kv: unknown, options: DenoKvMetricStoreOptions = {}): MetricStore {
  return createStore(kv, options, kvPort);
}

export function createStore(given: unknown, options: DenoKvMetricStoreOptions, port: KvPort): MetricStore {
  checkStoreOptions(options, { prefix: prefixCheck });
  const { prefix = 'edgespan', expireAfterMs = defaultExpireAfterMs, maxSeries = maxStoredSeries } = options;
  const kv = toKv(given);
  const room = createFamilyRoom(kv, prefix, expireAfterMs);
  const inTurn = createLane();

  /** Commits the points that follow those which have been, `most` of them or fewer; answers which. */
  async function attempt(batch: MetricBatch, total: number, most: number) {
    const marker = await kv.get([prefix, 'metric-batches', batch.batchId], strong);
    const from = (marker.value as number | null) ?? 0;
    if (from >= total) return { value: { from, to: total } };
    const { changes, to } = await plan(batch, from, Math.min(total, from + most));
    const commit = kv.atomic().check(marker, ...changes.flatMap(({ checks }) => checks));
    for (const write of changes.flatMap(({ writes }) => writes)) write(commit);
    commit.set(marker.key, to, { expireIn: batchMemoryMs });
    return (await commit.commit()).ok ? { value: { from, to } } : undefined;
  }

  async function plan(
    batch: MetricBatch,
    from: number,
    most: number,
  ): Promise<{ changes: FamilyChange[]; to: number }> {
    const rest = slice(batch.families, from, most);
    const loaded = await room.load(rest);
    const states = new Map<string, StoredState>();
    for (const [key, { state }] of loaded) if (state) states.set(key, state);
    const bounds = { maxSeries, expireAfterMs, count: states.size < loaded.size ? await room.count() : 0 };
    for (let to = most; to > from; to = from + ((to - from) >> 1)) {
      const now = port.now();
      const merged = mergeBatch(states, { ...batch, families: slice(batch.families, from, to) }, now, bounds);
      const changes = Array.from(merged, ([key, after]) => room.change(loaded.get(key)!, after, now));
      if (fits(changes)) return { changes, to };
    }
    throw new TelemetryError('store_failed', 'Deno KV: a single point changes more than a commit may');
  }

  return {
    async merge(batch) {
      checkBatch(batch);
      const total = batch.families.reduce((sum, { points }) => sum + points.length, 0);
      await inTurn(async () => {
        // All of it at first, so that what can't be merged is refused before any part is written.
        let most = Math.max(1, total);
        let done = 0;
        // A batch of nothing asks too: it says whether the store is there.
        do {
          const { from, to } = await untilCommitted(port, () => attempt(batch, total, most));
          most = 2 * (to - from);
          done = to;
        } while (done < total);
      });
    },
    async collect() {
      const states = await untilCommitted(port, async () => ({ value: await room.list() }));
      const families = states.map(({ family, blocks }) => {
        return [family, new Map(blocks.flatMap(({ series }) => [...series]))] as const;
      });
      return toSnapshot(families, port.now(), expireAfterMs);
    },
  };
}

function fits(changes: readonly FamilyChange[]): boolean {
  const checks = changes.reduce((sum, change) => sum + change.checks.length, 1);
  const bytes = changes.reduce((sum, change) => sum + change.bytes, 0);
  return checks <= maxChecks && bytes <= maxCommitBytes;
}

/** The points from one to another, counted through all families. */
function slice(families: readonly BatchFamily[], from: number, to: number): BatchFamily[] {
  let at = 0;
  return families.flatMap((family) => {
    const points = family.points.slice(Math.max(0, from - at), Math.max(0, to - at));
    at += family.points.length;
    return points.length > 0 ? [{ ...family, points }] : [];
  });
}
