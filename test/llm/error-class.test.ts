import { describe, expect, it } from 'vitest';
import { classifyError, type ErrorClass, errorName, type Failure, isAbort } from '../../src/llm/error-class.ts';

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

describe('the name of an error', () => {
  it.each<[unknown, string]>([
    [new TypeError('x'), 'TypeError'],
    [new RateLimitError('x'), 'RateLimitError'],
    [new ZodError('x'), 'ZodError'],
    [new DOMException('x', 'AbortError'), 'AbortError'],
    [new Error('x'), 'Error'],
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
    [new DOMException('x', 'TimeoutError'), aborted(new DOMException('x', 'TimeoutError')), false],
    [new DOMException('x', 'AbortError'), aborted(new DOMException('x', 'TimeoutError')), false],
    [new Error('x'), new AbortController().signal, false],
    [undefined, undefined, false],
  ])('%s with %s: %s', (thrown, signal, expected) => {
    expect(isAbort(thrown, signal)).toBe(expected);
  });
});
