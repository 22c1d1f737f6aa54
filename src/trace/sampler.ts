import type { SpanContext } from '@opentelemetry/api';

/** `TraceFlags.SAMPLED` of the API. */
const sampled = 1;

/** Whether the spans of a trace are kept, decided when its first local span starts. */
export type Sampler = (traceId: string, parent: SpanContext | undefined) => boolean;

/**
 * Keeps this share of traces by the last seven bytes of the id, so that every service that sees the id decides alike.
 * https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/
 */
export function ratioSampler(ratio: number): Sampler {
  const threshold = (1 - ratio) * 2 ** 56;
  return (traceId) => ratio > 0 && Number.parseInt(traceId.slice(18), 16) >= threshold;
}

/** Follows the caller's decision where there is a caller. */
export function parentBasedSampler(root: Sampler): Sampler {
  return (traceId, parent) => (parent ? (parent.traceFlags & sampled) === sampled : root(traceId, parent));
}

/** The samplers of `OTEL_TRACES_SAMPLER`, `undefined` for a name that is none. */
export function samplerByName(name: string, ratio: number): Sampler | undefined {
  const parentBased = name.startsWith('parentbased_');
  const root = rootSampler(parentBased ? name.slice('parentbased_'.length) : name, ratio);
  return root && parentBased ? parentBasedSampler(root) : root;
}

function rootSampler(name: string, ratio: number): Sampler | undefined {
  switch (name) {
    case 'always_on':
      return () => true;
    case 'always_off':
      return () => false;
    case 'traceidratio':
      return ratioSampler(ratio);
    default:
      return undefined;
  }
}
