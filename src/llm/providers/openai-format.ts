import { asArray, asObject, asString } from '../../json.ts';
import type { LlmResponse, ProviderRequest, Reply, StreamReader } from '../provider.ts';
import type { Format } from './format.ts';
import { createChatReader, type Dialect, parseChatCompletion } from './openai-dialect.ts';
import { matchPath, parseRequest } from './openai-request.ts';
import { createResponsesReader, parseResponses } from './openai-responses.ts';

/** Any unstreamed reply of the API: chat completion, response, embeddings, completion, error. */
function parseReply(json: unknown, dialect: Dialect): LlmResponse {
  const body = asObject(json);
  return body?.object === 'response' || Array.isArray(body?.output)
    ? parseResponses(json, dialect)
    : parseChatCompletion(json, dialect);
}

/** Any streamed reply of the API; the first event tells which. */
function createReader(reply: Reply, dialect: Dialect): StreamReader {
  let reader: StreamReader | undefined;
  return {
    event(event) {
      reader ??= (event.type ?? asString(asObject(event.json)?.type))?.startsWith('response.')
        ? createResponsesReader(dialect)
        : createChatReader(reply, dialect);
      return reader.event(event);
    },
    matters: (data, type) => reader?.matters?.(data, type) ?? true,
    result: () => reader?.result() ?? {},
  };
}

/** Whether a value that an SDK returned has the shape of one of OpenAI's replies. */
function isReply(value: unknown): boolean {
  const body = asObject(value);
  if (!body) return false;
  const choice = asObject(asArray(body.choices)[0]);
  return (
    (body.object === 'response' && Array.isArray(body.output)) ||
    (choice !== undefined && (asObject(choice.message) !== undefined || typeof choice.text === 'string')) ||
    (body.object === 'list' && asObject(asArray(body.data)[0])?.embedding !== undefined)
  );
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

/** OpenAI's API, streamed or not, in the dialect of whoever serves it: the paths are the same wherever they stand. */
export function createOpenaiFormat(dialect: Dialect = {}): Format {
  return {
    match: matchPath,
    request: parseRequest,
    response: (json) => parseReply(json, dialect),
    stream: (reply) => createReader(reply, dialect),
    accepts: isReply,
    ...(dialect.usageOnRequest && { includeUsage: askUsage }),
  };
}
