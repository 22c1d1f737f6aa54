import type { Attributes } from '@opentelemetry/api';
import { asArray, asObject, asString } from '../json.ts';
import type { LlmRequest, LlmResponse, LlmUsage } from './provider.ts';
import { present } from './providers/wire.ts';
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

/** What the conventions say of a response, as `readResponse` leaves it. */
export function responseAttributes(response: LlmResponse, { isLatest, cacheWriteTokens }: SemconvNames): Attributes {
  const { id, model, finishReasons, usage = {}, attributes } = response;
  return {
    ...attributes,
    ...present<Attributes>({
      'gen_ai.response.id': id,
      'gen_ai.response.model': model,
      'gen_ai.response.finish_reasons': finishReasons,
      'gen_ai.usage.input_tokens': usage.input,
      'gen_ai.usage.output_tokens': usage.output,
      'gen_ai.usage.cache_read.input_tokens': usage.cacheRead,
      [cacheWriteTokens]: usage.cacheWrite,
      'gen_ai.usage.reasoning.output_tokens': usage.reasoning,
      ...(isLatest && audioAttributes(usage)),
    }),
  };
}

/** Most vendors count it whether there was any or not. */
function audioAttributes({ audioInput, audioCacheRead, audioOutput }: LlmUsage): Attributes {
  return {
    'gen_ai.usage.audio.input_tokens': audioInput || undefined,
    'gen_ai.usage.audio.cache_read.input_tokens': audioCacheRead || undefined,
    'gen_ai.usage.audio.output_tokens': audioOutput || undefined,
  };
}

/** The words of the reference systems. What is unknown is absent, never 0. */
export function legacyAttributes(
  request: LlmRequest,
  response: LlmResponse,
  operation: string,
  seconds: number,
  errorType: string | undefined,
): Attributes {
  const { usage = {}, toolCalls = [] } = response;
  return {
    'llm.provider': response.provider ?? request.provider,
    'llm.operation': operation,
    'llm.latency_ms': round(seconds * 1000, 2),
    'llm.cache_hit': response.cacheHit ?? 'miss',
    'llm.tool_calls': toolCalls.length,
    'llm.tool_names': toolCalls.map(({ name }) => name),
    ...present<Attributes>({
      'llm.model': response.model ?? (request.model || undefined),
      'llm.input_tokens': usage.input,
      'llm.output_tokens': usage.output,
      'llm.total_tokens': usage.total,
      'llm.error_type': errorType || undefined,
    }),
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
