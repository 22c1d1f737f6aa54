/** Codes of the errors that the collector answers. */
export type RefusalCode =
  | 'bad_request'
  | 'unauthorized'
  | 'forbidden'
  | 'not_found'
  | 'method_not_allowed'
  | 'too_large'
  | 'unsupported_media_type'
  | 'rate_limited'
  | 'queue_full'
  | 'unavailable'
  | 'internal';

/** A request that is answered with an error, as whoever finds out throws it. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly code: RefusalCode;
  readonly field: string | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(
    status: number,
    code: RefusalCode,
    message: string,
    details: { field?: string | undefined; retryAfterSeconds?: number } = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.field = details.field || undefined;
    this.retryAfterSeconds = details.retryAfterSeconds;
  }
}

/** `{ error: { code, message, field } }`. */
export function describeRefusal({ code, message, field }: Refusal): { error: object } {
  return { error: { code, message, ...(field && { field }) } };
}

export function refusalHeaders({ retryAfterSeconds, status }: Refusal): Record<string, string> {
  return {
    ...(retryAfterSeconds !== undefined && { 'retry-after': String(Math.max(1, Math.ceil(retryAfterSeconds))) }),
    ...(status === 401 && { 'www-authenticate': 'Bearer' }),
    'cache-control': 'no-store',
  };
}
