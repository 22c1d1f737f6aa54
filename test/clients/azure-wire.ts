/**
 * Azure's wire format: OpenAI's, with what the content filter found.
 * https://learn.microsoft.com/azure/ai-services/openai/reference
 */
import { chatChunks, chatCompletion, toolCall } from './openai-wire.ts';

const safe = { hate: { filtered: false, severity: 'safe' }, violence: { filtered: false, severity: 'safe' } };
const prompt_filter_results = [{ prompt_index: 0, content_filter_results: safe }];

export function completion(withTool = false) {
  const whole = withTool ? chatCompletion(null, [toolCall]) : chatCompletion();
  const choices = whole.choices.map((choice) => ({ ...choice, content_filter_results: safe }));
  return { ...whole, choices, prompt_filter_results };
}

/** The first chunk is the content filter's alone. */
export function chunks(): string[] {
  const filter = { id: '', object: '', created: 0, model: '', choices: [], prompt_filter_results };
  return [`data: ${JSON.stringify(filter)}\n\n`, ...chatChunks()];
}

export const filtered = {
  error: {
    message: 'The response was filtered.',
    type: null,
    param: 'prompt',
    code: 'content_filter',
    status: 400,
    innererror: { code: 'ResponsibleAIPolicyViolation', content_filter_result: safe },
  },
};

export const notDeployed = {
  error: { code: 'DeploymentNotFound', message: 'The API deployment for this resource does not exist.' },
};
