import type { Delivery, DropReason, Ledger, Signal, SignalResult } from './delivery.ts';
import type { Diagnostics } from './diagnostics.ts';
import { TelemetryError } from './errors.ts';
import type { Registry } from './metrics/registry.ts';

/** A ledger that flushes read: what happened to each signal since the last look. */
export interface Books extends Ledger {
  /** Spans that sampling left out: never recorded, so never dropped. */
  sampledOut(count: number): void;
  take(signal: Signal, pending: number): SignalResult;
}

/** Writes down what becomes of spans and points, for flush results, the `edgespan_*` metrics and `onError`. */
export function createBooks(registry: Registry, diagnostics: Diagnostics): Books {
  const spans = registry.define('edgespan_spans_total', 'counter', ['result'], {
    help: 'Spans handed to exporters, and what became of them.',
  });
  const exports = registry.define('edgespan_exports_total', 'counter', ['signal', 'result'], {
    help: 'Batches that exporters were given.',
  });
  const drops = registry.define('edgespan_dropped_total', 'counter', ['signal', 'reason'], {
    help: 'Spans and points that were lost, by reason.',
  });
  const since: Record<Signal, { sent: number; dropped: number; error: TelemetryError | undefined }> = {
    traces: { sent: 0, dropped: 0, error: undefined },
    metrics: { sent: 0, dropped: 0, error: undefined },
  };

  /** Counted when somebody looks: a look-up in the registry at each span would be a tenth of its time. */
  let recorded = 0;
  registry.beforeCollect(() => {
    if (recorded > 0) spans.add(recorded, { result: 'recorded' }, null);
    recorded = 0;
  });

  function dropped(signal: Signal, reason: DropReason, count: number): void {
    if (count === 0) return;
    since[signal].dropped += count;
    drops.add(count, { signal, reason }, null);
    if (signal === 'traces') spans.add(count, { result: 'dropped' }, null);
    if (reason === 'buffer_full')
      diagnostics.report(new TelemetryError('buffer_full', 'spans end faster than they are sent'));
  }

  function sent(signal: Signal, count: number): void {
    since[signal].sent += count;
    if (signal === 'traces' && count > 0) spans.add(count, { result: 'sent' }, null);
  }

  return {
    recorded(signal, count) {
      if (signal === 'traces') recorded += count;
    },
    dropped,
    sampledOut: (count) => spans.add(count, { result: 'sampled_out' }, null),
    delivered(signal, delivery: Delivery<unknown>) {
      sent(signal, delivery.sent);
      for (const [reason, count] of Object.entries(delivery.dropped)) dropped(signal, reason as DropReason, count);
      exports.add(
        1,
        { signal, result: delivery.returned.length > 0 ? 'retry' : delivery.error ? 'error' : 'ok' },
        null,
      );
      if (!delivery.error) return;
      since[signal].error = delivery.error;
      diagnostics.report(delivery.error);
    },
    take(signal, pending) {
      const { sent, dropped, error } = since[signal];
      since[signal] = { sent: 0, dropped: 0, error: undefined };
      return { sent, dropped, pending, ...(error && { lastError: error }) };
    },
  };
}
