import { DurableObject } from 'cloudflare:workers';
import { TelemetryError } from '../../src/errors.ts';
import type { MetricBatch } from '../../src/metrics/store.ts';
import { encodeBlock } from '../../src/metrics/stored-blocks.ts';
import { defaultExpireAfterMs } from '../../src/metrics/stored-family.ts';
import type { StoreBounds, StoredFamily } from '../../src/metrics/stored-series.ts';
import type { SeriesTouch } from '../../src/metrics/stored-shards.ts';
import { type Answer, answer } from './answer.ts';
import { createBatchIds } from './batch-ids.ts';
import { createMetricJournal, type StoredMetrics } from './metric-journal.ts';

/** A family and its series in encoded blocks. */
export interface PackedFamily {
  readonly family: StoredFamily;
  readonly blocks: readonly Uint8Array[];
}

/** Looks for what has expired in the time that a series is kept. */
const looksPerExpiry = 4;

/**
 * Metrics of all isolates, for `createDurableObjectMetricStore`: export it from the Worker's main module. Its state is
 * in memory while it is awake and on disk before a batch is answered; an alarm drops what nobody touches any more.
 *
 * @example
 * export { MetricsAggregator } from 'edgespan/workers'; // wrangler.toml: new_sqlite_classes = ["MetricsAggregator"]
 */
export class MetricsAggregator extends DurableObject {
  readonly #journal = createMetricJournal(this.ctx.storage);
  readonly #ids = createBatchIds(this.ctx.storage);
  #metrics: StoredMetrics | undefined;
  #expireAfterMs: number | undefined;
  #alarmIsSet = false;

  async merge(batch: MetricBatch, bounds: StoreBounds): Promise<Answer<void>> {
    const merged = answer(() => {
      if (this.#ids.has(String(batch.batchId))) return;
      this.#change((metrics) => {
        this.#journal.write(metrics, ['merge', Date.now(), batch, bounds]);
        this.#ids.add(batch.batchId);
        this.#keep(bounds.expireAfterMs);
      });
    });
    if (!this.#alarmIsSet) await this.#schedule();
    return merged;
  }

  async collect(): Promise<readonly PackedFamily[]> {
    return Array.from(this.#load().values(), ({ family, blocks }) => ({ family, blocks: blocks.map(encodeBlock) }));
  }

  /** Other objects have had these series since. */
  async touch(touches: readonly SeriesTouch[]): Promise<void> {
    this.#change((metrics) => this.#journal.write(metrics, ['touch', touches]));
  }

  override async alarm(): Promise<void> {
    const now = Date.now();
    this.#change((metrics) => {
      this.#ids.expire(now);
      this.#journal.expire(metrics, now, this.#keptMs());
    });
    await this.#schedule();
  }

  /** Whole or not at all: what is in memory is read anew where the transaction was undone. */
  #change(fn: (metrics: StoredMetrics) => void): void {
    const metrics = this.#load();
    try {
      this.ctx.storage.transactionSync(() => fn(metrics));
    } catch (error) {
      // A batch is refused before anything has changed.
      if (!(error instanceof TelemetryError)) {
        this.#metrics = undefined;
        this.#expireAfterMs = undefined;
        this.#ids.forget();
      }
      throw error;
    }
  }

  #load(): StoredMetrics {
    this.#metrics ??= this.#journal.load();
    return this.#metrics;
  }

  #keptMs(): number {
    this.#expireAfterMs ??= this.ctx.storage.kv.get<number>('expireAfterMs') ?? defaultExpireAfterMs;
    return this.#expireAfterMs;
  }

  /** The alarm, which nobody asks, has to know it too. */
  #keep(expireAfterMs: number): void {
    if (this.#keptMs() === expireAfterMs) return;
    this.#expireAfterMs = expireAfterMs;
    this.ctx.storage.kv.put('expireAfterMs', expireAfterMs);
  }

  async #schedule(): Promise<void> {
    const { storage } = this.ctx;
    const series = this.#load().size > 0 ? Date.now() + this.#keptMs() / looksPerExpiry : Number.POSITIVE_INFINITY;
    const dueAt = Math.min(series, this.#ids.dueAt() ?? Number.POSITIVE_INFINITY);
    this.#alarmIsSet = Number.isFinite(dueAt);
    if (this.#alarmIsSet) {
      const set = await storage.getAlarm();
      if (set === null || set > dueAt) await storage.setAlarm(dueAt);
    }
  }
}
