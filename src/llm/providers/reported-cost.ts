import { asNumber } from '../../json.ts';
import { fault } from '../faults.ts';

/** Dollars that a vendor says a call cost; what is there and no amount is a fault, and unknown. */
export function readUsd(value: unknown): number | undefined {
  const usd = asNumber(value);
  if (usd !== undefined && usd >= 0) return usd;
  return value === undefined || value === null ? undefined : fault();
}
