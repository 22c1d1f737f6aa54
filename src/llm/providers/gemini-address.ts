import type { Attributes } from '@opentelemetry/api';
import { asNumber, asObject, asString } from '../../json.ts';
import { pick } from '../field-names.ts';
import type { LlmRequest } from '../provider.ts';
import { readOutputType, readStops } from './parameters.ts';
import { decodePart } from './wire.ts';

/** What a path of Google's says. Whose model it is and where it runs stand there on Vertex AI alone. */
export interface Address {
  readonly publisher?: string;
  readonly resource: string;
  readonly model: string;
  readonly method: string;
}

/** `…/models/{model}:{method}`, and the same of a tuned model or of an endpoint that has one. */
export function parseAddress(pathname: string): Address | undefined {
  const path = /(?:\/publishers\/([^/]+))?\/(models|tunedModels|endpoints)\/([^/]+):(\w+)$/.exec(pathname);
  if (!path) return undefined;
  const [, publisher, resource = '', id = '', method = ''] = path;
  const name = decodePart(id);
  return {
    ...(publisher && { publisher }),
    resource,
    model: resource === 'models' ? name : `${resource}/${name}`,
    method,
  };
}

const numbers = [
  ['maxOutputTokens', 'max_tokens'],
  ['temperature', 'temperature'],
  ['topP', 'top_p'],
  ['topK', 'top_k'],
  ['frequencyPenalty', 'frequency_penalty'],
  ['presencePenalty', 'presence_penalty'],
  ['seed', 'seed'],
] as const;

/** What a generation config asks for. */
export function parseConfig(value: unknown): Attributes {
  const config = asObject(value);
  const parameters: Attributes = {};
  for (const [field, name] of numbers) {
    const number = asNumber(pick(config, field));
    if (number !== undefined) parameters[`gen_ai.request.${name}`] = number;
  }
  const choices = asNumber(pick(config, 'candidateCount'));
  if (choices !== undefined && choices !== 1) parameters['gen_ai.request.choice.count'] = choices;
  const thinking = asObject(pick(config, 'thinkingConfig')) ?? config;
  const level = asString(pick(thinking, 'thinkingLevel'));
  if (level) parameters['gen_ai.request.reasoning.level'] = level;
  const wishes = [pick(config, 'responseModalities'), pick(config, 'responseMimeType')];
  return { ...parameters, ...readStops(pick(config, 'stopSequences')), ...readOutputType(...wishes) };
}

/** A request by what its address and its body say. */
export function describeRequest(model: string | undefined, stream: boolean, given: Attributes): Partial<LlmRequest> {
  const parameters: Attributes = { ...given, ...(stream && { 'gen_ai.request.stream': true }) };
  const maxTokens = parameters['gen_ai.request.max_tokens'];
  return { model, stream, ...(typeof maxTokens === 'number' && { maxTokens }), parameters };
}
