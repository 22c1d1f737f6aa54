import { asArray, asObject, asString, type Json } from '../../json.ts';
import { aiSdkContent } from '../content/ai-sdk.ts';
import { readCount } from '../faults.ts';
import type { ItemReader, LlmResponse, LlmUsage, Provider } from '../provider.ts';
import { shortProviderName } from '../provider-names.ts';
import { readTier } from '../providers/tier.ts';
import { maxItems, present } from '../providers/wire.ts';
import { createShape, sumReplies } from './shape.ts';

/** A count, or one that is split: the specification of models since its third version says `{ total, … }`. */
function readTotal(value: unknown): number | undefined {
  const split = asObject(value);
  return toCount(split ? split.total : value);
}

/** What is not known is NaN in older versions. */
function toCount(value: unknown): number | undefined {
  return Number.isNaN(value) ? undefined : readCount(value);
}

/** Of every version since the fourth. What is cached is a part of the input, the reasoning one of the output. */
function readUsage(value: unknown): LlmUsage | undefined {
  const usage = asObject(value);
  if (!usage) return undefined;
  const inputs = asObject(usage.inputTokenDetails);
  const outputs = asObject(usage.outputTokenDetails);
  const [splitIn, splitOut] = [asObject(usage.inputTokens), asObject(usage.outputTokens)];
  return present<LlmUsage>({
    input: readTotal(usage.inputTokens) ?? toCount(usage.promptTokens) ?? toCount(usage.tokens),
    cacheRead: toCount(inputs?.cacheReadTokens ?? splitIn?.cacheRead ?? usage.cachedInputTokens),
    cacheWrite: toCount(inputs?.cacheWriteTokens ?? splitIn?.cacheWrite),
    output: readTotal(usage.outputTokens) ?? toCount(usage.completionTokens),
    reasoning: toCount(outputs?.reasoningTokens ?? splitOut?.reasoning ?? usage.reasoningTokens),
    total: toCount(usage.totalTokens),
  });
}

/** `stop`, or `{ unified: 'stop', raw: 'end_turn' }`. */
function readReason(value: unknown): string | undefined {
  return asString(value) ?? asString(asObject(value)?.unified);
}

type ToolCall = { id?: string; name: string };

/** Tools that the provider runs itself are none of the application's. */
function readToolCalls(parts: unknown): ToolCall[] {
  const calls = asArray(parts).slice(0, maxItems).map(asObject);
  return calls.flatMap((call) => {
    const name = call?.providerExecuted === true ? undefined : asString(call?.toolName);
    const isCall = name !== undefined && (call?.type ?? 'tool-call') === 'tool-call';
    return isCall ? [present({ id: asString(call?.toolCallId), name })!] : [];
  });
}

/** A step, a result that has but one, or what a model of the specification generated. */
function readStep(step: Json): LlmResponse {
  const response = asObject(step.response);
  // Older versions name the vendor only where it says something of its own.
  const [owner, said] = Object.entries(asObject(step.providerMetadata) ?? {})[0] ?? [];
  const provider = asString(asObject(step.model)?.provider) ?? owner;
  const reason = readReason(step.finishReason);
  const calls = readToolCalls(Array.isArray(step.content) ? step.content : step.toolCalls);
  return (
    present<LlmResponse>({
      id: asString(response?.id),
      model: asString(response?.modelId) ?? asString(asObject(response?.body)?.model),
      usage: readUsage(step.usage),
      finishReasons: reason ? [reason] : undefined,
      toolCalls: calls.length > 0 ? calls : undefined,
      provider: provider && shortProviderName(provider),
      attributes: present({ 'edgespan.service_tier': readMetadataTier(asObject(said)) }),
    }) ?? {}
  );
}

/** Anthropic's has the usage as it came. */
function readMetadataTier(said: Json | undefined): string | undefined {
  return readTier({ service_tier: said?.serviceTier, ...asObject(said?.usage) });
}

