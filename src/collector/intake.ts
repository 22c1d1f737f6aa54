import { withTimeout } from '../clock.ts';
import type { ReadableSpan } from '../trace/readable-span.ts';
import type { LiveSettings } from './settings.ts';

/** What became of a batch. Only `stored` has been kept. */
export type Outcome = 'stored' | 'full' | 'dropped' | 'failed' | 'closed';

/** The spans of one request. */
export interface Batch {
  readonly spans: readonly ReadableSpan[];
  readonly tenant: string;
}

export interface IntakePorts {
  readonly settings: LiveSettings;
  /** Works through batches, and answers which of their tenants could not be stored. */
  readonly handle: (batches: readonly Batch[]) => Promise<ReadonlySet<string>>;
  readonly onWarning: () => void;
  readonly onDropped: (batch: Batch) => void;
}

/**
 * The queue between requests and the store. A request is answered once its spans are stored, so what is lost with the
 * process was never promised; a queue that is full is what senders feel of a store that is slow.
 */
export interface Intake {
  /** `inline` works on the batch itself, for a runtime where no request may await another one's work. */
  accept(batch: Batch, inline: boolean): Promise<Outcome>;
  /** Spans that wait or are under way. */
  readonly size: number;
  /** How many there may ever be. */
  readonly capacity: number;
  /** Takes no more, and resolves once all is stored or the time is over; then what still waits is told so. */
  close(timeoutMs: number): Promise<void>;
}

interface Waiting extends Batch {
  readonly settle: (outcome: Outcome) => void;
}

/** Spans that are stored in one go, so that a store commits once for many requests. */
const maxSpansAtOnce = 4096;

export function createIntake({ settings, handle, onWarning, onDropped }: IntakePorts): Intake {
  let waiting: Waiting[] = [];
  let waitingSpans = 0;
  let underway = 0;
  let running: Promise<void> | undefined;
  let isClosed = false;

  function capacity(): number {
    const { max, hardLimit } = settings.current.queue;
    return Math.max(1, Math.floor(max * hardLimit));
  }

  function dropOldest(): boolean {
    const oldest = waiting.shift();
    if (!oldest) return false;
    waitingSpans -= oldest.spans.length;
    onDropped(oldest);
    oldest.settle('dropped');
    return true;
  }

  /** Whether there is room for so many. */
  function makeRoom(count: number): boolean {
    const { max, softLimit, whenFull } = settings.current.queue;
    while (waitingSpans + underway + count > capacity()) {
      if (whenFull === 'reject' || !dropOldest()) return false;
    }
    if (waitingSpans + underway + count > max * softLimit) onWarning();
    return true;
  }

  function take(): Waiting[] {
    let spans = 0;
    let count = 0;
    while (count < waiting.length && (count === 0 || spans + waiting[count]!.spans.length <= maxSpansAtOnce)) {
      spans += waiting[count++]!.spans.length;
    }
    const taken = waiting.slice(0, count);
    waiting = waiting.slice(count);
    waitingSpans -= spans;
    underway += spans;
    return taken;
  }

  async function work(batches: readonly Batch[]): Promise<(batch: Batch) => Outcome> {
    try {
      const failed = await handle(batches);
      return ({ tenant }) => (failed.has(tenant) ? 'failed' : 'stored');
    } catch {
      return () => 'failed';
    } finally {
      underway -= countSpans(batches);
    }
  }

  async function drain(): Promise<void> {
    // What comes in until the next turn of the event loop is stored with it.
    await new Promise((resolve) => setTimeout(resolve, 0));
    while (waiting.length > 0) {
      const batches = take();
      const outcomeOf = await work(batches);
      for (const batch of batches) batch.settle(outcomeOf(batch));
    }
    running = undefined;
  }

  return {
    get capacity() {
      return capacity();
    },
    get size() {
      return waitingSpans + underway;
    },
    async accept(batch, inline) {
      if (isClosed) return 'closed';
      if (!makeRoom(batch.spans.length)) return 'full';
      if (inline) {
        underway += batch.spans.length;
        return (await work([batch]))(batch);
      }
      const settled = new Promise<Outcome>((settle) => waiting.push({ ...batch, settle }));
      waitingSpans += batch.spans.length;
      running ??= drain();
      return settled;
    },
    async close(timeoutMs) {
      isClosed = true;
      if (!running) return;
      await withTimeout(running, timeoutMs);
      for (const batch of waiting) batch.settle('closed');
      waiting = [];
      waitingSpans = 0;
    },
  };
}

function countSpans(batches: readonly Batch[]): number {
  return batches.reduce((sum, { spans }) => sum + spans.length, 0);
}
