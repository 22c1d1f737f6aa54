import type { Provider } from '../provider.ts';
import { anthropicMessages } from './anthropic-messages.ts';
import { converse } from './bedrock-converse.ts';
import { invoke } from './bedrock-invoke.ts';
import { parseAwsError, withReply } from './bedrock-reply.ts';
import { parsePath, parseRequest, readRegion, withAws } from './bedrock-request.ts';
import { createProvider, extend, type Format } from './format.ts';
import { createOpenaiFormat } from './openai-format.ts';
import { mapResult, parseError } from './wire.ts';

/** Counts what a request would take: no call of the model, and nothing to pay. */
const countTokens: Format = {
  match: (pathname) => (parsePath(pathname)?.action === 'count-tokens' ? 'count_tokens' : undefined),
  request: parseRequest,
  response(json, reply) {
    const error = parseAwsError(json, reply);
    return withReply(error ? { error } : {}, reply);
  },
};

/** On other hosts, as a proxy's, the id has to look like one of Bedrock's. */
/* @__NO_SIDE_EFFECTS__ */
function anywhere(format: Format): Format {
  return {
    ...format,
    match(pathname, url) {
      const { model = '' } = parsePath(pathname) ?? {};
      const isKnown = readRegion(url) !== undefined || /^(?:arn:|[\w-]+\.[\w-])/.test(model);
      return isKnown ? format.match(pathname, url) : undefined;
    },
  };
}

/** Another vendor's API on Bedrock's own hosts; whose a value is, that vendor knows. */
/* @__NO_SIDE_EFFECTS__ */
function hosted(format: Format): Format {
  return {
    ...format,
    accepts: () => false,
    acceptsItem: () => false,
    match: (pathname, url) => (readRegion(url) === undefined ? undefined : format.match(pathname, url)),
    request: (request) => withAws(request, format.request(request)),
    response(json, reply) {
      const error = reply.status < 400 ? undefined : (parseError(json) ?? parseAwsError(json, reply));
      return withReply(error ? { error } : format.response(json, reply), reply);
    },
    stream: (reply) => mapResult(format.stream!(reply), (response) => withReply(response, reply)),
  };
}

/**
 * AWS Bedrock: Converse, the models' own APIs by InvokeModel, and the APIs of OpenAI and Anthropic, streamed or not, on
 * `bedrock-runtime` and `bedrock-mantle` in every region. `/model/{id}/converse` and the like are known wherever they
 * stand, after the vendors whose hosts are known: a gateway may have such paths too.
 *
 * @example
 * createTelemetry({ providers: [bedrock], prices: bedrockPrices });
 */
export const bedrock: Provider = extend(
  createProvider({
    name: 'bedrock',
    semconvName: 'aws.bedrock',
    formats: [
      anywhere(converse),
      anywhere(invoke),
      anywhere(countTokens),
      hosted(createOpenaiFormat({ usageOnRequest: true })),
      hosted(anthropicMessages),
    ],
  }),
  { priority: -0.5, owns: (url) => readRegion(url) !== undefined },
);
