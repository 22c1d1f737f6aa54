import { asArray, asNumber, asObject, asString, type Json } from '../../json.ts';
import type { LlmResponse } from '../provider.ts';
import { parseError, present } from './wire.ts';

/** What a code means, for errors without a status: https://developers.cloudflare.com/workers-ai/platform/errors/ */
const meanings: Readonly<Record<string, string>> = {
  2003: 'rate_limit_exceeded',
  3003: 'invalid_request',
  3006: 'request_too_large',
  3007: 'timeout',
  3008: 'timeout',
  3036: 'rate_limit_exceeded',
  3039: 'invalid_request',
  3040: 'rate_limit_exceeded',
  3042: 'not_found',
  5004: 'invalid_request',
  5005: 'invalid_request',
  5007: 'not_found',
};

/** `errors: [{ code, message }]` of the API, `error: […]` of the gateway, or an error as others send it. */
export function parseCloudflareError(body: Json): LlmResponse['error'] {
  const first = asObject(asArray(body.errors)[0] ?? asArray(body.error)[0]);
  if (!first) return parseError(body);
  const code = asString(first.code) ?? asNumber(first.code)?.toString();
  return present({ type: meanings[code ?? ''] ?? 'error', code, message: asString(first.message) });
}

/** For dialects of formats that others defined. */
export const cloudflareErrors = {
  extras(body: Json): Partial<LlmResponse> {
    const error = parseCloudflareError(body);
    return error ? { error } : {};
  },
};
