import { asArray, asObject, asString } from '../../json.ts';
import type { LlmResponse, Provider, Reply, StreamReader } from '../provider.ts';
import { createChatReader, parseChatCompletion } from './openai-dialect.ts';
import { matchPath, parseRequest } from './openai-request.ts';
import { createResponsesReader, parseResponses } from './openai-responses.ts';

/** Any unstreamed reply of the API: chat completion, response, embeddings, completion, error. */
export function parseReply(json: unknown): LlmResponse {
  const body = asObject(json);
  return body?.object === 'response' || Array.isArray(body?.output) ? parseResponses(json) : parseChatCompletion(json);
}

/** Any streamed reply of the API; the first event tells which. */
export function createReader(reply: Reply): StreamReader {
  let reader: StreamReader | undefined;
  return {
    event(event) {
      reader ??= (event.type ?? asString(asObject(event.json)?.type))?.startsWith('response.')
        ? createResponsesReader()
        : createChatReader(reply);
      return reader.event(event);
    },
    matters: (data, type) => reader?.matters?.(data, type) ?? true,
    result: () => reader?.result() ?? {},
  };
}

/** Whether a value that an SDK returned has the shape of one of OpenAI's replies. */
export function isReply(value: unknown): boolean {
  const body = asObject(value);
  if (!body) return false;
  const choice = asObject(asArray(body.choices)[0]);
  return (
    (body.object === 'response' && Array.isArray(body.output)) ||
    (choice !== undefined && (asObject(choice.message) !== undefined || typeof choice.text === 'string')) ||
    (body.object === 'list' && asObject(asArray(body.data)[0])?.embedding !== undefined)
  );
}

/**
 * OpenAI: chat completions, Responses, embeddings and legacy completions, streamed or not, on `api.openai.com`, its
 * regions, and wherever else a path is OpenAI's. Asked after all others, since many vendors have such paths.
 *
 * @example
 * createTelemetry({ providers: [openai], prices: openaiPrices });
 */
export const openai: Provider = {
  name: 'openai',
  priority: -1,
  match: ({ url, method }) => (method === 'POST' ? matchPath(url.pathname) : undefined),
  request: parseRequest,
  response: parseReply,
  stream: createReader,
  accepts: isReply,
  read: parseReply,
};
