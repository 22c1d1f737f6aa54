import type { Context } from '@opentelemetry/api';
import { createContextKey } from './otel-context.ts';

/**
 * What a caller wants of sampling beyond the flag of a span context: a decision without ids, a debug trace that every
 * service keeps, or no decision yet.
 */
export type SamplingHint = 'accept' | 'deny' | 'debug' | 'defer';

const key = /* @__PURE__ */ createContextKey('edgespan sampling hint');

/**
 * The caller's wish, for a sampler to read. `deny` without a parent: the new trace is not to be sampled; `accept` and
 * `debug`: it is; `defer`: the receiver decides although the parent's flag is 0. `undefined`: nothing was said.
 */
export function getSamplingHint(context: Context): SamplingHint | undefined {
  return context.getValue(key) as SamplingHint | undefined;
}

export function setSamplingHint(context: Context, hint: SamplingHint): Context {
  return context.setValue(key, hint);
}
