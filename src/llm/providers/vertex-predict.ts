import { asArray, asNumber, asObject } from '../../json.ts';
import { fault, sumCounts } from '../faults.ts';
import type { LlmRequest, LlmResponse, ProviderRequest } from '../provider.ts';
import type { Format } from './format.ts';
import { describeRequest, parseAddress } from './gemini-address.ts';
import { parseGoogleError } from './gemini-usage.ts';
import { present } from './wire.ts';

function parseRequest({ url, body }: ProviderRequest): Partial<LlmRequest> {
  const dimensions = asNumber(asObject(asObject(body)?.parameters)?.outputDimensionality);
  return describeRequest(parseAddress(url.pathname)?.model, false, {
    ...(dimensions !== undefined && { 'gen_ai.embeddings.dimension.count': dimensions }),
  });
}

/** Each text has a count of its own; with one missing, what all of them took is unknown. */
function parsePredictions(json: unknown): LlmResponse {
  const body = asObject(Array.isArray(json) ? json[0] : json) ?? {};
  // The SDK names the same things its own way.
  const predictions = asArray(body.predictions).map((prediction) => asObject(asObject(prediction)?.embeddings));
  const embeddings = [...predictions, ...asArray(body.embeddings).map(asObject)].filter((item) => item !== undefined);
  const statistics = embeddings.map((embedding) => asObject(embedding.statistics));
  const counts = statistics.map((item) => item?.token_count ?? item?.tokenCount);
  const isWhole = counts.every((count) => count !== undefined && count !== null);
  if (!isWhole) fault();
  const input = isWhole ? sumCounts(counts) : undefined;
  const values = embeddings[0]?.values;
  return (
    present<LlmResponse>({
      usage: present({ input }),
      attributes: present({ 'gen_ai.embeddings.dimension.count': Array.isArray(values) ? values.length : undefined }),
      error: parseGoogleError(json),
    }) ?? {}
  );
}

/**
 * Embeddings by `:predict`, which other models are asked by as well.
 * https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api
 */
export const vertexPredict: Format = {
  match(pathname) {
    const { publisher, model = '', method } = parseAddress(pathname) ?? {};
    return publisher === 'google' && method === 'predict' && model.includes('embedding') ? 'embed' : undefined;
  },
  request: parseRequest,
  response: parsePredictions,
  accepts: (value) => asObject(asObject(asArray(asObject(value)?.embeddings)[0])?.statistics) !== undefined,
};
