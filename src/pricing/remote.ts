import { withTimeout } from '../clock.ts';
import { messageOf, TelemetryError } from '../errors.ts';
import { parsePrices } from './check.ts';
import type { PriceTable } from './price.ts';

/** Of the JSON that a URL answers. */
const maxBytes = 1024 * 1024;
/** To fetch it, where earlier ones have failed or ended with the request that made them. */
const maxAttempts = 3;

export interface RemoteOptions {
  readonly url: URL;
  readonly fetch: () => (input: URL, init: RequestInit) => Promise<Response>;
  readonly monotonic: () => number;
  /** For one attempt. */
  readonly timeoutMs: number;
  readonly report: (error: unknown) => void;
  readonly onLoad: () => void;
}

/** A table that is fetched once. Nobody waits for it but who calls `load`. */
export interface RemoteTable {
  readonly table: PriceTable | undefined;
  /** Fetches the table unless it is there or under way; settles within `ms` and never rejects. */
  load(ms?: number): Promise<void>;
}

export function createRemoteTable(options: RemoteOptions): RemoteTable {
  const { url, monotonic, timeoutMs } = options;
  let table: PriceTable | undefined;
  let attempts = 0;
  let startedAt = 0;

  async function load(ms: number): Promise<void> {
    const abort = new AbortController();
    let outcome: unknown = 'no answer in time';
    const fetching = fetchTable(options.fetch(), url, abort.signal).then(
      (fetched) => {
        table = fetched;
        outcome = undefined;
        options.onLoad();
      },
      (error) => {
        outcome = messageOf(error);
      },
    );
    await withTimeout(fetching, ms);
    if (outcome === undefined) return;
    abort.abort();
    // The URL itself may hold a secret.
    const message = `prices from ${url.host} are not there: ${outcome}`;
    options.report(new TelemetryError('prices_unavailable', message, { option: 'prices' }));
  }

  return {
    get table() {
      return table;
    },
    async load(ms = timeoutMs) {
      const now = monotonic();
      // An attempt that never settles belonged to a request that is over.
      const isUnderWay = attempts > 0 && now - startedAt < timeoutMs;
      if (table || attempts === maxAttempts || isUnderWay || ms <= 0) return;
      attempts++;
      startedAt = now;
      await load(Math.min(ms, timeoutMs));
    },
  };
}

async function fetchTable(
  fetch: ReturnType<RemoteOptions['fetch']>,
  url: URL,
  signal: AbortSignal,
): Promise<PriceTable> {
  const response = await fetch(url, { headers: { accept: 'application/json' }, signal });
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`status ${response.status}`);
  }
  return parsePrices(await readText(response));
}

async function readText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  const reader = response.body?.getReader();
  for (let read = await reader?.read(); read && !read.done; read = await reader?.read()) {
    bytes += read.value.length;
    if (bytes > maxBytes) {
      await reader?.cancel();
      throw new Error(`more than ${maxBytes} bytes`);
    }
    text += decoder.decode(read.value, { stream: true });
  }
  return text + decoder.decode();
}
