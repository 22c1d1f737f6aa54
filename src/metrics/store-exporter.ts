import { type Clock, withTimeout } from '../clock.ts';
import type { Delivery, DropReason, Ledger } from '../delivery.ts';
import { messageOf, TelemetryError } from '../errors.ts';
import { maxBatchPoints } from './batch-check.ts';
import { countPoints, createBatchReader, splitFamilies, windowOf } from './batch-reader.ts';
import { isOwn, type MetricExporter } from './metric-exporter.ts';
import type { MetricsSnapshot } from './snapshot.ts';
import { type BatchFamily, batchMemoryMs, type MetricBatch, type MetricStore, type StoreRefusal } from './store.ts';

/** Batches that the store has not confirmed. While there are so many, what is counted stays in the registry. */
export const maxUnconfirmedBatches = 8;
/** A batch without an answer is given up while the store still knows its id for certain. */
const giveUpAfterMs = batchMemoryMs / 2;
/** A family that the store refused is left in the registry for so long. */
const refusedForMs = 300_000;

export interface StoreExporterOptions {
  readonly store: MetricStore;
  readonly collect: () => Promise<MetricsSnapshot>;
  readonly clock: Clock;
  /** A random id of at most 64 characters. */
  readonly newId: () => string;
  readonly ledger: Ledger;
  /**
   * What is collected was counted elsewhere, each time by somebody else: its `edgespan_*` families are no echo of this
   * sending and are sent alone, and what one gave that was refused says nothing of the next one's.
   */
  readonly isForOthers?: boolean;
}

/** A batch that the store has not confirmed. It is sent again as it is: a store applies it once. */
interface Held {
  readonly batch: MetricBatch;
  readonly size: number;
  readonly madeAt: { readonly now: number; readonly monotonic: number };
  /** Until when somebody waits for an answer; another flush must not await that, but may send the batch afterwards. */
  sendingUntil: number;
}

/**
 * Sends what a registry counts to a store, in integers and each count once. What could not be sent stays in a few
 * batches, and what is counted after the store stopped answering in the registry, until it answers again. No flush
 * awaits what another one sends.
 */
