import { asObject, asString, parseJson } from '../json.ts';

/** What a server says in the body of its answer. */
export interface ResponseDetail {
  /** Items of a partial success that were not taken. */
  readonly rejected: number;
  readonly message?: string;
}

const rejectedFields = ['rejectedSpans', 'rejectedDataPoints', 'rejectedLogRecords'];

/**
 * Reads a partial success or, of an error, a `google.rpc.Status`, as JSON or protobuf. What it cannot read says nothing.
 * Standard: https://opentelemetry.io/docs/specs/otlp/#otlphttp-response
 */
export function parseResponse(body: Uint8Array, contentType: string): ResponseDetail {
  if (body.length === 0) return { rejected: 0 };
  return contentType.includes('protobuf') ? parseProtobuf(body) : parseText(new TextDecoder().decode(body));
}

function parseText(text: string): ResponseDetail {
  const json = asObject(parseJson(text));
  const partial = asObject(json?.partialSuccess);
  const message = asString(partial ? partial.errorMessage : json?.message);
  const rejected = rejectedFields.reduce((sum, field) => sum + toCount(partial?.[field]), 0);
  return { rejected, ...(message !== undefined && { message }) };
}

function toCount(value: unknown): number {
  const count = Number(value);
  return Number.isSafeInteger(count) && count > 0 ? count : 0;
}

/** Field 1 of an export response is the partial success; field 1 of a Status is a number, its field 2 the message. */
function parseProtobuf(body: Uint8Array): ResponseDetail {
  const fields = readFields(body);
  const partial = fields.get(1);
  const inner = typeof partial === 'object' ? readFields(partial) : fields;
  const message = inner.get(2);
  const rejected = inner === fields ? 0 : toCount(inner.get(1));
  return { rejected, ...(typeof message === 'object' && { message: new TextDecoder().decode(message) }) };
}

type Fields = Map<number, number | Uint8Array>;

/** Varints and byte strings by field number, up to the first that is of another type or cut off. */
function readFields(bytes: Uint8Array): Fields {
  const fields: Fields = new Map();
  let position = 0;
  const readVarint = () => {
    let value = 0;
    for (let shift = 1; position < bytes.length; shift *= 128) {
      const byte = bytes[position++]!;
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
    return Number.NaN;
  };
  while (position < bytes.length) {
    const tag = readVarint();
    const value = readVarint();
    const end = position + value;
    if (Number.isNaN(value)) break;
    if (tag % 8 === 0) fields.set(tag >> 3, value);
    else if (tag % 8 !== 2 || end > bytes.length) break;
    else {
      fields.set(tag >> 3, bytes.subarray(position, end));
      position = end;
    }
  }
  return fields;
}
