import type { MetricFamily } from './snapshot.ts';

/** Where metrics are sent. */
export interface MetricExporter {
  /** Sends what there is to send until a time of the monotonic clock. */
  flush(deadline: number): Promise<void>;
  /** Points that could not be sent and the next flush will, and those that are being sent. */
  readonly pending: number;
}

/** A family of the library's own: what a flush counts of itself is no reason for the next one to send. */
export function isOwn({ name }: Pick<MetricFamily, 'name'>): boolean {
  return name.startsWith('edgespan_');
}
