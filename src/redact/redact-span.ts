import type { Attributes } from '@opentelemetry/api';
import type { ReadableSpan } from '../trace/readable-span.ts';
import type { RecordingSpan } from '../trace/span.ts';
import type { Redactor, RedactPlace } from './redactor.ts';

/** Where the texts of a span are. */
type SpanTexts = Pick<ReadableSpan, 'name' | 'attributes' | 'status' | 'events' | 'links'>;

/** A copy of what a span says, the secrets taken out. */
export function redactTexts({ name, attributes, status, events, links }: SpanTexts, redactor: Redactor): SpanTexts {
  const at = (key: string): RedactPlace => ({ signal: 'span', key });
  const { message } = status;
  return {
    name: redactor.text(name, at('name')),
    attributes: redactAttributes(attributes, redactor)!,
    status: message === undefined ? status : { ...status, message: redactor.text(message, at('status')) },
    events: events.map((event) => ({
      ...event,
      name: redactor.text(event.name, at('event')),
      ...(event.attributes && { attributes: redactAttributes(event.attributes, redactor)! }),
    })),
    links: links.map((link) => ({
      ...link,
      ...(link.attributes && { attributes: redactAttributes(link.attributes, redactor)! }),
    })),
  };
}

/** Takes the secrets out of a span that has ended, in place, before anything else gets it. */
export function redactSpan(span: RecordingSpan, redactor: Redactor): void {
  const { name, attributes, status, events, links } = redactTexts(span, redactor);
  span.name = name;
  span.status = status;
  // Attributes, events and links are the span's own copies.
  const own = span.attributes;
  for (const key in own) delete own[key];
  Object.assign(own, attributes);
  Object.assign(span.events, events);
  Object.assign(span.links, links);
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
