import { toBase64 } from '../digest.ts';

/**
 * An attribute as the text of a label: what is no text in its JSON form, bytes in base64; empty for nothing and for what
 * cannot be written.
 * https://opentelemetry.io/docs/specs/otel/common/#anyvalue-representation-for-non-otlp-protocols
 */
export function toLabelText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value === null || value === undefined) return '';
  if (typeof value !== 'object') return String(value);
  try {
    return value instanceof Uint8Array ? toBase64(value) : (JSON.stringify(value, toJson) ?? '');
  } catch {
    return '';
  }
}

/** What JSON has no word for, as text. */
function toJson(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : `${value}`;
  if (typeof value === 'number') return Number.isFinite(value) ? value : `${value}`;
  return value instanceof Uint8Array ? toBase64(value) : value;
}
