import type { Attributes } from '@opentelemetry/api';
import { asNumber, asObject, asString, type Json } from '../../json.ts';
import type { LlmRequest, ProviderRequest } from '../provider.ts';
import { readOutputType, readStops } from './parameters.ts';
import { decodePart } from './wire.ts';

/** What a path of the runtime's API says. */
export interface ModelPath {
  /** An id, an inference profile, or an ARN. */
  readonly model: string;
  readonly action: string;
  readonly stream: boolean;
}

const pathPattern =
  /\/model\/([^/]+|arn(?::|%3A).+)\/(converse|converse-stream|invoke|invoke-with-response-stream|count-tokens)\/?$/i;
const hostPattern = /(?:^|\.)bedrock-(?:runtime|mantle)(?:-fips)?\.([a-z]+(?:-[a-z]+)+-\d+)\./;

/** `undefined` for what is no call of a model. Clients encode the id or not. */
export function parsePath(pathname: string): ModelPath | undefined {
  const [, encoded, action] = pathPattern.exec(pathname) ?? [];
  return encoded && action ? { model: decodePart(encoded), action, stream: action.endsWith('-stream') } : undefined;
}

/**
 * The region of an endpoint of Bedrock's, in whatever partition it is, VPC endpoints among them:
 * https://docs.aws.amazon.com/general/latest/gr/bedrock.html
 */
export function readRegion({ hostname }: URL): string | undefined {
  return hostPattern.exec(hostname)?.[1];
}

/** By the vendors of the models, and of Converse. */
const numbers: Readonly<Record<string, readonly string[]>> = {
  max_tokens: [
    'max_tokens',
    'maxTokens',
    'max_new_tokens',
    'max_completion_tokens',
    'maxTokenCount',
    'max_gen_len',
    'max_tokens_to_sample',
  ],
  temperature: ['temperature'],
  top_p: ['top_p', 'topP', 'p'],
  top_k: ['top_k', 'topK', 'k'],
  frequency_penalty: ['frequency_penalty'],
  presence_penalty: ['presence_penalty'],
  seed: ['seed'],
};

const dimensions = ['dimensions', 'output_dimension', 'embeddingDimension'];

function readNumber(fields: Json, names: readonly string[]): number | undefined {
  return names.map((name) => asNumber(fields[name])).find((value) => value !== undefined);
}

/** The places of a body that hold parameters, as one. */
function mergeFields(body: Json): Json {
  return {
    ...asObject(body.additionalModelRequestFields),
    ...body,
    ...asObject(body.textGenerationConfig),
    ...asObject(body.inferenceConfig),
    ...asObject(body.singleEmbeddingParams),
  };
}

function parseParameters(body: Json): Attributes {
  const fields = mergeFields(body);
  const parameters: Attributes = {};
  for (const [name, names] of Object.entries(numbers)) {
    const value = readNumber(fields, names);
    if (value !== undefined) parameters[`gen_ai.request.${name}`] = value;
  }
  const stops = readStops(fields.stopSequences ?? fields.stop_sequences ?? fields.stop);
  const {
    effort,
    format,
    textFormat = format,
  }: Json = { ...asObject(fields.output_config), ...asObject(fields.outputConfig) };
  Object.assign(parameters, stops, readOutputType(textFormat ?? fields.response_format));
  const choices = readNumber(fields, ['n', 'num_generations']);
  if (choices !== undefined && choices !== 1) parameters['gen_ai.request.choice.count'] = choices;
  const level = asString(effort) ?? asString(fields.reasoning_effort);
  if (level) parameters['gen_ai.request.reasoning.level'] = level;
  const size = readNumber(fields, dimensions);
  if (size !== undefined) parameters['gen_ai.embeddings.dimension.count'] = size;
  return parameters;
}

/** Of Converse in the body, of all else in headers. */
function readGuardrail({ headers, body }: ProviderRequest): LlmRequest['guardrail'] {
  const config = asObject(asObject(body)?.guardrailConfig);
  const id = asString(config?.guardrailIdentifier ?? headers.get('x-amzn-bedrock-guardrailidentifier'));
  const version = asString(config?.guardrailVersion ?? headers.get('x-amzn-bedrock-guardrailversion'));
  return id === undefined ? undefined : { id, ...(version && { version }) };
}

/** Of Converse in the body, of all else in a header. */
function readTier({ headers, body }: ProviderRequest): string | undefined {
  return asString(asObject(asObject(body)?.serviceTier)?.type ?? headers.get('x-amzn-bedrock-service-tier'));
}

/** What every request to Bedrock says beside what its format does: region, guardrail and service tier. */
export function withAws(request: ProviderRequest, parsed: Partial<LlmRequest>): Partial<LlmRequest> {
  const region = readRegion(request.url);
  const guardrail = readGuardrail(request);
  const tier = readTier(request);
  return {
    ...parsed,
    ...(guardrail && { guardrail }),
    parameters: {
      ...parsed.parameters,
      ...(region && { 'cloud.region': region }),
      ...(guardrail?.id && { 'aws.bedrock.guardrail.id': guardrail.id }),
      ...(tier && { 'edgespan.request.service_tier': tier }),
    },
  };
}

/** A request whose path names the model and says whether the answer streams. */
export function parseRequest(request: ProviderRequest): Partial<LlmRequest> {
  const { model, stream = false } = parsePath(request.url.pathname) ?? {};
  const parameters = parseParameters(asObject(request.body) ?? {});
  if (stream) parameters['gen_ai.request.stream'] = true;
  const maxTokens = parameters['gen_ai.request.max_tokens'];
  return withAws(request, {
    model,
    stream,
    ...(typeof maxTokens === 'number' && { maxTokens }),
    parameters,
  });
}
