import { cloudflareContent } from '../content/cloudflare.ts';
import type { Provider } from '../provider.ts';
import { anthropicMessages } from './anthropic-messages.ts';
import { cloudflareGateway, cloudflareProxied } from './cloudflare-gateway.ts';
import { cloudflareRun, createRunReader, parseRun } from './cloudflare-run.ts';
import { createProvider, extend } from './format.ts';
import { createOpenaiFormat } from './openai-format.ts';

/** OpenAI's API with Cloudflare's way to count. */
const openaiFormat = createOpenaiFormat({ usageOnRequest: true });
const compatible = extend(openaiFormat, {
  response: parseRun,
  stream: createRunReader,
  content: cloudflareContent,
  // What is routed to others has a name of Cloudflare's own, which says nothing.
  always(operation, reply) {
    const isOwn = reply.request.model?.startsWith('@') === true;
    return openaiFormat.always!(operation, reply).filter((field) => isOwn || field !== 'model');
  },
});

/**
 * Cloudflare: Workers AI over REST, by its own API and by those of OpenAI and Anthropic, values that `env.AI.run`
 * returned, and AI Gateway. What goes through the gateway is read by the provider of the vendor behind it and has that
 * vendor's name; `edgespan.gateway` is `cloudflare` then, and an answer out of the gateway's cache costs nothing.
 *
 * @example
 * createTelemetry({ providers: [cloudflare, openai, anthropic] });
 */
export const cloudflare: Provider = extend<Provider>(
  createProvider({
    name: 'cloudflare',
    hosts: ['api.cloudflare.com', 'gateway.ai.cloudflare.com'],
    formats: [cloudflareRun, compatible, anthropicMessages, cloudflareProxied],
  }),
  { gateway: cloudflareGateway },
);
