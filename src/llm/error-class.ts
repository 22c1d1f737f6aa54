import { asObject } from '../json.ts';

/** Few enough for a label. */
export type ErrorClass =
  | 'timeout'
  | 'rate_limit'
  | 'validation_error'
  | 'provider_error'
  | 'internal_error'
  | 'unknown';

/** What is known of a failure: a status, the vendor's words, a value that was thrown. */
export interface Failure {
  status?: number | undefined;
  type?: string | undefined;
  code?: string | undefined;
  thrown?: unknown;
}

/** Prototypes and causes are followed this far. */
const maxDepth = 8;

const byWord: readonly [RegExp, ErrorClass][] = [
  [/time[d_ -]?out|deadline.?exceeded|etimedout/i, 'timeout'],
  [/rate.?limit|too.?many.?requests|throttl|quota|resource.?exhausted/i, 'rate_limit'],
  [
    /invalid|validation|bad.?request|unprocessable|not.?found|context.?length|zod|schema|too.?large/i,
    'validation_error',
  ],
  [
    /overloaded|server.?error|api.?error|unavailable|bad.?gateway|connection|network|socket|fetch.?failed|terminated|econn/i,
    'provider_error',
  ],
  [/authentication|permission|unauthorized|forbidden|billing|payment|policy|refus/i, 'provider_error'],
];

const programming = new Set(['TypeError', 'RangeError', 'ReferenceError', 'SyntaxError', 'EvalError', 'URIError']);

/** One of six classes, by HTTP status, then the vendor's code, then the names along the prototypes and causes. */
export function classifyError(failure: Failure): ErrorClass {
  const { status, code, type, thrown } = failure;
  const known = byStatus(status ?? statusOf(thrown));
  if (known) return known;
  const words = [code, type].filter((word) => word !== undefined);
  for (const word of [...words, ...namesOf(thrown)]) {
    const found = byWord.find(([pattern]) => pattern.test(word));
    if (found) return found[1];
  }
  if (failure.status === 200 || words.length > 0) return 'provider_error';
  return namesOf(thrown).some((name) => programming.has(name)) ? 'internal_error' : 'unknown';
}

function byStatus(status: number | undefined): ErrorClass | undefined {
  if (status === undefined || status < 400) return undefined;
  if (status === 408 || status === 504) return 'timeout';
  if (status === 429) return 'rate_limit';
  if (status === 400 || status === 404 || status === 409 || status === 413 || status === 422) return 'validation_error';
  return 'provider_error';
}

function statusOf(thrown: unknown): number | undefined {
  const error = asObject(thrown);
  const status = error?.status ?? error?.statusCode ?? asObject(error?.$metadata)?.httpStatusCode;
  return typeof status === 'number' ? status : undefined;
}

/** Class names along the prototypes, `name`, `code` and `message` of an error and its causes. */
function namesOf(thrown: unknown): string[] {
  const names: string[] = [];
  let error = thrown;
  for (let depth = 0; depth < maxDepth && typeof error === 'object' && error !== null; depth++) {
    const { name, code, message, cause } = error as {
      name?: unknown;
      code?: unknown;
      message?: unknown;
      cause?: unknown;
    };
    for (const word of [name, code]) if (typeof word === 'string') names.push(word);
    let proto = Object.getPrototypeOf(error);
    for (let i = 0; i < maxDepth && proto && proto !== Error.prototype && proto !== Object.prototype; i++) {
      if (typeof proto.constructor?.name === 'string') names.push(proto.constructor.name);
      proto = Object.getPrototypeOf(proto);
    }
    if (typeof message === 'string') names.push(message.slice(0, 200));
    error = cause;
  }
  return names;
}

/** The class name an application would see, for `llm.error_type` and `error.type`. */
export function errorName(thrown: unknown): string {
  if (typeof thrown !== 'object' || thrown === null) return '_OTHER';
  const { constructor: made, name } = thrown as { constructor?: { name?: unknown }; name?: unknown };
  if (typeof name === 'string' && name !== '' && name !== 'Error') return name;
  return typeof made?.name === 'string' && made.name !== '' ? made.name : '_OTHER';
}

/** The caller gave up, which is no error of the call. A timeout that aborts is one. */
export function isAbort(thrown: unknown, signal?: AbortSignal | null): boolean {
  const reason: unknown = signal?.aborted ? signal.reason : undefined;
  if (errorName(reason) === 'TimeoutError' || errorName(thrown) === 'TimeoutError') return false;
  return signal?.aborted === true || errorName(thrown) === 'AbortError' || errorName(thrown) === 'APIUserAbortError';
}
