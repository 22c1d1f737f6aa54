import { asArray, asNumber, asObject, asString, type Json } from '../../json.ts';
import { cloudflareContent } from '../content/cloudflare.ts';
import type { LlmRequest, LlmResponse, LlmUsage, ProviderRequest, Reply, StreamReader } from '../provider.ts';
import { anthropicMessages } from './anthropic-messages.ts';
import { cloudflareErrors, parseCloudflareError } from './cloudflare-errors.ts';
import type { Format } from './format.ts';
import { createChatFold, parseChatCompletion, parseUsage } from './openai-dialect.ts';
import { parseRequest } from './openai-request.ts';
import { createResponsesReader, parseResponses } from './openai-responses.ts';
import { decodePart, maxItems, present } from './wire.ts';

/** What the REST API puts around a result; a binding gives the result itself. */
function unwrap(body: Json): Json {
  const isEnvelope = body.result !== undefined && (body.success !== undefined || body.state !== undefined);
  return (isEnvelope && asObject(body.result)) || body;
}

/** The path names the model with its slashes, which some clients encode. */
function readPath(pathname: string): string | undefined {
  const model = /\/ai\/run\/(.+?)\/?$/.exec(pathname)?.[1];
  return model && decodePart(model);
}

/** Nothing has a path of its own; the names of models tell. https://developers.cloudflare.com/workers-ai/models/ */
function readOperation(model = ''): string {
  if (/rerank/.test(model)) return 'rerank';
  if (/flux-\d|diffusion|dreamshaper|\/leonardo\//.test(model)) return 'image_generation';
  if (/whisper|deepgram|melotts/.test(model)) return 'speech';
  return /embed|\/bge-/.test(model) ? 'embed' : 'chat';
}

function readNeurons(usage: unknown): LlmResponse['attributes'] {
  return present({ 'edgespan.usage.neurons': asNumber(asObject(usage)?.neurons) });
}

/** `…-external` is a name of Cloudflare's own routing: the request has the one that people know. */
function withoutRoute({ model, ...response }: LlmResponse): LlmResponse {
  return model === undefined || model.endsWith('-external') ? response : { ...response, model };
}

function parseToolCalls(body: Json): LlmResponse['toolCalls'] {
  const calls = asArray(body.tool_calls).slice(0, maxItems).map(asObject);
  const known = calls.flatMap((call) => {
    const name = asString(call?.name) ?? asString(asObject(call?.function)?.name);
    return name ? [present({ id: asString(call?.id), name })!] : [];
  });
  return known.length > 0 ? known : undefined;
}

/** `{ response, tool_calls, usage }`, or the `{ shape, data }` of embeddings. */
function parseNative(body: Json): LlmResponse {
  const dimensions = asNumber(asArray(body.shape)[1]) ?? asArray(asArray(body.data)[0]).length;
  return (
    present<LlmResponse>({
      usage: parseUsage(body.usage),
      toolCalls: parseToolCalls(body),
      attributes: present({
        ...readNeurons(body.usage),
        'gen_ai.embeddings.dimension.count': dimensions || undefined,
      }),
    }) ?? {}
  );
}

const dialect = {
  extras: (body: Json) => ({ attributes: readNeurons(body.usage) ?? {}, ...cloudflareErrors.extras(body) }),
};

function parseShape(body: Json, reply: Reply): LlmResponse {
  if (anthropicMessages.accepts!(body)) return anthropicMessages.response(body, reply);
  if (body.object === 'response' || Array.isArray(body.output)) return withoutRoute(parseResponses(body, dialect));
  if (Array.isArray(body.choices) || body.object === 'list') return withoutRoute(parseChatCompletion(body, dialect));
  return parseNative(body);
}

/** Whatever a model answers: Cloudflare's own shape, or that of OpenAI or Anthropic, in an envelope or not. */
export function parseRun(json: unknown, reply: Reply): LlmResponse {
  const body = asObject(json) ?? {};
  const error = parseCloudflareError(body);
  return { ...parseShape(unwrap(body), reply), ...(error && { error }) };
}

type Counts = LlmUsage & { neurons?: number };

/**
 * Some models count each chunk for itself, others all until then. Once there is a prompt, only a count of all has it
 * again.
 */
function addCounts(known: Counts, next: Counts): Counts {
  const isTotal = (next.input ?? 0) >= (known.input ?? 0) && (next.output ?? 0) >= (known.output ?? 0);
  if (isTotal) return { ...known, ...next };
  const sum: Counts = { ...known };
  for (const key of Object.keys(next) as (keyof Counts)[]) sum[key] = (known[key] ?? 0) + (next[key] ?? 0);
  return sum;
}

/** Cloudflare's own events, `{ response }`, and chunks of a chat completion, which may be mixed in one stream. */
function createChatReader(): StreamReader {
  const fold = createChatFold({ ...cloudflareErrors, usage: () => undefined });
  const calls: unknown[] = [];
  let counts: Counts = {};

  function count(body: Json): void {
    const usage = asObject(body.usage);
    if (!usage) return;
    const next: Counts = { ...parseUsage(usage), ...present({ neurons: asNumber(usage.neurons) }) };
    // Their own last event has the counts of the whole stream.
    counts = body.response === undefined ? addCounts(counts, next) : { ...counts, ...next };
  }

  return {
    event({ json }) {
      const body = asObject(json);
      if (!body) return;
      count(body);
      for (const call of asArray(body.tool_calls)) if (calls.length < maxItems) calls.push(call);
      const isChunk = fold.add(body);
      const text = body.response;
      return isChunk || (text !== undefined && text !== null && text !== '') || asArray(body.tool_calls).length > 0
        ? 'content'
        : undefined;
    },
    matters: (data) => !/^\{"response":"[^"\\]*"(,"p":"[^"\\]*")?\}$/.test(data),
    result(isWhole) {
      const { neurons, ...usage } = counts;
      const folded = withoutRoute(fold.result(isWhole ? undefined : 'error'));
      const attributes = { ...folded.attributes, ...readNeurons({ neurons }) };
      return (
        present<LlmResponse>({
          ...folded,
          toolCalls: folded.toolCalls ?? parseToolCalls({ tool_calls: calls }),
          usage: present(usage),
          attributes: present(attributes),
        }) ?? {}
      );
    },
  };
}

