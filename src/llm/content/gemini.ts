import { asNumber, asObject, asString, type Json } from '../../json.ts';
import { pick } from '../field-names.ts';
import { maxReplyText } from './blocks.ts';
import { ellipsis } from './clean.ts';
import {
  answer,
  type ContentFormat,
  type ContentReader,
  generic,
  type Message,
  maxItems,
  media,
  message,
  objects,
  type Part,
  prompt,
  type RequestContent,
  readContent,
  reasoning,
  serverCall,
  serverResponse,
  text,
  tool,
  toolCall,
  toolResponse,
} from './message.ts';

function readPart(part: Json): Part[] {
  if (part.text !== undefined) return part.thought === true ? reasoning(part.text) : text(part.text);
  const bytes = asObject(pick(part, 'inlineData'));
  if (bytes) return media(bytes.data, pick(bytes, 'mimeType'));
  const stored = asObject(pick(part, 'fileData'));
  if (stored) return media(pick(stored, 'fileUri'), pick(stored, 'mimeType'));
  const call = asObject(pick(part, 'functionCall'));
  if (call) return toolCall(call.id, call.name, call.args);
  const response = asObject(pick(part, 'functionResponse'));
  if (response) return [readResponse(response)];
  const asked = asObject(pick(part, 'toolCall'));
  if (asked) return [serverCall(asked.id, pick(asked, 'toolType'), { ...asked, type: 'tool_call' })];
  const answered = asObject(pick(part, 'toolResponse'));
  if (answered) return [serverResponse(answered.id, { ...answered, type: 'tool_response' })];
  const code = asObject(pick(part, 'executableCode'));
  if (code) return [serverCall(undefined, 'code_execution', { type: 'executable_code', ...code })];
  const result = asObject(pick(part, 'codeExecutionResult'));
  if (result) return [serverResponse(undefined, { type: 'code_execution_result', ...result })];
  const { thoughtSignature: _signature, thought_signature: _other, ...rest } = part;
  const [kind] = Object.keys(rest);
  return kind === undefined ? [] : [generic(rest, kind)];
}

/** What a function answered, with the pictures and files that go with it. */
function readResponse({ id, name, response, parts }: Json): Part {
  const files = objects(parts).flatMap(readPart);
  return toolResponse(id ?? name, files.length > 0 ? [response, ...files] : response);
}

/** Contents come as a text, as parts of one, or as a list of them. */
function readContents(value: unknown): readonly Message[] | undefined {
  const items = Array.isArray(value) ? objects(value) : objects([value]);
  if (items.length === 0 || !items.some((item) => Array.isArray(item.parts)))
    return prompt(readContent(value, readPart));
  return items.map((item) => message(item.role, objects(item.parts).flatMap(readPart)));
}

function readInstruction(value: unknown): Part[] {
  const parts = asObject(value)?.parts;
  return readContent(parts ?? value, readPart);
}

/** Functions by their names; those of Google's own by theirs. */
function readTools(value: unknown): Part[] {
  return objects(value).flatMap((one) =>
    Object.entries(one).flatMap(([kind, given]) =>
      /^function_?declarations$/i.test(kind) ? objects(given).flatMap(({ name }) => tool(name)) : tool(kind, kind),
    ),
  );
}

/** On the wire, or as the SDK takes it, with what is no content in a `config`. */
function readRequest(given: unknown): RequestContent {
  const body = asObject(given) ?? {};
  const config = asObject(body.config) ?? body;
  const messages = readContents(body.contents ?? body.content);
  return {
    ...(messages && { messages }),
    system: readInstruction(pick(config, 'systemInstruction')),
    tools: readTools(config.tools),
  };
}

interface Candidate {
  readonly parts: Part[];
  reason: unknown;
}

/** Folds the chunks of one answer, or the whole of it as one: pieces of a text are one text. */
function createFold(
  maxText: number,
): ContentReader & { add(json: unknown): void; messages(missing?: string): Message[] } {
  const candidates = new Map<number, Candidate>();

  let left = Math.max(maxReplyText, maxText);

  function addText(candidate: Candidate, type: string, more: string): void {
    const last = candidate.parts.at(-1);
    const isMore = last?.type === type;
    const known = isMore ? String(last.content) : '';
    left -= more.length;
    const content = left < 0 ? ellipsis : known + more.slice(0, Math.max(0, maxText - known.length));
    if (isMore) candidate.parts.pop();
    candidate.parts.push({ type, content });
  }

  function addPart(candidate: Candidate, part: Part): void {
    if (candidate.parts.length >= maxItems) return;
    const isText = part.type === 'text' || part.type === 'reasoning';
    if (isText) addText(candidate, part.type, String(part.content));
    else candidate.parts.push(part);
  }

  function add(json: unknown): void {
    objects(asObject(json)?.candidates).forEach((item, position) => {
      const index = asNumber(item.index) ?? position;
      const candidate = candidates.get(index) ?? { parts: [], reason: undefined };
      if (candidates.size < 128) candidates.set(index, candidate);
      candidate.reason = asString(item.finishReason) ?? candidate.reason;
      for (const part of objects(asObject(item.content)?.parts).flatMap(readPart)) addPart(candidate, part);
    });
  }

  function messages(missing?: string): Message[] {
    const ordered = [...candidates].sort(([a], [b]) => a - b).map(([, candidate]) => candidate);
    return ordered.flatMap(({ parts, reason }) => answer(parts, reason ?? missing));
  }

  return { add, messages, event: ({ json }) => add(json), result: () => messages('error') };
}

/** Gemini's content. */
export const geminiContent: ContentFormat = {
  request: readRequest,
  response(json) {
    const fold = createFold(Number.POSITIVE_INFINITY);
    for (const chunk of Array.isArray(json) ? json : [json]) fold.add(chunk);
    return fold.messages();
  },
  stream: createFold,
};
