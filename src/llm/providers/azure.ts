import { asArray, asNumber, asObject, asString, type Json } from '../../json.ts';
import type { LlmRequest, LlmResponse, ProviderRequest, Reply } from '../provider.ts';
import { anthropicMessages } from './anthropic-messages.ts';
import { createProvider, extend, type Format } from './format.ts';
import { createOpenaiFormat } from './openai-format.ts';
import { decodePart, mapResult, present } from './wire.ts';

/** The public cloud's, the US government's and China's. The last two of a name serve much else. */
const hosts = [
  '*.openai.azure.com',
  '*.openai.azure.us',
  '*.openai.azure.cn',
  '*.cognitiveservices.azure.com',
  '*.cognitiveservices.azure.us',
  '*.cognitiveservices.azure.cn',
  '*.services.ai.azure.com',
  '*.services.ai.azure.us',
  '*.models.ai.azure.com',
  '*.api.cognitive.microsoft.com',
  '*.api.cognitive.microsoft.us',
  '*.azure-api.net',
  '*.azure-api.us',
  '*.azure-api.cn',
];

/** API Management serves whatever API: there it takes more than the last name of a path. */
function isModels(pathname: string, { hostname }: URL): boolean {
  return !/\.azure-api\.\w+$/.test(hostname) || /\/(openai|deployments|models|anthropic|chat)\//.test(pathname);
}

/** Foundry's models that are not OpenAI's. */
function isInference({ pathname, hostname }: URL): boolean {
  return /\/(models|anthropic)\//.test(pathname) || hostname.endsWith('.models.ai.azure.com');
}

/** The name that stands for a model, of one's own choosing. It wins over the body, as it does at the vendor. */
function findDeployment({ pathname }: URL): string | undefined {
  const name = /\/deployments\/([^/]+)\//.exec(pathname)?.[1];
  return name && decodePart(name);
}

/** The region as the cloud's interfaces spell it: `uksouth` of `UK South`. */
function readRegion({ headers }: Reply): string | undefined {
  return asString(headers.get('x-ms-region')?.replaceAll(' ', '').toLowerCase());
}

/** What the headers say. Responses name the deployment in the body and the model that served it here. */
function addHeaders(response: LlmResponse, reply: Reply): LlmResponse {
  const model = asString(reply.headers.get('x-ms-served-model')) ?? response.model;
  const attributes = present({ ...response.attributes, 'cloud.region': readRegion(reply) });
  return { ...response, ...(model && { model }), ...(attributes && { attributes }) };
}

function parseRequest(parsed: Partial<LlmRequest>, url: URL): Partial<LlmRequest> {
  const model = findDeployment(url);
  const parameters = {
    ...parsed.parameters,
    ...(isInference(url) && { 'gen_ai.provider.name': 'azure.ai.inference' }),
  };
  return { ...parsed, ...(model && { model }), parameters };
}

/** A format as it is spoken here. */
/* @__NO_SIDE_EFFECTS__ */
function hosted(format: Format): Format {
  return {
    ...format,
    match: (pathname, url) => (isModels(pathname, url) ? format.match(pathname, url) : undefined),
    request: (request) => parseRequest(format.request(request), request.url),
    response: (json, reply) => addHeaders(format.response(json, reply), reply),
    stream: (reply) => mapResult(format.stream!(reply), (response) => addHeaders(response, reply)),
  };
}

/** What refuses a call before it comes to a model: `{ statusCode: 401, message: 'text' }`. */
function parseGatewayError(body: Json): LlmResponse['error'] {
  const code = asNumber(body.statusCode)?.toString();
  const message = asString(body.message);
  return code && message ? { type: code, code, message } : undefined;
}

const format = createOpenaiFormat({
  usageOnRequest: true,
  extras: (body) => present<Partial<LlmResponse>>({ error: parseGatewayError(body) }) ?? {},
});

/** Dated versions of the API before this one refuse `stream_options`. */
const firstVersionWithUsage = '2024-09-01';

function includeUsage(request: ProviderRequest): unknown {
  const version = request.url.searchParams.get('api-version');
  if (version && /^\d/.test(version) && version < firstVersionWithUsage) return undefined;
  return format.includeUsage?.(request);
}

/** What the filters found stands in every reply, and in the first and the last parts of a stream. */
function isFiltered(value: unknown): boolean {
  const body = asObject(value);
  const choice = asObject(asArray(body?.choices)[0]);
  const found = [body?.prompt_filter_results, body?.content_filters, choice?.content_filter_results];
  return found.some((results) => results !== undefined && results !== null);
}

/**
 * Azure OpenAI and Foundry, in all clouds and behind API Management: OpenAI's API with deployments in the path or by
 * `/v1`, models of others, and Claude. The request's model is the deployment, the response's the model that is billed.
 *
 * @example
 * createTelemetry({ providers: [azure], prices: openaiPrices });
 */
export const azure = createProvider({
  name: 'azure',
  semconvName: 'azure.ai.openai',
  hosts,
  formats: [hosted(anthropicMessages), hosted(extend(format, { includeUsage }))],
  marks: isFiltered,
});
