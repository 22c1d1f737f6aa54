import { safely } from '../errors.ts';
import { asObject } from '../json.ts';
import type { LlmResponse, Provider, ProviderRequest, Reply } from './provider.ts';

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
 * Who answers a request: the provider that knows its address, or the one behind that where it is a gateway's. `reply`
 * has the headers of the answer once it is there.
 */
export function follow(
  found: { provider: Provider; operation: string },
  request: ProviderRequest,
  providers: readonly Provider[],
  report: Report,
  reply?: Headers,
): Recognised {
  const { provider: gateway } = found;
  const upstream = safely(() => gateway.gateway?.upstream(request, reply), report);
  if (!upstream) return { ...found, request };
  const behind = { ...request, body: request.body, ...upstream };
  const others = providers.filter((other) => other !== gateway);
  const inner = recognise(others, behind, report);
  return inner
    ? { ...inner, provider: through(gateway, inner.provider), request: behind, gateway }
    : { ...found, request };
}

/** A provider whose replies the gateway before it adds to. */
function through({ gateway }: Provider, provider: Provider): Provider {
  const add = (response: LlmResponse, reply: Reply): LlmResponse => {
    const more = gateway?.response?.(reply);
    return { ...response, ...more, attributes: { ...asObject(response.attributes), ...more?.attributes } };
  };
  return {
    ...provider,
    // The gateway has been recognised by its host.
    priority: 0,
    response: (json, reply) => add(provider.response(json, reply), reply),
    ...(provider.stream && {
      stream(reply) {
        const reader = provider.stream!(reply);
        return {
          event: (event) => reader.event(event),
          matters: (data, type) => reader.matters?.(data, type) ?? true,
          result: () => add(reader.result(), reply),
        };
      },
    }),
  };
}
