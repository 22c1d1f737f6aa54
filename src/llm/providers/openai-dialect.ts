import { asArray, asNumber, asObject, asString, type Json } from '../../json.ts';
import { fault, readCount, readObject } from '../faults.ts';
import type { LlmResponse, LlmUsage, Reply, StreamReader } from '../provider.ts';
import { parseContentFilter } from './content-filter.ts';
import { maxItems, parseError, present } from './wire.ts';

/** Where a vendor's dialect differs. */
export interface Dialect {
  /** Usage of a reply, a chunk or a `response` object; by default what `parseUsage` reads of its `usage`. */
  usage?(body: Json): LlmUsage | undefined;
  /**
   * What else a reply, a chunk or a `response` object says, or the status and headers it came with: cost, attributes,
   * the vendor's own places of an error.
   */
  extras?(body: Json, reply?: Reply): Partial<LlmResponse>;
  /** Chunks to be read although they look like plain text, by what stands in them. */
  matters?(data: string): boolean;
  /** Streams have usage only when the request asks for it. */
  usageOnRequest?: boolean;
}

/** Usage by the dialect's rule. */
export function readUsage(body: Json, dialect: Dialect): LlmUsage | undefined {
  if (dialect.usage) return dialect.usage(body);
  // Moonshot has it inside of the choice.
  const usage = body.usage ?? asObject(asArray(body.choices)[0])?.usage;
  return parseUsage(Array.isArray(body.data) ? withInput(usage) : usage);
}

/** Embeddings have no output: of some the total is all that is said. */
function withInput(usage: unknown): unknown {
  const counts = asObject(usage);
  const isTotal = counts && counts.prompt_tokens === undefined && counts.input_tokens === undefined;
  return isTotal ? { ...counts, input_tokens: counts.total_tokens } : usage;
}

/**
 * Usage of every dialect of OpenAI's: `prompt_tokens` or `input_tokens`. Reasoning is a part of the output, except
 * where the total shows that the vendor left it out.
 */
export function parseUsage(value: unknown): LlmUsage | undefined {
  const usage = readObject(value);
  if (!usage) return undefined;
  const input = readCount(usage.prompt_tokens) ?? readCount(usage.input_tokens);
  let output = readCount(usage.completion_tokens) ?? readCount(usage.output_tokens);
  const inputs = asObject(usage.prompt_tokens_details) ?? asObject(usage.input_tokens_details);
  const outputs = asObject(usage.completion_tokens_details) ?? asObject(usage.output_tokens_details);
  const reasoning = readCount(outputs?.reasoning_tokens) ?? readCount(usage.reasoning_tokens);
  if (input === undefined) fault();
  if (input !== undefined && output !== undefined && reasoning && usage.total_tokens === input + output + reasoning) {
    output += reasoning;
  }
  return present<LlmUsage>({
    input,
    cacheRead: readCount(inputs?.cached_tokens) ?? readCount(usage.cached_tokens),
    cacheWrite: readCount(inputs?.cache_write_tokens),
    output,
    reasoning,
    total: readCount(usage.total_tokens),
    audioInput: readCount(inputs?.audio_tokens),
    audioOutput: readCount(outputs?.audio_tokens),
  });
}

/** `openai.response.*`, as far as a reply or a chunk of it says. */
export function parseResponseAttributes(body: Json) {
  return present({
    'openai.response.service_tier': asString(body.service_tier),
    'openai.response.system_fingerprint': asString(body.system_fingerprint),
    'gen_ai.embeddings.dimension.count': countDimensions(asObject(asArray(body.data)[0])?.embedding),
  });
}

/** Floats, or their base64: four bytes each, where a vendor has no smaller numbers. */
export function countDimensions(embedding: unknown, bytes = 4): number | undefined {
  if (Array.isArray(embedding)) return embedding.length;
  const base64 = asString(embedding);
  return base64 === undefined ? undefined : Math.floor(Math.floor((base64.replace(/=+$/, '').length * 3) / 4) / bytes);
}

interface ToolCall {
  id?: string;
  name?: string;
}

interface Choice {
  finishReason?: string;
  calls: Map<unknown, ToolCall>;
}

const contentFields = [
  'content',
  'refusal',
  'reasoning_content',
  'reasoning',
  'tool_calls',
  'function_call',
  'audio',
  'images',
];

/** Neither null nor an empty string; of a list, one entry that is more than an empty text. */
export function isFilled(value: unknown): boolean {
  return Array.isArray(value) ? value.some(isFilledPart) : Boolean(value);
}

/** A part of a content in parts, or a tool call. */
function isFilledPart(part: unknown): boolean {
  const { text, thinking } = asObject(part) ?? {};
  return text === undefined && thinking === undefined ? isFilled(part) : isFilled(text) || isFilled(thinking);
}

/** The entry of a key. A full map keeps no more, and the answer is an entry that nobody sees. */
function getEntry<V>(map: Map<unknown, V>, key: unknown, create: () => V): V {
  const entry = map.get(key) ?? create();
  if (map.size < maxItems) map.set(key, entry);
  return entry;
}

