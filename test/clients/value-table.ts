import type { Answer, Loopback } from './loopback.ts';

export type Fetch = typeof globalThis.fetch;

/** What a model call's span must say. */
export interface Expected {
  readonly provider: string;
  readonly model?: string | undefined;
  readonly usage: readonly [input: number | undefined, output: number | undefined];
  readonly finish?: string;
  readonly tools?: readonly string[];
}

/** One call of an SDK: what it is answered, and what is to be known of it. */
export interface Cell {
  readonly answer: Answer;
  /** The path of the method that is called. */
  readonly method: string;
  readonly args: (fetch: Fetch) => readonly unknown[];
  readonly expected: Expected;
  /** Where the value does not say whose it is: what an `llm` wrapper takes it for, when it knows no client. */
  readonly byShape?: string;
  /** No id: only an async context tells that a call inside has been counted. */
  readonly anonymous?: boolean;
}

/** What a vendor does not offer, or its SDK: named, so that a hole is seen. */
export type NotThere = `n/a: ${string}`;

export interface Row {
  readonly sdk: string;
  client(fetch: Fetch, loopback: Loopback): object;
  readonly plain: Cell;
  readonly stream: Cell | NotThere;
  readonly tools: Cell | NotThere;
  readonly embed: Cell | NotThere;
  /** Its requests don't go through a `fetch` that can be given to it. */
  readonly ownTransport?: boolean;
  /** No two of its results are equal: they have ids and times of their own. */
  readonly volatile?: boolean;
}

export const columns = ['plain', 'stream', 'tools', 'embed'] as const;

export type AnyMethod = (...args: readonly unknown[]) => unknown;

/** The method at the end of a path, bound to what it is found on. */
export function find(client: object, path: string): AnyMethod {
  let owner: unknown = client;
  let found: unknown = client;
  for (const name of path.split('.')) {
    owner = found;
    found = (owner as Record<string, unknown>)[name];
  }
  return (...args) => (found as AnyMethod).apply(owner, args as unknown[]);
}

/** What a call comes to: the whole of a stream, wherever the SDK has put it. */
export async function consume(returned: unknown): Promise<unknown> {
  const value = (await returned) as Record<PropertyKey, unknown>;
  const stream = Symbol.asyncIterator in value ? value : (value.fullStream ?? value.stream ?? value.body);
  const isStream = typeof stream === 'object' && stream !== null && Symbol.asyncIterator in stream;
  return isStream ? Array.fromAsync(stream as AsyncIterable<unknown>) : value;
}
