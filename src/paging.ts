/** Entries of a page at the most. */
const maxLimit = 1000;

/** How many entries a page has: as many as asked for, from 1 to 1,000; `otherwise` where that is no finite number. */
export function readLimit(limit: number | undefined, otherwise: number): number {
  if (limit === undefined || !Number.isFinite(limit)) return otherwise;
  return Math.min(Math.max(1, Math.trunc(limit)), maxLimit);
}
