import type { Attributes } from '@opentelemetry/api';
import { asArray, asNumber, asObject, asString, type Json } from '../../json.ts';
import { cohereContent } from '../content/cohere.ts';
import { fault, readCount } from '../faults.ts';
import { pick } from '../field-names.ts';
import type { LlmRequest, LlmResponse, LlmUsage, ProviderRequest, Reply, StreamReader } from '../provider.ts';
import type { Format } from './format.ts';
import { readOutputType, readParameters, readStops } from './parameters.ts';
import { maxItems, parseError, present } from './wire.ts';

/** What is billed is what counts; what was consumed stands in where no bill comes. */
function parseUsage(value: unknown): LlmUsage | undefined {
  const usage = asObject(value);
  const billed = asObject(pick(usage, 'billed_units'));
  const used = asObject(usage?.tokens);
  return present<LlmUsage>({
    input: readCount(pick(billed, 'input_tokens')) ?? readCount(pick(used, 'input_tokens')),
    cacheRead: readCount(pick(usage, 'cached_tokens')),
    output: readCount(pick(billed, 'output_tokens')) ?? readCount(pick(used, 'output_tokens')),
    // Reranking is paid by the search: https://cohere.com/pricing
    requests: readCount(pick(billed, 'search_units')),
  });
}

/** Templates are consumed, yet not billed. */
function parseConsumed(value: unknown): Attributes | undefined {
  const used = asObject(asObject(value)?.tokens);
  return present({
    'edgespan.usage.consumed_input_tokens': readCount(pick(used, 'input_tokens')),
    'edgespan.usage.consumed_output_tokens': readCount(pick(used, 'output_tokens')),
  });
}

/** Images are billed by their number or by tokens of their own, at a price of their own. */
function countImages(value: unknown): number | undefined {
  const billed = asObject(pick(asObject(value), 'billed_units'));
  return readCount(pick(billed, 'images')) ?? readCount(pick(billed, 'image_tokens'));
}

/** Vectors by their type, or as the first version sends them: a plain list. */
function countDimensions(value: unknown): number | undefined {
  const byType = asObject(value);
  const lists = byType ? [byType.float, byType.int8, byType.uint8] : [value];
  const vector = lists.map((list) => asArray(list)[0]).find(Array.isArray);
  return vector?.length;
}

function parseToolCall(value: unknown): { id?: string; name: string } | undefined {
  const call = asObject(value);
  const name = asString(asObject(call?.function)?.name) ?? asString(call?.name);
  return name === undefined ? undefined : present({ id: asString(call?.id), name });
}

/** Of what the oldest of the APIs generates, each for itself. */
function readReasons(generations: unknown): string[] {
  const items = asArray(generations).slice(0, maxItems).map(asObject);
  return items.flatMap((item) => asString(pick(item, 'finish_reason')) ?? []);
}

function parseFailure(body: Json, status: number): LlmResponse['error'] {
  if (body.error !== undefined) return parseError(body);
  return status < 400 ? undefined : present({ type: String(status), message: asString(body.message) });
}

/** A chat of either version, embeddings, a ranking or an error; `missing` stands for a reason that never came. */
function parseReply(json: unknown, status: number, missing?: string): LlmResponse {
  const body = asObject(json) ?? {};
  const error = parseFailure(body, status);
  if (error && status >= 400) return { error };
  const message = asObject(body.message);
  const calls = asArray(pick(message ?? body, 'tool_calls')).slice(0, maxItems);
  const toolCalls = calls.map(parseToolCall).filter((call) => call !== undefined);
  const wire = body.usage ?? body.meta;
  const usage = parseUsage(wire);
  const given = asString(pick(body, 'finish_reason'));
  const reason = given ?? missing;
  const reasons = reason ? [reason] : readReasons(body.generations);
  const isWhole = !error && (given !== undefined || missing === undefined);
  const isCounted =
    usage?.requests !== undefined ||
    countImages(wire) !== undefined ||
    (usage?.input !== undefined && (!given || usage.output !== undefined));
  const isSaid = !given || message !== undefined || typeof body.text === 'string' || Array.isArray(body.generations);
  if (isWhole && !(isCounted && isSaid)) fault();
  return (
    present<LlmResponse>({
      id: asString(body.id) ?? asString(pick(body, 'response_id')),
      usage,
      finishReasons: reasons.length > 0 ? reasons : undefined,
      toolCalls: toolCalls.length > 0 ? toolCalls : undefined,
      attributes: present({
        ...parseConsumed(wire),
        'gen_ai.embeddings.dimension.count': countDimensions(body.embeddings),
      }),
      error,
    }) ?? {}
  );
}

