import { asArray, asObject, asString, type Json } from '../../src/json.ts';
import {
  answer,
  type Message,
  objects,
  type Part,
  readContent,
  text,
  toolCall,
} from '../../src/llm/content/message.ts';

/** Roles by the types of LangChain's messages. */
const roles: Readonly<Record<string, string>> = { human: 'user', ai: 'assistant', generic: 'user' };

/** A prompt, or messages, as a request that the formats of vendors know. */
export function readPrompt(asked: unknown): Json {
  if (typeof asked === 'string') return { prompt: asked };
  return { messages: asArray(asked).map(readMessage) };
}

function readMessage(given: unknown): Json {
  const message = asObject(given) ?? {};
  const type = asString(message.type) ?? asString(message.role) ?? 'user';
  const { content, tool_call_id } = message;
  const calls = objects(message.tool_calls).map(({ id, name, args }) => ({
    id,
    type: 'function',
    function: { name, arguments: JSON.stringify(args ?? {}) },
  }));
  return {
    role: roles[type] ?? type,
    content,
    ...(tool_call_id !== undefined && { tool_call_id }),
    ...(calls.length > 0 && { tool_calls: calls }),
  };
}

/** What was answered, by the first generation. */
export function readMessages(output: unknown): Message[] {
  const generation = asObject(asArray(asArray(asObject(output)?.generations)[0])[0]);
  const message = asObject(generation?.message);
  const parts = message ? readParts(message) : text(generation?.text);
  const metadata = asObject(message?.response_metadata);
  return answer(parts, metadata?.finish_reason ?? metadata?.stop_reason);
}

function readParts(message: Json): Part[] {
  const said = readContent(message.content, (block) => text(block.text));
  const calls = objects(message.tool_calls).flatMap(({ id, name, args }) => toolCall(id, name, args));
  return [...said, ...calls];
}
