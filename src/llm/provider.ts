import type { Attributes } from '@opentelemetry/api';
import type { LlmUsage } from '../usage.ts';
import type { ProviderContent } from './content/message.ts';

export type { LlmUsage } from '../usage.ts';

export type Operation = 'chat' | 'embed' | 'stream' | (string & {});

/** A request as it goes to a vendor. `body` is the parsed JSON, `undefined` where it was not readable. */
export interface ProviderRequest {
  url: URL;
  method: string;
  headers: Headers;
  body: unknown;
}

export interface LlmRequest {
  provider: string;
  model: string | undefined;
  operation: Operation;
  stream: boolean;
  maxTokens?: number;
  /** `gen_ai.request.*` attributes. */
  parameters?: Attributes;
  messages?: unknown;
  guardrail?: { id?: string; version?: string };
  /** A stream that was asked for its usage, where the vendor sends it only on request. */
  asksUsage?: boolean;
}

/** What a response cache said: its own answer was found by the very words, by their meaning, or not. */
export type CacheHit = 'exact' | 'semantic' | 'miss';

/** What any vendor answered, in one plain shape. A parser makes it, the recorder reads it. */
export interface LlmResponse {
  id?: string;
  model?: string;
  usage?: LlmUsage;
  finishReasons?: string[];
  /** Calls of the application's tools that the model asked for. */
  toolCalls?: { id?: string; name: string }[];
  messages?: unknown;
  guardrail?: { id?: string; action: string; categories?: string[] };
  cacheHit?: CacheHit;
  /** Cost as the vendor reports it. */
  costUsd?: number;
  attributes?: Attributes;
  /** An error the vendor reports in the body, also inside a stream of status 200. */
  error?: { type: string; code?: string; message?: string };
  /** Who answered, where it is not whom the request names: behind a gateway that has several to choose from. */
  provider?: string;
}

export interface Reply {
  status: number;
  headers: Headers;
  request: LlmRequest;
  /** Where the request went; absent for a value that an SDK returned. */
  url?: URL;
}

/** What a vendor may say in each of its whole answers; the last two are counts of the usage. */
export type ReplyField = 'id' | 'model' | 'finishReasons' | 'input' | 'output';

/** One event of a stream. `json` is parsed when it is first read, `undefined` where the data is no JSON. */
export interface StreamEvent {
  readonly type?: string;
  readonly json: unknown;
}

/** Folds the events of one stream into the response that the unstreamed call would have given. */
export interface StreamReader {
  /** `'content'` marks the first token; `'end'` the vendor's terminator, after which SDKs stop reading. */
  event(event: StreamEvent): 'content' | 'end' | void;
  /**
   * Optional and cheap: false lets an event pass unparsed once the first token is known. Most events of a stream only
   * carry text.
   */
  matters?(data: string, type: string | undefined): boolean;
  /** `isWhole` says that it came to its end: unless it failed, nothing then stands for a finish reason that is missing. */
  result(isWhole?: boolean): LlmResponse;
}

/** Folds the items that an SDK's stream yields, parsed, into the response of the unstreamed call. */
export interface ItemReader {
  /** `'content'` marks a token. */
  item(value: unknown): 'content' | 'end' | void;
  result(): LlmResponse;
}

/** The vendors behind a gateway are read by their own providers, where those are there. */
export interface Gateway {
  /**
   * The request as the vendor behind sees it, `undefined` for what the gateway itself answers. `reply` has the headers of
   * the answer once it is there, for gateways that choose among several vendors. `provider` is the vendor's short name,
   * where the address tells a format and not who answers in it.
   */
  upstream(request: ProviderRequest, reply?: Headers): { url: URL; body?: unknown; provider?: string } | undefined;
  /** What the gateway knows beyond what the vendor said: cache status, cost of its own. It wins. */
  response?(reply: Reply, response: LlmResponse, request: ProviderRequest): Partial<LlmResponse>;
}

/**
 * What is different between two vendors. A provider starts no span and keeps no state but inside `stream`.
 * `match` answers the operation (`chat`, `embed`, …) for a URL that is the vendor's; streaming is `request().stream`.
 *
 * @example
 * const acme = defineProvider({
 *   name: 'acme',
 *   match: ({ url }) => (url.hostname === 'llm.acme.dev' ? 'chat' : undefined),
 *   request: ({ body }) => ({ model: (body as { model?: string }).model }),
 *   response: (json) => ({ usage: { input: (json as { tokens?: number }).tokens } }),
 * });
 */
export interface Provider {
  /** The short name: label `provider`, price key. */
  name: string;
  /** `gen_ai.provider.name`, where the convention's word differs from `name`. */
  semconvName?: string;
  /** Higher is asked first; 0 by default. */
  priority?: number;
  /** The operation that is asked for; `undefined` for what is not the vendor's. */
  match(request: { url: URL; method: string }): Operation | undefined;
  /** Reads what is asked, as far as it says it. */
  request(request: ProviderRequest): Partial<LlmRequest>;
  /** Reads a whole answer, one with an error too. */
  response(json: unknown, reply: Reply): LlmResponse;
  /** Reads a streamed answer: a reader for each. Without it a stream has neither tokens nor cost. */
  stream?(reply: Reply): StreamReader;
  /**
   * What a whole answer without an error always has, streamed or not. One that lacks some of it has changed its shape,
   * and is counted as a parse error.
   */
  always?(reply: Reply): readonly ReplyField[];
  /** The body with the wish for usage at the end of a stream, where the vendor sends it only on request. */
  includeUsage?(request: ProviderRequest): unknown;
  /** What stands before other vendors' APIs and hands their formats on. */
  gateway?: Gateway;
  /** Whether an address is at the vendor's own hosts; absent for one who is known by paths alone. */
  owns?(url: URL): boolean;
  /**
   * Folds what an SDK's stream yields, by its first item; `undefined` where that is of another API. `isKnown` as with
   * `accepts`.
   */
  items?(first: unknown, isKnown?: boolean): ItemReader | undefined;
  /**
   * Recognises a value that an SDK returned, by its shape. `isKnown` says that the vendor is known, and nothing has to
   * tell its values from others'.
   */
  accepts?(value: unknown, isKnown?: boolean): boolean;
  read?(value: unknown): LlmResponse;
  /** Reads what is said, where that is captured. */
  content?: ProviderContent;
  /** A framework: its own name is nobody's who answers. */
  isFramework?: boolean;
}

export function defineProvider(provider: Provider): Provider {
  return provider;
}
