import type { Attributes } from '@opentelemetry/api';
import type { CallFacts } from './call-book.ts';
import { guardrailAttributes } from './guardrail.ts';
import { legacyAttributes, responseAttributes, round } from './response.ts';
import { llmOperation, type SemconvNames } from './semconv.ts';
import type { SpanDialect } from './span-dialect.ts';

export interface AttributeStyle {
  readonly pricingProfile?: string | undefined;
  readonly semconv: SemconvNames;
  readonly legacyAttributes: boolean;
  readonly dialect: SpanDialect;
}

/** What the span of a call says at its end; its times are its own, whatever attempts came before it. */
export function callAttributes(
  facts: CallFacts,
  times: { readonly seconds: number; readonly firstTokenSeconds: number | undefined },
  status: number | undefined,
  { pricingProfile, semconv, ...style }: AttributeStyle,
): Attributes {
  const { request, response, cost, failure, aborted, verdict } = facts;
  const attributes = responseAttributes(response, semconv);
  if (verdict) Object.assign(attributes, guardrailAttributes(verdict));
  if (request.stream) attributes['gen_ai.request.stream'] = true;
  if (times.firstTokenSeconds !== undefined) {
    attributes['gen_ai.response.time_to_first_chunk'] = times.firstTokenSeconds;
  }
  if (cost) attributes['llm.cost_usd'] = round(cost.totalUsd, 8);
  if (response.costUsd !== undefined) attributes['edgespan.cost.source'] = 'reported';
  else if (response.usage && !cost) attributes['edgespan.pricing.missing'] = true;
  if (cost && pricingProfile) attributes['edgespan.pricing.profile'] = pricingProfile;
  if (aborted) attributes['edgespan.aborted'] = true;
  if (status !== undefined) attributes['http.response.status_code'] = status;
  if (failure) Object.assign(attributes, { 'error.type': failure.type, 'edgespan.error_class': failure.class });
  if (style.legacyAttributes) {
    const operation = llmOperation(request.operation, request.stream);
    Object.assign(attributes, legacyAttributes(request, response, operation, times.seconds, failure?.name));
  }
  return Object.assign(attributes, style.dialect.attributes?.call(facts, times.firstTokenSeconds));
}
