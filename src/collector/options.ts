import type { AuditLog } from '../audit/log.ts';
import type { MetricStore } from '../metrics/store.ts';
import type { TelemetryOptions } from '../options.ts';
import type { TraceStore } from './trace-store.ts';

/** All optional. What `PUT /config` may change is `sampling` of `telemetry`, `queue` and `rateLimit`. */
export interface CollectorOptions {
  /**
   * Prices, sampling with its tail rules, redaction, the names and buckets of metrics, `runtime` and `onError`, in the
   * words of `createTelemetry`. Where what it collects goes on to is said by `forward`.
   */
  telemetry?: TelemetryOptions;
  /** A memory store by default. */
  traces?: TraceStore;
  /**
   * Where pushed metrics add up, and with several collectors those of spans too; what `/metrics` then shows. By default
   * the memory of this process.
   */
  metrics?: MetricStore;
  /** Who may send and ask: tenants by key. Without any, everybody is the tenant `default`. */
  keys?: Readonly<Record<string, string>>;
  /** Opens `/config`, and the metrics of all tenants. Without one there is no `/config`. */
  adminKey?: string;
  /** An OTLP endpoint that gets each span that is kept; `/v1/traces` is appended. */
  forward?: { endpoint: string; headers?: Record<string, string> };
  /** How much may wait, and what becomes of more. */
  queue?: QueueOptions;
  /** Requests in a window of 60 seconds; unlimited by default. */
  rateLimit?: RateLimitOptions;
  /** The page at `/`, on by default. */
  dashboard?: boolean;
  /** Gets an entry for each model call that is kept; none by default. */
  audit?: AuditLog;
  /** Gives every metric of spans the label `tenant`, so that a tenant's key may read `/metrics`. Off by default. */
  tenantLabel?: boolean;
  /** Believes `X-Tenant-ID` where there are no `keys`: for a proxy in front that sets it. Off by default. */
  trustTenantHeader?: boolean;
  /** Believes the first address of `X-Forwarded-For`: for a proxy in front that sets it. Off by default. */
  trustForwardedFor?: boolean;
  /** Bounds of requests, and of what is remembered. */
  limits?: CollectorLimits;
  /** What each agent may fail and cost, as gauges that rules and dashboards compare with; `unknown` is for the others. */
  objectives?: Readonly<Record<string, Objective>>;
  /** Bytes that the program takes, for a gauge; `undefined` where its runtime does not tell. */
  memoryBytes?: () => number | undefined;
  /** Reads anew what `/config` may change, for `POST /config/reload`; without it that goes back to these options. */
  reload?: () => LiveOptions;
}

/** What may change while a collector runs. */
export interface LiveOptions {
  readonly sampling?: TelemetryOptions['sampling'];
  readonly queue?: QueueOptions;
  readonly rateLimit?: Omit<RateLimitOptions, 'binding'>;
}

export interface Objective {
  /** Share of the calls that may fail, 0 to 1. */
  errorRate?: number;
  /** US dollars of a period, as the rules have it. */
  costBudgetUsd?: number;
}

export interface QueueOptions {
  /** Spans that wait or are under way, 50,000. */
  max?: number;
  /** Share of `max` above which requests count as warnings, 0.8. */
  softLimit?: number;
  /** Share of `max` that is never exceeded, 0.95. */
  hardLimit?: number;
  /** Answers 429 to who comes last, the default, or 503 to who has waited longest. */
  whenFull?: 'reject' | 'drop_oldest';
}

export interface RateLimitOptions {
  /** Requests of one address. */
  perIp?: number;
  /** Requests of one service. */
  perService?: number;
  /**
   * A rate-limiting binding of Cloudflare's, asked for each address in the place of a count of this instance's own:
   * https://developers.cloudflare.com/workers/runtime-apis/bindings/rate-limit/
   */
  binding?: { limit(of: { key: string }): Promise<{ success: boolean }> };
}

export interface CollectorLimits {
  /** Bytes of a request as it is sent, 4 MiB. */
  bodyBytes?: number;
  /** Bytes of a request once it is unpacked, 16 MiB. */
  inflatedBytes?: number;
  /** Spans of a request, 20,000; more are answered 413, and exporters then send less. */
  spansPerRequest?: number;
  /** Senders (service, environment and tenant) that have metrics of their own, 500; others share one. */
  emitters?: number;
  /** Traces that wait for their root since a tail rule may keep them, 10,000. */
  heldTraces?: number;
  /** Spans of those, 100,000. */
  heldSpans?: number;
  /** Milliseconds that they wait at most, 30,000. */
  heldMs?: number;
  /** Addresses and services that are counted by for `rateLimit`, 10,000 each; others share one count. */
  rateLimitKeys?: number;
  /** Cumulative series of senders that are remembered, 20,000. */
  pushedSeries?: number;
  /** Listeners of `/v1/live`, 100. */
  listeners?: number;
}
