import { asObject } from '../../json.ts';
import type { LlmResponse, Provider, ProviderRequest, Reply } from '../provider.ts';
import { anthropicMessages } from './anthropic-messages.ts';
import { createProvider, extend, type Format, matchHosts } from './format.ts';
import { ollamaChat } from './ollama-chat.ts';
import { createOpenaiFormat } from './openai-format.ts';
import { mapResult } from './wire.ts';

const isPort = matchHosts([':11434', 'ollama.com']);

/** Its port on any host, its cloud, or a host named for it, as in a Docker network. */
function isOurs(url: URL): boolean {
  return isPort(url) || /(^|[.-])ollama([.-]|$)/.test(url.hostname);
}

/** What no other API with such a path asks for. */
const marks = ['options', 'keep_alive', 'think', 'raw', 'truncate'];

function isUnmistakable({ url, body }: ProviderRequest): boolean {
  const request = asObject(body) ?? {};
  return isOurs(url) || marks.some((mark) => request[mark] !== undefined);
}

/** An application of one's own may have `/api/chat` too: elsewhere a request without the marks is no model call. */
const native = extend(ollamaChat, {
  request: (request) => (isUnmistakable(request) ? ollamaChat.request(request) : {}),
});

/** A format of others, spoken on its own hosts alone. */
/* @__NO_SIDE_EFFECTS__ */
function spokenHere(format: Format): Format {
  return { ...format, match: (pathname, url) => (isOurs(url) ? format.match(pathname, url) : undefined) };
}

const api = createProvider({
  name: 'ollama',
  formats: [native, spokenHere(createOpenaiFormat({ usageOnRequest: true })), spokenHere(anthropicMessages)],
  // Values in the formats of others are nobody's in particular.
  marks: () => false,
});

/** What runs at home costs nothing; the same model of the cloud is another one by its price. */
function priceCloud(response: LlmResponse, { url, request }: Reply): LlmResponse {
  const model = response.model ?? request.model;
  if (url?.hostname !== 'ollama.com' || !model || model.endsWith('cloud')) return response;
  return { ...response, attributes: { ...response.attributes, 'edgespan.pricing.model': `${model}-cloud` } };
}

/**
 * Ollama: chats, completions and embeddings, by its own API and by those of OpenAI and Anthropic, on port 11434 of any
 * host, on hosts named for it, and on `ollama.com`. Elsewhere its own API is recognised by path and body together.
 *
 * @example
 * createTelemetry({ providers: [ollama] });
 */
export const ollama: Provider = extend<Provider>(api, {
  owns: isOurs,
  response: (json, reply) => priceCloud(api.response(json, reply), reply),
  stream: (reply) => mapResult(api.stream!(reply), (response) => priceCloud(response, reply)),
  // Before those who take any host with such a path, after those who know theirs.
  priority: -0.5,
});
