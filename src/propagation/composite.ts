import type { TextMapPropagator } from '@opentelemetry/api';

/**
 * Several formats as one. Each injects; each extracts upon the context that the one before it made, so that the last
 * that finds something wins. A format that throws is passed over.
 *
 * @example
 * createPropagator([w3c, b3]);
 */
export function createPropagator(formats: readonly TextMapPropagator[]): TextMapPropagator {
  const propagators = [...new Set(formats)];
  return {
    inject(context, carrier, setter) {
      for (const propagator of propagators) {
        try {
          propagator.inject(context, carrier, setter);
        } catch {
          // Telemetry never breaks the application's request.
        }
      }
    },
    extract(context, carrier, getter) {
      let extracted = context;
      for (const propagator of propagators) {
        try {
          extracted = propagator.extract(extracted, carrier, getter);
        } catch {
          // The formats before it still count.
        }
      }
      return extracted;
    },
    fields: () => [...new Set(propagators.flatMap((propagator) => propagator.fields()))],
  };
}
