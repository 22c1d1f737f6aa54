import { messageOf, TelemetryError } from '../errors.ts';
import type { Registry } from '../metrics/registry.ts';
import type { TelemetryOptions } from '../options.ts';
import { redactAttributes, redactTexts } from '../redact/redact-span.ts';
import { createRedactor, type RedactRule } from '../redact/redactor.ts';
import { createResource, type ReadableSpan, type Resource } from '../trace/readable-span.ts';

export interface RedactionPorts {
  readonly registry: Registry;
  readonly report: (error: unknown) => void;
  /** Told of each span that lost something, and of each text that is gone since a rule failed. */
  readonly changed: (span: ReadableSpan, tenant: string) => void;
  readonly failed: (span: ReadableSpan, tenant: string) => void;
}

/** Takes the secrets out of spans before anything keeps them. */
export type Redaction = (spans: readonly ReadableSpan[], tenant: string) => readonly ReadableSpan[];

export function createRedaction(given: TelemetryOptions['redact'], ports: RedactionPorts): Redaction {
  if (given === undefined) return (spans) => spans;
  const rules: readonly RedactRule[] = Array.isArray(given) ? given : [given as RedactRule];
  let changes = 0;
  let failures = 0;
  const redactor = createRedactor(rules, {
    changed: () => changes++,
    failed(error) {
      failures++;
      const message = `a redact rule failed: ${messageOf(error)}`;
      ports.report(new TelemetryError('redaction_failed', message, { option: 'telemetry.redact' }));
    },
  });
  ports.registry.redactLabels((text, key) => redactor.text(text, { signal: 'metric', key }));

  function redactOne(span: ReadableSpan, resources: Map<Resource, Resource>): ReadableSpan {
    const { resource } = span;
    const known = resources.get(resource) ?? createResource(redactAttributes(resource.attributes, redactor)!);
    resources.set(resource, known);
    return { ...span, ...redactTexts(span, redactor), resource: known };
  }

  return (spans, tenant) => {
    const resources = new Map<Resource, Resource>();
    return spans.map((span) => {
      changes = 0;
      failures = 0;
      const left = redactOne(span, resources);
      if (changes > 0) ports.changed(span, tenant);
      if (failures > 0) ports.failed(span, tenant);
      return left;
    });
  };
}
