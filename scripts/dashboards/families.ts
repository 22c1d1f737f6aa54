import { nameFamilies, ownDefinitions } from '../../src/llm/families.ts';

/** What the variables of a dashboard choose, and the labels they are matched with. */
export const filters = ['service', 'environment', 'provider', 'model', 'agent'] as const;
export type Filter = (typeof filters)[number];

const sender = ['service', 'environment'];
const perAgent = [...sender, 'agent', 'window'];
const perService = [...sender, 'window'];

/** Labels of what is no family of model calls: `edgespan_*`, budgets, and what `dashboards/prometheus` records. */
const others: Readonly<Record<string, readonly string[]>> = {
  llm_budget_limit_usd: [...sender, 'limit', 'window'],
  llm_budget_spent_usd: [...sender, 'limit', 'window'],
  llm_budget_rejections_total: [...sender, 'limit', 'window', 'reason'],
  llm_budget_alerts_total: [...sender, 'limit', 'window', 'threshold'],
  edgespan_parse_errors_total: [...sender, 'provider'],
  edgespan_exports_total: [...sender, 'signal', 'result'],
  edgespan_dropped_total: [...sender, 'signal', 'reason'],
  edgespan_series_overflow_total: [...sender, 'metric'],
  edgespan_collector_queue_size: [],
  edgespan_collector_queue_utilization_percent: [],
  edgespan_collector_memory_bytes: [],
  edgespan_collector_trace_store_size: [],
  edgespan_collector_active_traces: [],
  edgespan_collector_ingestion_rate: [],
  edgespan_collector_held_spans: [],
  edgespan_collector_backpressure_warnings_total: [],
  edgespan_collector_spans_dropped_by_backpressure_total: [],
  edgespan_collector_rate_limited_total: ['dimension'],
  edgespan_collector_ingestion_rejections_total: sender,
  edgespan_collector_spans_sampled_total: sender,
  edgespan_collector_spans_dropped_by_sampling_total: sender,
  edgespan_collector_redaction_applied_total: sender,
  edgespan_collector_redaction_failures_total: sender,
  edgespan_collector_export_failures_total: sender,
  edgespan_collector_store_failures_total: sender,
  'edgespan:window_calls': perAgent,
  'edgespan:calls': perAgent,
  'edgespan:errors': perAgent,
  'edgespan:errors_by_model': [...sender, 'provider', 'model', 'window'],
  'edgespan:tokens': [...perAgent, 'token_type'],
  'edgespan:cost_usd': perAgent,
  'edgespan:error_budget': perAgent,
  'edgespan:error_budget_remaining': perAgent,
  'edgespan:error_budget_consumed_ratio': perAgent,
  'edgespan:sla_met': perAgent,
  'edgespan:error_days_to_exhaustion': perAgent,
  'edgespan:error_burn_rate': perAgent,
  'edgespan:service_cost_usd': perService,
  'edgespan:cost_budget_usd': perService,
  'edgespan:cost_budget_remaining_usd': perService,
  'edgespan:cost_budget_consumed_ratio': perService,
  'edgespan:cost_usd_per_day': perService,
  'edgespan:cost_days_to_exhaustion': perService,
};

const own = Object.values(nameFamilies(ownDefinitions('default'), { namespace: 'llm', buckets: {} }));
const known = new Map<string, readonly string[]>([
  ...own.map(({ name, labels }) => [name, [...sender, ...labels]] as const),
  ...Object.entries(others),
]);

/** Labels of a family, or of one of a histogram's series, as the collector's `/metrics` or a rule has it. */
export function labelsOf(metric: string): readonly string[] {
  const labels = known.get(metric) ?? known.get(metric.replace(/_(bucket|sum|count)$/, ''));
  if (!labels) throw new Error(`nobody emits ${metric}`);
  return metric.endsWith('_bucket') ? [...labels, 'le'] : labels;
}
