import type { Delivery, DropReason } from '../delivery.ts';
import { TelemetryError } from '../errors.ts';
import type { OtlpOutcome } from './transport.ts';

export interface Batching<B> {
  /** Spans or points in a batch. */
  size(batch: B): number;
  /** Two smaller batches, or nothing where a single item is left. */
  halve(batch: B): readonly [B, B] | undefined;
  post(batch: B): Promise<OtlpOutcome>;
  /** Whether a batch that may have arrived is sent again: spans are, since their ids dedupe them. */
  resendUnconfirmed: boolean;
}

/**
 * Sends a batch and says what became of each of its items. A batch that is too large is halved, each half a request of
 * its own, until a single item is refused.
 */
export async function deliver<B>(batch: B, batching: Batching<B>): Promise<Delivery<B>> {
  const outcome = await batching.post(batch);
  const size = batching.size(batch);
  switch (outcome.kind) {
    case 'delivered': {
      const rejected = Math.min(outcome.rejected, size);
      if (rejected === 0 && !outcome.message) return { sent: size, dropped: {}, returned: [] };
      const error = new TelemetryError('export_partial', outcome.message || `${rejected} items were rejected`);
      return { sent: size - rejected, dropped: rejected ? { rejected } : {}, returned: [], error };
    }
    case 'too_large': {
      const halves = batching.halve(batch);
      if (!halves) return lost('too_large', size, new TelemetryError('export_refused', 'a single item is too large'));
      return join(await deliver(halves[0], batching), await deliver(halves[1], batching));
    }
    case 'refused': {
      const detail = outcome.message ? `: ${outcome.message}` : '';
      return lost('refused', size, new TelemetryError('export_refused', `status ${outcome.status}${detail}`));
    }
    case 'unsent':
      return { sent: 0, dropped: {}, returned: [batch], error: new TelemetryError('export_failed', outcome.reason) };
    case 'unconfirmed': {
      const error = new TelemetryError('export_unconfirmed', outcome.reason);
      return batching.resendUnconfirmed
        ? { sent: 0, dropped: {}, returned: [batch], error }
        : lost('unconfirmed', size, error);
    }
  }
}

function lost<B>(reason: DropReason, size: number, error: TelemetryError): Delivery<B> {
  return { sent: 0, dropped: { [reason]: size }, returned: [], error };
}

function join<B>(a: Delivery<B>, b: Delivery<B>): Delivery<B> {
  const dropped: Partial<Record<DropReason, number>> = { ...a.dropped };
  for (const [reason, count] of Object.entries(b.dropped) as [DropReason, number][]) {
    dropped[reason] = (dropped[reason] ?? 0) + count;
  }
  const error = b.error ?? a.error;
  return { sent: a.sent + b.sent, dropped, returned: [...a.returned, ...b.returned], ...(error && { error }) };
}
