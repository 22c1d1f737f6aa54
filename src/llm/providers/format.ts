import type { LlmResponse, Operation, Provider, Reply, StreamReader } from '../provider.ts';

/**
 * One API as it goes over the wire, whoever serves it: many vendors speak several of them. `accepts` tells a whole reply
 * of it from those of others.
 */
export interface Format extends Pick<Provider, 'request' | 'includeUsage'> {
  /** The operation behind a path. `url` has the host too, for those who need it. */
  match(pathname: string, url: URL): Operation | undefined;
  response(json: unknown, reply: Reply): LlmResponse;
  stream?(reply: Reply): StreamReader;
  accepts?(value: unknown): boolean;
}

export interface ProviderOptions {
  /** The short name: label, price key. */
  name: string;
  /** `gen_ai.provider.name`, where the convention's word differs. */
  semconvName?: string;
  /** `api.acme.dev`, `*.acme.dev` for every host below it, `:1234` for a port of any host. None: whatever host. */
  hosts?: readonly string[];
  /** Asked in this order. */
  formats: readonly Format[];
}

/**
 * A vendor: where its API is, and what is spoken there. One without hosts is asked last and recognised by its paths
 * alone.
 */
export function createProvider({ name, semconvName, hosts, formats }: ProviderOptions): Provider {
  const isOurs = hosts ? matchHosts(hosts) : () => true;
  const matches = (format: Format, url: URL) => format.match(url.pathname, url);
  const byUrl = (url: URL | undefined) => url && formats.find((format) => matches(format, url));
  const byShape = (json: unknown) => formats.find((format) => format.accepts?.(json));
  const first = formats[0]!;
  const read = (json: unknown, reply: Reply) => (byUrl(reply.url) ?? byShape(json) ?? first).response(json, reply);
  return {
    name,
    ...(semconvName && { semconvName }),
    ...(!hosts && { priority: -1 }),
    match({ url, method }) {
      if (method !== 'POST' || !isOurs(url)) return undefined;
      const format = byUrl(url);
      return format && matches(format, url);
    },
    request: (request) => (byUrl(request.url) ?? first).request(request),
    response: read,
    stream: (reply) => {
      const format = byUrl(reply.url) ?? first;
      return format.stream?.(reply) ?? unstreamed;
    },
    includeUsage: (request) => byUrl(request.url)?.includeUsage?.(request),
    accepts: (value) => byShape(value) !== undefined,
    read: (value) => read(value, { status: 200, headers: new Headers(), request: emptyRequest(name) }),
  };
}

/** Of a format that has no streams. */
const unstreamed: StreamReader = { event() {}, result: () => ({}) };

function emptyRequest(provider: string) {
  return { provider, model: undefined, operation: 'chat', stream: false };
}

/** Whether an address is at one of these hosts. */
export function matchHosts(hosts: readonly string[]): (url: URL) => boolean {
  return ({ hostname, port }) =>
    hosts.some((host) => {
      if (host.startsWith(':')) return port === host.slice(1);
      return host.startsWith('*.') ? hostname.endsWith(host.slice(1)) : hostname === host;
    });
}
