import type { Emitter } from './emitter.ts';

/** What is the same on every metric of a telemetry. */
export interface FixedLabels extends Emitter {
  readonly pricingProfile: string;
  /** Of a collector that many send to. */
  readonly tenant?: string | undefined;
}

/** All labels there are, of which each family picks its own by name: one object a call, whatever is recorded of it. */
export type MetricLabels = ReturnType<typeof createLabels>;

export function createLabels(fixed: FixedLabels, provider: string, model: string, agent: string) {
  return {
    service: fixed.service,
    env: fixed.env,
    environment: fixed.env,
    tenant: fixed.tenant ?? '',
    pricing_profile: fixed.pricingProfile,
    provider,
    model,
    agent,
    operation: '',
    status: '',
    span_type: '',
    error_type: '',
    token_type: '',
    tool_name: '',
    cache_type: '',
    guardrail_id: '',
    guardrail_version: '',
    action: '',
    guardrail_action: '',
    category: '',
    guardrail_category: '',
    evaluation: '',
    evaluation_type: '',
    evaluator_provider: '',
    evaluator_model: '',
  };
}
