import { asArray, asObject, type Json, parseJson } from '../../json.ts';
import { Bytes, findBytes } from './blob.ts';
import { clean, ellipsis, type Redact } from './clean.ts';
import { type Fitted, fitList, largest, writeJson } from './fit.ts';
import type { Message, Part } from './message.ts';
import { toPlain } from './plain.ts';

/** What is read off a message to be written down. */
export interface Rendering {
  /** Characters of a text, or of the JSON of a tool's arguments or answer. */
  readonly limit: number;
  /** Characters of all of it. */
  readonly room: number;
  readonly redact?: Redact | undefined;
}

/** Names and ids, which are never long. */
const short: ReadonlySet<string> = new Set(['id', 'name', 'role', 'mime_type', 'modality', 'file_id', 'finish_reason']);
/** What is said, or where something is. */
const texts: ReadonlySet<string> = new Set([...short, 'content', 'uri', 'transcript']);
const maxName = 256;
/** Of messages that have too many parts for their room, a text has so many characters. */
const crowded = 16;

/** Newest first, as far as there is room: the last of them is what was asked. */
export function renderInput(messages: readonly Message[], rendering: Rendering): Fitted {
  return fitList(messages, rendering.room, (one) => toPlainMessage(one, rendering), squeezeMessage, true);
}

export function renderOutput(messages: readonly Message[], rendering: Rendering): Fitted {
  return fitList(messages, rendering.room, (one) => toPlainMessage(one, rendering), squeezeMessage);
}

/** Instructions, or the definitions of tools. */
export function renderParts(parts: readonly Part[], rendering: Rendering): Fitted {
  return fitList(parts, rendering.room, (one) => toPlainPart(one, rendering), squeezePart);
}

/** Any value as JSON, the whole of it in `limit` characters. */
export function renderValue(value: unknown, { limit, room, redact }: Rendering): string | undefined {
  const most = Math.min(limit, room);
  return writeJson(toPlain(value, most, redact), most);
}

function toPlainMessage({ parts, ...rest }: Message, rendering: Rendering): Json {
  const fields = Object.entries(rest).map(([key, value]) => [key, clean(value, maxName, key, rendering.redact)]);
  return { ...Object.fromEntries(fields), parts: parts.map((one) => toPlainPart(one, rendering)) };
}

/** A part as it may leave: its secrets gone, its bytes described, its texts cut. */
function toPlainPart(part: Part, { limit, redact }: Rendering): Json {
  const plain: Json = {};
  for (const [key, value] of Object.entries(part)) {
    if (value instanceof Bytes) Object.assign(plain, value.note());
    else if (redact && key === 'arguments' && isCutJson(value)) plain[key] = ellipsis;
    else if (key === 'type') plain[key] = clean(part.type, maxName, key, redact);
    else if (typeof value === 'string' && (texts.has(key) || !findBytes(value))) {
      plain[key] = clean(value, short.has(key) ? maxName : limit, key, redact);
    } else if (value !== undefined) {
      // By its name, which a rule may know.
      const plainField = toPlain({ [key]: value }, limit + key.length, redact);
      const field = asObject(fitValue(plainField, limit + JSON.stringify(key).length + 3));
      plain[key] = field && key in field ? field[key] : ellipsis;
    }
  }
  return plain;
}

/** Arguments that did not come to their end: what stands under which name, no rule can tell. */
function isCutJson(value: unknown): boolean {
  return typeof value === 'string' && /^\s*[[{]/.test(value);
}

/** The part with smaller texts, and smaller JSON in it. */
function shrinkPart(part: Json, size: number): Json {
  const entries = Object.entries(part).map(([key, value]) => {
    const isText = typeof value === 'string' && key !== 'type' && !short.has(key);
    return [key, isText || typeof value === 'object' ? fitValue(value, size + (isText ? 2 : 0)) : value];
  });
  return Object.fromEntries(entries);
}

function fitValue(value: unknown, room: number): unknown {
  const json = writeJson(value, room);
  return json === undefined ? ellipsis : parseJson(json);
}

function squeezePart(written: unknown, room: number): string | undefined {
  const part = asObject(written) ?? {};
  return largest(room, room, (size) => JSON.stringify(shrinkPart(part, size)));
}

/** Smaller texts in all of its parts; where that does not do, fewer parts. */
function squeezeMessage(written: unknown, room: number): string | undefined {
  const { parts, ...rest } = asObject(written) ?? {};
  const list = asArray(parts).map((part) => asObject(part) ?? {});
  const write = (some: unknown) => JSON.stringify({ ...rest, parts: some });
  const whole = largest(room, room, (size) => write(list.map((part) => shrinkPart(part, size))));
  if (whole !== undefined) return whole;
  const frame = write([]).length - 2;
  const { json } = fitList(list, room - frame, (part) => shrinkPart(part, crowded), squeezePart);
  return json === undefined ? undefined : write(parseJson(json));
}
