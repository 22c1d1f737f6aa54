import type { Exemplar } from '../metrics/snapshot.ts';
import { escapeText } from './labels.ts';
import { renderNumber, renderSeconds } from './number.ts';

/** Code points of an exemplar's label names and values together: OpenMetrics 1.0, section "Exemplars". */
const maxExemplarLength = 128;
const namesLength = 'trace_idspan_id'.length;

/** What follows a sample's value; empty where the labels are longer than the standard allows. */
export function renderExemplar({ traceId, spanId, value, timeUnixNano }: Exemplar): string {
  if (namesLength + Array.from(traceId + spanId).length > maxExemplarLength) return '';
  const labels = `trace_id="${escapeText(traceId)}",span_id="${escapeText(spanId)}"`;
  return ` # {${labels}} ${renderNumber(value)}${timeUnixNano > 0n ? ` ${renderSeconds(timeUnixNano)}` : ''}`;
}

/** The newest exemplar of each bucket, by the bucket's index. */
export function renderBucketExemplars(exemplars: readonly Exemplar[], bounds: readonly number[]): string[] {
  const newest: Exemplar[] = [];
  for (const exemplar of exemplars) {
    const found = bounds.findIndex((bound) => exemplar.value <= bound);
    const bucket = found < 0 ? bounds.length : found;
    const held = newest[bucket];
    if (!held || held.timeUnixNano <= exemplar.timeUnixNano) newest[bucket] = exemplar;
  }
  return newest.map(renderExemplar);
}
