import { anthropicMessages } from './anthropic-messages.ts';
import { createProvider, extend, matchHosts } from './format.ts';

/**
 * Anthropic: messages, streamed or not, on `api.anthropic.com` and wherever else a path ends in `/v1/messages`.
 * Where another model answered than was asked, the attribute `edgespan.pricing.model` names it.
 *
 * @example
 * createTelemetry({ providers: [anthropic], prices: anthropicPrices });
 */
export const anthropic = extend(createProvider({ name: 'anthropic', formats: [anthropicMessages] }), {
  owns: matchHosts(['api.anthropic.com']),
});
