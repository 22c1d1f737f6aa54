import { asObject, asString, type Json } from '../../json.ts';
import { createBlocks } from './blocks.ts';
import {
  answer,
  type ContentFormat,
  type Message,
  message,
  objects,
  type Part,
  prompt,
  readContent,
  serverCall,
  text,
  toolCall,
  toolResponse,
} from './message.ts';
import { readBlock, readTools } from './openai-chat.ts';

/** An entry of a conversation: something said, a call, or what the vendor did by itself. */
function readEntry(entry: Json): Part[] {
  const type = asString(entry.type) ?? '';
  if (entry.content !== undefined) return readContent(entry.content, readBlock);
  if (type === 'function.call') return toolCall(entry.tool_call_id, entry.name, entry.arguments);
  return type.startsWith('message.') ? [] : [serverCall(entry.id, entry.name ?? type, { ...entry, type })];
}

function readInput(entry: Json): Message {
  if (entry.type === 'function.result') return message('tool', [toolResponse(entry.tool_call_id, entry.result)]);
  return message(entry.role ?? 'assistant', readEntry(entry));
}

/** A piece of an entry; the kind of the entry stands before `.delta`. */
const pieceTypes: Readonly<Record<string, string>> = {
  'message.output.delta': 'message.output',
  'function.call.delta': 'function.call',
};

/** Mistral's conversations. They name no reason for their end. */
export const conversationsContent: ContentFormat = {
  request(given) {
    const body = asObject(given) ?? {};
    const entries = objects(body.inputs);
    const messages = entries.length > 0 ? entries.map(readInput) : prompt(text(body.inputs));
    return { ...(messages && { messages }), system: text(body.instructions), tools: readTools(body.tools) };
  },
  response: (json) => answer(objects(asObject(json)?.outputs).flatMap(readEntry)),
  stream(maxText) {
    const entries = createBlocks(maxText);
    return {
      event({ type, json }) {
        const body = asObject(json) ?? {};
        const entryType = pieceTypes[type ?? asString(body.type) ?? ''];
        if (!entryType) return;
        const { output_index: index, name, tool_call_id } = body;
        const entry = entries.get(index);
        entry.type = entryType;
        if (entryType === 'function.call') {
          Object.assign(entry, { name: entry.name ?? name, tool_call_id: entry.tool_call_id ?? tool_call_id });
          entries.append(index, 'arguments', body.arguments);
        } else {
          for (const { type: kind, content } of readContent(body.content, readBlock)) {
            entries.append(index, kind === 'reasoning' ? 'thinking' : 'text', content);
          }
        }
      },
      result() {
        const whole = entries.list().map(({ text, thinking, ...entry }) => {
          const content = [
            { type: 'thinking', thinking },
            { type: 'text', text },
          ];
          return entry.type === 'message.output' ? { ...entry, content } : entry;
        });
        return answer(whole.flatMap(readEntry));
      },
    };
  },
};