export function createStoreExporter(options: StoreExporterOptions): MetricExporter {
  const { store, clock, ledger } = options;
  const reader = createBatchReader(options.isForOthers ? () => false : isOwn);
  const refusedUntil = new Map<string, number>();
  let held: Held[] = [];
  /** Whether the last answer was a failure. */
  let isDown = false;
  /** Whether a flush found no room for what it had, which the one that makes room then sends. */
  let waits = false;
  /** Of a registry with more points than batches take at once: where the next ones begin. */
  let nextPoint = 0;

  function hold(families: readonly BatchFamily[]): Held {
    const madeAt = { now: clock.now(), monotonic: clock.monotonic() };
    const batch = { batchId: options.newId(), families };
    const one = { batch, size: countPoints(families), madeAt, sendingUntil: Number.NEGATIVE_INFINITY };
    held.push(one);
    return one;
  }

  /** Whether it was still there: a second answer to one batch counts nothing. */
  function release(one: Held): boolean {
    const isHeld = held.includes(one);
    held = held.filter((other) => other !== one);
    return isHeld;
  }

  function tell(sent: number, dropped: Delivery<unknown>['dropped'], error?: TelemetryError, back?: Held): void {
    ledger.delivered('metrics', { sent, dropped, returned: back ? [back] : [], ...(error && { error }) });
  }

  function giveUpOld(): void {
    for (const one of held) {
      const { now, monotonic } = one.madeAt;
      // The monotonic clock may stand still while a machine sleeps, the other one may be set back.
      if (Math.max(clock.now() - now, clock.monotonic() - monotonic) < giveUpAfterMs) continue;
      release(one);
      const minutes = giveUpAfterMs / 60_000;
      const text = `the metric store did not confirm a batch for ${minutes} minutes: its points are given up, ${one.size} in all`;
      tell(0, drop('unconfirmed', one.size), new TelemetryError('store_failed', text));
    }
  }

  /** The store's answer by the deadline: nothing where it took the batch. */
  async function merge(batch: MetricBatch, deadline: number, late: (error: unknown) => void = () => {}) {
    let answer: { error?: unknown } | undefined;
    let isOver = false;
    const merging = (async () => store.merge(batch))().then(
      () => answered({}),
      // Without a reason it is a failure all the same.
      (error: unknown) => answered({ error: error ?? new Error('no reason given') }),
    );
    function answered(given: { error?: unknown }): void {
      if (isOver) late(given.error);
      else answer = given;
    }
    await withTimeout(merging, deadline - clock.monotonic());
    isOver = true;
    isDown = !answer || (answer.error !== undefined && !isRefusal(answer.error));
    return answer ?? { error: new TelemetryError('store_failed', 'the metric store did not answer in time') };
  }

  /** Sends one batch; answers whether the store is there. */
  async function send(one: Held, deadline: number): Promise<boolean> {
    if (clock.monotonic() >= deadline) return false;
    one.sendingUntil = deadline;
    const { error } = await merge(one.batch, deadline, (error) => {
      // What comes late is worth knowing where it is final.
      if (error === undefined) confirm(one);
      else if (isRefusal(error)) dropRefused(one, error);
    });
    // Past the deadline another flush may have taken it over.
    if (one.sendingUntil === deadline) one.sendingUntil = Number.NEGATIVE_INFINITY;
    if (error === undefined) {
      confirm(one);
      return true;
    }
    if (isRefusal(error)) {
      const rest = dropRefused(one, error);
      return rest ? send(rest, deadline) : true;
    }
    tell(0, {}, toStoreFailure(error), one);
    return false;
  }

  function confirm(one: Held): void {
    if (release(one)) tell(one.size, {});
  }

  /** Drops the families that a store can't take; the others are a batch of their own. */
  function dropRefused(one: Held, { families, message }: StoreRefusal): Held | undefined {
    if (!release(one)) return undefined;
    const named = new Set(families);
    const kept = one.batch.families.filter(({ name }) => !named.has(name));
    // A store that names none of them takes nothing of the batch.
    const rest = kept.length < one.batch.families.length ? kept : [];
    for (const { name } of one.batch.families) {
      if (named.has(name) && !options.isForOthers) refusedUntil.set(name, clock.monotonic() + refusedForMs);
    }
    const size = one.size - countPoints(rest);
    tell(0, drop('refused', size), new TelemetryError('store_refused', `the metric store refuses ${message}`));
    return rest.length > 0 ? hold(rest) : undefined;
  }

  /** Asks whether the store is there, by a batch of nothing: what is read for a store that is not may get lost. */
  async function probe(deadline: number): Promise<boolean> {
    if (clock.monotonic() >= deadline) return false;
    const { error } = await merge({ batchId: options.newId(), families: [] }, deadline);
    if (error !== undefined) tell(0, {}, toStoreFailure(error));
    return error === undefined;
  }

  /** Sends what earlier flushes could not; answers whether the store is there for more. */
  async function resend(deadline: number): Promise<boolean> {
    const free = held.filter(({ sendingUntil }) => sendingUntil <= clock.monotonic());
    for (const one of free) {
      if (await send(one, deadline)) continue;
      // It may be this batch alone: then the others have their turn first the next time.
      if (!(await probe(deadline))) return false;
      if (release(one)) held.push(one);
    }
    return !isDown || probe(deadline);
  }

  async function readFresh(): Promise<Held[]> {
    const collected = await options.collect();
    const time = clock.monotonic();
    const metrics = collected.metrics.filter(({ name }) => (refusedUntil.get(name) ?? 0) <= time);
    const room = maxUnconfirmedBatches - held.length;
    waits = room <= 0;
    if (waits) return [];
    const part = windowOf({ ...collected, metrics }, nextPoint, room * maxBatchPoints);
    nextPoint += countPoints(part.metrics);
    const families = reader.read(part, clock.now());
    ledger.recorded('metrics', countPoints(families));
    return splitFamilies(families, maxBatchPoints).map(hold);
  }

  return {
    get pending() {
      return held.reduce((sum, { size }) => sum + size, 0);
    },
    async flush(deadline) {
      giveUpOld();
      if (!(await resend(deadline))) return;
      do {
        for (const one of await readFresh()) {
          if (!(await send(one, deadline))) return;
        }
      } while (waits && held.length < maxUnconfirmedBatches);
    },
  };
}

function drop(reason: DropReason, count: number): Delivery<unknown>['dropped'] {
  return { [reason]: count };
}

/** By name: it may be of a second copy of this library. */
function isRefusal(error: unknown): error is StoreRefusal {
  return error instanceof Error && error.name === 'StoreRefusal' && Array.isArray((error as StoreRefusal).families);
}

function toStoreFailure(error: unknown): TelemetryError {
  if (error instanceof TelemetryError) return error;
  return new TelemetryError('store_failed', `the metric store failed: ${messageOf(error)}`, { cause: error });
}
