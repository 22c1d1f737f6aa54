import { type Clock, maxTimerMs } from '../clock.ts';
import type { Fetch } from '../runtime.ts';
import { version } from '../version.ts';
import { parseResponse, type ResponseDetail } from './response.ts';
import { isRetryable, parseRetryAfter, toBackoff, whyUnsent } from './retry.ts';

/** One export: all its attempts lie before `deadline`, a reading of `clock.monotonic` (`Infinity` is no limit). */
export interface OtlpRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly contentType: string;
  readonly compression: 'gzip' | 'none';
  readonly fetch: Fetch;
  readonly deadline: number;
  readonly clock: Clock;
  /** From 0 to 1, for the jitter. */
  readonly random: () => number;
  /** Attempts after the first. */
  readonly maxRetries: number;
  readonly sleep?: (ms: number) => Promise<void>;
}

/**
 * What became of an export. `unsent`: nobody took it, it may be sent again. `unconfirmed`: it was sent and no answer
 * came, so it may have arrived. `refused` and `too_large` come back whenever it is sent again. `retryAfterMs` is how long
 * the server asked to be left alone, where that was too long to wait for here.
 */
export type OtlpOutcome =
  | { readonly kind: 'delivered'; readonly rejected: number; readonly message?: string }
  | { readonly kind: 'refused'; readonly status: number; readonly message?: string }
  | { readonly kind: 'too_large' }
  | { readonly kind: 'unsent'; readonly reason: string; readonly retryAfterMs?: number }
  | { readonly kind: 'unconfirmed'; readonly reason: string };

/** Both limits are OTLP's defaults: https://opentelemetry.io/docs/specs/otlp/#otlphttp */
export const maxRequestBytes = 64 * 1024 * 1024;
export const maxResponseBytes = 4 * 1024 * 1024;

const maxMessageLength = 256;

/**
 * Posts one batch, with retries, and never rejects. Reasons and messages hold neither header values nor the URL.
 * Rules: https://opentelemetry.io/docs/specs/otlp/#otlphttp-response
 */
export async function postOtlp(request: OtlpRequest): Promise<OtlpOutcome> {
  if (request.body.length > maxRequestBytes) return { kind: 'too_large' };
  const { deadline, clock, random, maxRetries, sleep = wait } = request;
  try {
    const init = await createInit(request);
    for (let attempt = 0; ; attempt++) {
      const left = deadline - clock.monotonic();
      if (left <= 0) return { kind: 'unsent', reason: 'no time left' };
      const outcome = await attemptOnce(request, init, left);
      if (outcome.kind !== 'unsent' || attempt >= maxRetries) return outcome;
      const delay = outcome.retryAfterMs ?? toBackoff(attempt, random);
      if (clock.monotonic() + delay >= deadline) return outcome;
      await sleep(delay);
    }
  } catch {
    // The message of an error about headers quotes their values.
    return { kind: 'unsent', reason: 'the request could not be made' };
  }
}

async function createInit({ headers, body, contentType, compression }: OtlpRequest): Promise<RequestInit> {
  const all = new Headers(headers);
  if (!all.has('user-agent')) all.set('user-agent', `OTel-OTLP-Exporter-JavaScript/edgespan-${version}`);
  all.set('content-type', contentType);
  const gzip = compression === 'gzip' && typeof CompressionStream === 'function';
  if (gzip) all.set('content-encoding', 'gzip');
  const bytes = body as Uint8Array<ArrayBuffer>;
  // A redirect would carry credentials to wherever it points.
  return { method: 'POST', headers: all, body: gzip ? await compress(bytes) : bytes, redirect: 'manual' };
}

/** Whole and not as a stream: a streamed upload is chunked, and cannot be sent a second time. */
function compress(bytes: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer> {
  return new Response(new Blob([bytes]).stream().pipeThrough(new CompressionStream('gzip'))).arrayBuffer();
}

async function attemptOnce(request: OtlpRequest, init: RequestInit, left: number): Promise<OtlpOutcome> {
  // Unbound: Workers refuse a `fetch` that is called as a method.
  const { fetch } = request;
  const controller = new AbortController();
  const timer = createTimer(left, () => controller.abort());
  try {
    // Raced, since a `fetch` that is not the platform's may not listen to the signal.
    const response = await Promise.race([fetch(request.url, { ...init, signal: controller.signal }), timer.expired]);
    if (!response) return { kind: 'unconfirmed', reason: 'no answer in time' };
    return await readAnswer(response, request, timer.expired);
  } catch (error) {
    const reason = whyUnsent(error);
    return reason ? { kind: 'unsent', reason } : { kind: 'unconfirmed', reason: 'the connection was lost' };
  } finally {
    timer.clear();
  }
}

async function readAnswer(response: Response, request: OtlpRequest, expired: Promise<undefined>): Promise<OtlpOutcome> {
  const { status, headers } = response;
  if (status === 413 || isRetryable(status)) {
    cancel(response.body);
    if (status === 413) return { kind: 'too_large' };
    const retryAfterMs = parseRetryAfter(headers.get('retry-after'), request.clock.now());
    return { kind: 'unsent', reason: `status ${status}`, ...(retryAfterMs !== undefined && { retryAfterMs }) };
  }
  const body = await readBody(response, expired);
  if (body === 'too_long') return { kind: 'refused', status, message: 'the answer is too long' };
  const detail = redact(parseResponse(body, headers.get('content-type') ?? request.contentType), request.headers);
  if (status >= 200 && status < 300) return { kind: 'delivered', ...detail };
  const { message } = detail;
  return { kind: 'refused', status, ...(message !== undefined && { message }) };
}

/** The body, or nothing where it breaks off or does not come: the status has been said. */
async function readBody({ body }: Response, expired: Promise<undefined>): Promise<Uint8Array | 'too_long'> {
  const nothing = new Uint8Array();
  if (!body) return nothing;
  const reader = body.getReader();
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  try {
    for (;;) {
      const result = await Promise.race([reader.read(), expired]);
      if (result?.done) return new Uint8Array(await new Blob(chunks).arrayBuffer());
      length += result?.value.length ?? 0;
      if (!result || length > maxResponseBytes) {
        cancel(reader);
        return result ? 'too_long' : nothing;
      }
      chunks.push(result.value);
    }
  } catch {
    return nothing;
  }
}

/** An unread body keeps its connection. Nobody waits for the cancelling, which may fail or take long. */
function cancel(source: { cancel(): Promise<void> } | null): void {
  source?.cancel().catch(() => {});
}

/** Some servers quote the credentials that they refuse. */
function redact(detail: ResponseDetail, headers: Readonly<Record<string, string>>): ResponseDetail {
  if (!detail.message) return detail;
  const secrets = Object.values(headers).flatMap((value) => value.split(' '));
  const hide = (text: string, secret: string) => (secret.length < 4 ? text : text.replaceAll(secret, '***'));
  return { ...detail, message: secrets.reduce(hide, detail.message).slice(0, maxMessageLength) };
}

/** Not `AbortSignal.timeout`, whose timer would outlive the request. */
function createTimer(ms: number, expire: () => void): { expired: Promise<undefined>; clear: () => void } {
  let id: ReturnType<typeof setTimeout> | undefined;
  const expired = new Promise<undefined>((resolve) => {
    if (ms > maxTimerMs) return;
    id = setTimeout(() => {
      resolve(undefined);
      expire();
    }, ms);
  });
  return { expired, clear: () => id !== undefined && clearTimeout(id) };
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
