/** A vendor behind the gateway: its short name, and where its API is. */
interface Vendor {
  readonly name: string;
  /** What Cloudflare's path continues; a version in that stands in for the one here. */
  readonly base: string;
  /** Where chat completions are, for those who take them as they are. */
  readonly openai?: string;
}

/* @__NO_SIDE_EFFECTS__ */
function openaiLike(name: string, base: string): Vendor {
  return { name, base, openai: base };
}
const google: Vendor = {
  name: 'google',
  base: 'https://generativelanguage.googleapis.com/v1beta/',
  openai: 'https://generativelanguage.googleapis.com/v1beta/openai/',
};
const perplexity = openaiLike('perplexity', 'https://api.perplexity.ai/');
const xai = openaiLike('xai', 'https://api.x.ai/v1/');

/** By the words that Cloudflare has for them: https://developers.cloudflare.com/ai-gateway/usage/providers/ */
export const vendors: ReadonlyMap<string, Vendor> = new Map([
  ['openai', openaiLike('openai', 'https://api.openai.com/v1/')],
  ['anthropic', { name: 'anthropic', base: 'https://api.anthropic.com/v1/' }],
  ['google-ai-studio', google],
  ['google', google],
  ['google-vertex-ai', { name: 'vertex', base: 'https://aiplatform.googleapis.com/v1/' }],
  ['groq', openaiLike('groq', 'https://api.groq.com/openai/v1/')],
  ['mistral', openaiLike('mistral', 'https://api.mistral.ai/v1/')],
  [
    'cohere',
    { name: 'cohere', base: 'https://api.cohere.com/v1/', openai: 'https://api.cohere.com/compatibility/v1/' },
  ],
  ['perplexity-ai', perplexity],
  ['perplexity', perplexity],
  ['deepseek', openaiLike('deepseek', 'https://api.deepseek.com/')],
  ['grok', xai],
  ['xai', xai],
  ['openrouter', openaiLike('openrouter', 'https://openrouter.ai/api/v1/')],
  ['cerebras', openaiLike('cerebras', 'https://api.cerebras.ai/v1/')],
  ['fireworks', openaiLike('fireworks', 'https://api.fireworks.ai/inference/v1/')],
  ['aws-bedrock', { name: 'bedrock', base: '' }],
  ['azure-openai', { name: 'azure', base: '' }],
]);

const amazonHosts: Readonly<Record<string, string>> = {
  'bedrock-runtime': 'amazonaws.com',
  'bedrock-mantle': 'api.aws',
};

/** The vendor's own address of a path behind the gateway; `undefined` for a vendor that is not known. */
export function findAddress(slug: string, path: string, account: string): string | undefined {
  if (slug === 'workers-ai') {
    const rest = /^(v1|run)\//.test(path) ? path : `run/${path}`;
    return `https://api.cloudflare.com/client/v4/accounts/${account}/ai/${rest}`;
  }
  if (slug === 'aws-bedrock') {
    const [, service = '', region, rest] = /^([\w-]+)\/([\w-]+)\/(.+)$/.exec(path) ?? [];
    const host = amazonHosts[service];
    return host && `https://${service}.${region}.${host}/${rest}`;
  }
  if (slug === 'azure-openai') {
    const [, resource, deployment, rest] = /^([\w-]+)\/([^/]+)\/(.+)$/.exec(path) ?? [];
    return resource && `https://${resource}.openai.azure.com/openai/deployments/${deployment}/${rest}`;
  }
  const base = vendors.get(slug)?.base;
  return base && (/^v\d/.test(path) ? base.replace(/v\d\w*\/$/, '') : base) + path;
}
