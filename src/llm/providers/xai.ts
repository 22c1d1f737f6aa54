import { asObject, asString, type Json } from '../../json.ts';
import { readCount } from '../faults.ts';
import type { LlmResponse, LlmUsage } from '../provider.ts';
import { anthropicMessages } from './anthropic-messages.ts';
import { createProvider, extend } from './format.ts';
import { parseUsage } from './openai-dialect.ts';
import { createOpenaiFormat } from './openai-format.ts';
import { present, readModel } from './wire.ts';

/** https://docs.x.ai/developers/cost-tracking */
const ticksPerUsd = 1e10;

/** A source is no search, and has another price, so `num_sources_used` is not read: the reported cost has it. */
function readUsage(body: Json): LlmUsage | undefined {
  const tools = asObject(asObject(body.usage)?.server_side_tool_usage_details);
  const webSearches = readCount(tools?.web_search_calls);
  return present({ ...parseUsage(body.usage), ...(webSearches !== undefined && { webSearches }) });
}

function readCost(body: Json): number | undefined {
  const ticks = readCount(asObject(body.usage)?.cost_in_usd_ticks);
  return ticks === undefined ? undefined : ticks / ticksPerUsd;
}

/** `{ code: 'invalid-argument', error: 'text' }` */
function parseFlatError({ code, error }: Json): LlmResponse['error'] {
  const message = asString(error);
  const type = asString(code);
  return message && type ? { type, code: type, message } : undefined;
}

const openai = createOpenaiFormat({
  usage: readUsage,
  extras: (body) => present<Partial<LlmResponse>>({ costUsd: readCost(body), error: parseFlatError(body) }) ?? {},
});

/** What is deferred is answered later, to a request by GET: https://docs.x.ai/docs/guides/deferred-chat-completions */
const deferred = 'edgespan.request.deferred';

const format = extend(openai, {
  request(request) {
    const known = openai.request(request);
    if (asObject(request.body)?.deferred !== true) return known;
    return { ...known, parameters: { ...known.parameters, [deferred]: true } };
  },
  always: (operation, reply) => (reply.request.parameters?.[deferred] ? [] : openai.always!(operation, reply)),
});

/**
 * xAI: Responses, chat completions and what of Anthropic's API it speaks, streamed or not, in all its regions. The cost
 * is the one it reports.
 *
 * @example
 * createTelemetry({ providers: [xai] });
 */
export const xai = createProvider({
  name: 'xai',
  semconvName: 'x_ai',
  hosts: ['api.x.ai', '*.api.x.ai'],
  formats: [anthropicMessages, format],
  marks: (value) => readModel(value)?.startsWith('grok-') === true,
});
