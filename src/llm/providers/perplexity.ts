import { asArray, asObject, type Json } from '../../json.ts';
import { readCount, readObject, sumCounts } from '../faults.ts';
import type { LlmResponse, LlmUsage, Operation, Reply, StreamEvent } from '../provider.ts';
import { createProvider, extend } from './format.ts';
import { countDimensions, type Dialect, parseUsage } from './openai-dialect.ts';
import { createOpenaiFormat } from './openai-format.ts';
import { readUsd } from './reported-cost.ts';
import { mapResult, present } from './wire.ts';

/** Deep research reasons before it writes: those tokens are billed beside the completion, and no total has them. */
function addReasoning({ output, reasoning, ...usage }: LlmUsage, wire: Json): LlmUsage {
  const thoughts = asObject(wire.completion_tokens_details)?.reasoning_tokens ?? wire.reasoning_tokens;
  const beside = output !== undefined && output === wire.completion_tokens;
  return { ...usage, reasoning, output: beside ? sumCounts([output, thoughts]) : output };
}

/** The agent counts by tool: https://docs.perplexity.ai/api-reference/ */
function readSearches(wire: Json): number | undefined {
  const tools = asObject(wire.tool_calls_details);
  const search = asObject(tools?.search_web) ?? asObject(tools?.web_search);
  return readCount(wire.num_search_queries) ?? readCount(search?.invocation);
}

/**
 * A byte a dimension, or a bit where that is asked for; those of chunks in their context lie one deeper.
 * https://docs.perplexity.ai/docs/embeddings/best-practices
 */
function readDimensions({ data }: Json, reply?: Reply): number | undefined {
  const first = asObject(asArray(data)[0]);
  const { embedding } = asObject(asArray(first?.data)[0]) ?? first ?? {};
  const isPacked = /binary/.test(String(reply?.request.parameters?.['gen_ai.request.encoding_formats']));
  return countDimensions(embedding, isPacked ? 1 / 8 : 1);
}

const dialect: Dialect = {
  usage(body) {
    const wire = readObject(body.usage);
    const usage = parseUsage(wire);
    if (!wire || !usage) return undefined;
    const cached = asObject(wire.input_tokens_details);
    return present<LlmUsage>({
      ...addReasoning(usage, wire),
      cacheRead: usage.cacheRead ?? readCount(cached?.cache_read_input_tokens),
      cacheWrite: usage.cacheWrite ?? readCount(cached?.cache_creation_input_tokens),
      webSearches: readSearches(wire),
    });
  },
  extras(body, reply) {
    const wire = asObject(body.usage);
    const attributes = present({
      'perplexity.citation_tokens': readCount(wire?.citation_tokens),
      'gen_ai.embeddings.dimension.count': readDimensions(body, reply),
    });
    return present<Partial<LlmResponse>>({ costUsd: readUsd(asObject(wire?.cost)?.total_cost), attributes }) ?? {};
  },
};

const openai = createOpenaiFormat(dialect);

/** `[DONE]` does not always come. */
function findEnd({ json }: StreamEvent) {
  return asObject(json)?.object === 'chat.completion.done' ? 'end' : undefined;
}

const format = extend(openai, {
  match(pathname, url): Operation | undefined {
    // What is submitted here is answered later, to another request.
    if (/^(\/v1)?\/async\//.test(pathname)) return undefined;
    if (/^\/v1\/contextualizedembeddings\/?$/.test(pathname)) return 'embed';
    return /^\/v1\/(agent|sonar)\/?$/.test(pathname) ? 'chat' : openai.match(pathname, url);
  },
  /** What its agent answers is a response. */
  always: (operation, reply) => (reply.url?.pathname.includes('/agent') ? [] : openai.always!(operation, reply)),
  stream: (reply) => mapResult(openai.stream!(reply), (response) => response, findEnd),
});

/**
 * Perplexity: chat completions, its agent's Responses and embeddings on `api.perplexity.ai`. The cost is the one it
 * reports, searches included. https://docs.perplexity.ai/api-reference/chat-completions-post
 *
 * @example
 * createTelemetry({ providers: [perplexity] });
 */
export const perplexity = createProvider({
  name: 'perplexity',
  hosts: ['api.perplexity.ai'],
  formats: [format],
  marks(value) {
    const { citations, search_results, usage } = asObject(value) ?? {};
    return Array.isArray(citations) || Array.isArray(search_results) || asObject(asObject(usage)?.cost) !== undefined;
  },
});
