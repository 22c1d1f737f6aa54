import { asArray, asObject, asString, type Json } from '../../json.ts';
import type { ItemReader, LlmResponse, Provider } from '../provider.ts';
import { shortProviderName } from '../provider-names.ts';
import { createMessageReader, isAiMessage, isMessage, readMessage } from './langchain.ts';
import { createShape } from './shape.ts';

/** The messages of a state, or of a snapshot of one; `undefined` where there are none of LangChain's. */
function findMessages(value: unknown): readonly Json[] | undefined {
  const state = asObject(value);
  const messages = [state, asObject(state?.values)]
    .map((holder) => asArray(holder?.messages))
    .find(({ length }) => length);
  return messages && isMessage(messages.at(-1)) ? (messages.filter(isMessage) as Json[]) : undefined;
}

/** A state has the messages of all calls up to now: what the newest answer took is what is known of this one. */
function readState(value: unknown): LlmResponse {
  const messages = findMessages(value) ?? [];
  const answers = messages.filter(isAiMessage);
  const last = answers.at(-1);
  return {
    ...(last && readMessage(last)),
    attributes: {
      langgraph_message_count: messages.length,
      langgraph_ai_message_count: answers.length,
      langgraph_tool_message_count: messages.filter((message) => message.tool_call_id !== undefined).length,
    },
  };
}

/** Of the mode `values`: each item is the whole state. */
function createStateReader(): ItemReader {
  let last: LlmResponse = {};
  return {
    item(value) {
      const messages = findMessages(value);
      if (messages) last = readState(value);
      return messages && isAiMessage(messages.at(-1)) ? 'content' : undefined;
    },
    result: () => last,
  };
}

/** Of the mode `messages`: a chunk and what the graph knows of it. */
function isTuple(item: unknown): item is readonly [Json, Json] {
  return Array.isArray(item) && item.length === 2 && isMessage(item[0]) && asObject(item[1]) !== undefined;
}

function createTupleReader(): ItemReader {
  let asked: Json = {};
  const reader = createMessageReader((item) => (isTuple(item) && isAiMessage(item[0]) ? [item[0]] : []));
  return {
    item(value) {
      if (isTuple(value)) asked = { ...asked, ...value[1] };
      return reader.item(value);
    },
    result() {
      const response = reader.result();
      const model = response.model ?? asString(asked.ls_model_name);
      const provider = asString(asked.ls_provider);
      const name = response.provider ?? (provider && shortProviderName(provider));
      return { ...response, ...(model && { model }), ...(name && { provider: name }) };
    },
  };
}

/** Of the mode `updates`: what each node has added. */
function listUpdates(item: unknown): readonly Json[] {
  return Object.values(asObject(item) ?? {})
    .flatMap((update) => findMessages(update) ?? [])
    .filter(isAiMessage);
}

/**
 * States, snapshots and streams of LangGraph (https://docs.langchain.com/oss/javascript/langgraph/graph-api), with how
 * many messages a state has.
 */
export const langgraphValues: Provider = /* @__PURE__ */ createShape({
  name: 'langgraph',
  priority: 260,
  accepts: (value) => findMessages(value) !== undefined,
  read: readState,
  items(first) {
    if (isTuple(first)) return createTupleReader();
    if (findMessages(first)) return createStateReader();
    return listUpdates(first).length > 0 ? createMessageReader(listUpdates) : undefined;
  },
});
