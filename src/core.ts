import { assembleTelemetry } from './create.ts';
import type { TelemetryOptions } from './options.ts';
import type { Telemetry } from './telemetry.ts';

export * from './api.ts';
export { anthropic } from './llm/providers/anthropic.ts';
export { openai } from './llm/providers/openai.ts';
export { computeCost } from './pricing/cost.ts';
export { anthropicPrices } from './pricing/table/anthropic.ts';
export { openaiPrices } from './pricing/table/openai.ts';

/**
 * A telemetry with no provider and no price of its own: a bundle has only those that are named.
 *
 * @example
 * createTelemetry({ runtime, providers: [openai], prices: openaiPrices });
 */
export function createTelemetry(options: TelemetryOptions | (() => TelemetryOptions) = {}): Telemetry {
  return assembleTelemetry(typeof options === 'function' ? options() : options, { providers: [], prices: [] });
}
