import type { Delivery, Ledger } from '../delivery.ts';
import type { ReadableSpan } from './readable-span.ts';

/** Takes a batch until `deadline` (monotonic milliseconds) and says what became of it. Never rejects. */
export type SendSpans = <S extends ReadableSpan>(spans: readonly S[], deadline: number) => Promise<Delivery<S>>;

export interface WeighedSpan extends ReadableSpan {
  /** Bytes that it takes, roughly. */
  weigh(): number;
}

/**
 * The way of ended spans to one exporter: a buffer bounded by spans and bytes, what is being sent included, and a flush
 * that moves them out at once, so that two flushes never hold the same span. Each exporter has its own, and so its own
 * failures.
 */
export interface SpanPipeline {
  add(span: WeighedSpan): void;
  /** Sends what is buffered now, batch by batch; what could not be sent goes back. */
  flush(deadline: number): Promise<void>;
  /** Buffered, or in a flush that is still under way. */
  readonly pending: number;
  readonly buffered: number;
}

export interface SpanPipelineOptions {
  readonly sink: SendSpans;
  readonly ledger: Ledger;
  readonly maxSpans: number;
  readonly maxBytes: number;
  readonly batchSize: number;
  readonly monotonic: () => number;
}

export function createSpanPipeline(options: SpanPipelineOptions): SpanPipeline {
  const { ledger } = options;
  let buffer: WeighedSpan[] = [];
  let bytes = 0;
  let inFlight = 0;
  let inFlightBytes = 0;

  function push(span: WeighedSpan): void {
    const size = span.weigh();
    if (buffer.length + inFlight >= options.maxSpans || bytes + inFlightBytes + size > options.maxBytes) {
      ledger.dropped('traces', 'buffer_full', 1);
      return;
    }
    buffer.push(span);
    bytes += size;
  }

  function putBack(spans: readonly WeighedSpan[]): void {
    const newer = buffer;
    buffer = [];
    bytes = 0;
    for (const span of spans) push(span);
    for (const span of newer) push(span);
  }

  return {
    get pending() {
      return buffer.length + inFlight;
    },
    get buffered() {
      return buffer.length;
    },
    add(span) {
      ledger.recorded('traces', 1);
      push(span);
    },
    async flush(deadline) {
      const spans = buffer;
      const taken = bytes;
      buffer = [];
      bytes = 0;
      inFlight += spans.length;
      inFlightBytes += taken;
      const unsent: WeighedSpan[] = [];
      for (let start = 0; start < spans.length; start += options.batchSize) {
        const batch = spans.slice(start, start + options.batchSize);
        if (options.monotonic() >= deadline || unsent.length > 0) {
          unsent.push(...batch);
          continue;
        }
        const delivery = await options.sink(batch, deadline);
        ledger.delivered('traces', delivery);
        unsent.push(...delivery.returned);
      }
      inFlight -= spans.length;
      inFlightBytes -= taken;
      if (unsent.length > 0) putBack(unsent);
    },
  };
}
