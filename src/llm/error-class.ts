import { ignore, safely } from '../errors.ts';
import { abort, byMessage, byWord, fetchFailed, rateLimit, timeout } from './error-words.ts';

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

/** What one error of a chain says of itself. */
interface Facts {
  /** The first HTTP status of a failure. */
  readonly status: number | undefined;
  /** Codes, types, names of classes. */
  readonly words: readonly string[];
  readonly message?: string;
}

/** Errors of a chain that are looked at, and classes of one. */
const maxErrors = 16;
/** Characters of a message or a name that are looked at. */
const maxText = 200;

/** What the request itself is to blame for; 498 is Cohere's for a text it denies. */
const refused = new Set([400, 404, 405, 406, 409, 410, 411, 412, 413, 414, 415, 416, 417, 422, 428, 431, 498]);
const programming = new Set(['TypeError', 'RangeError', 'ReferenceError', 'SyntaxError', 'EvalError', 'URIError']);

/**
 * One of six classes, by HTTP status, then the vendor's code, then the names along the prototypes, causes and collected
 * errors, then what messages say of networks and limits. Never throws, whatever was thrown.
 */
export function classifyError(failure: Failure): ErrorClass {
  const { status, code, type, thrown } = failure;
  const said: Facts = { status: findStatus([status, code, type]), words: toWords([code, type]) };
  const facts = [said, ...chainOf(thrown, ['cause', 'error', 'lastError', 'errors']).map(readFacts)];
  const telling = facts.find((fact) => fact.status !== undefined);
  if (telling) return byStatus(telling.status!, telling.words);
  const named = byWord.find(([pattern]) => facts.some(({ words }) => words.some((word) => pattern.test(word))));
  if (named) return named[1];
  for (const { words, message } of facts) {
    if (message === undefined || (isProgramming(words) && !fetchFailed.test(message))) continue;
    const found = byMessage.find(([pattern]) => pattern.test(message));
    if (found) return found[1];
  }
  if (status === 200 || said.words.length > 0) return 'provider_error';
  return facts.some(({ words }) => isProgramming(words)) ? 'internal_error' : 'unknown';
}

/** Some vendors send 400, 403, 413 or 500 for what they call a limit or a timeout by its code. */
function byStatus(status: number, words: readonly string[]): ErrorClass {
  // 522 and 524 are Cloudflare's: the server behind did not answer in time.
  if ([408, 504, 522, 524].includes(status)) return 'timeout';
  if (status === 429) return 'rate_limit';
  if (words.some((word) => timeout.test(word))) return 'timeout';
  if (words.some((word) => rateLimit.test(word))) return 'rate_limit';
  return refused.has(status) ? 'validation_error' : 'provider_error';
}

function isProgramming(words: readonly string[]): boolean {
  return words.some((word) => programming.has(word));
}

/** A vendor's code that is the status of a failure counts as one: gateways send it in streams that began with 200. */
function findStatus(values: readonly unknown[]): number | undefined {
  return values
    .filter((value) => typeof value === 'number' || (typeof value === 'string' && value.length === 3))
    .map(Number)
    .find((value) => Number.isInteger(value) && value >= 400 && value <= 599);
}

function toWords(values: readonly unknown[]): string[] {
  const words = values.filter((value) => typeof value === 'string' || typeof value === 'number');
  return words.map((word) => String(word).slice(0, maxText));
}

function readFacts(error: unknown): Facts {
  if (typeof error === 'string') return { status: undefined, words: [], message: error.slice(0, maxText) };
  const [code, type, status] = [read(error, 'code'), read(error, 'type'), read(error, 'status')];
  const given = read(error, 'message');
  const message = typeof given === 'string' ? given.slice(0, maxText) : '';
  // The AI binding of Workers has its code in the message alone.
  const leading = /^(?:\w*Error: )?(\d{4}): /.exec(message)?.[1];
  // SDKs keep what the vendor answered.
  const bodies = ['error', 'data', 'body'].map((key) => read(error, key));
  const answers = [...bodies, ...bodies.map((body) => read(body, 'error'))];
  const codes = [code, ...answers.flatMap((answer) => [read(answer, 'status_code'), read(answer, 'code')])];
  return {
    status: findStatus([
      status,
      read(error, 'statusCode'),
      read(error, 'status_code'),
      read(read(error, '$metadata'), 'httpStatusCode'),
      read(read(error, 'response'), 'status'),
      ...codes,
    ]),
    words: toWords([
      type,
      status,
      leading,
      ...codes,
      ...answers.map((answer) => read(answer, 'type')),
      ...namesOf(error),
    ]),
    message,
  };
}

/** `name`, and the names of the classes along the prototypes. */
function namesOf(error: unknown): string[] {
  const names = [read(error, 'name')];
  const next = (object: unknown) => safely(() => Object.getPrototypeOf(object) as unknown, ignore);
  for (let proto = next(error); isOwn(proto) && names.length < maxErrors; proto = next(proto)) {
    names.push(read(read(proto, 'constructor'), 'name'));
  }
  return names.filter((name) => typeof name === 'string');
}

function isOwn(proto: unknown): boolean {
  return proto !== undefined && proto !== null && proto !== Error.prototype && proto !== Object.prototype;
}

/** The error and what it names by these properties, nearest first, each once. */
function chainOf(thrown: unknown, links: readonly string[]): unknown[] {
  const chain = new Set([thrown]);
  for (const error of chain) {
    for (const link of links) {
      const named = read(error, link);
      for (const next of safely(() => (Array.isArray(named) ? named.slice(0, maxErrors) : [named]), ignore) ?? []) {
        if (chain.size < maxErrors && typeof next === 'object' && next !== null) chain.add(next);
      }
    }
  }
  return [...chain].filter((error) => typeof error === 'string' || (typeof error === 'object' && error !== null));
}

/** A property of whatever it may be, even of what throws when it is looked at. */
function read(value: unknown, key: string): unknown {
  return safely(() => (value as Record<string, unknown> | null | undefined)?.[key], ignore);
}

/** The class name an application would see, for `llm.error_type` and `error.type`. */
export function errorName(thrown: unknown): string {
  if (typeof thrown !== 'object' || thrown === null) return '_OTHER';
  const named = read(read(thrown, 'constructor'), 'name');
  // What a vendor sent as an error, thrown as it came.
  const own = named === 'Object' ? [read(thrown, 'code'), read(thrown, 'type')] : [named];
  const names = [read(thrown, 'name'), ...own, read(thrown, 'name')];
  const isName = (name: unknown): name is string => typeof name === 'string' && name !== '';
  return names.filter(isName).find((name, index) => index > 0 || name !== 'Error') ?? '_OTHER';
}

/**
 * The caller gave up, which is no error of the call, whatever an SDK or the application made of it. A timeout that
 * aborts is one.
 */
export function isAbort(thrown: unknown, signal?: AbortSignal | null): boolean {
  const left = signal?.aborted === true;
  const chain = [...chainOf(left ? signal.reason : undefined, ['cause']), ...chainOf(thrown, ['cause'])];
  if (chain.some((error) => namesOf(error).some((name) => timeout.test(name)))) return false;
  // Of a minified SDK the message is all that is left.
  const said = chain.some((error) => read(error, 'message') === 'Request was aborted.');
  return left || said || chain.some((error) => namesOf(error).some((name) => abort.test(name)));
}
