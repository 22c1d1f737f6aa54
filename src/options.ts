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
import type { PriceSource } from './pricing/price.ts';
import type { Secret } from './prometheus/handler.ts';
import type { RedactRule } from './redact/redactor.ts';
import type { Fetch, Runtime } from './runtime.ts';
import type { ExportFunction, SpanExporter } from './trace/readable-span.ts';

/** Bounds of what is kept and looked at; of most there are `OTEL_*` variables too. */
export interface Limits {
  /** Ended spans that wait for an exporter, 2,048. */
  spans?: number;
  /** Their size in bytes, roughly, 4 MiB. */
  bytes?: number;
  /** Attributes of a span, 128; of an event and a link as many, unless variables say otherwise. */
  attributesPerSpan?: number;
  /** Events of a span, 128. */
  eventsPerSpan?: number;
  /** Links of a span, 128. */
  linksPerSpan?: number;
  /** Characters of a text in an attribute, bytes of a byte array, 4,096. */
  valueLength?: number;
  /** Series of a metric, 2,000; what comes beyond counts in one of its own, `otel_metric_overflow="true"`. */
  seriesPerMetric?: number;
  /** Bytes of a model's unstreamed answer that are looked at, 4 MiB. */
  bodyBytes?: number;
  /** Bytes of one event of a stream, 1 MiB. */
  eventBytes?: number;
}

/**
 * All optional. What is given here beats the environment, which beats the default; two variables beat options,
 * `OTEL_SDK_DISABLED` and a list of exporters without `otlp`. A wrong or unknown option throws a `TelemetryError`.
 */
