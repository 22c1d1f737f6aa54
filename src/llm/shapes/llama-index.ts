import { asArray, asObject, asString, type Json } from '../../json.ts';
import type { LlmResponse, Provider } from '../provider.ts';
import { createShape } from './shape.ts';

/** `ChatResponse`: a message, and the vendor's reply as it came. */
function isChatResponse(response: Json): boolean {
  const message = asObject(response.message);
  return 'raw' in response && asString(message?.role) !== undefined && 'content' in message!;
}

/** `EngineResponse`: what was retrieved for it stands beside. */
function isEngineResponse(response: Json): boolean {
  return Array.isArray(response.sourceNodes) && ('message' in response || 'response' in response);
}

/** What the vendor's reply says is read of that. */
function read(value: unknown): LlmResponse {
  const response = asObject(value) ?? {};
  const nodes = response.sourceNodes;
  const calls = asArray(asObject(asObject(response.message)?.options)?.toolCall).map(asObject);
  const toolCalls = calls.flatMap((call) => {
    const name = asString(call?.name);
    const id = asString(call?.id);
    return name ? [{ name, ...(id && { id }) }] : [];
  });
  return {
    ...(toolCalls.length > 0 && { toolCalls }),
    ...(Array.isArray(nodes) && { attributes: { llamaindex_source_node_count: nodes.length } }),
  };
}

/** Responses of LlamaIndex's chat models and engines (https://ts.llamaindex.ai). */
export const llamaIndexValues: Provider = /* @__PURE__ */ createShape({
  name: 'llamaindex',
  priority: 240,
  accepts(value) {
    const response = asObject(value);
    return response !== undefined && (isChatResponse(response) || isEngineResponse(response));
  },
  read,
});
