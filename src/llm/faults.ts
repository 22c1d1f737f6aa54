import { asCount, asObject, type Json } from '../json.ts';
import type { LlmResponse, ReplyField } from './provider.ts';

/** Plain and synchronous: set while a provider reads one reply, taken by who called it. */
let faults = 0;

/** Says that a field is missing or of another type than the vendor documents. */
export function fault(): undefined {
  faults++;
}

/** Whether there were faults since the last call. */
export function takeFaults(): boolean {
  const had = faults > 0;
  faults = 0;
  return had;
}

/** A count of the vendor's; one that is there but is no count is a fault, and unknown. */
export function readCount(value: unknown): number | undefined {
  const count = asCount(value);
  if (count === undefined && value !== undefined && value !== null) fault();
  return count;
}

/** The sum of the counts that are there; unknown where one of them is no count. */
export function sumCounts(values: readonly unknown[]): number | undefined {
  const counts = values.filter((value) => value !== undefined && value !== null).map(readCount);
  let sum: number | undefined;
  for (const count of counts) {
    if (count === undefined) return undefined;
    sum = (sum ?? 0) + count;
  }
  return sum;
}

/** An object of the vendor's; one that is there but is none is a fault, and unknown. */
export function readObject(value: unknown): Json | undefined {
  const object = asObject(value);
  if (!object && value !== undefined && value !== null) fault();
  return object;
}

/** A list that the vendor always sends; anything else is a fault. */
export function readList(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) fault();
  return Array.isArray(value) ? value : [];
}

/** Whether an answer says nothing of a field. */
export function isMissing(response: LlmResponse, field: ReplyField): boolean {
  const known = field === 'input' || field === 'output' ? response.usage?.[field] : response[field];
  return known === undefined;
}
