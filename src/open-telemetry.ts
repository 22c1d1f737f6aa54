import { createMeterProvider } from './metrics/meter.ts';
import { registerGlobals } from './register.ts';

/** OpenTelemetry's meters, and its globals: `telemetry.meter`, `meterProvider` and `register`. */
export const openTelemetry = { openTelemetry: { createMeterProvider, register: registerGlobals } };
