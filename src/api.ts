/** The names that `edgespan` and `edgespan/core` have in common. */

export type { Budget, GuardedCall } from './budget/budget.ts';
export { BudgetExceededError } from './budget/exceeded.ts';
export { createMemoryBudgetStore, type MemoryBudgetStoreOptions } from './budget/memory-store.ts';
export type {
  BudgetCall,
  BudgetLimit,
  BudgetOptions,
  BudgetRefusal,
  BudgetWarning,
  CircuitState,
  RefusalReason,
} from './budget/options.ts';
export type { BudgetStatus } from './budget/status.ts';
export type { Amount, BudgetStore, ReservationRef, Reserved, ReserveRequest } from './budget/store.ts';
export type { BudgetWindow } from './budget/window.ts';
export type { DropReason, Signal, SignalResult } from './delivery.ts';
export type { Health } from './diagnostics.ts';
export { TelemetryError, type TelemetryErrorCode } from './errors.ts';
export type { FlushResult } from './flush.ts';
export type { Capture } from './llm/content/capture.ts';
export type { ContentFormat, ProviderContent } from './llm/content/message.ts';
export type { CostAlert } from './llm/cost-alert.ts';
export type { ErrorClass } from './llm/error-class.ts';
export type {
  Evaluation,
  EvaluationInput,
  EvaluationOptions,
  EvaluationResult,
  EvaluationTools,
  Evaluator,
  Feedback,
} from './llm/evaluation/evaluator.ts';
export type { GuardrailResult } from './llm/guardrail.ts';
export {
  type CacheHit,
  defineProvider,
  type Gateway,
  type ItemReader,
  type LlmRequest,
  type LlmResponse,
  type LlmUsage,
  type Operation,
  type Provider,
  type ProviderRequest,
  type Reply,
  type StreamEvent,
  type StreamReader,
} from './llm/provider.ts';
export { openaiCompatible } from './llm/providers/openai-compatible.ts';
export type { QualityScores, QualityTrend } from './llm/quality.ts';
export type { CacheLookup, LlmCall } from './llm/record-call.ts';
export type { KnownOfSpan } from './llm/record-span.ts';
export type { CostRecord, Session, SessionOptions, Usage } from './llm/session.ts';
export { createSpanProcessor, type GenAiSpanProcessor, type SpanSink } from './llm/span-processor.ts';
export type { WrapOptions } from './llm/wrap.ts';
export type {
  AgentOptions,
  LlmOptions,
  LlmWrapper,
  RetrievalOptions,
  RetrievalWrapper,
  SpanOptions,
  SpanType,
  SpanWrapper,
  ToolOptions,
} from './llm/wrappers.ts';
export { createMemoryMetricStore, type MemoryMetricStoreOptions } from './metrics/memory-store.ts';
export type {
  Counter,
  Gauge,
  Histogram,
  Labels,
  MetricOptions,
  MetricRegistry,
  MetricRegistryOptions,
} from './metrics/metric-registry.ts';
export { createMetricRegistry } from './metrics/registry.ts';
export type { Exemplar, MetricFamily, MetricsSnapshot, Point } from './metrics/snapshot.ts';
export { type BatchFamily, type MetricBatch, type MetricStore, StoreRefusal } from './metrics/store.ts';
export { type MetricSource, type MetricsRouteOptions, metricsHandler } from './metrics-source.ts';
export type { Limits, TelemetryOptions } from './options.ts';
export type { OtlpOptions } from './otlp/config.ts';
export type { OtlpEncoder } from './otlp/encoder.ts';
export type { Cost, CostOptions, Price, PriceSource, PriceTable, Rates } from './pricing/price.ts';
export type { Secret } from './prometheus/handler.ts';
export type { RedactPattern, RedactPlace, RedactRule } from './redact/redactor.ts';
export type { OpenTelemetryApi } from './register.ts';
export type { ContextStorage, Fetch, Runtime } from './runtime.ts';
export type { Carrier, Scope, Telemetry } from './telemetry.ts';
export type {
  ExportFunction,
  InstrumentationScope,
  ReadableSpan,
  Resource,
  SpanEvent,
  SpanExporter,
} from './trace/readable-span.ts';
