import type { Delivery, Ledger } from '../delivery.ts';
import type { ReadableSpan } from './readable-span.ts';

/** Takes a batch until `deadline` (monotonic milliseconds) and says what became of it. Never rejects. */
export type SpanSink = (spans: readonly ReadableSpan[], deadline: number) => Promise<Delivery<ReadableSpan>>;

/**
 * The way of ended spans to one exporter: a buffer bounded by spans and bytes, and a flush that moves them out at once,
 * so that two flushes never hold the same span. Each exporter has its own, and so its own failures.
 */
export interface SpanPipeline {
  add(span: ReadableSpan): void;
  /** Sends what is buffered now, batch by batch; what could not be sent goes back. */
  flush(deadline: number): Promise<void>;
  /** Buffered, or in a flush that is still under way. */
  readonly pending: number;
  readonly buffered: number;
}

export interface SpanPipelineOptions {
  readonly sink: SpanSink;
  readonly ledger: Ledger;
  readonly maxSpans: number;
  readonly maxBytes: number;
  readonly batchSize: number;
  readonly monotonic: () => number;
}

/** Ids, times and names of a span and the keys of an attribute, roughly; strings are counted as they are. */
const spanBytes = 256;
const attributeBytes = 32;

export function createSpanPipeline(options: SpanPipelineOptions): SpanPipeline {
  const { ledger } = options;
  let buffer: ReadableSpan[] = [];
  let bytes = 0;
  let inFlight = 0;

  function push(span: ReadableSpan): void {
    const size = estimateBytes(span);
    if (buffer.length >= options.maxSpans || bytes + size > options.maxBytes) {
      ledger.dropped('traces', 'buffer_full', 1);
      return;
    }
    buffer.push(span);
    bytes += size;
  }

  function putBack(spans: readonly ReadableSpan[]): void {
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
      buffer = [];
      bytes = 0;
      inFlight += spans.length;
      const unsent: ReadableSpan[] = [];
      for (let start = 0; start < spans.length; start += options.batchSize) {
        const batch = spans.slice(start, start + options.batchSize);
        const late = options.monotonic() >= deadline || unsent.length > 0;
        const delivery = late ? { sent: 0, dropped: {}, returned: batch } : await options.sink(batch, deadline);
        ledger.delivered('traces', delivery);
        unsent.push(...delivery.returned);
      }
      inFlight -= spans.length;
      if (unsent.length > 0) putBack(unsent);
    },
  };
}

function estimateBytes(span: ReadableSpan): number {
  let bytes = spanBytes + span.name.length;
  for (const key in span.attributes) bytes += attributeBytes + weigh(span.attributes[key]);
  for (const event of span.events)
    for (const key in event.attributes) bytes += attributeBytes + weigh(event.attributes[key]);
  for (const link of span.links)
    for (const key in link.attributes) bytes += attributeBytes + weigh(link.attributes[key]);
  return bytes;
}

function weigh(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 0;
  if (value instanceof Uint8Array) return value.length;
  let bytes = 0;
  for (const item of Object.values(value)) bytes += attributeBytes + weigh(item);
  return bytes;
}
