import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classifyError, type ErrorClass, errorName, type Failure, isAbort } from '../../src/llm/error-class.ts';

const classes: ErrorClass[] = [
  'timeout',
  'rate_limit',
  'validation_error',
  'provider_error',
  'internal_error',
  'unknown',
];

class RateLimitError extends Error {}
class APIConnectionTimeoutError extends Error {}
class ZodError extends Error {
  override name = 'ZodError';
}

describe('the class of an error', () => {
  it.each<[Failure, ErrorClass]>([
    [{ status: 408 }, 'timeout'],
    [{ status: 504 }, 'timeout'],
    [{ status: 429 }, 'rate_limit'],
    [{ status: 400 }, 'validation_error'],
    [{ status: 404 }, 'validation_error'],
    [{ status: 413 }, 'validation_error'],
    [{ status: 422 }, 'validation_error'],
    [{ status: 401 }, 'provider_error'],
    [{ status: 500 }, 'provider_error'],
    [{ status: 529 }, 'provider_error'],
    [{ status: 200, type: 'overloaded_error' }, 'provider_error'],
    [{ status: 200, code: 'rate_limit_exceeded' }, 'rate_limit'],
    [{ status: 200, type: 'invalid_request_error' }, 'validation_error'],
    [{ status: 200, type: 'something_new' }, 'provider_error'],
    [{ code: 'insufficient_quota' }, 'rate_limit'],
    [{ thrown: new RateLimitError('x') }, 'rate_limit'],
    [{ thrown: new APIConnectionTimeoutError('x') }, 'timeout'],
    [{ thrown: new ZodError('x') }, 'validation_error'],
    [{ thrown: Object.assign(new Error('x'), { status: 429 }) }, 'rate_limit'],
    [{ thrown: Object.assign(new Error('x'), { statusCode: 400 }) }, 'validation_error'],
    [{ thrown: Object.assign(new Error('x'), { $metadata: { httpStatusCode: 503 } }) }, 'provider_error'],
    [{ thrown: new DOMException('x', 'TimeoutError') }, 'timeout'],
    [{ thrown: Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNREFUSED' } }) }, 'provider_error'],
    [{ thrown: new Error('outer', { cause: new RateLimitError('inner') }) }, 'rate_limit'],
    [{ thrown: new TypeError('x is undefined') }, 'internal_error'],
    [{ thrown: new RangeError('too deep') }, 'internal_error'],
    [{ thrown: new Error('x') }, 'unknown'],
    [{ thrown: 'text' }, 'unknown'],
    [{ thrown: undefined }, 'unknown'],
    [{ thrown: Object.create(null) }, 'unknown'],
    [{ status: 402 }, 'provider_error'],
    [{ status: 424 }, 'provider_error'],
    [{ status: 451 }, 'provider_error'],
    [{ status: 498 }, 'validation_error'],
    [{ status: 499 }, 'provider_error'],
    [{ status: 522 }, 'timeout'],
    [{ status: 524 }, 'timeout'],
    // The status of whom the call went through is no failure; the one inside the body is.
    [{ status: 200, code: '400' }, 'validation_error'],
    [{ status: 200, code: '408' }, 'timeout'],
    [{ status: 200, code: '429' }, 'rate_limit'],
    [{ status: 200, code: '503' }, 'provider_error'],
    [{ status: 200, type: '404' }, 'validation_error'],
    [{ status: 200, code: '200' }, 'provider_error'],
    // What a vendor calls a limit is one, whatever its status.
    [{ status: 413, code: 'rate_limit_exceeded' }, 'rate_limit'],
    [{ status: 403, type: 'quotaExceeded' }, 'rate_limit'],
    [{ status: 400, code: 'ServiceQuotaExceededException' }, 'rate_limit'],
    [{ status: 500, type: 'timeout_error' }, 'timeout'],
    [{ status: 429, type: 'overloaded_error' }, 'rate_limit'],
    [{ status: 400, code: 'content_filter' }, 'validation_error'],
    [{ status: 200, code: 'content_filter' }, 'validation_error'],
    [{ status: 200, code: 'ResponsibleAIPolicyViolation' }, 'validation_error'],
    [{ status: 200, code: 'context_length_exceeded' }, 'validation_error'],
    [{ status: 200, code: 'invalid_api_key' }, 'provider_error'],
    [{ status: 200, code: 'billing_hard_limit_reached' }, 'provider_error'],
    // The words of gRPC and of AWS.
    [{ status: 200, type: 'DEADLINE_EXCEEDED' }, 'timeout'],
    [{ status: 200, type: 'RESOURCE_EXHAUSTED' }, 'rate_limit'],
    [{ status: 200, type: 'INVALID_ARGUMENT' }, 'validation_error'],
    [{ status: 200, type: 'NOT_FOUND' }, 'validation_error'],
    [{ status: 200, type: 'UNAUTHENTICATED' }, 'provider_error'],
    [{ status: 200, type: 'UNAVAILABLE' }, 'provider_error'],
    [{ status: 200, type: 'throttlingException' }, 'rate_limit'],
    [{ status: 200, type: 'modelStreamErrorException' }, 'provider_error'],
    [{ status: 200, type: 'validationException' }, 'validation_error'],
    [{ code: '3007' }, 'timeout'],
    [{ code: '3036' }, 'rate_limit'],
    [{ code: '3040' }, 'rate_limit'],
    [{ code: '3003' }, 'validation_error'],
    [{ code: '3042' }, 'validation_error'],
    [{ code: '5004' }, 'validation_error'],
    [{ code: '5007' }, 'validation_error'],
    [{ code: '5016' }, 'provider_error'],
    [{ thrown: new Error('5007: No such model @cf/x') }, 'validation_error'],
    [{ thrown: new Error('InferenceUpstreamError: 3040: Capacity temporarily exceeded') }, 'rate_limit'],
    [{ thrown: new Error('3007: Request timeout') }, 'timeout'],
    [{ thrown: Object.assign(new Error('x'), { status: '429' }) }, 'rate_limit'],
    [{ thrown: Object.assign(new Error('x'), { code: 503 }) }, 'provider_error'],
    [{ thrown: Object.assign(new Error('x'), { status_code: 404 }) }, 'validation_error'],
    [{ thrown: Object.assign(new Error('x'), { response: { status: 429 } }) }, 'rate_limit'],
    [
      { thrown: Object.assign(new Error('x'), { status: 413, error: { error: { code: 'rate_limit_exceeded' } } }) },
      'rate_limit',
    ],
    [{ thrown: Object.assign(new Error('x'), { error: { code: 429 } }) }, 'rate_limit'],
    [{ thrown: Object.assign(new Error('x'), { status: 'RESOURCE_EXHAUSTED' }) }, 'rate_limit'],
    [{ thrown: new Response(null, { status: 429 }) }, 'rate_limit'],
    // An outer name says less than a status inside.
    [{ thrown: new Error('outer', { cause: Object.assign(new Error('x'), { status: 400 }) }) }, 'validation_error'],
    [{ thrown: new AggregateError([new Error('x'), new RateLimitError('y')]) }, 'rate_limit'],
    [
      { thrown: Object.assign(new Error('x'), { lastError: { status: 529 }, errors: [{ status: 429 }] }) },
      'provider_error',
    ],
    // What the runtimes say of networks.
    [{ thrown: new TypeError('fetch failed') }, 'provider_error'],
    [{ thrown: new TypeError('Failed to fetch') }, 'provider_error'],
    [{ thrown: new TypeError('Load failed') }, 'provider_error'],
    [{ thrown: new TypeError('terminated') }, 'provider_error'],
    [{ thrown: new TypeError('error sending request for url (https://x.dev/)') }, 'provider_error'],
    [{ thrown: new Error('Network connection lost.') }, 'provider_error'],
    [{ thrown: Object.assign(new Error('Unable to connect.'), { code: 'ConnectionRefused' }) }, 'provider_error'],
    [{ thrown: Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' }) }, 'provider_error'],
    [{ thrown: Object.assign(new Error('x'), { code: 'ETIMEDOUT' }) }, 'timeout'],
    [{ thrown: new TypeError('fetch failed', { cause: { code: 'UND_ERR_HEADERS_TIMEOUT' } }) }, 'timeout'],
    [{ thrown: new Error('Request timed out.') }, 'timeout'],
    [{ thrown: 'timeout' }, 'timeout'],
    // A program's own mistakes, though their messages speak of other things.
    [{ thrown: new TypeError("Cannot read properties of undefined (reading 'timeout')") }, 'internal_error'],
    [{ thrown: new TypeError("Cannot read properties of undefined (reading 'connection')") }, 'internal_error'],
    [{ thrown: Object.assign(new TypeError('Invalid URL'), { code: 'ERR_INVALID_URL' }) }, 'internal_error'],
    [{ thrown: new Error('user not found') }, 'unknown'],
    [{ thrown: new DOMException('x', 'AbortError') }, 'unknown'],
    [{ thrown: 429 }, 'unknown'],
    [{ thrown: Symbol('x') }, 'unknown'],
    [{ thrown: () => {} }, 'unknown'],
  ])('%s is %s', (failure, expected) => {
    expect(classifyError(failure)).toBe(expected);
  });

  it('is found although causes go round in circles', () => {
    const a = new Error('a');
    const b = new Error('b', { cause: a });
    a.cause = b;
    expect(classifyError({ thrown: a })).toBe('unknown');
  });
});

describe('what defends itself against being looked at', () => {
  const fail = () => {
    throw new Error('do not touch');
  };
  const traps = { get: fail, getPrototypeOf: fail, has: fail, ownKeys: fail, getOwnPropertyDescriptor: fail };
  const revoked = Proxy.revocable(new Error('x'), {});
  revoked.revoke();
  const deep = (depth: number): Error => new Error('x', depth > 0 ? { cause: deep(depth - 1) } : {});
  const wide = new AggregateError(Array.from({ length: 100_000 }, () => new Error('x')));
  const getters = Object.defineProperties(new Error('x'), {
    name: { get: fail },
    code: { get: fail },
    status: { get: fail },
    cause: { get: fail },
    errors: { get: fail },
    constructor: { get: fail },
  });
  it.each<[string, unknown]>([
    ['getters that throw', getters],
    ['a proxy that throws', new Proxy(new Error('x'), traps)],
    ['a revoked proxy', revoked.proxy],
    ['a cause that is a revoked proxy', new Error('x', { cause: revoked.proxy })],
    ['errors that are a revoked proxy', Object.assign(new Error('x'), { errors: revoked.proxy })],
    ['a class whose name is no text', { constructor: { name: 1 } }],
    ['a thousand causes', deep(1000)],
    ['a hundred thousand errors', wide],
    ['a frozen error', Object.freeze(new Error('x'))],
    ['an endless prototype', new Proxy({}, { getPrototypeOf: () => new Proxy({}, {}) })],
  ])('%s', (_name, thrown) => {
    expect(classifyError({ thrown })).toBe('unknown');
    expect(isAbort(thrown)).toBe(false);
    expect(typeof errorName(thrown)).toBe('string');
  });

  it('anything at all', () => {
    const value = fc.oneof(
      fc.anything({ withNullPrototype: true, withBigInt: true, withDate: true, withMap: true, withSparseArray: true }),
      fc.dictionary(
        fc.constantFrom('status', 'code', 'type', 'name', 'cause', 'errors', 'message', 'error'),
        fc.anything(),
      ),
    );
    fc.assert(
      fc.property(value, (thrown) => {
        expect(classes).toContain(classifyError({ thrown }));
        expect(typeof isAbort(thrown)).toBe('boolean');
        expect(errorName(thrown)).not.toBe('');
      }),
    );
  });
});

describe('the name of an error', () => {
  it.each<[unknown, string]>([
    [new TypeError('x'), 'TypeError'],
    [new RateLimitError('x'), 'RateLimitError'],
    [new ZodError('x'), 'ZodError'],
    [new DOMException('x', 'AbortError'), 'AbortError'],
    [new Error('x'), 'Error'],
    [{ type: 'server_error', code: null, message: 'x' }, 'server_error'],
    [{ type: 'requests', code: 'rate_limit_exceeded' }, 'rate_limit_exceeded'],
    [{}, '_OTHER'],
    ['text', '_OTHER'],
    [null, '_OTHER'],
    [undefined, '_OTHER'],
    [Object.create(null), '_OTHER'],
  ])('%o', (thrown, name) => {
    expect(errorName(thrown)).toBe(name);
  });
});

describe('an abort', () => {
  const aborted = (reason?: unknown) => {
    const controller = new AbortController();
    controller.abort(reason);
    return controller.signal;
  };
  it.each<[unknown, AbortSignal | undefined, boolean]>([
    [new DOMException('x', 'AbortError'), undefined, true],
    [Object.assign(new Error('x'), { name: 'APIUserAbortError' }), undefined, true],
    [new Error('mine'), aborted(new Error('mine')), true],
    [new Error('x'), aborted(), true],
    [new DOMException('x', 'TimeoutError'), undefined, false],
    [new Error('mine', { cause: new DOMException('x', 'AbortError') }), undefined, true],
    [new Error('minified', { cause: new Error('Request was aborted.') }), undefined, true],
    [new APIConnectionTimeoutError('x', { cause: new DOMException('x', 'AbortError') }), undefined, false],
    [
      new DOMException('x', 'AbortError'),
      aborted(new Error('x', { cause: new DOMException('x', 'TimeoutError') })),
      false,
    ],
    [new DOMException('x', 'TimeoutError'), aborted(new DOMException('x', 'TimeoutError')), false],
    [new DOMException('x', 'AbortError'), aborted(new DOMException('x', 'TimeoutError')), false],
    [new Error('x'), new AbortController().signal, false],
    [undefined, undefined, false],
  ])('%s with %s: %s', (thrown, signal, expected) => {
    expect(isAbort(thrown, signal)).toBe(expected);
  });
});