/** Folds chunks of a chat completion, or the whole of one as a single chunk: both give the same response. */
export function createChatFold(dialect: Dialect = {}, reply?: Reply) {
  const response: LlmResponse = {};
  const choices = new Map<number, Choice>();

  function addCalls(choice: Choice, part: Json, streamed: boolean): void {
    const calls = asArray(part.tool_calls).concat(isFilled(part.function_call) ? { function: part.function_call } : []);
    calls.forEach((value, position) => {
      const call = asObject(value);
      if (!call) return;
      const id = asString(call.id);
      const name = asString((asObject(call.function) ?? asObject(call.custom))?.name);
      // Without an index a fragment is known by its id; a whole call by its place.
      const index = asNumber(call.index) ?? (streamed ? id : undefined) ?? position;
      // Some give each call the same index: one that has a name and another id begins another call.
      const first = choice.calls.get(index);
      const isOther = streamed && id && name && first?.name && first.id !== undefined && first.id !== id;
      const known = getEntry<ToolCall>(choice.calls, isOther ? id : index, () => ({}));
      known.id ??= id;
      known.name ??= name;
    });
  }

  return {
    /** Whether the chunk carries content. */
    add(json: unknown): boolean {
      const body = asObject(json);
      if (!body) return false;
      let filled = false;
      response.id = asString(body.id) ?? response.id;
      response.model = asString(body.model) ?? response.model;
      const extras = dialect.extras?.(body, reply);
      response.usage = present({ ...response.usage, ...readUsage(body, dialect) });
      response.attributes = present({
        ...response.attributes,
        ...parseResponseAttributes(body),
        ...extras?.attributes,
      });
      response.costUsd = extras?.costUsd ?? response.costUsd;
      response.error ??= extras?.error ?? parseError(body);
      const guardrail = parseContentFilter(body, response.guardrail);
      if (guardrail) response.guardrail = guardrail;
      asArray(body.choices).forEach((value, position) => {
        const item = asObject(value);
        const index = asNumber(item?.index) ?? position;
        if (!item) return;
        const choice = getEntry<Choice>(choices, index, () => ({ calls: new Map() }));
        choice.finishReason = asString(item.finish_reason) ?? choice.finishReason;
        const delta = asObject(item.delta);
        const part = delta ?? asObject(item.message) ?? {};
        addCalls(choice, part, delta !== undefined);
        filled ||= isFilled(item.text) || contentFields.some((field) => isFilled(part[field]));
      });
      return filled;
    },
    /** `missing` stands for the reason of a choice that got none; an error says why by itself. */
    result(given?: string): LlmResponse {
      const missing = response.error ? undefined : given;
      const ordered = [...choices].sort(([a], [b]) => a - b).map(([, choice]) => choice);
      const reasons = ordered.map((choice) => choice.finishReason ?? missing);
      const calls = ordered.flatMap((choice) => [...choice.calls.values()]);
      const toolCalls = calls.filter((call): call is { id?: string; name: string } => call.name !== undefined);
      return (
        present({
          ...response,
          finishReasons: reasons.some(Boolean) ? reasons.map((reason) => reason ?? 'error') : undefined,
          toolCalls: toolCalls.length > 0 ? toolCalls.map((call) => present(call)!) : undefined,
        }) ?? {}
      );
    },
  };
}

/** A chat completion, legacy completion or list of embeddings, whole. */
export function parseChatCompletion(json: unknown, dialect?: Dialect, reply?: Reply): LlmResponse {
  const fold = createChatFold(dialect, reply);
  fold.add(json);
  // Azure leaves the message out of a choice that its filters held back.
  const isEmpty = (choice: Json | undefined) =>
    !asObject(choice?.message) && typeof choice?.text !== 'string' && choice?.finish_reason !== 'content_filter';
  if (asArray(asObject(json)?.choices).map(asObject).some(isEmpty)) fault();
  return fold.result();
}

/** Whether a chunk has nothing to say but its text. */
function isPlainText(data: string): boolean {
  if (isUsualText(data)) return true;
  if (!data.includes('finish_reason":null')) return false;
  return !/"(?:usage"\s*:\s*[^n\s]|tool_calls"|function_call"|error"|(?:filtered|detected)"\s*:\s*t)/.test(data);
}

/**
 * The usual chunk by its braces, in a fifth of the time: itself, a choice whose last member is `"finish_reason":null`,
 * a `"delta":` of one level. Of the names, the quotes and the letters that tell them from others of their length.
 */
function isUsualText(data: string): boolean {
  const delta = data.indexOf('{', data.indexOf('{', 1) + 1);
  if (data[delta - 8] !== '"' || data[delta - 7] !== 'd' || data[delta - 3] !== 'a') return false;
  if (data.indexOf('{', delta + 1) >= 0) return false;
  const end = data.indexOf(']', delta) - 1;
  return data[end - 1] === 'l' && data[end - 6] === '"' && data[end - 14] === 'h' && data[end - 20] === '"';
}

/** Chunks of a chat completion or legacy completion. */
export function createChatReader(reply?: Reply, dialect?: Dialect): StreamReader {
  const fold = createChatFold(dialect, reply);
  const single = reply?.request.parameters?.['gen_ai.request.choice.count'] === undefined;
  return {
    event: ({ json }) => (fold.add(json) ? 'content' : undefined),
    // With several choices even plain text tells which of them there are.
    matters: (data) => !single || !isPlainText(data) || dialect?.matters?.(data) === true,
    result: (isWhole) => fold.result(isWhole ? undefined : 'error'),
  };
}
