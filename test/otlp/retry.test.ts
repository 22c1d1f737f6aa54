import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isRetryable, parseRetryAfter, toBackoff, whyUnsent } from '../../src/otlp/retry.ts';

describe('backoff', () => {
  it('grows by half from one second up to five', () => {
    expect([0, 1, 2, 3, 4, 9].map((attempt) => toBackoff(attempt, () => 1))).toEqual([
      1000, 1500, 2250, 3375, 5000, 5000,
    ]);
  });

  it('leaves half of itself to chance', () => {
    fc.assert(
      fc.property(fc.nat({ max: 100 }), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, chance) => {
        const longest = toBackoff(attempt, () => 1);
        expect(toBackoff(attempt, () => chance)).toBeCloseTo(longest / 2 + (longest / 2) * chance);
      }),
    );
  });
});

describe('Retry-After', () => {
  const now = Date.UTC(2026, 0, 1, 12, 0, 0);
  it.each([
    ['2', 2000],
    [' 0 ', 0],
    ['Thu, 01 Jan 2026 12:00:03 GMT', 3000],
    ['Thu, 01 Jan 2026 11:00:00 GMT', 0],
    ['soon', undefined],
    ['-5', undefined],
    ['2026-01-01', undefined],
    ['', undefined],
    [null, undefined],
  ])('%o is %o ms', (header, expected) => {
    expect(parseRetryAfter(header, now)).toBe(expected);
  });
});

it('retries what the standard names, and nothing else', () => {
  const statuses = Array.from({ length: 600 }, (_, status) => status);
  expect(statuses.filter(isRetryable)).toEqual([429, 502, 503, 504]);
});

describe('an error of fetch', () => {
  const failed = (cause: unknown) => new TypeError('fetch failed', { cause });
  it.each([
    ['Node: refused', failed(Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }))],
    ['Node: name', failed(Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' }))],
    ['Node: connect timeout', failed(Object.assign(new Error('Connect Timeout'), { code: 'UND_ERR_CONNECT_TIMEOUT' }))],
    ['Bun: name', Object.assign(new TypeError('getaddrinfo ENOTFOUND nope.invalid'), { code: 'ENOTFOUND' })],
    ['Bun: refused', Object.assign(new Error('Unable to connect.'), { code: 'ConnectionRefused' })],
    [
      'Deno: refused',
      new TypeError(
        'error sending request: client error (Connect): tcp connect error: Connection refused (os error 111)',
      ),
    ],
    ['Deno: name', new TypeError('error sending request: client error (Connect): dns error: failed to lookup')],
  ])('%s was never sent', (_, error) => {
    expect(whyUnsent(error)).toBe('no connection');
  });

  it.each([
    ['Deno', new Error('Requires net access to "x:443", run again with the --allow-net flag')],
    ['Node', failed(Object.assign(new Error('Access to this API has been restricted'), { code: 'ERR_ACCESS_DENIED' }))],
    ['a port that is kept from fetch', failed(new Error('bad port'))],
  ])('%s: not allowed is never sent', (_, error) => {
    expect(whyUnsent(error)).toBe('the runtime does not allow this connection');
  });

  it.each([
    ['Node: reset', failed(Object.assign(new Error('other side closed'), { code: 'UND_ERR_SOCKET' }))],
    ['Node: reset', failed(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }))],
    ['Bun: reset', Object.assign(new Error('The socket connection was closed unexpectedly.'), { code: 'ECONNRESET' })],
    [
      'Deno: reset',
      new TypeError('error sending request: client error (SendRequest): connection closed before message completed'),
    ],
    ['workerd: lost', new Error('Network connection lost.')],
    ['a string', 'ECONNREFUSED'],
    ['nothing', undefined],
  ])('%s may have arrived', (_, error) => {
    expect(whyUnsent(error)).toBeUndefined();
  });

  it('may contain itself', () => {
    const error = new Error('a');
    error.cause = error;
    expect(whyUnsent(error)).toBeUndefined();
  });
});
