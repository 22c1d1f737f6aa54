import type { Attributes } from '@opentelemetry/api';
import { asArray, asNumber, asObject, asString, type Json } from '../../json.ts';
import { anthropicContent } from '../content/anthropic.ts';
import { fault, readCount, sumCounts } from '../faults.ts';
import type { LlmRequest, LlmResponse, LlmUsage, ProviderRequest, StreamReader } from '../provider.ts';
import { parseRefusal } from './content-filter.ts';
import type { Format } from './format.ts';
import { readOutputType, readParameters, readStops } from './parameters.ts';
import { readAskedTier, readTier } from './tier.ts';
import { maxItems, parseError, present } from './wire.ts';

/** Fields that are there and not null. */
function known(value: unknown): Json {
  return Object.fromEntries(Object.entries(asObject(value) ?? {}).filter(([, field]) => field !== null));
}

function sum(...counts: (number | undefined)[]): number | undefined {
  return counts.every((count) => count === undefined) ? undefined : counts.reduce<number>((a, b) => a + (b ?? 0), 0);
}

/** Anthropic counts cache reads and writes beside the input. */
function parseCounts(usage: Json): LlmUsage {
  const fresh = readCount(usage.input_tokens);
  const cacheRead = readCount(usage.cache_read_input_tokens);
  const split = asObject(usage.cache_creation);
  const cacheWrite1h = readCount(split?.ephemeral_1h_input_tokens);
  const written = sum(readCount(split?.ephemeral_5m_input_tokens), cacheWrite1h);
  const cacheWrite = readCount(usage.cache_creation_input_tokens) ?? written;
  const cached = [usage.cache_read_input_tokens, usage.cache_creation_input_tokens ?? written];
  return {
    input: fresh === undefined ? undefined : sumCounts([fresh, ...cached]),
    cacheRead,
    cacheWrite,
    cacheWrite1h,
    output: readCount(usage.output_tokens),
    reasoning: readCount(asObject(usage.output_tokens_details)?.thinking_tokens),
    webSearches: readCount(asObject(usage.server_tool_use)?.web_search_requests),
  };
}

/** What is billed: a compaction is billed too, yet left out of the counts at the top. */
function parseUsage(value: unknown): LlmUsage | undefined {
  const usage = asObject(value);
  if (!usage) return undefined;
  const total = parseCounts(usage);
  for (const iteration of asArray(usage.iterations).map(asObject)) {
    if (iteration?.type !== 'compaction') continue;
    const more = parseCounts(iteration);
    for (const key of Object.keys(more) as (keyof LlmUsage)[]) total[key] = sum(total[key], more[key]);
  }
  return present(total);
}

/** What the answer itself consumed, where more is billed. */
function readConsumed(value: unknown): Attributes | undefined {
  const usage = asObject(value);
  if (!usage || !asArray(usage.iterations).some((item) => asObject(item)?.type === 'compaction')) return undefined;
  const { input, output } = parseCounts(usage);
  return {
    ...(input !== undefined && { 'edgespan.usage.consumed_input_tokens': input }),
    ...(output !== undefined && { 'edgespan.usage.consumed_output_tokens': output }),
  };
}

/** The model that answered in place of the one that declined; `model` still names that. */
function findServingModel(content: readonly (Json | undefined)[], usage: unknown): string | undefined {
  const iterations = asArray(asObject(usage)?.iterations).map(asObject);
  const iteration = iterations.findLast((item) => item?.type === 'fallback_message');
  const block = content.findLast((item) => item?.type === 'fallback');
  return asString(iteration?.model) ?? asString(asObject(block?.to)?.model);
}

