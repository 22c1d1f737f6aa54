import type { Provider } from './provider.ts';

/**
 * Whom other tracers mean, by our short names; the first that fits. They have the conventions' names (`gcp.vertex_ai`),
 * those of SDKs (`google.vertex.chat`, `amazon-bedrock`) and of their own (`AWS`, `MistralAI`).
 */
const vendors: readonly (readonly [RegExp, string])[] = [
  [/azure|^az\b/, 'azure'],
  [/vertex/, 'vertex'],
  [/bedrock|^aws\b/, 'bedrock'],
  [/openrouter/, 'openrouter'],
  [/workers.?ai|cloudflare/, 'cloudflare'],
  [/google|gemini|^gcp\b/, 'google'],
  [/mistral/, 'mistral'],
  [/^(x.?ai|grok)\b/, 'xai'],
  [/^together/, 'together'],
  [/^(anthropic|openai|cohere|groq|deepseek|perplexity|fireworks|cerebras|ollama)(?![a-z])/, ''],
];

/** What SDKs append to a vendor's name: the API that is asked. */
const api = /\.(chat|responses|completions?|messages|embeddings?|textembedding|language)$/;

/** Our short name for a vendor; who is none of ours keeps his, without the API. */
export function shortProviderName(given: string): string {
  const name = given.toLowerCase();
  for (const [pattern, short] of vendors) {
    const match = pattern.exec(name);
    if (match) return short || match[0];
  }
  return given.replace(api, '');
}

/** `gen_ai.provider.name` of a short name. */
export function semconvNameOf(provider: string, providers: readonly Pick<Provider, 'name' | 'semconvName'>[]): string {
  return providers.find(({ name }) => name === provider)?.semconvName ?? provider;
}
