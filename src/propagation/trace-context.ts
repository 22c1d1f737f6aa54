import type { SpanContext, TextMapPropagator } from '@opentelemetry/api';
import { getSpanContext, isSpanContextValid, setSpanContext } from '../trace/otel-span.ts';
import { strings } from './header-value.ts';
import { parseTraceState } from './trace-state.ts';

const traceparent = 'traceparent';
const tracestate = 'tracestate';

/** A header of a later version may go on after the flags; one longer than this is not read. */
const maxHeaderLength = 1024;
/** Sampled and random; the standard wants all other bits sent as 0. */
const knownFlags = 0x03;

/**
 * W3C Trace Context Level 2. What is invalid or there twice starts a new trace, as the standard has it: the context
 * comes back as it was.
 * https://www.w3.org/TR/trace-context-2/
 */
export const traceContext: TextMapPropagator = {
  inject(context, carrier, setter) {
    const span = getSpanContext(context);
    if (!span || !isSpanContextValid(span)) return;
    const flags = (span.traceFlags & knownFlags).toString(16);
    setter.set(carrier, traceparent, `00-${span.traceId}-${span.spanId}-0${flags}`.toLowerCase());
    const state = span.traceState?.serialize();
    if (state) setter.set(carrier, tracestate, state);
  },
  extract(context, carrier, getter) {
    const headers = strings(getter.get(carrier, traceparent));
    const parent = headers.length === 1 ? parseTraceparent(headers[0]!) : undefined;
    if (!parent) return context;
    const traceState = parseTraceState(strings(getter.get(carrier, tracestate)).join(','));
    return setSpanContext(context, traceState?.serialize() ? { ...parent, traceState } : parent);
  },
  fields: () => [traceparent, tracestate],
};

/** A `traceparent` header of any version but `ff`; `undefined` where it is invalid. */
function parseTraceparent(header: string): SpanContext | undefined {
  if (header.length > maxHeaderLength) return undefined;
  const parts = /^[ \t]*([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-[^ \t]*)?[ \t]*$/.exec(header);
  if (!parts) return undefined;
  const [, version, traceId = '', spanId = '', flags = '', rest] = parts;
  if (version === 'ff' || (version === '00' && rest !== undefined)) return undefined;
  const span = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & knownFlags, isRemote: true };
  return isSpanContextValid(span) ? span : undefined;
}