export interface TelemetryOptions {
  /** `service.name` of the resource, `unknown_service` by default. */
  serviceName?: string;
  /** `service.version` of the resource; none by default. */
  serviceVersion?: string;
  /** `deployment.environment.name` of the resource, as `production`; none by default. */
  environment?: string;
  /** More attributes of the resource; they win over `OTEL_RESOURCE_ATTRIBUTES`. */
  resource?: Attributes;
  /** The instrumentation scope of our own spans; by default `edgespan` and its version. */
  scope?: { name: string; version?: string };
  /** Off until an endpoint is given, here or by `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  otlp?: OtlpOptions;
  /** When and how what is buffered goes out. */
  flush?: {
    /** Spans in a request, 512. */
    batchSize?: number;
    /** Milliseconds between two flushes, where the runtime or what a request started outlives a response, 5,000. */
    intervalMs?: number;
    /** Milliseconds for a whole flush, and for a body that nobody reads, 5,000. */
    timeoutMs?: number;
    /** Times that a request is sent again, 3. */
    maxRetries?: number;
  };
  /**
   * By which version of the GenAI conventions `gen_ai.*` attributes and metrics are named. `1.41`, the default, is what
   * backends read today; `latest` follows https://github.com/open-telemetry/semantic-conventions-genai.
   */
  semconv?: '1.41' | 'latest';
  /**
   * The attributes `llm.provider`, `.model`, `.operation`, `.latency_ms`, `.input_tokens`, `.output_tokens`,
   * `.total_tokens`, `.cache_hit`, `.tool_calls`, `.tool_names` and `.error_type` of model calls (on tools the first
   * two), beside `gen_ai.*`. On by default.
   */
  legacyAttributes?: boolean;
  /**
   * Asks streamed chat completions for their usage (`stream_options.include_usage`), where the request does not say, and
   * hides the extra chunk that has it. Off by default: it is the one option that changes a request.
   */
  includeUsage?: boolean;
  /** Get the ended spans, beside OTLP: OpenTelemetry's exporters, or functions. None by default. */
  exporters?: readonly (SpanExporter | ExportFunction)[];
  /** A readable line a span on the console. Off by default. */
  console?: boolean;
  /** Keeps the newest spans for `telemetry.spans`, 1,000 of them unless `maxSpans` says otherwise. Off by default. */
  inMemory?: boolean | { maxSpans?: number };
  metrics?: {
    /** `false` shows and sends no metrics; spans go on. On by default. */
    enabled?: boolean;
    /** Prefix of our own families, `llm`; with a preset in the place of its own. */
    namespace?: string;
    /**
     * Speaks like another system, whose dashboards and alerts go on: names, labels, buckets and caps of metrics, names
     * and attributes of spans. Our own families about calls, agents and tools are not there then.
     */
    preset?: PresetName;
    /** Upper bounds of histograms by family name: `{ llm_request_duration_seconds: [0.1, 1, 10] }`. */
    buckets?: Record<string, readonly number[]>;
    /**
     * Distinct values of a label; what comes beyond counts as `__cardinality_overflow__`. By default `model` 50,
     * `provider` 30, `tool_name` 200, `agent` 200, `guardrail_id` 100, `evaluation` 100, `pricing_profile` 20; a preset
     * has its own.
     */
    cardinality?: Record<string, number>;
    /** One of `createMetricRegistry`, to count in together with others; by default one of its own. */
    registry?: MetricRegistry;
    /** The `gen_ai.*` and `mcp.*` histograms in Prometheus too, not by OTLP alone. Off by default. */
    semconv?: boolean;
    /**
     * Where the numbers of many isolates or processes add up; what `/metrics` then shows. Telemetries that share a
     * registry share the store too.
     */
    store?: MetricStore;
    /** Serves this isolate's numbers although others exist, where there is no `store`. Off by default. */
    local?: boolean;
    /** Bearer token for `metricsHandler`. None by default: the page is open. Given but empty: it answers 503. */
    token?: Secret;
  };
  /**
   * USD per million tokens, or the URL of such a table as JSON, fetched once. Earlier ones win, then the file that
   * `EDGESPAN_PRICES_FILE` names, then the JSON in `EDGESPAN_PRICES`, then the built-in tables.
   */
  prices?: PriceSource | readonly PriceSource[];
  /** Says by which prices a cost was reckoned: the label `pricing_profile`, which is not there by default. */
  pricingProfile?: string;
  /** Another currency for the sums of sessions, beside USD: units of it that one US dollar buys. */
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
  /** Vendors of your own, asked before the built-in ones of the same priority. */
  providers?: readonly Provider[];
  /**
   * Which traces are kept; metrics count all of them. The `keep*` rules keep what `ratio` left out, decided when the
   * trace's first span in this program ends; none by default.
   */
  sampling?: {
    /** Share of traces to keep, 0 to 1, by trace id; a trace that is continued follows its caller. 1 by default. */
    ratio?: number;
    /** Keeps traces with a span that failed. */
    keepErrors?: boolean;
    /** Keeps traces with a span that took more milliseconds. */
    keepSlowerThanMs?: number;
    /** Keeps traces whose model calls cost more US dollars together. */
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
    /** `w3c` (trace context and baggage) by default; `b3` and `b3multi` come from `edgespan/b3`. */
    formats?: readonly ('w3c' | TextMapPropagator)[];
    /**
     * Whether to continue the caller's trace; off by default: a new trace with a link. MCP servers continue it unless
     * this says otherwise.
     */
    trustIncoming?: boolean | ((request: Request) => boolean);
    /** The hosts that get our trace context; nobody by default. */
    to?: (url: URL) => boolean;
  };
  /** Bounds of buffers, spans, metrics and bodies. */
  limits?: Limits;
  /** Does the real requests; the global `fetch` at call time by default. */
  fetch?: Fetch;
  /** `false` passes everything through. On by default; with `OTEL_SDK_DISABLED=true` off whatever is said here. */
  enabled?: boolean;
  /** Hears of each kind of failure at most once a minute; a warning on the console by default. */
  onError?: (error: TelemetryError) => void;
  /** Parts in the place of the runtime's own, which the entry brings; for tests, and for `edgespan/core`. */
  runtime?: Runtime;
}
