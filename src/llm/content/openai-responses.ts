import { asNumber, asObject, asString, type Json } from '../../json.ts';
import { createBlocks } from './blocks.ts';
import {
  answer,
  type ContentReader,
  generic,
  type Message,
  message,
  objects,
  type Part,
  part,
  prompt,
  type RequestContent,
  readContent,
  reasoning,
  serverCall,
  simplify,
  text,
  toolCall,
  toolResponse,
} from './message.ts';
import { readBlock, readTools } from './openai-chat.ts';

/**
 * A call of a tool that is no function: `web_search_call`, `mcp_call`, `code_interpreter_call` are run by the vendor,
 * `computer_call`, `local_shell_call`, `apply_patch_call` by who asked, who names them by a `call_id` in the answer.
 */
function readCall(type: string, { id, call_id, status: _status, type: _type, ...call }: Json): Part[] {
  const name = type.slice(0, -'_call'.length);
  const isHosted = call.execution === 'server' || asObject(call.environment)?.type === 'container_reference';
  if (asString(call_id) !== undefined && !isHosted) return toolCall(call_id, name, call);
  return [serverCall(call_id ?? id, call.name ?? name, { ...call, type })];
}

/** Contents, or what a tool of the vendor's own design answers. */
function readOutput({ id, call_id, output, result, tools }: Json): Part {
  const given = output ?? result ?? tools;
  const isContent = [given].flat().every((one) => typeof one !== 'object' || asString(asObject(one)?.type));
  return toolResponse(call_id ?? id, isContent ? simplify(readContent(given, readBlock)) : given);
}

/** What was said in an item of the output, or of an input that has earlier ones in it. */
function readItem(item: Json): Part[] {
  switch (item.type) {
    case 'message':
      return readContent(item.content, readBlock);
    case 'reasoning':
      return [...objects(item.summary), ...objects(item.content)].flatMap((part) => reasoning(part.text));
    case 'function_call':
      return toolCall(item.call_id, item.name, item.arguments);
    case 'custom_tool_call':
      return toolCall(item.call_id, item.name, item.input);
    case 'compaction':
      return [part('compaction', { id: asString(item.id) })];
    default: {
      const type = asString(item.type) ?? '';
      if (type.endsWith('_call')) return readCall(type, item);
      return [type.endsWith('_output') ? readOutput(item) : generic(item)];
    }
  }
}

function readInput(item: Json): Message[] {
  const { role, type = 'message' } = item;
  if (role !== undefined && type === 'message') return [message(role, readContent(item.content, readBlock))];
  const parts = readItem(item);
  return parts.length > 0 ? [message(role ?? roleOf(String(type)), parts)] : [];
}

/** Who has said an item that names nobody. */
function roleOf(type: string): string {
  if (type.endsWith('_output')) return 'tool';
  return type.endsWith('_response') ? 'user' : 'assistant';
}

/** A request to the Responses API, or texts to embed. */
export function readResponsesRequest(body: Json): RequestContent {
  const { input, instructions, tools } = body;
  const items = objects(input);
  const messages = items.length > 0 ? items.flatMap(readInput) : prompt(readContent(input, () => []));
  return { ...(messages && { messages }), system: text(instructions), tools: readTools(tools) };
}

/** A `response` object is one message. */
export function readResponse(body: Json): Message[] {
  const { status, incomplete_details, output } = body;
  const isRunning = status === 'in_progress' || status === 'queued';
  const reason = (status === 'incomplete' && asString(asObject(incomplete_details)?.reason)) || status;
  return answer(objects(output).flatMap(readItem), isRunning ? undefined : reason);
}

/** Where the pieces of a text go: into the content of a message, the summary of thoughts, or a call. */
const pieces: Readonly<Record<string, { readonly list: string; readonly type: string; readonly field: string }>> = {
  'response.output_text.delta': { list: 'content', type: 'output_text', field: 'text' },
  'response.refusal.delta': { list: 'content', type: 'refusal', field: 'refusal' },
  'response.reasoning_text.delta': { list: 'content', type: 'reasoning_text', field: 'text' },
  'response.reasoning_summary_text.delta': { list: 'summary', type: 'summary_text', field: 'text' },
};

/** Events of the Responses API: the last one has the whole response, and what came before it stands in for it. */
export function createResponsesContent(maxText: number): ContentReader {
  const items = createBlocks(maxText);
  const texts = createBlocks(maxText);
  let final: Json | undefined;

  function addPiece(name: string, body: Json): void {
    const piece = pieces[name];
    const index = asNumber(body.output_index) ?? 0;
    if (!piece) {
      items.append(index, name.includes('custom_tool') ? 'input' : 'arguments', body.delta);
      return;
    }
    const key = `${index} ${asNumber(body.content_index) ?? asNumber(body.summary_index) ?? 0} ${piece.type}`;
    Object.assign(texts.get(key), { type: piece.type, list: piece.list, index });
    texts.append(key, piece.field, body.delta);
  }

  function readItems(): Json[] {
    const parts = texts.list();
    return items.list().map(({ index, ...item }) => {
      const own = (name: string) => parts.filter((part) => part.index === index && part.list === name);
      return item.done === true ? item : { ...item, content: own('content'), summary: own('summary') };
    });
  }

  return {
    event({ type, json }) {
      const body = asObject(json) ?? {};
      const name = type ?? asString(body.type) ?? '';
      if (/^response\.(completed|failed|incomplete|done)$/.test(name)) final = asObject(body.response);
      else if (name.endsWith('.delta')) addPiece(name, body);
      else if (name.startsWith('response.output_item.')) {
        const index = asNumber(body.output_index) ?? 0;
        const { arguments: _args, input: _input, ...started } = asObject(body.item) ?? {};
        const isDone = name.endsWith('.done');
        Object.assign(items.get(index), { ...(isDone ? asObject(body.item) : started), index, done: isDone });
      }
    },
    result: () => {
      if (final) return readResponse(final);
      const output = readItems();
      return output.length > 0 ? readResponse({ output, status: 'error' }) : [];
    },
  };
}
