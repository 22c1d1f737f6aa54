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
