import type { OtlpFormat } from '../otlp/decode/decode.ts';
import { describeRefusal, type Refusal, refusalHeaders } from './refusal.ts';

/** What came of a request: how many items were left out, and why the first of them was. */
export interface Accepted {
  readonly rejected: number;
  readonly problem: string | undefined;
}

const types = { json: 'application/json', protobuf: 'application/x-protobuf' } as const;
const rejectedNames = { traces: 'rejectedSpans', metrics: 'rejectedDataPoints' } as const;

/**
 * The answer to a request that was taken, in its own format.
 * https://opentelemetry.io/docs/specs/otlp/#full-success-1
 */
export function acceptOtlp(
  format: OtlpFormat,
  signal: 'traces' | 'metrics',
  { rejected, problem = '' }: Accepted,
): Response {
  const isPartial = rejected > 0;
  const headers = { 'content-type': types[format] };
  if (format === 'json') {
    const partial = { [rejectedNames[signal]]: String(rejected), errorMessage: problem };
    return new Response(JSON.stringify(isPartial ? { partialSuccess: partial } : {}), { headers });
  }
  const message = isPartial ? field(1, [...varint(1, rejected), ...text(2, problem)]) : [];
  return new Response(new Uint8Array(message), { headers });
}

/** Of google.rpc.Code: what OTLP's clients read of an error. */
const codes: Readonly<Record<string, number>> = {
  bad_request: 3,
  too_large: 3,
  unsupported_media_type: 3,
  unauthorized: 16,
  forbidden: 7,
  rate_limited: 8,
  queue_full: 8,
  unavailable: 14,
};
const internal = 13;

/** An error as a `google.rpc.Status`, in JSON with the collector's own words beside it. */
export function refuseOtlp(format: OtlpFormat, refusal: Refusal): Response {
  const { status, message } = refusal;
  const code = codes[refusal.code] ?? internal;
  const headers = { 'content-type': types[format], ...refusalHeaders(refusal) };
  if (format === 'json') {
    return new Response(JSON.stringify({ code, message, ...describeRefusal(refusal) }), { status, headers });
  }
  return new Response(new Uint8Array([...varint(1, code), ...text(2, message)]), { status, headers });
}

/** Fields of a protobuf message: https://protobuf.dev/programming-guides/encoding/ */
function varint(number: number, value: number): number[] {
  return [number << 3, ...toVarint(value)];
}

function text(number: number, value: string): number[] {
  return field(number, [...new TextEncoder().encode(value)]);
}

function field(number: number, bytes: readonly number[]): number[] {
  return [(number << 3) | 2, ...toVarint(bytes.length), ...bytes];
}

function toVarint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return [...bytes, rest];
}
