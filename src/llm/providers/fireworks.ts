import { asObject, type Json } from '../../json.ts';
import type { LlmUsage } from '../provider.ts';
import { anthropicMessages } from './anthropic-messages.ts';
import { createProvider, extend } from './format.ts';
import { type Dialect, parseUsage } from './openai-dialect.ts';
import { createOpenaiFormat } from './openai-format.ts';
import { present, readModel } from './wire.ts';

/** Counts stand in headers and metrics as text. */
function readDigits(value: unknown): number | undefined {
  return typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : undefined;
}

/** What another place says of the prompt, where the usage does not. */
function complete(usage: LlmUsage | undefined, prompt: unknown, cached: unknown): LlmUsage | undefined {
  return present<LlmUsage>({
    ...usage,
    input: usage?.input ?? readDigits(prompt),
    cacheRead: usage?.cacheRead ?? readDigits(cached),
  });
}

const dialect: Dialect = {
  usage(body) {
    const metrics: Json = asObject(body.perf_metrics) ?? {};
    return complete(parseUsage(body.usage), metrics['prompt-tokens'], metrics['cached-prompt-tokens']);
  },
};

const openai = createOpenaiFormat(dialect);

const format = extend(openai, {
  /** Headers come before a stream can know, so that only other replies have counts there. */
  response(json, reply) {
    const { headers, status } = reply;
    const response = openai.response(json, reply);
    if (status >= 400) return response;
    const prompt = headers.get('fireworks-prompt-tokens');
    const usage = complete(response.usage, prompt, headers.get('fireworks-cached-prompt-tokens'));
    return present({ ...response, usage }) ?? {};
  },
});

/**
 * Fireworks: chat completions, Responses, legacy completions, embeddings and Anthropic's messages below
 * `api.fireworks.ai/inference`. https://docs.fireworks.ai/guides/prompt-caching
 *
 * @example
 * createTelemetry({ providers: [fireworks], prices: fireworksPrices });
 */
export const fireworks = createProvider({
  name: 'fireworks',
  hosts: ['api.fireworks.ai', '*.api.fireworks.ai'],
  formats: [anthropicMessages, format],
  marks: (value) => readModel(value)?.startsWith('accounts/') === true,
});
