import type { HrTime } from '@opentelemetry/api';

/**
 * Two clocks, both in milliseconds: `now` since the Unix epoch, `monotonic` from an arbitrary start. On Workers both
 * stand still between two I/O operations and read 0 in global scope, so neither is read before something is recorded.
 */
export interface Clock {
  readonly now: () => number;
  readonly monotonic: () => number;
}

/** A longer delay makes a timer fire at once. */
export const maxTimerMs = 2 ** 31 - 1;

/** Milliseconds (fractions allowed) as `[seconds, nanoseconds]`. */
export function toHrTime(ms: number): HrTime {
  const seconds = Math.trunc(ms / 1000);
  const nanos = Math.round((ms - seconds * 1000) * 1e6);
  return nanos === 1e9 ? [seconds + 1, 0] : [seconds, nanos];
}

/** Milliseconds (fractions allowed) as integer nanoseconds. */
export function toUnixNano(ms: number): bigint {
  const [seconds, nanos] = toHrTime(ms);
  return BigInt(seconds) * 1_000_000_000n + BigInt(nanos);
}

/** Integer nanoseconds as `[seconds, nanoseconds]`. */
export function fromUnixNano(nanos: bigint): HrTime {
  return [Number(nanos / 1_000_000_000n), Number(nanos % 1_000_000_000n)];
}

/** `[seconds, nanoseconds]` as milliseconds. */
export function fromHrTime([seconds, nanos]: HrTime): number {
  return seconds * 1000 + nanos / 1e6;
}

/** Seconds since a reading of `monotonic`; a clock that went back has stood still. */
export function secondsSince(startedAt: number, monotonic: () => number): number {
  return Math.max(0, monotonic() - startedAt) / 1000;
}

/** What is asked for, or the failure that it takes longer than `ms`. */
export async function inTime<T>(ask: () => Promise<T>, ms: number, late: () => Error): Promise<T> {
  let fail = (_: Error): void => {};
  const expired = new Promise<never>((_, reject) => {
    fail = reject;
  });
  const timer = setTimeout(() => fail(late()), Math.max(ms, 0));
  try {
    return await Promise.race([ask(), expired]);
  } finally {
    clearTimeout(timer);
  }
}

/** Settles with the promise or after `ms`, whichever comes first; the timer keeps no process alive. */
export async function withTimeout(promise: Promise<unknown>, ms: number): Promise<void> {
  let expire = (): void => {};
  const timeout = new Promise<void>((resolve) => {
    expire = resolve;
  });
  const timer = setTimeout(expire, Math.min(Math.max(ms, 0), maxTimerMs));
  (timer as { unref?: () => void }).unref?.();
  try {
    await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
