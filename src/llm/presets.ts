import {
  dollarsPerCall,
  evaluationSeconds,
  firstTokenSeconds,
  requestSeconds,
  spanSeconds,
  tokensPerCall,
} from './families.ts';
import { common, type MetricDialect, ownDialect } from './metric-dialect.ts';

export type PresetName = 'ractogateway' | 'rastir' | 'synapsekit';

const calls = 'service env model provider agent';
const judged = 'service env model provider agent evaluation_type evaluator_model evaluator_provider';
const rastirSeconds = ['duration_seconds', 'service env span_type model provider agent', spanSeconds] as const;
const policies = ['CONTENT_POLICY', 'SENSITIVE_INFORMATION_POLICY', 'WORD_POLICY', 'TOPIC_POLICY'];
const rastirWords: Readonly<Record<string, string>> = { azure: 'azure_openai', google: 'gemini', vertex: 'gemini' };
/** `us.anthropic.claude-…`, as an id or at the end of an ARN: the vendor stands before the first dot. */
const bedrockVendor = /^(?:.*\/)?(?:(?:us|us-gov|eu|apac|ap|jp|au|ca|sa|me|af|global)\.)?([a-z0-9-]+)\./;

/**
 * Names, labels, bounds and caps of each system and nothing else: a family that it lacks is not there. A function, since
 * a table made of more than literals stays in bundles that do without.
 */
const createPresets = (): Readonly<Record<PresetName, MetricDialect>> => ({
  // https://github.com/IAMPathak2702/RactoGateway
  ractogateway: {
    ...common,
    namespace: 'ractogateway',
    definitions: {
      requests: ['requests_total', 'provider model operation status'],
      duration: ['request_duration_seconds', 'provider model operation', requestSeconds],
      tokens: ['tokens_total', 'provider model token_type'],
      dollars: ['cost_usd_total', 'provider model'],
      cacheHits: ['cache_hits_total', 'cache_type'],
      cacheMisses: ['cache_misses_total', 'cache_type'],
      toolCalls: ['tool_calls_total', 'tool_name'],
    },
  },
  // https://github.com/skamalj/rastir
  rastir: {
    namespace: 'rastir',
    definitions: {
      // Its dashboards look here for services and environments.
      spans: ['spans_ingested_total', 'service env span_type status'],
      requests: ['llm_calls_total', calls],
      inputTokens: ['tokens_input_total', calls],
      outputTokens: ['tokens_output_total', calls],
      toolRuns: ['tool_calls_total', 'service env tool_name agent model provider'],
      retrievals: ['retrieval_calls_total', 'service env agent model provider'],
      errors: ['errors_total', 'service env span_type error_type model provider agent'],
      duration: rastirSeconds,
      spanSeconds: rastirSeconds,
      perRequest: ['tokens_per_call', 'service env model provider', tokensPerCall],
      dollars: ['cost_total', `${calls} pricing_profile`],
      dollarsPerRequest: ['cost_per_call_usd', 'service env model', dollarsPerCall],
      unpriced: ['pricing_missing_total', 'service env model provider'],
      firstToken: ['ttft_seconds', 'service env model provider', firstTokenSeconds],
      guardrailRequests: [
        'guardrail_requests_total',
        'service env provider model agent guardrail_id guardrail_version',
      ],
      guardrailViolations: [
        'guardrail_violations_total',
        'service env provider model agent guardrail_id guardrail_action guardrail_category',
      ],
      evaluationRuns: ['evaluation_runs_total', judged],
      evaluationFailures: ['evaluation_failures_total', judged],
      evaluationSeconds: ['evaluation_latency_seconds', judged, evaluationSeconds],
      evaluationLatest: ['evaluation_score', judged],
      evaluationsDropped: ['evaluation_dropped_total', 'service env'],
      evaluationQueue: ['evaluation_queue_size', ''],
      evaluationQueueUse: ['evaluation_queue_utilization_percent', ''],
    },
    caps: {
      model: 50,
      provider: 10,
      tool_name: 200,
      agent: 200,
      error_type: 50,
      guardrail_id: 100,
      pricing_profile: 20,
    },
    provider: (name, model) =>
      name === 'bedrock' ? (bedrockVendor.exec(model)?.[1] ?? name) : (rastirWords[name] ?? name),
    spanType: (type) => (type === 'trace' ? 'system' : type),
    unknown: 'unknown',
    positive: true,
    guardrails: { categories: [...policies, 'CONTEXTUAL_GROUNDING_POLICY', 'DENIED_TOPIC'], strict: true },
  },
  // https://github.com/SynapseKit/SynapseKit
  synapsekit: {
    ...common,
    namespace: 'synapsekit',
    definitions: {
      allTokens: ['tokens_total', 'model provider'],
      dollars: ['cost_usd_total', 'model provider'],
      duration: ['latency_seconds', 'model provider', [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]],
    },
    positive: false,
  },
});

/** Of a system, or our own. */
export function metricDialect(preset: PresetName | undefined, pricingProfile: string | undefined): MetricDialect {
  return preset ? createPresets()[preset] : ownDialect(pricingProfile);
}
