import { asObject, asString, type Json } from '../../json.ts';
import { createBlocks } from './blocks.ts';
import {
  answer,
  type ContentFormat,
  file,
  generic,
  type Message,
  media,
  message,
  objects,
  type Part,
  readContent,
  reasoning,
  serverCall,
  serverResponse,
  simplify,
  text,
  tool,
  toolCall,
  toolResponse,
} from './message.ts';

/** Where a picture or document is: in it, in a file that was sent before, at an address. */
function readSource(value: unknown, kind: string): Part[] {
  const source = asObject(value) ?? {};
  const { type, media_type, data, url, file_id, content } = source;
  if (type === 'text') return text(data);
  if (type === 'content') return readContent(content, readBlock);
  return [...media(data ?? url, media_type, kind), ...file(file_id, media_type, kind)];
}

function readBlock(block: Json): Part[] {
  const type = asString(block.type) ?? '';
  switch (type) {
    case 'text':
      return text(block.text);
    case 'thinking':
      return reasoning(block.thinking);
    // Enciphered: there is nothing to read in it.
    case 'redacted_thinking':
      return [{ type }];
    case 'image':
    case 'document':
      return readSource(block.source, type);
    case 'tool_use':
      return toolCall(block.id, block.name, block.input);
    case 'tool_result':
      return [toolResponse(block.tool_use_id, simplify(readContent(block.content, readBlock)))];
    case 'server_tool_use':
    case 'mcp_tool_use':
      return [serverCall(block.id, block.name, { type, arguments: block.input })];
    case 'compaction':
      return [{ type, ...(asString(block.content) && { content: block.content }) }];
    default:
      return type.endsWith('_tool_result')
        ? [serverResponse(block.tool_use_id, { type, content: block.content })]
        : [generic(block)];
  }
}

function readMessage(given: Json): Message[] {
  return answer(readContent(given.content, readBlock), given.stop_reason);
}

/** Anthropic's messages. */
export const anthropicContent: ContentFormat = {
  request(given) {
    const body = asObject(given) ?? {};
    const messages = objects(body.messages).map((one) => message(one.role, readContent(one.content, readBlock)));
    const tools = objects(body.tools).flatMap(({ name, type }) => tool(name, type === 'custom' ? undefined : type));
    return { messages, system: readContent(body.system, readBlock), tools };
  },
  response: (json) => readMessage(asObject(json) ?? {}),
  stream(maxText) {
    const blocks = createBlocks(maxText);
    let started = false;
    let id: unknown;
    let reason: unknown;
    return {
      event({ type, json }) {
        const body = asObject(json) ?? {};
        const delta = asObject(body.delta) ?? {};
        switch (type ?? body.type) {
          case 'message_start': {
            const begun = asObject(body.message) ?? {};
            // Proxies repeat the start of a message; another id is another message.
            if (begun.id !== id) blocks.clear();
            id = begun.id;
            started = true;
            return;
          }
          case 'content_block_start':
            Object.assign(blocks.get(body.index), body.content_block);
            return;
          case 'content_block_delta':
            blocks.append(body.index, 'text', delta.text);
            blocks.append(body.index, 'thinking', delta.thinking);
            blocks.append(body.index, 'content', delta.content);
            blocks.append(body.index, 'json', delta.partial_json);
            return;
          case 'message_delta':
            reason = asString(delta.stop_reason) ?? reason;
        }
      },
      result() {
        if (!started) return [];
        const content = blocks.list().map(({ json, ...block }) => (json ? { ...block, input: json } : block));
        return readMessage({ content, stop_reason: reason ?? 'error' });
      },
    };
  },
};
