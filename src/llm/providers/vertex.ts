import { asString } from '../../json.ts';
import { anthropicMessages } from './anthropic-messages.ts';
import { createProvider, type Format } from './format.ts';
import { parseAddress } from './gemini-address.ts';
import { createGeminiContent } from './gemini-content.ts';
import { geminiInteractions } from './gemini-interactions.ts';
import { atGoogle, googleOpenai } from './google-dialect.ts';
import { vertexPredict } from './vertex-predict.ts';
import { present } from './wire.ts';

/** The place in a path, as `global` or `europe-west4`, which the express mode does not name; and the tier asked for. */
/* @__NO_SIDE_EFFECTS__ */
function located(format: Format): Format {
  return {
    ...format,
    request(request) {
      const given = format.request(request);
      const parameters = present({
        ...given.parameters,
        'cloud.region': /\/locations\/([^/]+)\//.exec(request.url.pathname)?.[1],
        // https://docs.cloud.google.com/vertex-ai/generative-ai/docs/priority-paygo
        'edgespan.request.service_tier': asString(request.headers.get('x-vertex-ai-llm-shared-request-type')),
      });
      return { ...given, ...(parameters && { parameters }) };
    },
  };
}

/** A partner's model by the partner's own API: the model, and whether it streams, are in the address. */
/* @__NO_SIDE_EFFECTS__ */
function createPartner(format: Format, isPartner: (publisher: string) => boolean): Format {
  return {
    ...format,
    anywhere: true,
    match(pathname) {
      const { publisher, model = '', method } = parseAddress(pathname) ?? {};
      if (!publisher || !isPartner(publisher) || (method !== 'rawPredict' && method !== 'streamRawPredict')) {
        return undefined;
      }
      if (/ocr|embed/.test(model)) return undefined;
      return model === tokenCounter ? 'count_tokens' : 'chat';
    },
    request(request) {
      const given = format.request(request);
      const { model, method } = parseAddress(request.url.pathname) ?? {};
      const stream = method === 'streamRawPredict' || given.stream === true;
      const parameters = { ...given.parameters, ...(stream && { 'gen_ai.request.stream': true }) };
      return { ...given, model: model === tokenCounter ? given.model : model, stream, parameters };
    },
  };
}

/** In the place of a model: the one that tokens are counted for is in the body. */
const tokenCounter = 'count-tokens';

const claude = createPartner(atGoogle(anthropicMessages), (publisher) => publisher === 'anthropic');
/** Mistral's models and others' answer as OpenAI's do. */
const others = createPartner(googleOpenai, (publisher) => publisher !== 'anthropic');

/**
 * Vertex AI: Gemini's content, embeddings and token counts, interactions, models of partners by their own APIs and
 * OpenAI's API, streamed or not, on the hosts of all locations; the addresses of models also elsewhere.
 *
 * @example
 * createTelemetry({ providers: [vertex], prices: vertexPrices });
 */
export const vertex = createProvider({
  name: 'vertex',
  semconvName: 'gcp.vertex_ai',
  hosts: [
    'aiplatform.googleapis.com',
    '*-aiplatform.googleapis.com',
    'aiplatform.us.rep.googleapis.com',
    'aiplatform.eu.rep.googleapis.com',
  ],
  formats: [
    located(createGeminiContent(true)),
    located(vertexPredict),
    located(claude),
    located(others),
    located(geminiInteractions),
    located(googleOpenai),
  ],
});