function isStep(value: unknown): boolean {
  const step = asObject(value);
  if (!step || readReason(step.finishReason) === undefined) return false;
  return asObject(step.usage) !== undefined && (Array.isArray(step.content) || asObject(step.response) !== undefined);
}

/** Of `embed` and `embedMany`. */
function isEmbedding(value: unknown): boolean {
  const result = asObject(value);
  const isVector = Array.isArray(result?.embedding) || Array.isArray(result?.embeddings);
  return isVector && 'tokens' in (asObject(result?.usage) ?? {});
}

function readEmbedding(result: Json): LlmResponse {
  const response = asObject(result.response) ?? asObject(asArray(result.responses)[0]);
  const vector = Array.isArray(result.embedding) ? result.embedding : asArray(result.embeddings)[0];
  const dimensions = asArray(vector).length || undefined;
  return {
    ...readStep({ response, usage: result.usage }),
    ...(dimensions && { attributes: { 'gen_ai.embeddings.dimension.count': dimensions } }),
  };
}

function accepts(value: unknown): boolean {
  const steps = asArray(asObject(value)?.steps);
  return (steps.length > 0 && steps.every(isStep)) || isStep(value) || isEmbedding(value);
}

function read(value: unknown): LlmResponse {
  const result = asObject(value) ?? {};
  const steps = asArray(result.steps).map(asObject);
  if (steps.length > 0) return sumReplies(steps.map((step) => readStep(step ?? {})));
  return isEmbedding(result) ? readEmbedding(result) : readStep(result);
}

const contentParts = /^(text|reasoning|tool-input|object)-delta$|^(tool-call|file|source|object)$/;

/** A part of a stream, which the result itself hands on inside of another object. */
function readPart(item: unknown): Json | undefined {
  const outer = asObject(item);
  return asObject(outer?.part) ?? outer;
}

/** Adds up the steps of a stream; a stream of objects, or of a model itself, has but one. */
function createReader(): ItemReader {
  const steps: LlmResponse[] = [];
  let calls: Json[] = [];
  let response: Json = {};
  let failure: unknown;

  function endStep(part: Json): void {
    const whole = { ...response, ...asObject(part.response) };
    if (steps.length < maxItems) steps.push(readStep({ ...part, response: whole, content: calls }));
    calls = [];
    response = {};
  }

  return {
    item(value) {
      const part = readPart(value);
      const type = asString(part?.type) ?? '';
      if (!part) return;
      if (type === 'tool-call' && calls.length < maxItems) calls.push(part);
      // Of a model: what the result has under `response`.
      else if (type === 'response-metadata') response = { ...response, ...part };
      else if (type === 'finish-step' || type === 'step-finish') endStep(part);
      // Of a whole stream it says all that the steps have said.
      else if (type === 'finish' && part.totalUsage === undefined && steps.length === 0) endStep(part);
      else if (type === 'error') failure ??= part.error;
      return contentParts.test(type) ? 'content' : undefined;
    },
    result() {
      const error = failure === undefined ? undefined : { type: asString(asObject(failure)?.name) ?? 'error' };
      return { ...sumReplies(steps), ...(error && { error }) };
    },
  };
}

const firstParts = new Set(['start', 'start-step', 'stream-start', 'response-metadata', 'object', 'text-start']);

/**
 * Results and streams of the AI SDK (https://ai-sdk.dev), of `generateText`, `streamText`, `generateObject`,
 * `streamObject`, `embed` and `embedMany`, and of its models.
 */
export const aiSdkValues: Provider = /* @__PURE__ */ createShape({
  name: 'ai-sdk',
  priority: 245,
  accepts,
  read,
  content: aiSdkContent,
  items(first) {
    const outer = asObject(first);
    const type = asString(readPart(first)?.type) ?? '';
    const isPart =
      asObject(outer?.part) !== undefined ? type !== '' : firstParts.has(type) && outer?.message === undefined;
    return isPart ? createReader() : undefined;
  },
});
