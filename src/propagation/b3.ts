import type { Context, SpanContext, TextMapGetter, TextMapPropagator } from '@opentelemetry/api';
import { getSpanContext, isSpanContextValid, setSpanContext } from '../trace/otel-span.ts';
import { getSamplingHint, type SamplingHint, setSamplingHint } from '../trace/sampling-hint.ts';
import { strings, trim } from './header-value.ts';

const single = 'b3';
const multi = {
  traceId: 'x-b3-traceid',
  spanId: 'x-b3-spanid',
  sampled: 'x-b3-sampled',
  flags: 'x-b3-flags',
} as const;

/** The longest valid value has 68 characters. */
const maxValueLength = 128;

/** What the headers said; `span` is absent where they carry a decision alone. */
interface Extracted {
  readonly span?: SpanContext;
  readonly hint: SamplingHint;
}

/**
 * B3 in its single header; reads the `X-B3-*` headers where that one is absent or invalid. A decision without ids,
 * debug and a decision left to the receiver are kept as sampling hint (`getSamplingHint`) and sent on.
 * https://github.com/openzipkin/b3-propagation
 *
 * @example
 * createTelemetry({ propagation: { formats: ['w3c', b3] } });
 */
export const b3: TextMapPropagator = {
  inject(context, carrier, setter) {
    const { ids, state } = outgoing(context);
    const value = [...ids, ...state].join('-');
    if (value) setter.set(carrier, single, value);
  },
  extract,
  fields: () => [single],
};

/** B3 in its `X-B3-*` headers; reads the single header first. */
export const b3multi: TextMapPropagator = {
  inject(context, carrier, setter) {
    const {
      ids: [traceId, spanId],
      state: [state],
    } = outgoing(context);
    if (traceId && spanId) {
      setter.set(carrier, multi.traceId, traceId);
      setter.set(carrier, multi.spanId, spanId);
    }
    if (state === 'd') setter.set(carrier, multi.flags, '1');
    else if (state) setter.set(carrier, multi.sampled, state);
  },
  extract,
  fields: () => Object.values(multi),
};

function outgoing(context: Context): { ids: readonly string[]; state: readonly string[] } {
  const span = getSpanContext(context);
  const hint = getSamplingHint(context);
  const debug = hint === 'debug';
  if (!span || !isSpanContextValid(span)) {
    return { ids: [], state: debug ? ['d'] : hint === 'accept' ? ['1'] : hint === 'deny' ? ['0'] : [] };
  }
  const ids = [span.traceId.toLowerCase(), span.spanId.toLowerCase()];
  if (debug) return { ids, state: ['d'] };
  // Nobody here has decided on a span that only passes through.
  return { ids, state: hint === 'defer' && span.isRemote ? [] : [`${span.traceFlags & 1}`] };
}

function extract<C>(context: Context, carrier: C, getter: TextMapGetter<C>): Context {
  const get = (name: string) => firstValue(getter.get(carrier, name));
  const found = parseSingle(get(single)) ?? parseMulti(get);
  if (!found) return context;
  const hinted = setSamplingHint(context, found.hint);
  return found.span ? setSpanContext(hinted, found.span) : hinted;
}

/** A header that is there twice counts once; `Headers` joins the two by a comma. */
function firstValue(value: unknown): string {
  const [first = ''] = strings(value);
  const end = first.indexOf(',');
  return trim(end < 0 ? first.slice(0, maxValueLength) : first.slice(0, Math.min(end, maxValueLength)));
}

function parseSingle(value: string): Extracted | undefined {
  if (/^[01d]$/.test(value)) return { hint: parseState(value)! };
  const parts = /^([\da-f]+)-([\da-f]+)(?:-([01d])(?:-[\da-f]{16})?)?$/.exec(value);
  return parts ? withSpan(parts[1]!, parts[2]!, parseState(parts[3])) : undefined;
}

function parseMulti(get: (name: string) => string): Extracted | undefined {
  const hint = get(multi.flags) === '1' ? 'debug' : parseState(get(multi.sampled).toLowerCase());
  return withSpan(get(multi.traceId), get(multi.spanId), hint) ?? (hint && { hint });
}

function parseState(state: string | undefined): SamplingHint | undefined {
  switch (state) {
    case '1':
    case 'true':
      return 'accept';
    case '0':
    case 'false':
      return 'deny';
    case 'd':
      return 'debug';
    default:
      return undefined;
  }
}

function withSpan(id: string, spanId: string, hint: SamplingHint = 'defer'): Extracted | undefined {
  if (!/^([\da-f]{16}){1,2}$/.test(id) || !/^[\da-f]{16}$/.test(spanId)) return undefined;
  const traceFlags = hint === 'accept' || hint === 'debug' ? 1 : 0;
  const span = { traceId: id.padStart(32, '0'), spanId, traceFlags, isRemote: true };
  return isSpanContextValid(span) ? { span, hint } : undefined;
}
