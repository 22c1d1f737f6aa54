import { asArray, asObject, asString, type Json } from '../../json.ts';
import { readCount } from '../faults.ts';
import type { LlmResponse } from '../provider.ts';
import { anthropicMessages } from './anthropic-messages.ts';
import { createProvider, extend } from './format.ts';
import { type Dialect, parseUsage } from './openai-dialect.ts';
import { createOpenaiFormat } from './openai-format.ts';
import { readUsd } from './reported-cost.ts';
import { isCamelCase, toSnakeCase } from './spelling.ts';
import { mapResult, parseError, present, readModel } from './wire.ts';

/** With a key of one's own the vendor behind is paid apart: what OpenRouter charges is only its fee. */
function readCost(body: Json): number | undefined {
  const usage = asObject(body.usage);
  const charged = readUsd(usage?.cost);
  if (charged === undefined || usage?.is_byok !== true) return charged;
  const paid = readUsd(asObject(usage.cost_details)?.upstream_inference_cost);
  return paid === undefined ? undefined : charged + paid;
}

/** Who really served: named at the top, or, where a request asks for it, among the endpoints that were there. */
function readUpstream(body: Json): string | undefined {
  const endpoints = asArray(asObject(asObject(body.openrouter_metadata)?.endpoints)?.available).map(asObject);
  return asString(body.provider) ?? asString(endpoints.find((endpoint) => endpoint?.selected === true)?.provider);
}

/** The first choice's: the word of the vendor behind, where `finish_reason` is OpenRouter's. */
function readNativeReason(body: Json): string | undefined {
  const choices = asArray(body.choices).map(asObject);
  return asString(choices.find((choice) => (choice?.index ?? 0) === 0)?.native_finish_reason);
}

/** `code` is an HTTP status; the word for it stands beside. */
function readError(body: Json): LlmResponse['error'] {
  const error = parseError(body);
  const type = asString(asObject(asObject(body.error)?.metadata)?.error_type) ?? asString(body.error_type);
  return error && type ? { ...error, type } : error;
}

function readExtras(body: Json) {
  const extras = {
    costUsd: readCost(body),
    attributes: present({
      'edgespan.upstream': readUpstream(body),
      'openrouter.native_finish_reason': readNativeReason(body),
    }),
    error: readError(body),
  };
  return present<Pick<LlmResponse, 'costUsd' | 'attributes' | 'error'>>(extras) ?? {};
}

const dialect: Dialect = {
  usage(body) {
    const usage = parseUsage(body.usage);
    const searches = readCount(asObject(asObject(body.usage)?.server_tool_use_details)?.web_search_requests);
    return usage && present({ ...usage, ...(searches !== undefined && { webSearches: searches }) });
  },
  extras: readExtras,
  // The native reason may be null where the reason is not.
  matters: (data) => !data.includes('"finish_reason":null'),
};

function merge(response: LlmResponse, more: LlmResponse): LlmResponse {
  return present({ ...response, ...more, attributes: present({ ...response.attributes, ...more.attributes }) }) ?? {};
}

/** Anthropic's messages, with OpenRouter's fields among the others. */
const messages = extend(anthropicMessages, {
  // A preset has them too, outside of the version that the others stand below.
  match: (pathname, url) =>
    /\/presets\/[^/]+\/messages\/?$/.test(pathname) ? 'chat' : anthropicMessages.match(pathname, url),
  response: (json, reply) => merge(anthropicMessages.response(json, reply), readExtras(asObject(json) ?? {})),
  stream(reply) {
    let extras: LlmResponse = {};
    return mapResult(
      anthropicMessages.stream!(reply),
      (response) => merge(response, extras),
      ({ json }) => {
        const body = asObject(json) ?? {};
        extras = merge(merge(extras, readExtras(asObject(body.message) ?? {})), readExtras(body));
      },
    );
  },
});

/** Models are named after their vendors, and replies say what they cost or who served. */
function isOurs(value: unknown): boolean {
  const body = asObject(value);
  const isNamed = readModel(body)?.includes('/') === true;
  const isBilled = asObject(body?.usage)?.is_byok !== undefined;
  // The SDK spells the fields its own way, and leaves out what it does not know.
  return isNamed && (isBilled || asString(body?.provider) !== undefined || isCamelCase(body));
}

/**
 * OpenRouter: chat completions, Responses, embeddings, legacy completions and Anthropic's messages on `openrouter.ai`.
 * The cost is the one it reports; the attribute `edgespan.upstream` names who served.
 * https://openrouter.ai/docs/use-cases/usage-accounting
 *
 * @example
 * createTelemetry({ providers: [openrouter] });
 */
export const openrouter = createProvider({
  name: 'openrouter',
  hosts: ['openrouter.ai'],
  formats: [messages, createOpenaiFormat(dialect)],
  marks: isOurs,
  toWire: toSnakeCase,
});
