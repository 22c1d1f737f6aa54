import { TelemetryError } from '../errors.ts';
import type { Provider } from '../llm/provider.ts';
import type { PriceTable } from '../pricing/price.ts';
import type { budgetPart } from './budgets.ts';
import type { contentPart } from './content.ts';
import type { evaluationPart } from './evaluations.ts';
import type { foreignSpanPart } from './foreign-spans.ts';
import type { openTelemetryPart } from './open-telemetry.ts';
import type { presetPart } from './presets.ts';
import type { redactionPart } from './redaction.ts';
import type { sessionPart } from './sessions.ts';
import type { sharedMetricPart } from './shared-metrics.ts';
import type { streamUsagePart } from './stream-usage.ts';
import type { wrappingPart } from './wrapping.ts';

/** The parts that a bundle may leave out: those that it has. */
export interface Features {
  readonly budgets?: typeof budgetPart;
  readonly content?: typeof contentPart;
  readonly evaluations?: typeof evaluationPart;
  readonly foreignSpans?: typeof foreignSpanPart;
  readonly openTelemetry?: typeof openTelemetryPart;
  readonly presets?: typeof presetPart;
  readonly redaction?: typeof redactionPart;
  readonly sessions?: typeof sessionPart;
  readonly sharedMetrics?: typeof sharedMetricPart;
  readonly streamUsage?: typeof streamUsagePart;
  readonly wrapping?: typeof wrappingPart;
}

/** Such a part, for `features` of `edgespan/core`, which exports each by its name. What is in it is not for use. */
export interface Feature {
  readonly [name: string]: object;
}

/** All of them, by name. */
/* @__NO_SIDE_EFFECTS__ */
export function joinFeatures(features: readonly Feature[]): Features {
  return Object.assign({}, ...features);
}

/** What a bundle brings: providers and prices, after those of the options, and the parts that it may leave out. */
export interface BuiltIn {
  readonly providers: readonly Provider[];
  readonly prices: readonly PriceTable[];
  readonly features: Features;
}

/** What is needed by an option or a method. Throws a `TelemetryError` that says what to import where it is missing. */
export function need<K extends keyof Features>(features: Features, name: K, option: string): NonNullable<Features[K]> {
  const found = features[name];
  if (found) return found;
  throw new TelemetryError(
    'invalid_option',
    `${option} needs ${name}: import it from edgespan/core, and give it in features: [${name}]`,
    { option },
  );
}
