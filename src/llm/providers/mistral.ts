import { asArray, asNumber, asObject, asString, type Json } from '../../json.ts';
import { readCount, readObject } from '../faults.ts';
import type { LlmRequest, LlmResponse, LlmUsage, Operation, ProviderRequest, Reply } from '../provider.ts';
import { createProvider, extend, type Format } from './format.ts';
import { createMistralConversations } from './mistral-conversations.ts';
import { parseUsage } from './openai-dialect.ts';
import { createOpenaiFormat } from './openai-format.ts';
import { isCamelCase, toSnakeCase } from './spelling.ts';
import { present, readModel } from './wire.ts';

/** The cached part of the prompt has had three places. https://docs.mistral.ai/api */
function readUsage(body: Json): LlmUsage | undefined {
  const usage = readObject(body.usage);
  if (!usage) return undefined;
  const details = asObject(usage.prompt_tokens_details) ?? asObject(usage.prompt_token_details);
  const cacheRead = readCount(details?.cached_tokens) ?? readCount(usage.num_cached_tokens);
  return present({ ...parseUsage(usage), ...(cacheRead !== undefined && { cacheRead }) });
}

/**
 * `{ object: 'error', message, type, code }`, whose message may hold details, `{ detail: [{ type, msg }] }`,
 * `{ detail: 'text' }` or `{ message }`. Where none names a type, the status is one.
 */
function parseMistralError(body: Json, reply?: Reply): LlmResponse['error'] {
  const failed = body.object === 'error' || body.detail !== undefined || (reply?.status ?? 0) >= 400;
  if (!failed || body.error !== undefined) return undefined;
  const inner = asObject(body.message)?.detail ?? body.detail;
  const first = asObject(asArray(inner)[0]);
  const code = asString(body.code) ?? asNumber(body.code)?.toString();
  const type = asString(body.type) ?? asString(first?.type) ?? code ?? reply?.status.toString() ?? 'error';
  return present({ type, code, message: asString(body.message) ?? asString(inner) ?? asString(first?.msg) });
}

function parseRequest(request: ProviderRequest, format: Format): Partial<LlmRequest> {
  const body = asObject(request.body) ?? {};
  const parsed = format.request(request);
  const more = present({
    'gen_ai.request.seed': asNumber(body.random_seed),
    'gen_ai.embeddings.dimension.count': asNumber(body.output_dimension),
    'gen_ai.agent.id': asString(body.agent_id),
  });
  return { ...parsed, parameters: { ...parsed.parameters, ...more } };
}

/** Agents complete chats, whatever the end of their path. */
function matchPath(operation: Operation | undefined, pathname: string): Operation | undefined {
  return /\/agents\/completions\/?$/.test(pathname) ? 'chat' : operation;
}

/** Streams bring their usage unasked, and `stream_options` is refused. */
const format = createOpenaiFormat({
  usage: readUsage,
  extras(body, reply) {
    const tier = asString(asObject(body.usage)?.service_tier);
    const attributes = present({ 'edgespan.service_tier': tier });
    return present<Partial<LlmResponse>>({ attributes, error: parseMistralError(body, reply) }) ?? {};
  },
});

const completions = extend(format, {
  match: (pathname, url) => matchPath(format.match(pathname, url), pathname),
  request: (request) => parseRequest(request, format),
});

/**
 * The SDK's streams yield what was parsed beside the name of its event. Others have a getter by that name, and print when
 * it is asked.
 */
function unwrap(value: unknown): unknown {
  const object = asObject(value);
  return object && Object.hasOwn(object, 'data') ? (asObject(object.data) ?? value) : value;
}

/** The SDK spells the fields its own way; another that does so has models with a slash in their names. */
function isOurs(value: unknown): boolean {
  const body = asObject(unwrap(value));
  const model = readModel(body) ?? '';
  if (isCamelCase(body)) return !model.includes('/');
  return /^(cmpl-)?[\da-f]{32}$/.test(asString(body?.id) ?? '') && /^(\w*stral|open-mi)/.test(model);
}

/**
 * Mistral: chat completions, agents, conversations, completions in the middle of a text, embeddings, streamed or not.
 *
 * @example
 * createTelemetry({ providers: [mistral] });
 */
export const mistral = createProvider({
  name: 'mistral',
  semconvName: 'mistral_ai',
  hosts: ['api.mistral.ai', 'codestral.mistral.ai'],
  formats: [createMistralConversations((request) => completions.request(request), parseMistralError), completions],
  marks: isOurs,
  toWire: (value) => toSnakeCase(unwrap(value)),
});
