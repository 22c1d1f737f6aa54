import type { Attributes, Exception, SpanKind, TimeInput } from '@opentelemetry/api';
import { cut } from '../attributes.ts';
import { type Clock, fromHrTime } from '../clock.ts';
import { spanKind } from './otel-span.ts';

/** Later times, in milliseconds, do not fit the 64 bits of nanoseconds that OTLP has for them. */
const maxMs = 2 ** 63 / 1e6;

/** Characters of a name or a status. */
const maxText = 4096;

/** A name or message within bounds. */
export function limitText(text: unknown): string {
  return typeof text === 'string' ? cut(text, maxText) : '';
}

/** One of the API's kinds: another number, or a word, would be no OTLP. */
export function toKind(kind: unknown): SpanKind {
  return Number.isInteger(kind) && (kind as SpanKind) >= 0 && (kind as SpanKind) <= 4
    ? (kind as SpanKind)
    : spanKind.internal;
}

/** Lets go of the oldest: an exception at the end says more than what came first. Answers how many. */
export function shed(items: unknown[], max: number): number {
  return items.length > max ? items.splice(0, items.length - max).length : 0;
}

/** `undefined` for what says nothing, or throws when it is read. */
export function describeException(exception: Exception): Attributes | undefined {
  if (typeof exception === 'string') return exception ? { 'exception.message': exception } : undefined;
  try {
    const { code, name, message, stack } = exception;
    const type = code || name;
    if (!type && !message) return undefined;
    return {
      ...(type && { 'exception.type': String(type) }),
      ...(message && { 'exception.message': message }),
      ...(stack && { 'exception.stacktrace': stack }),
    };
  } catch {
    return undefined;
  }
}

export function isTime(value: unknown): value is TimeInput {
  return typeof value === 'number' || value instanceof Date || (Array.isArray(value) && value.length === 2);
}

/** Epoch milliseconds, `undefined` for what is no time. A small number is a reading of `performance.now()`. */
export function toMs(time: TimeInput | undefined, clock: Clock): number | undefined {
  if (!isTime(time)) return undefined;
  const ms = typeof time === 'number' ? time : Array.isArray(time) ? fromHrTime(time) : time.getTime();
  const epochMs = typeof time === 'number' && ms < 1e11 ? clock.now() - clock.monotonic() + ms : ms;
  return epochMs >= 0 && epochMs < maxMs ? epochMs : undefined;
}
