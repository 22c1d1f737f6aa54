import { asArray, asObject, asString, type Json, parseJson } from '../../json.ts';
import type { StreamEvent } from '../provider.ts';
import { BlobDigest, Bytes, findBytes, modalityOf, toBytes } from './blob.ts';

/**
 * A part of a message by the GenAI conventions: `text`, `reasoning`, `tool_call`, `tool_call_response`, `blob`, `file`,
 * `uri`, `server_tool_call`, or whatever type a vendor has beyond those.
 * https://github.com/open-telemetry/semantic-conventions-genai/blob/main/model/gen-ai/gen-ai-input-messages.json
 */
export interface Part {
  readonly type: string;
  readonly [field: string]: unknown;
}

export interface Message {
  readonly role: string;
  readonly parts: readonly Part[];
  readonly name?: string;
  readonly finish_reason?: string;
}

/** What a model was given. */
export interface RequestContent {
  readonly messages?: readonly Message[];
  /** Instructions that stand outside of the messages. */
  readonly system?: readonly Part[];
  readonly tools?: readonly Part[];
  /** What is no request of a known form. */
  readonly raw?: unknown;
}

/** Folds what the events of a stream say into the messages that the unstreamed call would have given. */
export interface ContentReader {
  event(event: StreamEvent): void;
  result(): readonly Message[];
}

/** How what is said goes over the wire. Read apart from all else, and only where it is captured. */
export interface ContentFormat {
  request(body: unknown): RequestContent;
  response(json: unknown): readonly Message[];
  /** Of each text `maxText` characters are enough. */
  stream(maxText: number): ContentReader;
}

/** How what is said in a vendor's APIs is read. */
export interface ProviderContent {
  at(url: URL): ContentFormat | undefined;
  /** By the shape of a value that an SDK returned. */
  of(value: unknown): ContentFormat | undefined;
  readonly all: readonly ContentFormat[];
}

/** Parts of one message, or messages of one request, that are looked at; far above what any model takes. */
export const maxItems = 4096;

export function list(value: unknown): readonly unknown[] {
  return asArray(value).slice(0, maxItems);
}

export function objects(value: unknown): readonly Json[] {
  return list(value).filter((item): item is Json => asObject(item) !== undefined);
}

export function text(content: unknown, type = 'text'): Part[] {
  return asString(content) === undefined ? [] : [{ type, content }];
}

export function reasoning(content: unknown): Part[] {
  return text(content, 'reasoning');
}

/** Arguments come as JSON, which a stream that was cut leaves a text. */
export function toolCall(id: unknown, name: unknown, args: unknown): Part[] {
  const given = typeof args === 'string' ? (parseJson(args) ?? asString(args)) : args;
  if (asString(name) === undefined && given === undefined) return [];
  return [part('tool_call', { id: asString(id), name: asString(name) ?? 'unknown', arguments: given ?? undefined })];
}

export function toolResponse(id: unknown, response: unknown): Part {
  return part('tool_call_response', { id: asString(id), response: response ?? null });
}

/** A tool that the vendor runs by itself. */
export function serverCall(id: unknown, name: unknown, call: Json): Part {
  return part('server_tool_call', { id: asString(id), name: asString(name) ?? 'unknown', server_tool_call: call });
}

export function serverResponse(id: unknown, response: Json): Part {
  return part('server_tool_call_response', { id: asString(id), server_tool_call_response: response });
}

/** A picture, a sound, a document: its bytes, or where they are. `kind` is what it is where its type does not tell. */
export function media(data: unknown, mimeType: unknown, kind?: string): Part[] {
  const mime_type = asString(mimeType);
  const bytes = data instanceof BlobDigest ? data : toBytes(data);
  if (bytes) return [blob(new Bytes(bytes, mime_type), kind)];
  const given = asString(data);
  if (given === undefined) return [];
  if (/^(?!data:)[a-z][a-z0-9+.-]*:/i.test(given)) {
    return [part('uri', { modality: kind ?? modalityOf(mime_type), mime_type, uri: given })];
  }
  const found = given.startsWith('data:') ? findBytes(given) : undefined;
  return [blob(found ?? new Bytes(given, mime_type), kind)];
}

function blob(bytes: Bytes, kind: string | undefined): Part {
  const mime_type = bytes.mimeType;
  return part('blob', { modality: kind ?? modalityOf(mime_type), mime_type, bytes });
}

export function file(id: unknown, mimeType: unknown, kind?: string): Part[] {
  const file_id = asString(id);
  const mime_type = asString(mimeType);
  return file_id === undefined ? [] : [part('file', { modality: kind ?? modalityOf(mime_type), mime_type, file_id })];
}

/** A part that has no word in the conventions, as it is. */
export function generic(block: Json, type: unknown = block.type): Part {
  return { ...block, type: asString(type) ?? 'unknown' };
}

export function part(type: string, fields: Json): Part {
  return { type, ...known(fields) };
}

/** Without the fields that nothing came for. */
export function known(block: Json): Json {
  return Object.fromEntries(Object.entries(block).filter(([, value]) => value !== undefined));
}

/** A content that is a text, a block, or a list of those. */
export function readContent(content: unknown, readBlock: (block: Json) => readonly Part[]): Part[] {
  return (Array.isArray(content) ? list(content) : [content]).flatMap((item) => {
    const block = asObject(item);
    return block ? readBlock(block) : text(item);
  });
}

/** What a tool answered: the text alone, where it is no more than one. */
export function simplify(parts: readonly Part[]): unknown {
  const [first] = parts;
  if (parts.length === 0) return '';
  return parts.length === 1 && first?.type === 'text' ? first.content : parts;
}

/** A message of somebody who has a role; vendors have their own words for the model. */
export function message(
  role: unknown,
  parts: readonly Part[],
  more: { name?: unknown; reason?: unknown } = {},
): Message {
  const given = asString(role)?.toLowerCase() ?? 'user';
  const known = roles[given] ?? given;
  const name = asString(more.name);
  const reason = asString(more.reason);
  return { role: known, parts, ...(name && { name }), ...(reason && { finish_reason: reason }) };
}

const roles: Readonly<Record<string, string>> = { model: 'assistant', chatbot: 'assistant', ai: 'assistant' };

/** The answer of a model, where there is one. */
export function answer(parts: readonly Part[], reason?: unknown): Message[] {
  return parts.length > 0 || asString(reason) ? [message('assistant', parts, { reason })] : [];
}

/** One message of the user's, where there is a text or content in parts. */
export function prompt(parts: readonly Part[]): readonly Message[] | undefined {
  return parts.length > 0 ? [message('user', parts)] : undefined;
}

/** The tools that a model may ask for, by their names: what they are for and how they are called is long. */
export function tool(name: unknown, type: unknown = 'function'): Part[] {
  const kind = asString(type) ?? 'function';
  const known = asString(name) ?? (kind === 'function' ? undefined : kind);
  return known === undefined ? [] : [{ type: kind, name: known }];
}

/** What a provider of one's own has put in `messages`: those of the conventions, or texts by role. */
export function readMessages(value: unknown): Message[] | undefined {
  const items = Array.isArray(value) ? list(value).map(asObject) : [];
  const read = items.map((item) => {
    const role = asString(item?.role);
    if (role === undefined) return undefined;
    const parts = Array.isArray(item?.parts) ? objects(item.parts).map((one) => generic(one)) : text(item?.content);
    return message(role, parts, { name: item?.name, reason: item?.finish_reason });
  });
  const known = read.filter((one) => one !== undefined);
  return known.length > 0 && known.length === items.length ? known : undefined;
}
