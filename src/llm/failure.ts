import { messageOf } from '../errors.ts';
import { classifyError, type ErrorClass, errorName } from './error-class.ts';
import type { LlmResponse } from './provider.ts';

/** What made a call an error: the conventions' `error.type`, the name an application would see, one of six classes. */
export interface CallFailure {
  readonly type: string;
  readonly name: string;
  readonly message?: string | undefined;
  readonly class: ErrorClass;
}

export const timeout: CallFailure = { type: 'TimeoutError', name: 'TimeoutError', class: 'timeout' };

/** By what was thrown, else by the vendor's words and status, else by a stream that stopped without a word. */
export function readFailure(
  how: { readonly status?: number; readonly thrown?: unknown; readonly incomplete?: boolean },
  { error }: LlmResponse,
): CallFailure | undefined {
  const { thrown, status, incomplete } = how;
  // Whatever was thrown, `undefined` too.
  if ('thrown' in how) {
    const name = errorName(thrown);
    return { type: name, name, message: messageOf(thrown), class: classifyError({ thrown }) };
  }
  if (error || (status !== undefined && status >= 400)) {
    const type = error?.code ?? error?.type ?? String(status);
    const found = classifyError({ status, code: error?.code, type: error?.type });
    return { type, name: type, message: error?.message, class: found };
  }
  if (!incomplete) return undefined;
  return { type: 'incomplete_stream', name: 'incomplete_stream', class: 'provider_error' };
}
