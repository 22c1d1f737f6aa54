import { parseResponse, type ResponseDetail } from '../../src/otlp/response.ts';
import { whyUnsent } from '../../src/otlp/retry.ts';

export type Signal = 'traces' | 'metrics';

interface Answer extends ResponseDetail {
  readonly url: string;
  readonly signal: Signal;
  readonly status: number;
  readonly contentType: string;
  readonly retryAfter: string | undefined;
  readonly location: string | undefined;
}

interface Failure {
  readonly url: string;
  readonly signal: Signal;
  /** How it failed, where no answer came. */
  readonly failure: 'refused' | 'bad_port' | 'unknown_host' | 'tls' | 'not_http' | 'timeout' | 'lost';
}

/** What became of a request. */
export type Sent = Answer | Failure;

export interface CheckRequest {
  readonly url: string;
  readonly signal: Signal;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly contentType: string;
  readonly timeoutMs: number;
}

/** More of an answer is not looked at. */
const maxAnswerBytes = 65_536;

/** Posts once, without retries. Never rejects. */
export async function sendOtlp({ url, signal, headers, body, contentType, timeoutMs }: CheckRequest): Promise<Sent> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { ...headers, 'content-type': contentType },
      body: body as Uint8Array<ArrayBuffer>,
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    });
    const type = response.headers.get('content-type') ?? '';
    return {
      url,
      signal,
      status: response.status,
      contentType: type,
      retryAfter: response.headers.get('retry-after') ?? undefined,
      location: response.headers.get('location') ?? undefined,
      ...parseResponse(await readSome(response), type || contentType),
    };
  } catch (error) {
    return { url, signal, failure: classify(error) };
  }
}

async function readSome({ body }: Response): Promise<Uint8Array> {
  const read: number[] = [];
  if (!body) return new Uint8Array();
  for await (const chunk of body) {
    for (const byte of chunk.subarray(0, maxAnswerBytes - read.length)) read.push(byte);
    if (read.length >= maxAnswerBytes) break;
  }
  return new Uint8Array(read);
}

const kinds: readonly (readonly [RegExp, Failure['failure']])[] = [
  [/bad port|unsafe port/i, 'bad_port'],
  [/timeout|aborted/i, 'timeout'],
  [/ENOTFOUND|EAI_AGAIN|dns|lookup|resolve/i, 'unknown_host'],
  [/cert|tls|ssl|self.signed|wrong version/i, 'tls'],
  [/HPE_|HTTPParser|invalid http|malformed/i, 'not_http'],
];

/** By the codes and messages along the causes, which differ from runtime to runtime. */
function classify(error: unknown): Failure['failure'] {
  const said: string[] = [];
  for (let current = error, i = 0; typeof current === 'object' && current !== null && i < 8; i++) {
    const { name, code, message, cause } = current as Record<string, unknown>;
    said.push(`${name} ${code} ${message}`);
    current = cause;
  }
  const [, kind] = kinds.find(([pattern]) => pattern.test(said.join(' '))) ?? [];
  return kind ?? (whyUnsent(error) ? 'refused' : 'lost');
}
