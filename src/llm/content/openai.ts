import { asObject, asString } from '../../json.ts';
import type { ContentFormat, ContentReader } from './message.ts';
import { createChatContent, readChatRequest, readChoices } from './openai-chat.ts';
import { createResponsesContent, readResponse, readResponsesRequest } from './openai-responses.ts';

/** OpenAI's API: chat completions, Responses, legacy completions, by their shape. */
export const openaiContent: ContentFormat = {
  request(given) {
    const body = asObject(given) ?? {};
    return body.input === undefined ? readChatRequest(body) : readResponsesRequest(body);
  },
  response(json) {
    const body = asObject(json) ?? {};
    return Array.isArray(body.output) ? readResponse(body) : readChoices(body);
  },
  stream(maxText) {
    let reader: ContentReader | undefined;
    return {
      event(event) {
        const type = event.type ?? asString(asObject(event.json)?.type);
        reader ??= type?.startsWith('response.') ? createResponsesContent(maxText) : createChatContent(maxText);
        reader.event(event);
      },
      result: () => reader?.result() ?? [],
    };
  },
};
