import type { Attributes, Context } from '@opentelemetry/api';
import { TelemetryError } from '../errors.ts';
import { asObject, asString } from '../json.ts';
import type { CallEnd } from './call.ts';
import type { LlmResponse, Operation } from './provider.ts';
import type { LlmRecorder } from './recorder.ts';

/** A model call that was made elsewhere, or that a cache answered. What is left out is unknown. */
export interface LlmCall {
  /** Short name, as `openai`. */
  provider: string;
  /** As price tables know it. */
  model: string;
  /** `chat` by default. */
  operation?: Operation;
  /** Milliseconds from call to last byte. */
  latencyMs?: number;
  /** All of them, those from a cache too. */
  inputTokens?: number;
  /** All of them, reasoning too. */
  outputTokens?: number;
  /** Where the vendor says no more than this. */
  totalTokens?: number;
  /** `exact` and `semantic` are hits of the application's response cache: no tokens, no cost. */
  cacheHit?: 'exact' | 'semantic' | 'miss';
  /** Tools that the model asked for: how many, or which. */
  toolCalls?: number | readonly { name?: string }[];
  /** `ok` by default, `error` where there is an `errorType`. */
  status?: 'ok' | 'error';
  /** The vendor's code, or the name of what was thrown. */
  errorType?: string;
  /** How the vendor served it, where that is priced apart: `flex`, `priority`. */
  serviceTier?: string;
  /** Wins over what the price tables say. */
  costUsd?: number;
  /** More attributes of the span. */
  attributes?: Attributes;
}

/** A look into the application's response cache. */
export interface CacheLookup {
  type: 'exact' | 'semantic';
  hit: boolean;
}

/** Of a number of tool calls so many are kept. */
const maxToolCalls = 1024;
const counts = ['latencyMs', 'inputTokens', 'outputTokens', 'totalTokens', 'costUsd'] as const;

/** Records a call as a span that has just ended. */
export function recordCall(
  recorder: LlmRecorder,
  given: LlmCall,
  context: Context,
  report: (error: unknown) => void,
): void {
  const call = checkCall(given, report);
  const stream = call.operation === 'stream';
  const started = recorder.start({
    request: {
      provider: asString(call.provider) ?? 'unknown',
      model: asString(call.model),
      operation: stream ? 'chat' : (call.operation ?? 'chat'),
      stream,
    },
    attributes: { ...asObject(call.attributes) } as Attributes,
    context,
    startedMsAgo: call.latencyMs ?? 0,
  });
  started.end(readCall(call));
}

/** Without the numbers that are none; they are reported, since the application goes on. */
function checkCall(given: LlmCall, report: (error: unknown) => void): LlmCall {
  const call: LlmCall = { ...given };
  for (const name of counts) {
    const value = call[name];
    if (value === undefined || (typeof value === 'number' && Number.isFinite(value) && value >= 0)) continue;
    delete call[name];
    report(new TelemetryError('invalid_value', `${name} of a recorded call is ignored: it must be a number from 0`));
  }
  return call;
}

function readCall(call: LlmCall): CallEnd {
  const { inputTokens, outputTokens, totalTokens, cacheHit, costUsd, errorType } = call;
  const serviceTier = asString(call.serviceTier);
  const hit = cacheHit === 'exact' || cacheHit === 'semantic';
  const known = [inputTokens, outputTokens, totalTokens].some((count) => count !== undefined);
  const response: LlmResponse = {
    ...(known && { usage: { input: inputTokens, output: outputTokens, total: totalTokens } as LlmResponse['usage'] }),
    ...(costUsd !== undefined && { costUsd }),
    ...(hit && { usage: { input: 0, output: 0 }, costUsd: 0 }),
    ...(cacheHit && { cacheHit }),
    ...(serviceTier && { attributes: { 'edgespan.service_tier': serviceTier } }),
    toolCalls: readToolCalls(call.toolCalls),
  } as LlmResponse;
  if (call.status === 'error' || errorType !== undefined) response.error = { type: asString(errorType) ?? '_OTHER' };
  return { response };
}

function readToolCalls(calls: LlmCall['toolCalls']): { name: string }[] {
  if (typeof calls === 'number')
    return Array.from({ length: Math.min(calls || 0, maxToolCalls) }, () => ({ name: 'unknown' }));
  return Array.isArray(calls)
    ? calls.slice(0, maxToolCalls).map((call) => ({ name: asString(asObject(call)?.name) ?? 'unknown' }))
    : [];
}
