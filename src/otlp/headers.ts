import type { Environment, Warn } from '../environment.ts';
import { TelemetryError } from '../errors.ts';
import { parseKeyValueList } from './variables.ts';

type MaybePromise<T> = T | Promise<T>;
export type OtlpHeaders = Record<string, string>;
type HeadersOption = OtlpHeaders | (() => MaybePromise<OtlpHeaders>);

/**
 * What is sent along: the option, else what the environment has. Credentials on a way where others can read them are
 * told to `warn`, those of a function when it gives them.
 */
export function resolveHeaders(
  url: URL,
  options: { headers?: HeadersOption; insecure?: boolean },
  environment: OtlpHeaders | undefined,
  warn: Warn,
): () => MaybePromise<OtlpHeaders> {
  const given = options.headers ?? environment ?? {};
  const isPlain = url.protocol === 'http:' && !options.insecure && !loopback.test(url.hostname);
  const check = (headers: OtlpHeaders) => {
    if (isPlain && Object.keys(headers).some((name) => credential.test(name))) {
      const message = `credentials go to ${url.host} over plain http:; use https:, or otlp.insecure if that is meant`;
      warn(new TelemetryError('insecure_endpoint', message));
    }
    return headers;
  };
  if (typeof given === 'function') return async () => check(await given());
  check(given);
  return () => given;
}

const loopback = /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/;
const credential = /authorization|cookie|token|secret|key/i;

/** Entries that HTTP allows; the others are left out with a warning. */
export function readHeaders(environment: Environment, name: string): OtlpHeaders {
  const { entries, invalid } = parseKeyValueList(environment.string(name) ?? '');
  const valid = entries.filter(
    ([key, value]) => /^[\w!#$%&'*+.^`|~-]+$/.test(key) && /^[\t -~\u0080-\u00ff]*$/.test(value),
  );
  if (invalid > 0 || valid.length < entries.length) environment.ignore(name, 'key=value,key=value, percent-encoded');
  return Object.fromEntries(valid.map(([key, value]) => [key.toLowerCase(), value]));
}
