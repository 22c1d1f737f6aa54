import { asArray, asObject, asString, type Json } from '../../json.ts';
import { openaiContent } from '../content/openai.ts';
import type { LlmResponse, Operation, ProviderRequest, Reply, ReplyField, StreamReader } from '../provider.ts';
import type { Format } from './format.ts';
import { createChatReader, type Dialect, parseChatCompletion } from './openai-dialect.ts';
import { matchPath, parseRequest } from './openai-request.ts';
import { createResponsesReader, parseResponses } from './openai-responses.ts';

/** Any unstreamed reply of the API: chat completion, response, embeddings, completion, error. */
function parseReply(json: unknown, dialect: Dialect, reply: Reply): LlmResponse {
  const body = asObject(json);
  return body?.object === 'response' || Array.isArray(body?.output)
    ? parseResponses(json, dialect, reply)
    : parseChatCompletion(json, dialect, reply);
}

/** Any streamed reply of the API; its address tells which, or else the first event. */
function createReader(reply: Reply, dialect: Dialect): StreamReader {
  let reader: StreamReader | undefined = reply.url?.pathname.includes('/responses')
    ? createResponsesReader(dialect, reply)
    : undefined;
  return {
    event(event) {
      reader ??= (event.type ?? asString(asObject(event.json)?.type))?.startsWith('response.')
        ? createResponsesReader(dialect, reply)
        : createChatReader(reply, dialect);
      return reader.event(event);
    },
    matters: (data, type) => reader?.matters?.(data, type) ?? true,
    result: (isWhole) => reader?.result(isWhole) ?? {},
  };
}

/** A choice whose message was held back: it says no more than why. */
function isFiltered({ finish_reason, delta }: Json): boolean {
  return finish_reason === 'content_filter' && delta === undefined;
}

/** Whether a value that an SDK returned has the shape of one of OpenAI's replies. */
function isReply(value: unknown): boolean {
  const body = asObject(value);
  if (!body) return false;
  const choice = asObject(asArray(body.choices)[0]);
  return (
    (body.object === 'response' && Array.isArray(body.output)) ||
    (choice !== undefined &&
      (asObject(choice.message) !== undefined || typeof choice.text === 'string' || isFiltered(choice))) ||
    (body.object === 'list' && asObject(asArray(body.data)[0])?.embedding !== undefined)
  );
}

/** A chunk of a chat or legacy completion, or an event of the Responses API. */
function isItem(value: unknown): boolean {
  const item = asObject(value);
  if (asString(item?.type)?.startsWith('response.')) return true;
  const choice = asObject(asArray(item?.choices)[0]);
  const isChunk = /^(chat\.completion\.chunk|text_completion)$/.test(asString(item?.object) ?? '');
  // Azure's first says what its filters found, and no more.
  const isFilter = Array.isArray(item?.prompt_filter_results);
  return Array.isArray(item?.choices) && (isChunk || isFilter || asObject(choice?.delta) !== undefined);
}

/** The body of a streamed chat completion with `stream_options.include_usage`, where it says nothing about that. */
function askUsage({ url, body }: ProviderRequest): unknown {
  const request = asObject(body);
  const options = asObject(request?.stream_options);
  if (request?.stream !== true || !/completions\/?$/.test(url.pathname) || options?.include_usage !== undefined) {
    return undefined;
  }
  return { ...request, stream_options: { ...options, include_usage: true } };
}

/** What there always is. A response may still be on its way, and what is compacted is no answer: their parser knows. */
function listAlways(operation: Operation, { url, request }: Reply, dialect: Dialect): readonly ReplyField[] {
  if (operation === 'embed') return ['model', 'input'];
  if (url?.pathname.includes('/responses')) return [];
  const hasUsage = !request.stream || !dialect.usageOnRequest || request.asksUsage;
  return ['id', 'model', 'finishReasons', ...(hasUsage ? (['input', 'output'] as const) : [])];
}

/** OpenAI's API, streamed or not, in the dialect of whoever serves it: the paths are the same wherever they stand. */
/* @__NO_SIDE_EFFECTS__ */
export function createOpenaiFormat(dialect: Dialect = {}): Format {
  return {
    match: matchPath,
    request: parseRequest,
    response: (json, reply) => parseReply(json, dialect, reply),
    stream: (reply) => createReader(reply, dialect),
    always: (operation, reply) => listAlways(operation, reply, dialect),
    content: openaiContent,
    accepts: isReply,
    acceptsItem: isItem,
    shared: true,
    ...(dialect.usageOnRequest && { includeUsage: askUsage }),
  };
}
