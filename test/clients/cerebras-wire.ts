import { createWire } from './compatible-wire.ts';

/** Cerebras' wire format: https://inference-docs.cerebras.ai/api-reference/chat-completions */

export const model = 'gpt-oss-120b';
const usage = {
  prompt_tokens: 1000,
  completion_tokens: 500,
  total_tokens: 1500,
  prompt_tokens_details: { cached_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 100 },
};
const time_info = { queue_time: 0.25, prompt_time: 0.125, completion_time: 0.5, total_time: 0.875, created: 1 };

export const wire = createWire({ model, tail: { usage, time_info } });

/** https://inference-docs.cerebras.ai/api-reference/completions */
export function legacyCompletion() {
  const choices = [{ index: 0, text: 'Hello.', finish_reason: 'length' }];
  return { id: 'cmpl-1', object: 'text_completion', created: 1_763_700_000, model, choices, usage, time_info };
}

/** https://inference-docs.cerebras.ai/support/error */
export const notFound = {
  message: 'Model does not exist or you do not have access to it.',
  type: 'not_found_error',
  param: 'model',
  code: 'model_not_found',
};
