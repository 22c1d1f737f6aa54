import { builtIn } from './built-in.ts';
import { assembleTelemetry } from './create.ts';
import type { TelemetryOptions } from './options.ts';
import type { Telemetry } from './telemetry.ts';

export * from './api.ts';
export { computeCost, defaultPrices } from './pricing/default.ts';

/**
 * A telemetry for any runtime. Async context, environment and `waitUntil` enter by the runtime's own subpath
 * (`edgespan/workers`, `/node`, `/deno`, `/bun`), whose `createTelemetry` this is with a runtime filled in.
 * Throws a `TelemetryError` for an option that is unknown or wrong. Nothing happens before something is recorded.
 *
 * @example
 * const telemetry = createTelemetry({ serviceName: 'chat', otlp: { endpoint: 'https://otlp.example.com' } });
 */
export function createTelemetry(options: TelemetryOptions | (() => TelemetryOptions) = {}): Telemetry {
  return assembleTelemetry(typeof options === 'function' ? options() : options, builtIn);
}
