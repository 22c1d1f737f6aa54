import { asArray, asNumber, asObject, asString, type Json } from '../../json.ts';
import { readCount } from '../faults.ts';
import type { LlmResponse, LlmUsage } from '../provider.ts';
import { createChatFold } from './openai-dialect.ts';
import { maxItems, present } from './wire.ts';

/** Answers of a body: of Titan `results`, Mistral `outputs`, Cohere `generations`, AI21 `completions`, else itself. */
function listItems(body: Json): readonly Json[] {
  const list = [body.results, body.outputs, body.generations, body.completions].find(Array.isArray);
  return list ? list.slice(0, maxItems).map((item) => asObject(item) ?? {}) : [body];
}

function readReason(item: Json): string | undefined {
  return [
    item.stop_reason,
    item.completionReason,
    item.finish_reason,
    asObject(item.finishReason)?.reason ?? item.finishReason,
    // Cohere's streams name it in the middle of their last event.
    asObject(item.response)?.finish_reason,
  ]
    .map(asString)
    .find(Boolean);
}

const textFields = ['generation', 'outputText', 'completion', 'text', 'message', 'tool_calls'];

function hasText(item: Json): boolean {
  return textFields.some((field) => {
    const value = item[field];
    return Array.isArray(value) ? value.length > 0 : asString(value) !== undefined;
  });
}

/** Titan counts each of its results. */
function countOutput(body: Json): number | undefined {
  const counts = asArray(body.results).map((result) => readCount(asObject(result)?.tokenCount));
  if (counts.length > 0 && counts.every((count) => count !== undefined)) return counts.reduce((a, b) => a + b, 0);
  return readCount(body.totalOutputTextTokenCount) ?? readCount(body.generation_token_count);
}

/** Whoever serves a chat in OpenAI's words on Bedrock may say `stop_reason`. */
function renameReasons(body: Json): Json {
  const choices = asArray(body.choices).map((value) => {
    const choice = asObject(value) ?? {};
    return { ...choice, finish_reason: choice.finish_reason ?? choice.stop_reason };
  });
  return { ...body, choices };
}

/** Titan and Nova give one vector or name them by type, Cohere lists them, flat or by type. */
function countDimensions(body: Json): number | undefined {
  const { embedding, embeddings } = body;
  const [first] = asArray(embeddings ?? Object.values(asObject(body.embeddingsByType) ?? {}));
  const byType: unknown = asArray(Object.values(asObject(embeddings) ?? {})[0])[0];
  const vector = [embedding, asObject(first)?.embedding, first, byType].find(Array.isArray);
  return vector?.length;
}

/** Folds the chunks of a model's own body, or the whole of one as a single chunk, whichever vendor's it is. */
export function createBodyFold() {
  const chat = createChatFold();
  const reasons = new Map<number, string | undefined>();
  let usage: LlmUsage | undefined;
  let toolCalls: { name: string }[] = [];
  let dimensions: number | undefined;
  let isChat = false;

  function addItem(item: Json, position: number): boolean {
    const index = asNumber(item.index) ?? position;
    const filled = hasText(item);
    const reason = readReason(item) ?? reasons.get(index);
    if ((filled || reason !== undefined) && reasons.size < maxItems) reasons.set(index, reason);
    return filled;
  }

  function addCalls(body: Json): void {
    const calls = asArray(body.tool_calls ?? asObject(body.response)?.tool_calls).slice(0, maxItems);
    const named = calls.flatMap((call) => asString(asObject(call)?.name) ?? []).map((name) => ({ name }));
    if (named.length > 0) toolCalls = named;
  }

  return {
    /** Whether the chunk carries content. */
    add(body: Json): boolean {
      if (Array.isArray(body.choices)) {
        isChat = true;
        return chat.add(renameReasons(body));
      }
      const input = readCount(body.inputTextTokenCount) ?? readCount(body.prompt_token_count);
      usage = present<LlmUsage>({ ...usage, ...present({ input, output: countOutput(body) }) });
      dimensions = countDimensions(body) ?? dimensions;
      addCalls(body);
      return listItems(body).map(addItem).some(Boolean);
    },
    /** `missing` stands for the reason of an answer that got none. */
    result(missing?: string): LlmResponse {
      if (isChat) return chat.result(missing);
      const finished = [...reasons].sort(([a], [b]) => a - b).map(([, reason]) => reason ?? missing);
      return (
        present<LlmResponse>({
          usage,
          finishReasons: finished.some(Boolean) ? finished.map((reason) => reason ?? 'error') : undefined,
          toolCalls: toolCalls.length > 0 ? toolCalls : undefined,
          attributes: present({ 'gen_ai.embeddings.dimension.count': dimensions }),
        }) ?? {}
      );
    },
  };
}
