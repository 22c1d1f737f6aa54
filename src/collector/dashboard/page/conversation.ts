import { asArray, asObject, asString, type Json, parseJson } from '../../../json.ts';

/** A part of a message, or a value, as it is shown. */
export interface Piece {
  readonly kind: 'text' | 'reasoning' | 'call' | 'result' | 'media';
  /** The tool's name, the kind of media. */
  readonly label?: string;
  readonly text: string;
}

export interface Said {
  readonly role: string;
  readonly pieces: readonly Piece[];
}

export interface Captured {
  readonly messages: readonly Said[];
  /** What else went in and came out, by what it is. */
  readonly values: readonly { readonly label: string; readonly text: string }[];
  /** Names of the attributes that are shown by that. */
  readonly read: ReadonlySet<string>;
}

const input = 'gen_ai.input.messages';
const output = 'gen_ai.output.messages';

/** Single values that tracers capture, ours first. */
const values: readonly (readonly [label: string, ...names: string[]])[] = [
  [
    'Input',
    'edgespan.input',
    'input.value',
    'traceloop.entity.input',
    'langfuse.observation.input',
    'ai.toolCall.args',
    'rastir.input',
  ],
  ['Arguments', 'gen_ai.tool.call.arguments'],
  ['Query', 'gen_ai.retrieval.query.text'],
  ['Documents', 'gen_ai.retrieval.documents'],
  ['Result', 'gen_ai.tool.call.result', 'ai.toolCall.result'],
  [
    'Output',
    'edgespan.output',
    'output.value',
    'traceloop.entity.output',
    'langfuse.observation.output',
    'rastir.output',
  ],
];

/** What was said to a model and by it, where the span has that, in the forms of the conventions and of other tracers. */
export function readCaptured(attributes: Json): Captured {
  const read = new Set<string>();
  const take = (name: string): unknown => {
    const value = attributes[name];
    if (value !== undefined) read.add(name);
    return value;
  };
  const system = readPieces(parsed(take('gen_ai.system_instructions')));
  const messages = [
    ...(system.length > 0 ? [{ role: 'system', pieces: system }] : []),
    ...readMessages(take(input)),
    ...readMessages(take(output), 'assistant'),
  ];
  if (messages.length === 0) messages.push(...readFlat(attributes, read), ...readAiSdk(take));
  const found = values.flatMap(([label, ...names]) => {
    const value = names.map(take).find((candidate) => candidate !== undefined);
    return value === undefined ? [] : [{ label, text: pretty(value) }];
  });
  return { messages, values: found, read };
}

/** JSON in a text, else the value. */
function parsed(value: unknown): unknown {
  return typeof value === 'string' ? (parseJson(value) ?? value) : value;
}

function readMessages(value: unknown, role = 'user'): Said[] {
  return asArray(parsed(value)).flatMap((item) => {
    const json = asObject(item);
    const pieces = readPieces(json ? (json.parts ?? json.content) : item);
    return pieces.length > 0 ? [{ role: asString(json?.role) ?? role, pieces }] : [];
  });
}

function readPieces(parts: unknown): Piece[] {
  if (parts === undefined || parts === null) return [];
  return (Array.isArray(parts) ? parts : [parts]).map(readPiece);
}

function readPiece(value: unknown): Piece {
  const part = asObject(value);
  if (!part) return { kind: 'text', text: pretty(value) };
  const text = asString(part.content) ?? asString(part.text);
  const type = (asString(part.type) ?? 'text').replaceAll('-', '_');
  const label = asString(part.name) ?? asString(part.toolName);
  if (type === 'reasoning') return { kind: 'reasoning', text: text ?? pretty(part) };
  if (/tool_call$/.test(type)) {
    return {
      kind: 'call',
      ...(label && { label }),
      text: pretty(part.arguments ?? part.input ?? part.args ?? part.server_tool_call ?? {}),
    };
  }
  if (/tool_(call_response|result)$/.test(type)) {
    const name = label ?? asString(part.id) ?? asString(part.toolCallId);
    return {
      kind: 'result',
      ...(name && { label: name }),
      text: pretty(part.response ?? part.result ?? part.output ?? part.server_tool_call_response),
    };
  }
  if (text !== undefined) return { kind: 'text', text };
  const { type: _, content: _content, ...rest } = part;
  return { kind: 'media', label: asString(part.modality) ?? type, text: pretty(rest) };
}

const flat =
  /^(gen_ai\.prompt|gen_ai\.completion|llm\.input_messages|llm\.output_messages)\.(\d+)\.(?:message\.)?(.+)$/;

/** One attribute a field: `gen_ai.prompt.0.content`, `llm.input_messages.0.message.role`. */
function readFlat(attributes: Json, read: Set<string>): Said[] {
  const found = new Map<string, { role: string; order: number; pieces: Piece[] }>();
  for (const [name, value] of Object.entries(attributes)) {
    const [, list, index, field] = flat.exec(name) ?? [];
    if (!list || !index || !field) continue;
    read.add(name);
    const isAnswer = /completion|output/.test(list);
    const key = `${list}.${index}`;
    const said = found.get(key) ?? {
      role: isAnswer ? 'assistant' : 'user',
      order: Number(index) + (isAnswer ? 1e6 : 0),
      pieces: [],
    };
    found.set(key, said);
    if (field === 'role') said.role = asString(value) ?? said.role;
    else if (/(^|\.)(content|text)$/.test(field)) said.pieces.push({ kind: 'text', text: pretty(value) });
    else if (/arguments$/.test(field)) said.pieces.push({ kind: 'call', text: pretty(value) });
  }
  const inOrder = [...found.values()].sort((a, b) => a.order - b.order);
  return inOrder.flatMap(({ role, pieces }) => (pieces.length > 0 ? [{ role, pieces }] : []));
}

/** https://ai-sdk.dev/docs/ai-sdk-core/telemetry */
function readAiSdk(take: (name: string) => unknown): Said[] {
  const answer = [...readPieces(take('ai.response.text')), ...readPieces(parsed(take('ai.response.toolCalls')))];
  return [
    ...readMessages(take('ai.prompt.messages')),
    ...(answer.length > 0 ? [{ role: 'assistant', pieces: answer }] : []),
  ];
}

/** A text as it is; JSON with line breaks. */
export function pretty(value: unknown): string {
  const plain = typeof value === 'string' && /^\s*[[{]/.test(value) ? parsed(value) : value;
  if (typeof plain === 'string') return plain;
  const isShort = Array.isArray(plain) && plain.every((item) => typeof item !== 'object') && plain.length <= 8;
  return JSON.stringify(plain, null, isShort ? 0 : 2) ?? '';
}
