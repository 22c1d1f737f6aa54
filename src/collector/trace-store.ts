import type { ReadableSpan } from '../trace/readable-span.ts';

/** What to look for. All that is given must hold; the newest traces come first. */
export interface TraceQuery {
  /** A service that has a span in the trace. */
  service?: string;
  /** A model that was asked or answered. */
  model?: string;
  /** `error` where any span of the trace failed. */
  status?: 'ok' | 'error';
  minDurationMs?: number;
  minCostUsd?: number;
  /** Epoch milliseconds: traces whose latest span ended then or later. */
  since?: number;
  /** 1 to 1,000; 20 by default. */
  limit?: number;
  /** Of the page before. */
  cursor?: string;
}

/** A trace as a list shows it. */
export interface TraceSummary {
  readonly traceId: string;
  /** Of the root, else of the earliest span. */
  readonly name: string;
  readonly service: string;
  /** Epoch milliseconds. */
  readonly start: number;
  /** From the earliest start to the latest end. */
  readonly durationMs: number;
  readonly spanCount: number;
  readonly status: 'ok' | 'error';
  readonly models: readonly string[];
  /** Of model calls that are nobody's parent; absent where no span says any. */
  readonly tokens: number | undefined;
  readonly costUsd: number | undefined;
}

/**
 * What a span costs in US dollars: what it says itself, else, of a model call, what the collector's prices do; `undefined`
 * where nobody knows.
 */
export type CostOf = (span: ReadableSpan) => number | undefined;

/**
 * Where a collector keeps traces, each tenant's apart from the others'. Bounded: of too many traces the least recently
 * updated leaves first, of too many spans of a trace the later ones are not kept. A span that comes again replaces itself.
 */
export interface TraceStore {
  /**
   * Resolves once the spans outlive a crash, as far as the store promises that. `costOf` tells what summaries show of
   * spans that don't say it; the spans stay as they were sent.
   */
  add(spans: readonly ReadableSpan[], tenant: string, costOf?: CostOf): Promise<void>;
  /** A trace's spans by start time; `undefined` where the tenant has no such trace. */
  get(traceId: string, tenant: string): Promise<readonly ReadableSpan[] | undefined>;
  query(query: TraceQuery, tenant: string): Promise<{ traces: readonly TraceSummary[]; cursor?: string }>;
  /** How many traces there are, of all tenants, where that is quickly told. */
  size?(): number | Promise<number>;
}
