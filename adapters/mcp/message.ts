import type { Attributes } from '@opentelemetry/api';
import { asObject, asString, type Json } from '../../src/json.ts';

/** A JSON-RPC request. https://modelcontextprotocol.io/specification */
export interface RpcRequest {
  readonly id: string | number;
  readonly method: string;
  readonly params: Json;
}

/** How a request was answered, or why it was not. */
export type Outcome =
  | { readonly result: unknown }
  | { readonly error: RpcError }
  | { readonly thrown: unknown }
  | { readonly left: 'cancelled' | 'timeout' };

export interface RpcError {
  readonly code: number | undefined;
  readonly message: string | undefined;
}

export const toolCall = 'tools/call';
const cancelled = 'notifications/cancelled';

export function readRequest(message: unknown): RpcRequest | undefined {
  const { id, method, params } = asObject(message) ?? {};
  if (typeof method !== 'string' || (typeof id !== 'string' && typeof id !== 'number')) return undefined;
  return { id, method, params: asObject(params) ?? {} };
}

/** A response, and the id of what it answers. */
export function readResponse(message: unknown): { id: unknown; outcome: Outcome } | undefined {
  const response = asObject(message);
  if (!response || 'method' in response || response.id === undefined) return undefined;
  if ('result' in response) return { id: response.id, outcome: { result: response.result } };
  const error = asObject(response.error);
  if (!error) return undefined;
  const code = Number.isSafeInteger(error.code) ? (error.code as number) : undefined;
  return { id: response.id, outcome: { error: { code, message: asString(error.message) } } };
}

/** The version of the protocol that the answer to `initialize` names. */
export function readAgreedVersion(message: unknown): string | undefined {
  const result = asObject(asObject(message)?.result);
  return result?.serverInfo === undefined ? undefined : asString(result.protocolVersion);
}

/** A request that is given up. Of the reason only a timeout is told from all others, by the SDK's own words. */
export function readCancelled(message: unknown): { id: unknown; outcome: Outcome } | undefined {
  const notification = asObject(message);
  const params = notification?.method === cancelled ? asObject(notification.params) : undefined;
  if (params?.requestId === undefined) return undefined;
  const timedOut = /timed out|timeout/i.test(asString(params.reason) ?? '');
  return { id: params.requestId, outcome: { left: timedOut ? 'timeout' : 'cancelled' } };
}

/** What the request is about, as the conventions name it. */
export interface Described {
  readonly name: string;
  /** Of tool calls alone. */
  readonly tool: string | undefined;
  readonly attributes: Attributes;
  /** Of those few enough for a metric. */
  readonly metric: Attributes;
}

function readPrompt(method: string, params: Json): Json | undefined {
  if (method === 'prompts/get') return params;
  const ref = method === 'completion/complete' ? asObject(params.ref) : undefined;
  return ref?.type === 'ref/prompt' ? ref : undefined;
}

/** https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/mcp.md */
export function describeRequest({ id, method, params }: RpcRequest): Described {
  const tool = method === toolCall ? asString(params.name) : undefined;
  const prompt = asString(readPrompt(method, params)?.name);
  const uri = method.startsWith('resources/') ? asString(params.uri) : undefined;
  const metric = {
    'mcp.method.name': method,
    ...(method === toolCall && { 'gen_ai.operation.name': 'execute_tool' }),
    ...(tool && { 'gen_ai.tool.name': tool }),
    ...(prompt && { 'gen_ai.prompt.name': prompt }),
  };
  const target = tool ?? prompt;
  return {
    name: target ? `${method} ${target}` : method,
    tool: method === toolCall ? (tool ?? '') : undefined,
    attributes: {
      ...metric,
      ...(id !== '' && { 'jsonrpc.request.id': String(id) }),
      ...(uri && { 'mcp.resource.uri': uri }),
    },
    metric,
  };
}
