import type { ContentFormat } from '../content/message.ts';
import { createProviderContent } from '../content/provider-content.ts';
import type {
  ItemReader,
  LlmResponse,
  Operation,
  Provider,
  Reply,
  ReplyField,
  StreamEvent,
  StreamReader,
} from '../provider.ts';

/**
 * One API as it goes over the wire, whoever serves it: many vendors speak several of them. `accepts` tells a whole reply
 * of it from those of others.
 */
export interface Format extends Pick<Provider, 'request' | 'includeUsage'> {
  /** The operation behind a path. `url` has the host too, for those who need it. */
  match(pathname: string, url: URL): Operation | undefined;
  response(json: unknown, reply: Reply): LlmResponse;
  stream?(reply: Reply): StreamReader;
  /** What a whole answer of an operation without an error always has. */
  always?(operation: Operation, reply: Reply): readonly ReplyField[];
  accepts?(value: unknown): boolean;
  /** `accepts` for what an SDK's stream yields, the first of it or any other that tells. */
  acceptsItem?(item: unknown): boolean;
  /** The event that an SDK made an item from, where that is not its JSON. */
  toEvent?(item: unknown): StreamEvent;
  /** Many vendors speak it: its shape does not tell whose it is. */
  shared?: boolean;
  /** Reads what is said, where that is captured. */
  content?: ContentFormat;
  /** Its paths are like no other's: known on whatever host, even for a vendor who has hosts. */
  anywhere?: boolean;
}

export interface ProviderOptions {
  /** The short name: label, price key. */
  name: string;
  /** `gen_ai.provider.name`, where the convention's word differs. */
  semconvName?: string;
  /**
   * `api.acme.dev`, `*.acme.dev` for every host below it, `*-acme.dev` for every host that ends so, `:1234` for a port of
   * any host. None: whatever host.
   */
  hosts?: readonly string[];
  /** Asked in this order. */
  formats: readonly Format[];
  /** What tells this vendor's values from those of others, in a format that they share. */
  marks?(value: unknown): boolean;
  /** What an SDK made of the JSON, as it was on the wire. */
  toWire?(value: unknown): unknown;
}

/**
 * A vendor: where its API is, and what is spoken there. Those who know their hosts alone are asked first, then those
 * who also know paths of theirs anywhere; one without hosts is asked last and recognised by its paths alone.
 */
// A vendor that nobody names leaves the bundle.
/* @__NO_SIDE_EFFECTS__ */
export function createProvider(options: ProviderOptions): Provider {
  const { name, semconvName, hosts, formats, marks = () => !hosts, toWire = (value) => value } = options;
  const isOurs = hosts ? matchHosts(hosts) : () => true;
  const priority = !hosts ? -1 : formats.some((format) => format.anywhere) ? -0.5 : 0;
  const matches = (format: Format, url: URL) => format.match(url.pathname, url);
  const byUrl = (url: URL | undefined) => url && formats.find((format) => matches(format, url));
  const byShape = (json: unknown) => formats.find((format) => format.accepts?.(json));
  const isOf = (format: Format, value: unknown, isKnown = false) => isKnown || !format.shared || marks(value);
  const first = formats[0]!;
  const content = createProviderContent(formats, byUrl, toWire);
  const read = (json: unknown, reply: Reply) => (byUrl(reply.url) ?? byShape(json) ?? first).response(json, reply);
  return {
    name,
    ...(semconvName && { semconvName }),
    ...(priority !== 0 && { priority }),
    match({ url, method }) {
      const format = method === 'POST' ? byUrl(url) : undefined;
      return format && (format.anywhere || isOurs(url)) ? matches(format, url) : undefined;
    },
    request: (request) => (byUrl(request.url) ?? first).request(request),
    response: read,
    stream: (reply) => {
      const format = byUrl(reply.url) ?? first;
      return format.stream?.(reply) ?? unstreamed;
    },
    always(reply) {
      const format = byUrl(reply.url);
      return format?.always?.(matches(format, reply.url!)!, reply) ?? [];
    },
    includeUsage: (request) => byUrl(request.url)?.includeUsage?.(request),
    ...(hosts && { owns: isOurs }),
    ...(content && { content }),
    accepts(value, isKnown) {
      const json = toWire(value);
      return formats.some((format) => format.accepts?.(json) && isOf(format, value, isKnown));
    },
    read: (value) => read(toWire(value), emptyReply(name)),
    items(first, isKnown) {
      const json = toWire(first);
      const format = formats.find((one) => one.acceptsItem?.(json) && isOf(one, first, isKnown));
      const reader = format?.stream?.(emptyReply(name));
      return reader && createItemReader(reader, (item) => (format!.toEvent ?? toEvent)(toWire(item)));
    },
  };
}

/** Of a format that has no streams. */
const unstreamed: StreamReader = { event() {}, result: () => ({}) };

/** Of values, which come without what was asked. */
function emptyReply(provider: string): Reply {
  const request = { provider, model: undefined, operation: 'chat', stream: false };
  return { status: 200, headers: new Headers(), request };
}

/** Where an event has a type, most vendors repeat it in the data. */
function toEvent(json: unknown): StreamEvent {
  return { json };
}

function createItemReader(reader: StreamReader, read: (item: unknown) => StreamEvent): ItemReader {
  return { item: (value) => reader.event(read(value)), result: () => reader.result() };
}

/** A format or a vendor with some members of its own. */
/* @__NO_SIDE_EFFECTS__ */
export function extend<T extends Format | Provider>(base: T, own: Partial<T>): T {
  return { ...base, ...own };
}

/** Whether an address is at one of these hosts. */
/* @__NO_SIDE_EFFECTS__ */
export function matchHosts(hosts: readonly string[]): (url: URL) => boolean {
  return ({ hostname, port }) =>
    hosts.some((host) => {
      if (host.startsWith(':')) return port === host.slice(1);
      return host.startsWith('*') ? hostname.endsWith(host.slice(1)) : hostname === host;
    });
}
