import { asArray, asObject, asString, type Json } from '../../json.ts';
import { conversationsContent } from '../content/conversations.ts';
import { fault, readCount, sumCounts } from '../faults.ts';
import type { LlmRequest, LlmResponse, LlmUsage, ProviderRequest, Reply, StreamReader } from '../provider.ts';
import type { Format } from './format.ts';
import { isFilled, parseUsage } from './openai-dialect.ts';
import { maxItems, present } from './wire.ts';

type ParseError = (body: Json, reply?: Reply) => LlmResponse['error'];

/** To begin a conversation, to go on with it, or to go back in it. */
const path = /\/v1\/conversations(?:\/([^/]+)(?:\/restart)?)?\/?$/;

/** What tools put before the model is counted beside the prompt, and in the total. */
function readUsage(value: unknown): LlmUsage | undefined {
  const usage = parseUsage(value);
  const connectors = asObject(value);
  const webSearches = readCount(asObject(connectors?.connectors)?.web_search);
  return (
    usage &&
    present<LlmUsage>({
      ...usage,
      input: usage.input === undefined ? undefined : sumCounts([usage.input, connectors?.connector_tokens]),
      webSearches,
    })
  );
}

function parseToolCall(entry: Json | undefined) {
  const name = entry?.type === 'function.call' ? asString(entry.name) : undefined;
  return name ? [present({ id: asString(entry?.tool_call_id), name })!] : [];
}

/** A whole reply. It names no reason for its end. */
function parseConversation(body: Json): LlmResponse {
  const outputs = asArray(body.outputs).slice(0, maxItems).map(asObject);
  const toolCalls = outputs.flatMap(parseToolCall);
  return (
    present<LlmResponse>({
      id: asString(outputs.find((entry) => asString(entry?.id))?.id),
      model: asString(outputs.findLast((entry) => asString(entry?.model))?.model),
      usage: readUsage(body.usage),
      toolCalls: toolCalls.length > 0 ? toolCalls : undefined,
      attributes: present({ 'gen_ai.conversation.id': asString(body.conversation_id) }),
    }) ?? {}
  );
}

function parseReply(json: unknown, reply: Reply, parseError: ParseError): LlmResponse {
  const body = asObject(json) ?? {};
  const error = parseError(body, reply);
  const response = parseConversation(body);
  if (!error && response.usage?.input === undefined) fault();
  return { ...response, ...(error && { error }) };
}

/** The kind of entry that an event is a part of. Neither agents nor tools of the vendor's own say more than a model. */
const entryTypes: ReadonlyMap<string, string> = new Map([
  ['message.output.delta', 'message.output'],
  ['function.call.delta', 'function.call'],
  ['tool.execution.started', 'tool.execution'],
  ['agent.handoff.started', 'agent.handoff'],
]);

/** Rebuilds what the unstreamed call would have given, without its texts. */
function createReader(parseError: ParseError): StreamReader {
  const entries = new Map<unknown, Json>();
  let conversation: unknown;
  let usage: unknown;
  let error: LlmResponse['error'];

  function addEntry(type: string, { output_index, id, model, name, tool_call_id }: Json): void {
    const known = entries.get(output_index);
    if (!known && entries.size >= maxItems) return;
    entries.set(output_index, {
      type,
      id: known?.id ?? id,
      model: known?.model ?? model,
      name: known?.name ?? name,
      tool_call_id: known?.tool_call_id ?? tool_call_id,
    });
  }

  return {
    event({ type: given, json }) {
      const body = asObject(json) ?? {};
      const type = given ?? asString(body.type) ?? '';
      const entryType = entryTypes.get(type);
      if (entryType) {
        addEntry(entryType, body);
        const isContent = type === 'function.call.delta' || (type.endsWith('.delta') && hasText(body.content));
        return isContent ? 'content' : undefined;
      }
      if (type === 'conversation.response.started') conversation = body.conversation_id;
      // Its type is the event's, which says no more than that it is an error.
      const failed = type === 'conversation.response.error' ? { ...body, object: 'error', type: undefined } : body;
      error ??= parseError(failed);
      if (type !== 'conversation.response.done') return;
      if (!asObject(body.usage)) fault();
      usage = body.usage;
      return 'end';
    },
    result() {
      const ordered = [...entries].sort(([a], [b]) => Number(a) - Number(b)).map(([, entry]) => entry);
      const response = parseConversation({ conversation_id: conversation, outputs: ordered, usage });
      return { ...response, ...(error && { error }) };
    },
  };
}

/** A text, or one part of a content in parts. */
function hasText(content: unknown): boolean {
  return isFilled(asObject(content) ? [content] : content);
}

/** The request's parameters stand apart from the rest. */
function parseRequest(request: ProviderRequest, parse: Format['request']): Partial<LlmRequest> {
  const body = asObject(request.body) ?? {};
  const parsed = parse({ ...request, body: { ...body, ...asObject(body.completion_args) } });
  const id = path.exec(request.url.pathname)?.[1];
  return { ...parsed, parameters: { ...parsed.parameters, ...(id && { 'gen_ai.conversation.id': id }) } };
}

/** https://docs.mistral.ai/api/endpoint/beta/conversations */
/* @__NO_SIDE_EFFECTS__ */
export function createMistralConversations(parse: Format['request'], parseError: ParseError): Format {
  return {
    match: (pathname) => (path.test(pathname) ? 'chat' : undefined),
    request: (request) => parseRequest(request, parse),
    response: (json, reply) => parseReply(json, reply, parseError),
    stream: () => createReader(parseError),
    always: () => ['id'],
    content: conversationsContent,
    accepts: (value) => asObject(value)?.object === 'conversation.response',
    acceptsItem: (item) => asString(asObject(item)?.type)?.startsWith('conversation.response.') === true,
  };
}
