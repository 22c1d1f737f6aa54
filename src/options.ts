import type { Attributes, TextMapPropagator } from '@opentelemetry/api';
import type { BudgetOptions } from './budget/options.ts';
import type { TelemetryError } from './errors.ts';
import type { Capture } from './llm/content/capture.ts';
import type { CostAlert } from './llm/cost-alert.ts';
import type { EvaluationOptions } from './llm/evaluation/evaluator.ts';
import type { GuardrailResult } from './llm/guardrail.ts';
import type { PresetName } from './llm/presets.ts';
import type { Provider } from './llm/provider.ts';
import type { MetricRegistry } from './metrics/metric-registry.ts';
import type { MetricStore } from './metrics/store.ts';
import type { OtlpOptions } from './otlp/config.ts';
import type { Fetch } from './otlp/transport.ts';
import type { PriceSource } from './pricing/price.ts';
import type { Secret } from './prometheus/handler.ts';
import type { RedactRule } from './redact/redactor.ts';
import type { Runtime } from './runtime.ts';
import type { ExportFunction, SpanExporter } from './trace/readable-span.ts';

export interface Limits {
  /** Ended spans that wait for an exporter, 2,048. */
  spans?: number;
  /** Their size in bytes, roughly, 4 MiB. */
  bytes?: number;
  /** 128 */
  attributesPerSpan?: number;
  /** 128 */
  eventsPerSpan?: number;
  /** 128 */
  linksPerSpan?: number;
  /** Characters of an attribute, 4,096. */
  valueLength?: number;
  /** 2,000 */
  seriesPerMetric?: number;
  /** Bytes of a model's unstreamed answer that are looked at, 4 MiB. */
  bodyBytes?: number;
  /** Bytes of one event of a stream, 1 MiB. */
  eventBytes?: number;
}

/** All optional. What is given here beats the environment, which beats the default. */
export interface TelemetryOptions {
  serviceName?: string;
  serviceVersion?: string;
  /** `deployment.environment.name` */
  environment?: string;
  /** More attributes of the resource; they win over `OTEL_RESOURCE_ATTRIBUTES`. */
  resource?: Attributes;
  /** The instrumentation scope of our own spans, `edgespan` by default. */
  scope?: { name: string; version?: string };
  /** Off until an endpoint is given, here or by `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  otlp?: OtlpOptions;
  flush?: {
    /** Spans in a request, 512. */
    batchSize?: number;
    /** Between two flushes, where the runtime lives on after a response, 5,000. */
    intervalMs?: number;
    /** For a whole flush, and for a body that nobody reads, 5,000. */
    timeoutMs?: number;
    /** Of a request, 3. */
    maxRetries?: number;
  };
  semconv?: '1.41' | 'latest';
  /** The `llm.*` attributes of the reference systems, on by default. */
  legacyAttributes?: boolean;
  /**
   * Asks streamed chat completions for their usage (`stream_options.include_usage`), where the request does not say, and
   * hides the extra chunk that has it. Off by default: it is the one option that changes a request.
   */
  includeUsage?: boolean;
  exporters?: readonly (SpanExporter | ExportFunction)[];
  /** A readable line a span on the console. */
  console?: boolean;
  /** Keeps the newest spans for `telemetry.spans`, 1,000 of them where only `true` is given. */
  inMemory?: boolean | { maxSpans?: number };
  metrics?: {
    enabled?: boolean;
    /** Prefix of our own families, `llm`; with a preset in the place of its own. */
    namespace?: string;
    /**
     * Speaks like another system, whose dashboards and alerts go on: names, labels, buckets and caps of metrics, names
     * and attributes of spans. Our own families about calls, agents and tools are not there then.
     */
    preset?: PresetName;
    /** Bounds by family name: `{ llm_request_duration_seconds: [0.1, 1, 10] }`. */
    buckets?: Record<string, readonly number[]>;
    cardinality?: Record<string, number>;
    registry?: MetricRegistry;
    /** The `gen_ai.*` histograms in Prometheus too. */
    semconv?: boolean;
    /**
     * Where the numbers of many isolates or processes add up; what `/metrics` then shows. Telemetries that share a
     * registry share the store too.
     */
    store?: MetricStore;
    /** Serves this isolate's numbers although others exist, where there is no `store`. */
    local?: boolean;
    /** Bearer token of `metricsHandler`. */
    token?: Secret;
  };
  /**
   * USD per million tokens, or the URL of such a table as JSON, fetched once. Earlier ones win, then the file that
   * `EDGESPAN_PRICES_FILE` names, then the JSON in `EDGESPAN_PRICES`, then the built-in tables.
   */
  prices?: PriceSource | readonly PriceSource[];
  /** Says by which prices a cost was reckoned, `pricing_profile` on metrics. */
  pricingProfile?: string;
  /** Another currency for the sums of sessions: units of it that one US dollar buys. */
  currency?: { code: string; perUsd: number };
  /**
   * Reads a verdict of a guardrail off each call that is over: what was asked and answered, parsed, or of a stream what it
   * came to. It changes nothing about the call.
   */
  guardrail?: (exchange: { request: unknown; response: unknown }) => GuardrailResult | undefined;
  /**
   * Has answers judged once they were given: of a share of the calls without an error, what was said is held until then,
   * also where `capture` keeps nothing.
   */
  evaluation?: EvaluationOptions;
  /** Hears of each call that costs more than `usd`; such calls are counted too. */
  costAlert?: CostAlert;
  /** Limits of what model calls may cost, held before each call. */
  budget?: BudgetOptions;
  /** Asked before the built-in ones. */
  providers?: readonly Provider[];
  sampling?: {
    /** Share of traces to keep, 0 to 1. */
    ratio?: number;
    keepErrors?: boolean;
    keepSlowerThanMs?: number;
    keepCostlierThanUsd?: number;
  };
  /**
   * What is kept of what goes into calls and comes out of them: nothing by default, of each text 500 characters with
   * `true`, or so many as a number says. Bytes are described, secrets taken out before a text is cut.
   */
  capture?: Capture;
  /**
   * Takes secrets out of every string of spans, resource and metric labels before anything gets them. Patterns come from
   * `edgespan/redact`. A rule that fails leaves nothing of the text.
   */
  redact?: RedactRule | readonly RedactRule[];
  propagation?: {
    /** `w3c` by default; `b3` and `b3multi` come from `edgespan/b3`. */
    formats?: readonly ('w3c' | TextMapPropagator)[];
    /** Whether to continue the caller's trace; off by default: a new trace with a link. */
    trustIncoming?: boolean | ((request: Request) => boolean);
    /** The hosts that get our trace context; nobody by default. */
    to?: (url: URL) => boolean;
  };
  limits?: Limits;
  /** Does the real requests; the global `fetch` at call time by default. */
  fetch?: Fetch;
  /** `false` passes everything through. */
  enabled?: boolean;
  /** Hears of each kind of failure at most once a minute; a warning on the console by default. */
  onError?: (error: TelemetryError) => void;
  runtime?: Runtime;
}
