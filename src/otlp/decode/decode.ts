import { asObject, parseJson } from '../../json.ts';
import { DecodeError } from './error.ts';
import { type DecodedMetrics, readMetrics } from './metrics.ts';
import { metricRequest, traceRequest } from './schema.ts';
import { type DecodedSpans, readSpans } from './spans.ts';
import { type Message, readMessage } from './wire.ts';

export type OtlpFormat = 'json' | 'protobuf';

/** The format that a content type names; `undefined` for one that OTLP/HTTP does not have. */
export function readFormat(contentType: string | null | undefined): OtlpFormat | undefined {
  const type = contentType?.split(';', 1)[0]?.trim().toLowerCase();
  if (type === 'application/json') return 'json';
  return type === 'application/x-protobuf' || type === 'application/protobuf' ? 'protobuf' : undefined;
}

/**
 * The spans of the body of a `POST /v1/traces`. Throws a `DecodeError` that names the field where the body is no request.
 *
 * @example
 * const { spans, rejected } = decodeTraces(new Uint8Array(await request.arrayBuffer()), 'protobuf');
 */
export function decodeTraces(body: Uint8Array, format: OtlpFormat): DecodedSpans {
  return readSpans(readBody(body, format, traceRequest));
}

/** The metrics of the body of a `POST /v1/metrics`. */
export function decodeMetrics(body: Uint8Array, format: OtlpFormat): DecodedMetrics {
  return readMetrics(readBody(body, format, metricRequest));
}

function readBody(body: Uint8Array, format: OtlpFormat, schema: Message): unknown {
  if (format === 'protobuf') return readMessage(body, schema);
  const request = parseJson(new TextDecoder().decode(body));
  if (request === undefined) throw new DecodeError('', 'the body is no JSON');
  const isSnake = Object.keys(asObject(request) ?? {}).some((name) => name.startsWith('resource_'));
  return isSnake ? toCamel(request, 0) : request;
}

/** Deeper than that no field has a name. */
const maxDepth = 200;

/**
 * What has the names of the .proto files. OTLP wants them in camel case, and `resource_spans` would be a field that nobody
 * knows; but libraries of protobuf write it so if they are told to, and what is in it would be lost without a word.
 */
function toCamel(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null || depth > maxDepth) return value;
  if (Array.isArray(value)) return value.map((item) => toCamel(item, depth + 1));
  const entries = Object.entries(value).map(([name, inner]) => [camel(name), toCamel(inner, depth + 1)]);
  return Object.fromEntries(entries);
}

function camel(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
