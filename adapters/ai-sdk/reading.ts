import type { Attributes } from '@opentelemetry/api';
import { asNumber, asObject, asString, type Json } from '../../src/json.ts';
import type { CallStart } from '../../src/llm/call.ts';
import type { Capture } from '../../src/llm/content/capture.ts';
import { readArgumentContent } from '../../src/llm/content/values.ts';
import type { LlmRequest, LlmResponse, Provider } from '../../src/llm/provider.ts';
import { semconvNameOf, shortProviderName } from '../../src/llm/provider-names.ts';
import { readParameters, readStops } from '../../src/llm/providers/parameters.ts';
import { readAskedTier } from '../../src/llm/providers/tier.ts';
import { aiSdkValues } from '../../src/llm/shapes/ai-sdk.ts';

/** Settings of a call, and the conventions' names for them. */
const parameters = {
  temperature: 'temperature',
  topP: 'top_p',
  topK: 'top_k',
  maxOutputTokens: 'max_tokens',
  frequencyPenalty: 'frequency_penalty',
  presencePenalty: 'presence_penalty',
  seed: 'seed',
};

export interface Recording {
  readonly inputs: boolean;
  readonly outputs: boolean;
}

/** What a call leaves out, whatever the option `capture` says. */
export function ownCapture({ inputs, outputs }: Recording): Capture | undefined {
  return inputs && outputs ? undefined : { ...(!inputs && { inputs }), ...(!outputs && { outputs }) };
}

/** A call of a model, by the event or the model that tells of it: both have `provider` and `modelId`. */
export function readAsked(
  named: Json,
  settings: Json,
  operation: string,
  providers: readonly Provider[],
): Pick<CallStart, 'semconvProvider'> & { request: LlmRequest } {
  const given = asString(named.provider);
  const provider = given ? shortProviderName(given) : 'unknown';
  const maxTokens = asNumber(settings.maxOutputTokens);
  const dimensions = asNumber(settings.dimensions);
  const options = asObject(asObject(settings.providerOptions)?.[provider]) ?? {};
  const said: Attributes = {
    ...readParameters(settings, parameters),
    ...readStops(settings.stopSequences),
    ...(dimensions !== undefined && { 'gen_ai.embeddings.dimension.count': dimensions }),
    ...readAskedTier({ service_tier: options.serviceTier, speed: options.speed, inference_geo: options.inferenceGeo }),
  };
  return {
    semconvProvider: semconvNameOf(provider, providers),
    request: {
      provider,
      model: asString(named.modelId),
      operation,
      stream: false,
      ...(maxTokens !== undefined && { maxTokens }),
      parameters: said,
    },
  };
}

/** What is said in a call: messages of the SDK, or of the specification of models. */
export function readSaid({ instructions, messages, prompt }: Json, providers: readonly Provider[]) {
  const given = messages ?? prompt;
  const request = { messages: given, ...(asString(instructions) && { system: instructions }) };
  return () => readArgumentContent([request], providers);
}

/** The event at the end of a call, as what a model of the specification answers. */
export function readEnd(event: Json): LlmResponse {
  const { finishReason, usage, content, providerMetadata, responseId, modelId, response } = event;
  return aiSdkValues.read!({
    finishReason,
    usage,
    content,
    providerMetadata,
    response: response ?? { id: responseId, modelId },
  });
}
