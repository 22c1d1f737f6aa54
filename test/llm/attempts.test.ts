import { describe, expect, it } from 'vitest';
import { readAttempt } from '../../src/llm/attempts.ts';

const url = new URL('https://api.example.com/v1/chat');
const read = (headers: Record<string, string>, body = '{}') => readAttempt(new Headers(headers), url, body);

describe('readAttempt', () => {
  it('knows the attempts of AWS’s SDKs by the id of the call', () => {
    const headers = { 'amz-sdk-invocation-id': 'call-1', 'amz-sdk-request': 'attempt=1; max=3' };
    expect(read(headers)).toEqual({ number: 0, key: 'call-1', timeoutSeconds: Number.POSITIVE_INFINITY });
    const again = { ...headers, 'amz-sdk-request': 'ttl=20261121T000000Z; attempt=2; max=3' };
    expect(read(again, 'another body')).toMatchObject({ number: 1, key: 'call-1' });
  });

  it.each([
    ['nothing', {}],
    ['no number', { 'amz-sdk-invocation-id': 'a', 'amz-sdk-request': 'max=3' }],
    ['attempt 0', { 'amz-sdk-invocation-id': 'a', 'amz-sdk-request': 'attempt=0; max=3' }],
    ['attempt -1', { 'amz-sdk-invocation-id': 'a', 'amz-sdk-request': 'attempt=-1; max=3' }],
    ['no id', { 'amz-sdk-request': 'attempt=1; max=3' }],
    ['a word', { 'x-stainless-retry-count': 'first' }],
  ])('says nothing of a request with %s', (_name, headers: Record<string, string>) => {
    expect(read(headers)).toBeUndefined();
  });

  it('tells the calls of Stainless’s SDKs apart by their bodies', () => {
    const headers = { 'x-stainless-retry-count': '1', 'x-stainless-timeout': '60' };
    expect(read(headers, 'a')).toMatchObject({ number: 1, timeoutSeconds: 60 });
    expect(read(headers, 'a')?.key).toBe(read(headers, 'a')?.key);
    expect(read(headers, 'a')?.key).not.toBe(read(headers, 'b')?.key);
  });
});
