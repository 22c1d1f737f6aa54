import type { Attributes } from '@opentelemetry/api';
import { asString, type Json } from '../../json.ts';
import { present } from './wire.ts';

/**
 * The service tier that an answer or a request names. Anthropic says in two more places what makes a call cost more: the
 * whole is `standard+fast+us`.
 */
export function readTier({ service_tier: tier, speed, inference_geo: place }: Json): string | undefined {
  const words = [tier, speed === 'fast' && speed, place === 'us' && place];
  return words.filter(asString).join('+') || undefined;
}

/** How a request wants to be served. */
export function readAskedTier(said: Json): Attributes | undefined {
  return present({ 'edgespan.request.service_tier': readTier(said) });
}