/** A message; `missing` stands for a stop reason that never came. */
function parseMessage(json: unknown, missing?: string): LlmResponse {
  const message = asObject(json) ?? {};
  const content = asArray(message.content).slice(0, maxItems).map(asObject);
  const toolCalls = content.flatMap((block) => {
    const name = block?.type === 'tool_use' ? asString(block.name) : undefined;
    return name ? [present({ id: asString(block?.id), name })!] : [];
  });
  const reason = asString(message.stop_reason) ?? missing;
  const serving = findServingModel(content, message.usage);
  const usage = parseUsage(message.usage);
  if (asString(message.stop_reason) && !Array.isArray(message.content)) fault();
  return (
    present<LlmResponse>({
      id: asString(message.id),
      model: asString(message.model),
      usage,
      finishReasons: reason ? [reason] : undefined,
      toolCalls: toolCalls.length > 0 ? toolCalls : undefined,
      guardrail: parseRefusal(message),
      attributes: present({
        'edgespan.pricing.model': serving,
        'edgespan.fallback.from': serving && asString(message.model),
        'edgespan.service_tier': readTier(asObject(message.usage) ?? {}),
        ...readConsumed(message.usage),
      }),
      error: parseError(message),
    }) ?? {}
  );
}

/** Rebuilds the message that the unstreamed call would have given, without its texts. */
function createReader(): StreamReader {
  let message: Json | undefined;
  let usage: Json | undefined;
  let error: LlmResponse['error'];
  const content = new Map<unknown, Json>();

  function start(next: Json): void {
    // Proxies repeat the start of a message; another id is another message.
    if (message?.id !== next.id) {
      usage = undefined;
      content.clear();
    }
    message = { id: next.id, model: next.model, stop_reason: next.stop_reason };
    overlay(next.usage);
  }

  function overlay(value: unknown): void {
    if (asObject(value)) usage = { ...usage, ...known(value) };
  }

  return {
    event({ type, json }) {
      const body = asObject(json);
      switch (type ?? body?.type) {
        case 'message_start':
          start(asObject(body?.message) ?? {});
          return;
        case 'content_block_start': {
          const { type, id, name, to } = asObject(body?.content_block) ?? {};
          if (content.size < maxItems) content.set(body?.index, { type, id, name, to });
          return;
        }
        case 'content_block_delta':
          return /^(text|thinking|input_json)_delta$/.test(asString(asObject(body?.delta)?.type) ?? '')
            ? 'content'
            : undefined;
        case 'message_delta':
          message = { ...message, ...known(body?.delta) };
          overlay(body?.usage);
          return;
        case 'message_stop':
          return 'end';
        case 'error':
          error ??= parseError(body);
      }
    },
    matters: (_data, type) => type !== 'content_block_delta',
    result(isWhole) {
      const whole = message && { ...message, usage, content: [...content.values()] };
      return (
        present({
          ...(whole && parseMessage(whole, isWhole && !error ? undefined : 'error')),
          ...(error && { error }),
        }) ?? {}
      );
    },
  };
}

const numbers = { max_tokens: 'max_tokens', temperature: 'temperature', top_p: 'top_p', top_k: 'top_k' };

function parseRequest({ body }: ProviderRequest): Partial<LlmRequest> {
  const request = asObject(body) ?? {};
  const stops = readStops(asArray(request.stop_sequences));
  const { effort, format = request.output_format } = asObject(request.output_config) ?? {};
  const parameters: Attributes = {
    ...readParameters(request, numbers),
    ...stops,
    ...readOutputType(format),
    ...readAskedTier(request),
  };
  if (request.stream === true) parameters['gen_ai.request.stream'] = true;
  const level = asString(effort);
  if (level) parameters['gen_ai.request.reasoning.level'] = level;
  const maxTokens = asNumber(request.max_tokens);
  return {
    model: asString(request.model),
    stream: request.stream === true,
    ...(maxTokens !== undefined && { maxTokens }),
    parameters,
  };
}

/** Anthropic's messages, streamed or not, whoever serves them, where a path ends in `/v1/messages`. */
export const anthropicMessages: Format = {
  match(pathname) {
    const path = /\/v1\/messages(\/count_tokens)?\/?$/.exec(pathname);
    if (!path) return undefined;
    return path[1] ? 'count_tokens' : 'chat';
  },
  request: parseRequest,
  response: (json) => parseMessage(json),
  stream: createReader,
  always: (operation) => (operation === 'chat' ? ['id', 'model', 'finishReasons', 'input', 'output'] : []),
  content: anthropicContent,
  acceptsItem: (item) => asObject(item)?.type === 'message_start',
  shared: true,
  accepts(value) {
    const message = asObject(value);
    return message?.type === 'message' && message.role === 'assistant' && Array.isArray(message.content);
  },
};
