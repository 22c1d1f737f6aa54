const initialMs = 1000;
const factor = 1.5;
const maxMs = 5000;

/**
 * Milliseconds before retry `attempt` (0 is the first), half of them by chance, so that many clients do not come back
 * at the same moment.
 */
export function toBackoff(attempt: number, random: () => number): number {
  return Math.min(maxMs, initialMs * factor ** attempt) * (0.5 + random() / 2);
}

/**
 * Milliseconds that a `Retry-After` header asks for: seconds or an HTTP date. `undefined` for what is neither.
 * Rule: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
 */
export function parseRetryAfter(header: string | null, now: number): number | undefined {
  const text = header?.trim();
  if (!text) return undefined;
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  // Dates begin with the name of a day; Date.parse alone would take much else.
  const date = /^[A-Z][a-z]{2}/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

export function isRetryable(status: number): boolean {
  return status === 429 || status === 502 || status === 503 || status === 504;
}

/** Never reached the server: Node's and Deno's words, Bun's codes, for refusal, name lookup and the handshake. */
const neverSent =
  /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|CONNECT_TIMEOUT|CERT_|_CERT|ConnectionRefused|FailedToOpenSocket|connection refused|client error \(Connect\)|dns error/i;

/** Deno's and Node's words for a permission that the process does not have, and for a port that no `fetch` takes. */
const notAllowed = /Requires net access|ERR_ACCESS_DENIED|bad port/;

/** How far one looks along `cause`. */
const maxCauses = 5;

/** Why nothing was sent, where an error of `fetch` says so. Any other may hide a request that arrived. */
export function whyUnsent(error: unknown): string | undefined {
  let current = error;
  for (let i = 0; i < maxCauses && typeof current === 'object' && current !== null; i++) {
    const { code, message, cause } = current as { code?: unknown; message?: unknown; cause?: unknown };
    const text = `${code} ${message}`;
    if (notAllowed.test(text)) return 'the runtime does not allow this connection';
    if (neverSent.test(text)) return 'no connection';
    current = cause;
  }
  return undefined;
}
