import { asArray, asObject, asString, type Json } from '../../json.ts';
import { readCount } from '../faults.ts';
import type { ItemReader, LlmResponse, LlmUsage, Provider } from '../provider.ts';
import { shortProviderName } from '../provider-names.ts';
import { parseUsage } from '../providers/openai-dialect.ts';
import { readTier } from '../providers/tier.ts';
import { maxItems, present } from '../providers/wire.ts';
import { createShape, sumUsage } from './shape.ts';

/** A message, or a chunk of one; those of other programs come as the plain JSON of it. */
export function isMessage(value: unknown): boolean {
  const message = asObject(value);
  return message !== undefined && 'content' in message && asObject(message.response_metadata) !== undefined;
}

/** What a model said, and not who asked it. */
export function isAiMessage(value: unknown): boolean {
  const message = asObject(value);
  if (!message || !isMessage(message) || message.tool_call_id !== undefined) return false;
  const hasCalls = Array.isArray(message.tool_calls) && Array.isArray(message.invalid_tool_calls);
  return message.type === 'ai' || hasCalls || asObject(message.usage_metadata) !== undefined;
}

/** What is cached is a part of the input, the reasoning one of the output. */
function readMetadata(value: unknown): LlmUsage | undefined {
  const usage = asObject(value);
  const inputs = asObject(usage?.input_token_details);
  const outputs = asObject(usage?.output_token_details);
  return present<LlmUsage>({
    input: readCount(usage?.input_tokens),
    cacheRead: readCount(inputs?.cache_read),
    cacheWrite: readCount(inputs?.cache_creation),
    output: readCount(usage?.output_tokens),
    reasoning: readCount(outputs?.reasoning),
    total: readCount(usage?.total_tokens),
    audioInput: readCount(inputs?.audio),
    audioOutput: readCount(outputs?.audio),
  });
}

/** What older integrations say instead. What is merely estimated is not read. */
function readTokenUsage(holder: Json | undefined): LlmUsage | undefined {
  const usage = asObject(holder?.tokenUsage);
  if (!usage) return parseUsage(holder?.token_usage ?? holder?.usage);
  return present<LlmUsage>({
    input: readCount(usage.promptTokens),
    output: readCount(usage.completionTokens),
    total: readCount(usage.totalTokens),
  });
}

type ToolCall = { id?: string; name: string };

/** Chunks have the name of a tool in the first of its parts alone. */
function readToolCalls(message: Json): ToolCall[] {
  const chunks = asArray(message.tool_call_chunks);
  const calls = chunks.length > 0 ? chunks : asArray(message.tool_calls);
  return calls
    .slice(0, maxItems)
    .map(asObject)
    .flatMap((call) => {
      const name = asString(call?.name);
      return name ? [present({ id: asString(call?.id), name })!] : [];
    });
}

/** What LangChain made up itself is no id of a reply. */
function readId(message: Json, metadata: Json): string | undefined {
  const id = asString(message.id);
  return asString(metadata.id) ?? (id && !/^(run-|lc_)/.test(id) ? id : undefined);
}

export function readMessage(message: Json): LlmResponse {
  const metadata = asObject(message.response_metadata) ?? {};
  const provider = asString(metadata.model_provider) ?? asString(metadata.ls_provider);
  const reason = asString(metadata.finish_reason) ?? asString(metadata.stop_reason) ?? asString(metadata.finishReason);
  const toolCalls = readToolCalls(message);
  return (
    present<LlmResponse>({
      id: readId(message, metadata),
      model: asString(metadata.model_name) ?? asString(metadata.model),
      usage: readMetadata(message.usage_metadata) ?? readTokenUsage(metadata),
      finishReasons: reason ? [reason] : undefined,
      toolCalls: toolCalls.length > 0 ? toolCalls : undefined,
      provider: provider && shortProviderName(provider),
      attributes: present({ 'edgespan.service_tier': readTier({ ...metadata, ...asObject(metadata.usage) }) }),
    }) ?? {}
  );
}

/** The sum of what several messages cost, with what the last that says it says of the rest. */
function foldMessages(messages: readonly LlmResponse[]): LlmResponse {
  const toolCalls = messages.flatMap((message) => message.toolCalls ?? []).slice(0, maxItems);
  const usage = sumUsage(messages.map((message) => message.usage));
  const whole: LlmResponse = Object.assign({}, ...messages);
  return { ...whole, ...(usage && { usage }), ...(toolCalls.length > 0 && { toolCalls }) };
}

/** Of each prompt the first generation: the others were paid with it. */
function listGenerations(value: unknown): Json[] {
  const lists = asArray(asObject(value)?.generations).slice(0, maxItems);
  const first = lists.some(Array.isArray) ? lists.map((list) => asArray(list)[0]) : lists.slice(0, 1);
  return first.map(asObject).filter((generation) => generation !== undefined);
}

function isGeneration(value: unknown): boolean {
  const generation = asObject(value);
  return (
    isAiMessage(generation?.message) ||
    (generation !== undefined && 'generationInfo' in generation && asString(generation.text) !== undefined)
  );
}

function readGeneration(generation: Json): LlmResponse {
  const message = asObject(generation.message);
  if (message && isMessage(message)) return readMessage(message);
  const reason = asString(asObject(generation.generationInfo)?.finish_reason);
  return reason ? { finishReasons: [reason] } : {};
}

/** An `LLMResult` or a `ChatResult`: messages, or a sum beside them. */
function readResult(value: Json): LlmResponse {
  const folded = foldMessages(listGenerations(value).map(readGeneration));
  const output = asObject(value.llmOutput);
  const usage = folded.usage ?? readTokenUsage(output);
  const model = folded.model ?? asString(output?.model_name) ?? asString(output?.model);
  return { ...folded, ...(usage && { usage }), ...(model && { model }) };
}

function accepts(value: unknown): boolean {
  return isAiMessage(value) || isGeneration(value) || listGenerations(value).some(isGeneration);
}

function read(value: unknown): LlmResponse {
  const object = asObject(value) ?? {};
  if (isMessage(object)) return readMessage(object);
  return Array.isArray(object.generations) ? readResult(object) : readGeneration(object);
}

/** What a chunk says is added up, as LangChain itself does. */
export function createMessageReader(find: (item: unknown) => readonly Json[]): ItemReader {
  let folded: LlmResponse = {};
  return {
    item(value) {
      const messages = find(value);
      folded = foldMessages([folded, ...messages.map(readMessage)]);
      const isContent = messages.some(({ content, tool_call_chunks: calls }) => {
        return (Array.isArray(content) || typeof content === 'string' ? content.length : 0) + asArray(calls).length > 0;
      });
      return isContent ? 'content' : undefined;
    },
    result: () => folded,
  };
}

/** Messages, chunks and results of LangChain (https://docs.langchain.com/oss/javascript/langchain/messages). */
export const langchainValues: Provider = /* @__PURE__ */ createShape({
  name: 'langchain',
  priority: 250,
  accepts,
  read,
  items: (first) =>
    isAiMessage(first) ? createMessageReader((item) => (isMessage(item) ? [item as Json] : [])) : undefined,
});
