import { asObject, asString, type Json } from '../../json.ts';
import { pick } from '../field-names.ts';
import { createBlocks } from './blocks.ts';
import {
  answer,
  type ContentFormat,
  generic,
  known,
  type Message,
  message,
  objects,
  type Part,
  prompt,
  type RequestContent,
  readContent,
  reasoning,
  simplify,
  text,
  toolCall,
  toolResponse,
} from './message.ts';
import { readBlock as readCommonBlock, readTools } from './openai-chat.ts';

function readBlock(block: Json): Part[] {
  if (block.type === 'document') return [generic(block)];
  return readCommonBlock({ ...block, image_url: pick(block, 'image_url') });
}

function readCalls(value: unknown): Part[] {
  return objects(value).flatMap((call) => {
    const made = asObject(call.function) ?? call;
    return toolCall(call.id, made.name, made.arguments ?? made.parameters);
  });
}

/** The plan for its tools is what a model thought aloud. */
function readParts(given: Json): Part[] {
  return [
    ...reasoning(pick(given, 'tool_plan')),
    ...readContent(given.content ?? given.message, readBlock),
    ...readCalls(pick(given, 'tool_calls')),
  ];
}

function readMessage(given: Json): Message {
  if (given.role !== 'tool') return message(given.role, readParts(given));
  const response = simplify(readContent(given.content, readBlock));
  return message('tool', [toolResponse(pick(given, 'tool_call_id'), response)]);
}

function readRequest(given: unknown): RequestContent {
  const body = asObject(given) ?? {};
  const tools = readTools(body.tools);
  if (Array.isArray(body.messages)) return { messages: objects(body.messages).map(readMessage), tools };
  const asked = prompt(readContent(body.message ?? body.prompt ?? body.query ?? body.texts, readBlock)) ?? [];
  const history = objects(pick(body, 'chat_history')).map(readMessage);
  return { messages: [...history, ...asked], system: text(body.preamble), tools };
}

/** A chat of either version. */
function readReply(body: Json): Message[] {
  const reason = pick(body, 'finish_reason');
  const said = asObject(body.message);
  if (said) return answer(readParts(said), reason);
  const generated = objects(body.generations).flatMap((one) => answer(text(one.text), one.finish_reason));
  if (generated.length > 0) return generated;
  return answer([...text(body.text), ...readCalls(pick(body, 'tool_calls'))], reason);
}

/** Cohere's own API in both of its versions. */
export const cohereContent: ContentFormat = {
  request: readRequest,
  response: (json) => readReply(asObject(json) ?? {}),
  stream(maxText) {
    const blocks = createBlocks(maxText);
    const calls = createBlocks(maxText);
    const plan = createBlocks(maxText);
    let started = false;
    let reason: unknown;
    let whole: Json | undefined;
    return {
      event({ type, json }) {
        const body = asObject(json) ?? {};
        const name = type ?? asString(body.type) ?? asString(body.event_type);
        const delta = asObject(body.delta) ?? {};
        const said = asObject(delta.message) ?? {};
        const content = asObject(said.content) ?? {};
        const call = asObject(pick(said, 'tool_calls')) ?? {};
        started ||= name !== undefined;
        if (name === 'content-start') blocks.get(body.index).type = content.type;
        if (name === 'content-start' || name === 'content-delta') {
          blocks.append(body.index, 'text', content.text);
          blocks.append(body.index, 'thinking', content.thinking);
        } else if (name === 'tool-plan-delta') plan.append(0, 'text', pick(said, 'tool_plan'));
        else if (name === 'text-generation') blocks.append(0, 'text', body.text);
        else if (name === 'tool-call-start' || name === 'tool-call-delta') {
          const known = calls.get(body.index);
          known.id ??= call.id;
          known.name ??= asObject(call.function)?.name;
          calls.append(body.index, 'arguments', asObject(call.function)?.arguments);
        } else if (name === 'message-end') reason = pick(delta, 'finish_reason');
        else if (name === 'stream-end') {
          reason = pick(body, 'finish_reason');
          whole = asObject(body.response);
        }
      },
      result() {
        if (whole) return readReply({ ...whole, finish_reason: reason });
        const said = blocks.list().map((block) => ({ type: 'text', ...known(block) }));
        const message = { tool_plan: plan.get(0).text, content: said, tool_calls: calls.list() };
        return started ? readReply({ message, finish_reason: reason ?? 'error' }) : [];
      },
    };
  },
};
