import type { Attributes } from '@opentelemetry/api';
import { asArray, asNumber, asObject, asString } from '../../json.ts';
import type { LlmRequest, Operation, ProviderRequest } from '../provider.ts';
import { readOutputType, readParameters, readStops } from './parameters.ts';

const numbers = {
  max_tokens: 'max_tokens',
  max_completion_tokens: 'max_tokens',
  max_output_tokens: 'max_tokens',
  temperature: 'temperature',
  top_p: 'top_p',
  top_k: 'top_k',
  frequency_penalty: 'frequency_penalty',
  presence_penalty: 'presence_penalty',
  seed: 'seed',
};

/** The operation behind a path of OpenAI's API, whatever stands before it. */
export function matchPath(pathname: string): Operation | undefined {
  const path = /\/(chat\/completions|completions|responses(?:\/compact)?|embeddings)\/?$/.exec(pathname)?.[1];
  if (path === 'embeddings') return 'embed';
  return path === 'completions' ? 'text_completion' : path && 'chat';
}

/** A request in OpenAI's dialect: chat completions, Responses, embeddings, legacy completions. */
export function parseRequest({ url, body }: Pick<ProviderRequest, 'url' | 'body'>): Partial<LlmRequest> {
  const request = asObject(body) ?? {};
  const stops = readStops(asString(request.stop) ?? asArray(request.stop));
  const format = request.response_format ?? asObject(request.text)?.format;
  const parameters: Attributes = {
    ...readParameters(request, numbers),
    ...stops,
    ...readOutputType(request.modalities, format),
  };
  const set = (name: string, value: Attributes[string]) => {
    if (value !== undefined) parameters[name] = value;
  };
  if (request.n !== 1) set('gen_ai.request.choice.count', asNumber(request.n));
  if (request.stream === true) set('gen_ai.request.stream', true);
  const encoding = asString(request.encoding_format);
  if (encoding) set('gen_ai.request.encoding_formats', [encoding]);
  set('gen_ai.embeddings.dimension.count', asNumber(request.dimensions));
  const level = asString(request.reasoning_effort) ?? asString(asObject(request.reasoning)?.effort);
  set('gen_ai.request.reasoning.level', level);
  set('gen_ai.conversation.id', asString(asObject(request.conversation)?.id ?? request.conversation));
  set('gen_ai.request.previous_response.id', asString(request.previous_response_id));
  if (request.service_tier !== 'auto') set('openai.request.service_tier', asString(request.service_tier));
  if (url.pathname.includes('/chat/')) set('openai.api.type', 'chat_completions');
  else if (url.pathname.includes('/responses')) set('openai.api.type', 'responses');

  const maxTokens = parameters['gen_ai.request.max_tokens'];
  return {
    model: asString(request.model),
    stream: request.stream === true,
    ...(typeof maxTokens === 'number' && { maxTokens }),
    ...(asObject(request.stream_options)?.include_usage === true && { asksUsage: true }),
    parameters,
  };
}
