import type { Attributes } from '@opentelemetry/api';
import { asArray, asObject, asString } from '../json.ts';
import type { LlmRequest, LlmResponse, LlmUsage } from './provider.ts';
import type { SemconvNames } from './semconv.ts';

/** What providers and extractors of users may answer anything for: the parts that are what they should be. */
export function readResponse(given: LlmResponse | undefined): LlmResponse {
  const { id, model, provider, usage, costUsd, toolCalls, finishReasons, attributes, ...rest } = asObject(given) ?? {};
  const counts = Object.entries(asObject(usage) ?? {}).filter(([, count]) => isAmount(count));
  const reasons = asArray(finishReasons).filter((reason) => typeof reason === 'string');
  return {
    ...rest,
    id: asString(id),
    model: asString(model),
    provider: asString(provider),
    usage: counts.length > 0 ? Object.fromEntries(counts) : undefined,
    costUsd: isAmount(costUsd) ? costUsd : undefined,
    toolCalls: toolCalls ? asArray(toolCalls).filter(isToolCall) : undefined,
    finishReasons: reasons.length > 0 ? reasons : undefined,
    attributes: asObject(attributes),
  };
}

function isToolCall(call: unknown): call is { id?: string; name: string } {
  return asString(asObject(call)?.name) !== undefined;
}

function isAmount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

/** What the conventions say of a response. */
export function responseAttributes(response: LlmResponse, semconv: SemconvNames): Attributes {
  const { id, model, finishReasons, usage } = response;
  return {
    ...response.attributes,
    ...(id && { 'gen_ai.response.id': id }),
    ...(model && { 'gen_ai.response.model': model }),
    ...(finishReasons?.length && { 'gen_ai.response.finish_reasons': finishReasons }),
    ...(usage && usageAttributes(usage, semconv)),
  };
}

function usageAttributes(usage: LlmUsage, semconv: SemconvNames): Attributes {
  const attributes: Attributes = {};
  const set = (name: string, value: number | undefined) => {
    if (value !== undefined) attributes[name] = value;
  };
  set('gen_ai.usage.input_tokens', usage.input);
  set('gen_ai.usage.output_tokens', usage.output);
  set('gen_ai.usage.cache_read.input_tokens', usage.cacheRead);
  set(semconv.cacheWriteTokens, usage.cacheWrite);
  set('gen_ai.usage.reasoning.output_tokens', usage.reasoning);
  return attributes;
}

/** The words of the reference systems. What is unknown is absent, never 0. */
export function legacyAttributes(
  request: LlmRequest,
  response: LlmResponse,
  operation: string,
  seconds: number,
  errorType: string | undefined,
): Attributes {
  const { usage, toolCalls = [] } = response;
  const model = response.model ?? request.model;
  return {
    'llm.provider': response.provider ?? request.provider,
    ...(model && { 'llm.model': model }),
    'llm.operation': operation,
    'llm.latency_ms': round(seconds * 1000, 2),
    ...(usage?.input !== undefined && { 'llm.input_tokens': usage.input }),
    ...(usage?.output !== undefined && { 'llm.output_tokens': usage.output }),
    ...(usage?.total !== undefined && { 'llm.total_tokens': usage.total }),
    'llm.cache_hit': response.cacheHit ?? 'miss',
    'llm.tool_calls': toolCalls.length,
    'llm.tool_names': toolCalls.map(({ name }) => name),
    ...(errorType && { 'llm.error_type': errorType }),
  };
}

/** A number with so many decimals at most. */
export function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

/**
 * A stream that named why each choice stopped has come to its end, with or without a terminator; what a guardrail says
 * in the place of an answer names no reason.
 */
export function isComplete({ finishReasons, error, guardrail }: LlmResponse): boolean {
  if (finishReasons?.length) return error !== undefined || !finishReasons.includes('error');
  return error !== undefined || guardrail?.action === 'GUARDRAIL_INTERVENED';
}
