import { asObject, asString, type Json } from '../../json.ts';
import type { LlmResponse, LlmUsage } from '../provider.ts';
import type { Format } from './format.ts';
import { parseGoogleError } from './gemini-usage.ts';
import { type Dialect, parseUsage } from './openai-dialect.ts';
import { createOpenaiFormat } from './openai-format.ts';
import { present } from './wire.ts';

/** Thoughts are a part of the total and of nothing else, unless they are named. */
function readUsage({ usage }: Json): LlmUsage | undefined {
  const counts = parseUsage(usage);
  const { input, output, reasoning, total } = counts ?? {};
  if (input === undefined || output === undefined || total === undefined || reasoning) return counts;
  const thoughts = total - input - output;
  return thoughts > 0 ? { ...counts, output: output + thoughts, reasoning: thoughts } : counts;
}

/** Prices are the bare model's, which some addresses want named with what stands before it. */
function readExtras(body: Json): Pick<LlmResponse, 'attributes' | 'error'> {
  const bare = /^(?:models|google)\/(.+)$/.exec(asString(body.model) ?? '')?.[1];
  const { traffic_type: tier } = asObject(asObject(asObject(body.usage)?.extra_properties)?.google) ?? {};
  const attributes = present({ 'edgespan.pricing.model': bare, 'edgespan.service_tier': asString(tier) });
  const error = parseGoogleError(body);
  return { ...(attributes && { attributes }), ...(error && { error }) };
}

const dialect: Dialect = { usage: readUsage, extras: readExtras, usageOnRequest: true };

/** A format of another vendor's, where Google serves it: errors come in Google's own shape too. */
/* @__NO_SIDE_EFFECTS__ */
export function atGoogle(format: Format): Format {
  return {
    ...format,
    response(json, reply) {
      const error = reply.status >= 400 || Array.isArray(json) ? parseGoogleError(json) : undefined;
      return error ? { error } : format.response(json, reply);
    },
  };
}

/**
 * OpenAI's API as Google serves it. https://ai.google.dev/gemini-api/docs/openai
 * https://cloud.google.com/vertex-ai/generative-ai/docs/migrate/openai/overview
 */
export const googleOpenai: Format = atGoogle(createOpenaiFormat(dialect));
