import { asNumber, asObject, asString, type Json, parseJson } from '../../json.ts';
import type { Gateway, LlmResponse, ProviderRequest, Reply } from '../provider.ts';
import { findAddress, vendors } from './cloudflare-vendors.ts';
import type { Format } from './format.ts';
import { present } from './wire.ts';

type Upstream = ReturnType<Gateway['upstream']>;

const gatewayHost = 'gateway.ai.cloudflare.com';

/** `/v1/{account}/{gateway}/{slug}/{path}`; the universal endpoint ends at the gateway. */
function readPath({ hostname, pathname }: URL) {
  if (hostname !== gatewayHost) return undefined;
  const [, account, id, slug, path = ''] = /^\/v1\/([^/]+)\/([^/]+)(?:\/([^/]+)(?:\/(.*))?)?\/?$/.exec(pathname) ?? [];
  return account === undefined ? undefined : { account, base: `https://${hostname}/v1/${account}/${id}/`, slug, path };
}

/** The entry of a universal request that has answered, or else the first. */
function readStep({ url, body }: ProviderRequest, reply?: Headers): Json | undefined {
  const path = readPath(url);
  if (!path || path.slug) return undefined;
  const step = Number(reply?.get('cf-aig-step') ?? 0);
  return asObject((Array.isArray(body) ? body : [body])[step]);
}

/** `{vendor}/{model}`, unless a route of the gateway's own has chosen another one. */
function readModel(model: string, reply?: Headers): { slug: string; model: string } | undefined {
  const [, slug = '', name = ''] = /^([^/@]+)\/(.+)$/.exec(model) ?? [];
  const chosen = reply?.get('cf-aig-provider');
  if (slug !== 'dynamic') return slug ? { slug, model: name } : undefined;
  return chosen ? { slug: chosen, model: reply?.get('cf-aig-model') ?? model } : undefined;
}

