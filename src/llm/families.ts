/** What a family measures, whatever it is called. */
export type FamilyKey = keyof typeof help;

/** A family as it is defined. */
export interface Family {
  readonly name: string;
  readonly labels: readonly string[];
  readonly help: string;
  readonly buckets?: readonly number[];
}

export type FamilyTable = Readonly<Partial<Record<FamilyKey, Family>>>;

const help = {
  requests: 'Model calls.',
  duration: 'Seconds from call to last byte.',
  firstToken: 'Seconds to the first token.',
  perToken: 'Seconds per token after the first.',
  tokens: 'Tokens, all of a kind.',
  inputTokens: 'Input tokens.',
  outputTokens: 'Output tokens.',
  allTokens: 'Input and output tokens.',
  details: 'Tokens that tokens_total includes.',
  perRequest: 'Input and output tokens of a call.',
  dollars: 'Cost in US dollars.',
  dollarsPerRequest: 'US dollars of a call.',
  unpriced: 'Calls with usage and no known price.',
  cacheHits: 'Answers from a response cache.',
  cacheMisses: 'Looks into a response cache that found nothing.',
  costAlerts: 'Calls dearer than the option costAlert says.',
  toolCalls: 'Tool calls that a model asked for.',
  aborted: 'Calls whose caller left before the end.',
  errors: 'Errors by class.',
  spanSeconds: 'Seconds of agents, tools, retrievals and other spans.',
  toolRuns: 'Tools that were run.',
  retrievals: 'Retrievals.',
  spans: 'Calls, agents, tools and other work, by how it ended.',
  guardrailRequests: 'Calls that a guardrail was asked about.',
  guardrailViolations: 'What guardrails found, by category.',
  evaluationRuns: 'Evaluations of answers, failed ones too.',
  evaluationFailures: 'Evaluations that came to no score.',
  evaluationsDropped: 'Evaluations that there was no room for.',
  evaluationSeconds: 'Seconds of an evaluation.',
  evaluationScore: 'Scores of answers.',
  evaluationLatest: 'The latest score.',
  evaluationQueue: 'Evaluations that are under way.',
  evaluationQueueUse: 'Evaluations under way, of those that there is room for.',
  feedback: 'Scores that users gave.',
  feedbackScore: 'Scores that users gave, by height.',
};

export const requestSeconds = [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60];
export const spanSeconds = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60];
export const firstTokenSeconds = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10];
export const evaluationSeconds = [0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60];
/** Of judges, who answer from 0 to 1. */
const scores = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];
/** Bounds of the like families of Rastir. */
export const tokensPerCall = [10, 50, 100, 250, 500, 1000, 2000, 4000, 8000, 16_000, 32_000];
export const dollarsPerCall = [
  0.0001, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100,
];

/** Suffix, labels in their order, and of a histogram its bounds. */
export type Definition = readonly [suffix: string, labels: string, buckets?: readonly number[]];
export type Definitions = Readonly<Partial<Record<FamilyKey, Definition>>>;

const of = 'provider model agent';
const ofEvaluation = 'evaluation provider model agent';
const own: Definitions = {
  requests: ['requests_total', 'provider model operation status agent'],
  duration: ['request_duration_seconds', 'provider model operation agent', requestSeconds],
  firstToken: ['time_to_first_token_seconds', of, firstTokenSeconds],
  perToken: ['time_per_output_token_seconds', of, [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]],
  tokens: ['tokens_total', 'provider model token_type agent'],
  details: ['token_details_total', 'provider model token_type agent'],
  perRequest: ['tokens_per_request', of, tokensPerCall],
  dollars: ['cost_usd_total', of],
  dollarsPerRequest: ['cost_per_request_usd', 'model agent', dollarsPerCall],
  unpriced: ['unpriced_requests_total', of],
  cacheHits: ['cache_hits_total', 'cache_type agent'],
  cacheMisses: ['cache_misses_total', 'cache_type agent'],
  costAlerts: ['cost_alerts_total', of],
  toolCalls: ['tool_calls_total', 'tool_name agent'],
  aborted: ['streams_aborted_total', of],
  errors: ['errors_total', 'span_type error_type provider model agent'],
  spanSeconds: ['span_duration_seconds', 'span_type agent', spanSeconds],
  toolRuns: ['tool_executions_total', 'tool_name status agent'],
  retrievals: ['retrievals_total', 'agent'],
  guardrailRequests: ['guardrail_requests_total', 'provider model guardrail_id agent'],
  guardrailViolations: ['guardrail_violations_total', 'provider model guardrail_id action category agent'],
  evaluationRuns: ['evaluation_runs_total', ofEvaluation],
  evaluationFailures: ['evaluation_failures_total', ofEvaluation],
  evaluationsDropped: ['evaluation_dropped_total', ofEvaluation],
  evaluationSeconds: ['evaluation_duration_seconds', ofEvaluation, evaluationSeconds],
  evaluationScore: ['evaluation_score', ofEvaluation, scores],
  feedback: ['feedback_total', 'evaluation'],
  feedbackScore: ['feedback_score', 'evaluation', scores],
};

export interface FamilyOptions {
  readonly namespace: string;
  /** Bounds by full name, in place of those of the table. */
  readonly buckets: Readonly<Record<string, readonly number[]>>;
}

/** Our own families; a pricing profile that has a name is a label of costs. */
export function ownDefinitions(pricingProfile: string | undefined): Definitions {
  if (pricingProfile === undefined) return own;
  const { dollars, dollarsPerRequest } = own;
  return { ...own, dollars: withProfile(dollars!), dollarsPerRequest: withProfile(dollarsPerRequest!) };
}

function withProfile([suffix, labels, ...buckets]: Definition): Definition {
  return [suffix, `${labels} pricing_profile`, ...buckets];
}

/** A table of definitions under the names they get. */
export function nameFamilies(definitions: Definitions, { namespace, buckets }: FamilyOptions): FamilyTable {
  const named = Object.entries(definitions).map(([key, [suffix, labels, bounds]]) => {
    const name = `${namespace}_${suffix}`;
    const chosen = bounds && (buckets[name] ?? bounds);
    return [
      key,
      {
        name,
        labels: labels.split(' ').filter(Boolean),
        help: help[key as FamilyKey],
        ...(chosen && { buckets: chosen }),
      },
    ];
  });
  return Object.fromEntries(named);
}
