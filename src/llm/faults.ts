import { asCount, asObject, type Json } from '../json.ts';

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

/** An object of the vendor's; one that is there but is none is a fault, and unknown. */
export function readObject(value: unknown): Json | undefined {
  const object = asObject(value);
  if (!object && value !== undefined && value !== null) fault();
  return object;
}
