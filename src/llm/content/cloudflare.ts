import { asObject, asString, type Json } from '../../json.ts';
import { anthropicContent } from './anthropic.ts';
import { createBlocks } from './blocks.ts';
import {
  answer,
  type ContentFormat,
  type ContentReader,
  type Message,
  maxItems,
  objects,
  text,
  toolCall,
} from './message.ts';
import { openaiContent } from './openai.ts';

/** What the REST API puts around a result; a binding gives the result itself. */
function unwrap(body: Json): Json {
  const isEnvelope = body.result !== undefined && (body.success !== undefined || body.state !== undefined);
  return (isEnvelope && asObject(body.result)) || body;
}

function readNative({ response, tool_calls }: Json, reason?: string): Message[] {
  const calls = objects(tool_calls).flatMap((call) => {
    const made = asObject(call.function) ?? call;
    return toolCall(call.id, made.name, made.arguments);
  });
  const said = asObject(response) ? JSON.stringify(response) : response;
  return answer([...text(said), ...calls], reason);
}

function readReply(body: Json): readonly Message[] {
  if (body.type === 'message') return anthropicContent.response(body);
  return Array.isArray(body.output) || Array.isArray(body.choices) ? openaiContent.response(body) : readNative(body);
}

/** Cloudflare's own events, and chunks of a chat completion, which may be mixed in one stream. */
function createRunContent(maxText: number): ContentReader {
  const chat = openaiContent.stream(maxText);
  const texts = createBlocks(maxText);
  const calls: Json[] = [];
  return {
    event(event) {
      const body = asObject(event.json) ?? {};
      if (Array.isArray(body.choices)) return chat.event(event);
      const said = body.response;
      texts.append(0, 'response', typeof said === 'number' ? String(said) : said);
      for (const call of objects(body.tool_calls)) if (calls.length < maxItems) calls.push(call);
    },
    result() {
      const answers = chat.result();
      return answers.length > 0 ? answers : readNative({ ...texts.get(0), tool_calls: calls });
    },
  };
}

/** Workers AI: its own shapes, or those of OpenAI or Anthropic, in an envelope or not. */
export const cloudflareContent: ContentFormat = {
  request(given) {
    const body = asObject(given) ?? {};
    const input = asObject(body.input) ?? body;
    const isAnthropic = input.system !== undefined || input.anthropic_version !== undefined;
    return (isAnthropic ? anthropicContent : openaiContent).request(input);
  },
  response: (json) => readReply(unwrap(asObject(json) ?? {})),
  stream(maxText) {
    let reader: ContentReader | undefined;
    const select = (type: string | undefined): ContentReader => {
      if (type?.startsWith('response.')) return openaiContent.stream(maxText);
      return type === 'message_start' ? anthropicContent.stream(maxText) : createRunContent(maxText);
    };
    return {
      event(event) {
        reader ??= select(event.type ?? asString(asObject(event.json)?.type));
        reader.event(event);
      },
      result: () => reader?.result() ?? [],
    };
  },
};
