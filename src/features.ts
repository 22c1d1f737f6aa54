import type { budgets } from './budgets.ts';
import type { content } from './content.ts';
import { TelemetryError } from './errors.ts';
import type { evaluations } from './evaluations.ts';
import type { foreignSpans } from './foreign-spans.ts';
import type { Provider } from './llm/provider.ts';
import type { openTelemetry } from './open-telemetry.ts';
import type { presets } from './presets.ts';
import type { PriceTable } from './pricing/price.ts';
import type { redaction } from './redaction.ts';
import type { sessions } from './sessions.ts';
import type { sharedMetrics } from './shared-metrics.ts';
import type { streamUsage } from './stream-usage.ts';
import type { wrapping } from './wrapping.ts';

/** The parts that a bundle may leave out, by name: those that it brings. */
export type Features = Partial<
  typeof presets &
    typeof openTelemetry &
    typeof streamUsage &
    typeof redaction &
    typeof budgets &
    typeof content &
    typeof evaluations &
    typeof foreignSpans &
    typeof sessions &
    typeof sharedMetrics &
    typeof wrapping
>;

/** One such part: a value that `edgespan/core` exports by the part's name. */
export type Feature = Features;

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