/** The first event tells which of the shapes a stream has. */
export function createRunReader(reply: Reply): StreamReader {
  let reader: StreamReader | undefined;
  const select = (type: string | undefined): StreamReader => {
    if (type?.startsWith('response.')) return createResponsesReader(dialect);
    return type === 'message_start' ? anthropicMessages.stream!(reply) : createChatReader();
  };
  return {
    event(event) {
      reader ??= select(event.type ?? asString(asObject(event.json)?.type));
      return reader.event(event);
    },
    matters: (data, type) => reader?.matters?.(data, type) ?? true,
    result: (isWhole) => withoutRoute(reader?.result(isWhole) ?? {}),
  };
}

/** The model is in the path, or beside its `input` in the body. */
function parseRunRequest({ url, body }: ProviderRequest): Partial<LlmRequest> {
  const request = asObject(body) ?? {};
  const model = readPath(url.pathname) ?? asString(request.model);
  const input = asObject(request.input) ?? request;
  return { ...parseRequest({ url, body: { ...input, model } }), operation: readOperation(model) };
}

/** All that there is in events of Cloudflare's own. */
const itemFields = new Set(['response', 'tool_calls', 'usage', 'p']);

/** Workers AI as `POST …/ai/run/{model}` and `env.AI.run` speak it: https://developers.cloudflare.com/workers-ai/ */
export const cloudflareRun: Format = {
  match: (pathname) => (/\/ai\/run(\/|$)/.test(pathname) ? readOperation(readPath(pathname)) : undefined),
  request: parseRunRequest,
  response: parseRun,
  stream: createRunReader,
  content: cloudflareContent,
  acceptsItem(item) {
    const body = asObject(item);
    if (asString(body?.model)?.startsWith('@cf/')) return true;
    return body !== undefined && 'response' in body && Object.keys(body).every((name) => itemFields.has(name));
  },
  accepts(value) {
    const body = asObject(value);
    if (!body) return false;
    const usage = asObject(body.usage);
    if (usage?.neurons !== undefined || asString(body.model)?.startsWith('@cf/')) return true;
    const [rows] = asArray(body.shape);
    if (rows !== undefined) return rows === asArray(body.data).length && Array.isArray(asArray(body.data)[0]);
    // A response alone may be anybody's.
    const isNative = usage?.prompt_tokens !== undefined || Array.isArray(body.tool_calls);
    return isNative && 'response' in body && body.choices === undefined;
  },
};
