import type { TelemetryError } from './errors.ts';

export type Signal = 'traces' | 'metrics';

export type DropReason =
  | 'buffer_full'
  | 'rejected'
  | 'refused'
  | 'too_large'
  | 'unconfirmed'
  | 'exporter_failed'
  | 'shutdown'
  | 'unbound';

/** What became of a batch: each item is sent, dropped for a reason, or returned to be tried again. */
export interface Delivery<B> {
  readonly sent: number;
  readonly dropped: Readonly<Partial<Record<DropReason, number>>>;
  readonly returned: readonly B[];
  readonly error?: TelemetryError;
}

/** What was recorded since the last flush, and what that left pending, = sent + dropped + pending. */
export interface SignalResult {
  sent: number;
  dropped: number;
  /** What waits for the next flush. */
  pending: number;
  lastError?: TelemetryError;
}

/** Counts what passes through; told by buffers and exporters, read by flush results and the `edgespan_*` metrics. */
export interface Ledger {
  recorded(signal: Signal, count: number): void;
  /** Books what became of a batch. */
  delivered(signal: Signal, delivery: Delivery<unknown>): void;
  dropped(signal: Signal, reason: DropReason, count: number): void;
}
