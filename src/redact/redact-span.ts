import type { Attributes, Link } from '@opentelemetry/api';
import type { RecordingSpan } from '../trace/span.ts';
import type { Redactor, RedactPlace } from './redactor.ts';

/** Takes the secrets out of a span that has ended, in place, before anything else gets it. */
export function redactSpan(span: RecordingSpan, redactor: Redactor): void {
  const at = (key: string): RedactPlace => ({ signal: 'span', key });
  span.name = redactor.text(span.name, at('name'));
  redactInPlace(span.attributes, redactor);
  const { message } = span.status;
  if (message !== undefined) span.status = { ...span.status, message: redactor.text(message, at('status')) };
  span.events.forEach((event, index) => {
    span.events[index] = {
      ...event,
      name: redactor.text(event.name, at('event')),
      ...(event.attributes && { attributes: redactAttributes(event.attributes, redactor)! }),
    };
  });
  span.links.forEach((link: Link, index) => {
    if (link.attributes) span.links[index] = { ...link, attributes: redactAttributes(link.attributes, redactor)! };
  });
}

/** They are the span's own copy. */
function redactInPlace(attributes: Attributes, redactor: Redactor): void {
  const left = redactAttributes(attributes, redactor)!;
  for (const key in attributes) delete attributes[key];
  Object.assign(attributes, left);
}

export function redactAttributes(attributes: Attributes | undefined, redactor: Redactor): Attributes | undefined {
  if (!attributes) return undefined;
  const copy: Attributes = {};
  for (const [key, value] of Object.entries(attributes)) {
    const left = redactor.value(value, { signal: 'span', key });
    copy[redactor.text(key, { signal: 'span', key: '' })] = left as Attributes[string];
  }
  return copy;
}