/** Who answers a request whose model names the vendor, in a format that may be another vendor's. */
function findByModel(url: URL, body: unknown, format: string, reply?: Headers): Upstream {
  const request = asObject(body);
  const named = readModel(asString(request?.model) ?? '', reply);
  const vendor = named && vendors.get(named.slug);
  if (named?.slug === 'workers-ai') return { url, body: { ...request, model: named.model } };
  if (!vendor) return { url, body };
  // Vertex names the publisher too.
  const model = vendor.name === 'vertex' ? named.model.replace(/^google\//, '') : named.model;
  const base = format === 'messages' ? vendor.name === 'anthropic' && vendor.base : format !== 'run' && vendor.openai;
  return {
    url: base ? new URL(base + format) : url,
    body: { ...request, model },
    provider: vendor.name,
  };
}

/** Requests of Cloudflare's own API that name another vendor's model. */
function findByRest(request: ProviderRequest, reply?: Headers): Upstream {
  const { url, body } = request;
  const format = /\/ai\/v1\/([\w/]+?)\/?$/.exec(url.pathname)?.[1] ?? 'run';
  const model = asString(asObject(body)?.model);
  const isRouted = request.headers.has('cf-aig-gateway-id') || (model !== undefined && !model.startsWith('@'));
  return isRouted ? findByModel(url, body, format, reply) : undefined;
}

function findUpstream(request: ProviderRequest, reply?: Headers): Upstream {
  const place = readPath(request.url);
  if (!place) return findByRest(request, reply);
  const step = readStep(request, reply);
  const slug = place.slug ?? asString(step?.provider) ?? '';
  const path = place.slug ? place.path : (asString(step?.endpoint) ?? '').replace(/^\//, '');
  const body = place.slug ? request.body : step?.query;
  const own = toUrl(`${place.base}${slug}/${path}`, request.url) ?? request.url;
  if (slug === 'compat') return findByModel(own, body, path.replace(/^v1\//, ''), reply);
  const address = findAddress(slug, path, place.account);
  return { url: (address && toUrl(address, request.url)) || own, ...(!place.slug && { body }) };
}

/** An address that goes on with what was asked of the gateway. */
function toUrl(address: string, { search }: URL): URL | undefined {
  const full = address.includes('?') ? address : address + search;
  return URL.canParse(full) ? new URL(full) : undefined;
}

/** USD, where the request sets a price of its own. */
function readCustomCost(request: ProviderRequest, reply: Reply, { usage }: LlmResponse): number | undefined {
  const own = Object.entries(asObject(readStep(request, reply.headers)?.headers) ?? {});
  const [, text] = own.find(([name]) => name.toLowerCase() === 'cf-aig-custom-cost') ?? [];
  const price = asObject(parseJson(asString(text) ?? request.headers.get('cf-aig-custom-cost') ?? ''));
  const total = asNumber(price?.total_cost);
  if (total !== undefined || !price) return total;
  const parts = [
    [asNumber(price.per_token_in), usage?.input],
    [asNumber(price.per_token_out), usage?.output],
  ] as const;
  const costs = parts.flatMap(([rate, tokens]) => (rate === undefined || tokens === undefined ? [] : [rate * tokens]));
  return costs.length > 0 ? costs.reduce((a, b) => a + b) : undefined;
}

/** An answer out of the gateway's cache: nobody has to be paid for its tokens. */
function readHit({ usage }: LlmResponse): Partial<LlmResponse> {
  const attributes = present({
    'edgespan.usage.consumed_input_tokens': usage?.input,
    'edgespan.usage.consumed_output_tokens': usage?.output,
  });
  return { cacheHit: 'exact', usage: { input: 0, output: 0 }, costUsd: 0, ...(attributes && { attributes }) };
}

/** A vendor that this file does not know, by the gateway's name for it. */
function readUnknown(request: ProviderRequest, headers: Headers): string | undefined {
  const slug = readPath(request.url)?.slug ?? asString(readStep(request, headers)?.provider);
  return slug === 'compat' || slug === 'workers-ai' || vendors.has(slug ?? '') ? undefined : slug;
}

/** What the gateway adds: https://developers.cloudflare.com/ai-gateway/glossary/ */
function readReply(reply: Reply, response: LlmResponse, request: ProviderRequest): Partial<LlmResponse> {
  const { headers, status } = reply;
  const cache = headers.get('cf-aig-cache-status')?.toUpperCase();
  const upstream = readUnknown(request, headers);
  const isOk = status < 400;
  // The span names the model of the first entry, or of a route.
  const isOther = Number(headers.get('cf-aig-step') ?? 0) > 0 || headers.has('cf-aig-model');
  const known = present<LlmResponse>({
    model: response.model ?? (isOk && isOther ? reply.request.model : undefined),
    cacheHit: isOk && cache === 'MISS' ? 'miss' : undefined,
    costUsd: isOk ? readCustomCost(request, reply, response) : undefined,
  });
  const hit = isOk && cache === 'HIT' ? readHit(response) : undefined;
  const failed = Number(headers.get('cf-aig-step') ?? 0) > 0 ? asString(readStep(request)?.provider) : undefined;
  const attributes = {
    ...hit?.attributes,
    ...(upstream && { 'edgespan.upstream': upstream }),
    ...(failed && { 'edgespan.fallback.from': failed }),
  };
  return { ...known, ...hit, attributes };
}

export const cloudflareGateway: Gateway = { upstream: findUpstream, response: readReply };

/** Where vendors have formats of their own. */
const ownFormats =
  /:(stream)?(generateContent|rawPredict)$|:(batch)?embedContents?$|:predict$|\/model\/[^/]+\/(converse|invoke)/i;
const cohereFormats = /(^|\/)(chat|embed|rerank|generate)\/?$/;

/** Calls in formats of their vendors' own, and universal ones: only who stands behind can read those. */
export const cloudflareProxied: Format = {
  match(_pathname, url) {
    const { slug, path = '' } = readPath(url) ?? { slug: '' };
    if (slug === undefined) return 'chat';
    if (slug === 'workers-ai') return /^(run\/)?@/.test(path) ? 'chat' : undefined;
    const formats = slug === 'cohere' ? cohereFormats : ownFormats;
    return slug !== '' && formats.test(path) ? 'chat' : undefined;
  },
  request: () => ({}),
  response: () => ({}),
};
