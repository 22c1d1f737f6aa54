import type { Attributes } from '@opentelemetry/api';
import { safely } from '../errors.ts';
import { asObject, asString } from '../json.ts';
import type { LlmRequest, LlmResponse, Provider, ProviderRequest, Reply } from './provider.ts';
import { semconvNameOf } from './provider-names.ts';
import { mapResult } from './providers/wire.ts';

/** A call that is a model's: who is asked, for what. */
export interface Recognised {
  readonly provider: Provider;
  readonly operation: string;
  /** The request as the provider sees it: behind a gateway its own address, not the gateway's. */
  readonly request: ProviderRequest;
  readonly gateway?: Provider;
}

type Report = (error: unknown) => void;

/** The first provider that knows the address. */
export function recognise(
  providers: readonly Provider[],
  target: { url: URL; method: string },
  report: Report,
): { provider: Provider; operation: string } | undefined {
  if (target.method !== 'POST') return undefined;
  for (const provider of providers) {
    const operation = safely(() => provider.match(target), report);
    if (operation) return { provider, operation };
  }
  return undefined;
}

/**
 * Who answers a request: the provider that knows its address, or the one behind that where it is a gateway's. Where that
 * one is not among the providers, the gateway reads what it can. `reply` has the headers of the answer once it is there.
 */
export function findAnswering(
  found: { provider: Provider; operation: string },
  request: ProviderRequest,
  providers: readonly Provider[],
  report: Report,
  reply?: Headers,
): Recognised {
  const { provider: gateway } = found;
  const upstream = safely(() => gateway.gateway?.upstream(request, reply), report);
  if (!upstream) return { ...found, request };
  const { provider: name, ...seen } = upstream;
  const behind = { ...request, ...seen };
  const { provider, operation } = recognise(providers, behind, report) ?? found;
  return {
    provider: through(gateway, renamed(provider, name, providers), request, report),
    operation,
    request: behind,
    gateway,
  };
}

/** What is asked, as far as the provider can tell. */
export function readAsked(
  { provider, operation, request }: Recognised,
  parseError: (provider: string) => void,
): LlmRequest {
  const known = safely(
    () => provider.request(request),
    () => parseError(provider.name),
  );
  const stream = asObject(request.body)?.stream === true;
  return { provider: provider.name, operation, stream, ...known, model: asString(known?.model) };
}

/** The port of an address, said or by its scheme. */
export function portOf({ port, protocol }: URL): number {
  return Number(port) || (/^(http|ws):$/.test(protocol) ? 80 : 443);
}

/** Where a request went. */
export function addressAttributes(url: URL, gateway?: Provider): Attributes {
  return {
    'server.address': url.hostname,
    'server.port': portOf(url),
    ...(gateway && { 'edgespan.gateway': gateway.name }),
  };
}

/** A vendor in another one's format keeps its own name. */
function renamed(provider: Provider, name: string | undefined, providers: readonly Provider[]): Provider {
  if (name === undefined || name === provider.name) return provider;
  return { ...bind(provider), name, semconvName: semconvNameOf(name, providers) };
}

/**
 * The provider as a plain object, though it may be an instance of a class; without its priority, since the gateway has
 * been recognised by its host.
 */
function bind(provider: Provider): Provider {
  const { name, semconvName } = provider;
  return {
    name,
    ...(semconvName !== undefined && { semconvName }),
    match: (target) => provider.match(target),
    request: (request) => provider.request(request),
    response: (json, reply) => provider.response(json, reply),
    ...(provider.stream && { stream: (reply) => provider.stream!(reply) }),
    ...(provider.content && { content: provider.content }),
    ...(provider.always && { always: (reply) => provider.always!(reply) }),
    ...(provider.includeUsage && { includeUsage: (request) => provider.includeUsage!(request) }),
  };
}

/** A provider whose requests went to the gateway before it, and whose replies that adds to. */
function through(gateway: Provider, provider: Provider, sent: ProviderRequest, report: Report): Provider {
  function add(response: LlmResponse, reply: Reply): LlmResponse {
    const more = safely(() => gateway.gateway?.response?.(reply, response, sent), report);
    const attributes = { ...asObject(response.attributes), ...more?.attributes } as Attributes;
    return { ...response, ...more, ...(Object.keys(attributes).length > 0 && { attributes }) };
  }
  const bound = bind(provider);
  return {
    ...bound,
    // A gateway's own errors look the same whoever stands behind it.
    response(json, reply) {
      const response = bound.response(json, reply);
      const own = () => gateway.response(json, reply).error;
      const error = response.error ?? (reply.status < 400 ? undefined : safely(own, report));
      return add(error ? { ...response, error } : response, reply);
    },
    ...(bound.stream && {
      stream: (reply) => mapResult(bound.stream!(reply), (response) => add(response, reply)),
    }),
  };
}