/** Rebuilds the reply that the unstreamed call would have given, without its texts. */
function createReader({ status }: Pick<Reply, 'status'>): StreamReader {
  const calls: unknown[] = [];
  let started = false;
  let end: Json = {};
  let id: unknown;
  let whole: unknown;

  return {
    event({ type, json }) {
      const body = asObject(json);
      const delta = asObject(body?.delta);
      const message = asObject(delta?.message);
      started = true;
      switch (type ?? asString(body?.type) ?? asString(body?.event_type)) {
        case 'message-start':
          id = body?.id;
          return;
        case 'content-delta':
        case 'tool-plan-delta':
        case 'text-generation':
          return 'content';
        case 'tool-call-start':
          // One call an event, by the name of a list.
          if (calls.length < maxItems) calls.push(pick(message, 'tool_calls'));
          return 'content';
        case 'message-end':
          end = delta ?? {};
          return 'end';
        case 'stream-end':
          whole = { ...asObject(body?.response), finish_reason: body?.finish_reason };
          return 'end';
      }
    },
    matters: (_data, type) => type !== 'content-delta' && type !== 'tool-call-delta' && type !== 'tool-plan-delta',
    result(isWhole) {
      if (!started) return {};
      return parseReply(whole ?? { ...end, id, message: { tool_calls: calls } }, status, isWhole ? undefined : 'error');
    },
  };
}

const numbers = {
  max_tokens: 'max_tokens',
  temperature: 'temperature',
  p: 'top_p',
  k: 'top_k',
  seed: 'seed',
  frequency_penalty: 'frequency_penalty',
  presence_penalty: 'presence_penalty',
};

function parseRequest({ body }: ProviderRequest): Partial<LlmRequest> {
  const request = asObject(body) ?? {};
  const parameters: Attributes = {
    ...readParameters(request, numbers),
    ...readStops(request.stop_sequences),
    ...readOutputType(request.response_format),
  };
  if (request.stream === true) parameters['gen_ai.request.stream'] = true;
  const types = asArray(request.embedding_types).filter((type) => typeof type === 'string');
  if (types.length > 0) parameters['gen_ai.request.encoding_formats'] = types.slice(0, 16);
  const dimensions = asNumber(request.output_dimension);
  if (dimensions !== undefined) parameters['gen_ai.embeddings.dimension.count'] = dimensions;
  const maxTokens = asNumber(request.max_tokens);
  return {
    model: asString(request.model),
    stream: request.stream === true,
    ...(maxTokens !== undefined && { maxTokens }),
    parameters,
  };
}

const operations: Readonly<Record<string, string>> = {
  chat: 'chat',
  embed: 'embed',
  rerank: 'rerank',
  generate: 'text_completion',
};

/** Cohere's own API in both of its versions: https://docs.cohere.com/reference/about */
export const cohereChat: Format = {
  match(pathname) {
    const path = /^\/v[12]\/(chat|embed|rerank|generate)\/?$/.exec(pathname)?.[1];
    return path && operations[path];
  },
  request: parseRequest,
  response: (json, { status }) => parseReply(json, status),
  stream: createReader,
  always: (operation) => (operation === 'chat' ? ['id', 'finishReasons'] : ['id']),
  content: cohereContent,
  acceptsItem(item) {
    const event = asObject(item);
    // The first version of the API has another name for it.
    if (asString(pick(event, 'event_type'))) return true;
    return event?.type === 'message-start' && asObject(asObject(event.delta)?.message)?.role === 'assistant';
  },
  accepts(value) {
    const body = asObject(value);
    const units = asObject(pick(asObject(body?.usage) ?? asObject(body?.meta), 'billed_units'));
    const id = asString(body?.id) ?? asString(pick(body, 'response_id')) ?? asString(pick(body, 'generation_id'));
    return units !== undefined && (asObject(body?.message)?.role === 'assistant' || id !== undefined);
  },
};
