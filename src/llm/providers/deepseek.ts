import { asObject } from '../../json.ts';
import { readCount } from '../faults.ts';
import { anthropicMessages } from './anthropic-messages.ts';
import { createProvider } from './format.ts';
import { parseUsage } from './openai-dialect.ts';
import { createOpenaiFormat } from './openai-format.ts';
import { present, readModel } from './wire.ts';

/** https://api-docs.deepseek.com/api/create-chat-completion */
const format = createOpenaiFormat({
  usageOnRequest: true,
  usage(body) {
    const usage = parseUsage(body.usage);
    const cacheRead = readCount(asObject(body.usage)?.prompt_cache_hit_tokens);
    return cacheRead === undefined ? usage : present({ ...usage, cacheRead });
  },
});

/**
 * DeepSeek: chat completions, completions in the middle of a text, and what of Anthropic's API it speaks, streamed or
 * not.
 *
 * @example
 * createTelemetry({ providers: [deepseek] });
 */
export const deepseek = createProvider({
  name: 'deepseek',
  hosts: ['api.deepseek.com'],
  formats: [anthropicMessages, format],
  // Whoever else serves its models has other names for them.
  marks: (value) => /^deepseek-(chat|reasoner|v\d)/.test(readModel(value) ?? ''),
});
