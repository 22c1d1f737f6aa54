import { asObject, asString, type Json } from '../../json.ts';
import { createBlocks } from './blocks.ts';
import {
  answer,
  type ContentFormat,
  list,
  type Message,
  maxItems,
  media,
  message,
  objects,
  type Part,
  prompt,
  readContent,
  reasoning,
  text,
  toolCall,
  toolResponse,
} from './message.ts';
import { readTools } from './openai-chat.ts';

function readCalls(value: unknown): Part[] {
  return objects(value).flatMap((call) => {
    const made = asObject(call.function) ?? {};
    return toolCall(call.id, made.name, made.arguments);
  });
}

function readImages(value: unknown): Part[] {
  return list(value).flatMap((image) => media(image, undefined, 'image'));
}

function readMessage(given: Json): Message {
  const { role, content, thinking, images, tool_calls, tool_name, tool_call_id } = given;
  if (role === 'tool') return message(role, [toolResponse(tool_call_id ?? tool_name, asString(content))]);
  return message(role, [...reasoning(thinking), ...text(content), ...readImages(images), ...readCalls(tool_calls)]);
}

/** A chat or a completion. */
function readReply(body: Json, missing?: string): Message[] {
  const said = asObject(body.message) ?? { content: body.response, thinking: body.thinking };
  const reason = asString(body.done_reason) ?? (body.done === true ? undefined : missing);
  return answer(readMessage({ ...said, role: 'assistant' }).parts, reason);
}

/** Ollama's own API: each line of a stream is a reply of its own. */
export const ollamaContent: ContentFormat = {
  request(given) {
    const body = asObject(given) ?? {};
    const tools = readTools(body.tools);
    if (Array.isArray(body.messages)) return { messages: objects(body.messages).map(readMessage), tools };
    const asked = readContent(body.prompt ?? body.input, () => []);
    const messages = prompt([...asked, ...readImages(body.images)]);
    return { ...(messages && { messages }), system: text(body.system), tools };
  },
  response: (json) => readReply(asObject(json) ?? {}),
  stream(maxText) {
    const texts = createBlocks(maxText);
    const calls: Json[] = [];
    let last: Json | undefined;
    return {
      event({ json }) {
        const body = asObject(json);
        if (!body || body.error !== undefined) return;
        last = body;
        const said = asObject(body.message) ?? body;
        texts.append(0, 'content', said.content ?? said.response);
        texts.append(0, 'thinking', said.thinking);
        for (const call of objects(said.tool_calls)) if (calls.length < maxItems) calls.push(call);
      },
      result: () => (last ? readReply({ ...last, message: { ...texts.get(0), tool_calls: calls } }, 'error') : []),
    };
  },
};
