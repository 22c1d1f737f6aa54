import { asString } from '../json.ts';
import type { LlmRequest, LlmResponse } from './provider.ts';

/** How a call was served, which tells its price: as the answer says it, else as it was asked for. */
export function readServiceTier(
  { parameters = {} }: LlmRequest,
  { attributes = {} }: LlmResponse = {},
): string | undefined {
  const served = attributes['edgespan.service_tier'] ?? attributes['openai.response.service_tier'];
  return asString(served ?? parameters['edgespan.request.service_tier'] ?? parameters['openai.request.service_tier']);
}
