import { asArray, asObject, asString, type Json } from '../../json.ts';
import { readObject } from '../faults.ts';
import type { LlmResponse } from '../provider.ts';
import { createProvider } from './format.ts';
import { parseUsage } from './openai-dialect.ts';
import { createOpenaiFormat } from './openai-format.ts';
import { readTimes } from './reported-times.ts';
import { present } from './wire.ts';

/** Streams have it in `x_groq` too, asked for or not; whole replies have there what the cache's hardware did. */
function findUsage(body: Json): Json | undefined {
  const inner = asObject(asObject(body.x_groq)?.usage);
  return readObject(body.usage) ?? (inner?.prompt_tokens === undefined ? undefined : inner);
}

/** The model behind a compound system, where it was but one: the system itself has no price. Streams have it inside. */
function findServingModel(body: Json): string | undefined {
  const breakdown = asObject(body.usage_breakdown) ?? asObject(asObject(body.x_groq)?.usage_breakdown);
  const models = asArray(breakdown?.models);
  return models.length === 1 ? asString(asObject(models[0])?.model) : undefined;
}

/** Why a stream stopped early. */
function parseStop(body: Json): LlmResponse['error'] {
  const message = asString(asObject(body.x_groq)?.error);
  return message === undefined ? undefined : { type: /^\w+$/.test(message) ? message : 'error', message };
}

/** https://console.groq.com/docs/api-reference */
const format = createOpenaiFormat({
  usage: (body) => parseUsage(findUsage(body)),
  extras(body) {
    const attributes = { ...readTimes('groq', findUsage(body)), 'edgespan.pricing.model': findServingModel(body) };
    return present<Partial<LlmResponse>>({ attributes: present(attributes), error: parseStop(body) }) ?? {};
  },
});

/**
 * Groq: chat completions, Responses and embeddings, streamed or not. How long a call waited and was worked on is in the
 * attributes `groq.*_time`, in seconds.
 *
 * @example
 * createTelemetry({ providers: [groq] });
 */
export const groq = createProvider({
  name: 'groq',
  hosts: ['api.groq.com'],
  formats: [format],
  marks: (value) => asObject(asObject(value)?.x_groq) !== undefined,
});
