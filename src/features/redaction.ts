import type { Diagnostics } from '../diagnostics.ts';
import { messageOf, TelemetryError } from '../errors.ts';
import type { Registry } from '../metrics/registry.ts';
import type { TelemetryOptions } from '../options.ts';
import { redactAttributes, redactSpan } from '../redact/redact-span.ts';
import { createRedactor, type RedactRule } from '../redact/redactor.ts';
import type { Feature } from './feature.ts';

/** Redaction of all that leaves, counted. */
function assemble(
  given: NonNullable<TelemetryOptions['redact']>,
  registry: Registry,
  { report, redact }: Pick<Diagnostics, 'report' | 'redact'>,
) {
  const changes = registry.define('edgespan_redacted_total', 'counter', ['signal'], {
    help: 'Texts that secrets were taken out of.',
  });
  const failures = registry.define('edgespan_redaction_failures_total', 'counter', [], {
    help: 'Texts that are gone whole since a rule failed.',
  });
  const rules: readonly RedactRule[] = Array.isArray(given) ? given : [given as RedactRule];
  const redactor = createRedactor(rules, {
    changed: (signal) => changes.add(1, { signal }, null),
    failed(error) {
      failures.add(1, {}, null);
      report(new TelemetryError('redaction_failed', `a redact rule failed: ${messageOf(error)}`, { option: 'redact' }));
    },
  });
  let counting = false;
  registry.redactLabels((text, key) => {
    // The labels of our own two counters.
    if (counting) return text;
    counting = true;
    try {
      return redactor.text(text, { signal: 'metric', key });
    } finally {
      counting = false;
    }
  });
  redact((text) => redactor.text(text, { signal: 'span', key: 'message' }));
  return {
    ...redactor,
    span: (span: Parameters<typeof redactSpan>[0]) => redactSpan(span, redactor),
    attributes: (attributes: Parameters<typeof redactAttributes>[0]) => redactAttributes(attributes, redactor),
  };
}

/** Whatever takes the secrets out of spans, resources and texts. */
export type Redaction = ReturnType<typeof assemble>;

export const redactionPart = { assemble };

/** Secrets are taken out before anything gets them: the option `redact`. */
export const redaction: Feature = { redaction: redactionPart };
