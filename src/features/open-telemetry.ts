import { createMeterProvider } from '../metrics/meter.ts';
import { registerGlobals } from '../register.ts';
import type { Feature } from './feature.ts';

export const openTelemetryPart = { createMeterProvider, register: registerGlobals };

/** OpenTelemetry's meters, and its globals: `telemetry.meter`, `meterProvider` and `register`. */
export const openTelemetry: Feature = { openTelemetry: openTelemetryPart };
