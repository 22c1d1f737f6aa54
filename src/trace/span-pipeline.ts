import type { Attributes } from '@opentelemetry/api';
import type { Delivery, Ledger } from '../delivery.ts';
import type { ReadableSpan } from './readable-span.ts';

/** Takes a batch until `deadline` (monotonic milliseconds) and says what became of it. Never rejects. */
export type SpanSink = (spans: readonly ReadableSpan[], deadline: number) => Promise<Delivery<ReadableSpan>>;

/**
 * The way of ended spans to one exporter: a buffer bounded by spans and bytes, what is being sent included, and a flush
 * that moves them out at once, so that two flushes never hold the same span. Each exporter has its own, and so its own
 * failures.
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

/** Ids and times, roughly; strings are counted as they are. */
const spanBytes = 256;
const eventBytes = 64;
const attributeBytes = 32;

export function createSpanPipeline(options: SpanPipelineOptions): SpanPipeline {
  const { ledger } = options;
  let buffer: ReadableSpan[] = [];
  let bytes = 0;
  let inFlight = 0;
  let inFlightBytes = 0;

  function push(span: ReadableSpan): void {
    const size = estimateBytes(span);
    if (buffer.length + inFlight >= options.maxSpans || bytes + inFlightBytes + size > options.maxBytes) {
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
      const taken = bytes;
      buffer = [];
      bytes = 0;
      inFlight += spans.length;
      inFlightBytes += taken;
      const unsent: ReadableSpan[] = [];
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

function estimateBytes(span: ReadableSpan): number {
  let bytes = spanBytes + span.name.length + weighEntries(span.attributes);
  for (const event of span.events) bytes += eventBytes + event.name.length + weighEntries(event.attributes);
  for (const link of span.links) bytes += eventBytes + weighEntries(link.attributes);
  return bytes;
}

function weighEntries(attributes: Attributes | undefined): number {
  let bytes = 0;
  for (const key in attributes) bytes += attributeBytes + key.length + weigh(attributes[key]);
  return bytes;
}

function weigh(value: unknown): number {
  if (typeof value === 'string') return value.length;
  return typeof value === 'object' && value !== null ? weighObject(value) : 0;
}

function weighObject(value: object): number {
  if (value instanceof Uint8Array) return value.length;
  let bytes = 0;
  for (const item of Array.isArray(value) ? value : Object.values(value)) bytes += attributeBytes + weigh(item);
  return bytes;
}
