import { fromHrTime } from './clock.ts';
import { createTelemetry as create } from './index.ts';
import type { TelemetryOptions } from './options.ts';
import { getParts } from './parts.ts';
import type { Telemetry } from './telemetry.ts';
import { statusError } from './trace/otel-span.ts';
import type { ReadableSpan } from './trace/readable-span.ts';

/**
 * A telemetry for tests: spans stay in memory, nothing is exported, the environment is not read, and metrics are at
 * hand at once. Give it a `fetch` that answers as the vendor would.
 *
 * @example
 * const telemetry = createTestTelemetry({ fetch: async () => Response.json({ model: 'gpt-4o', choices: [] }) });
 * await new OpenAI({ apiKey: 'x', fetch: telemetry.fetch }).chat.completions.create({ model: 'gpt-4o', messages: [] });
 * telemetry.spans[0]?.attributes['gen_ai.response.model']; // gpt-4o
 */
export function createTestTelemetry(options: TelemetryOptions = {}): Telemetry {
  return create({ inMemory: true, serviceName: 'test', ...options });
}

/** One model call as plain data; numbers are not rounded, and what is unknown is `undefined`. */
export interface LlmRecord {
  name: string;
  provider: string;
  model: string | undefined;
  operation: string;
  latencyMs: number | undefined;
  inputTokens: number | undefined;
  outputTokens: number | undefined;
  costUsd: number | undefined;
  cacheHit: 'exact' | 'semantic' | 'miss' | undefined;
  toolCalls: number | undefined;
  status: 'ok' | 'error';
  errorType: string | undefined;
  timestamp: Date;
}

/** The model calls among a telemetry's spans, oldest first; a wrapper around another call is none of its own. */
export function llmRecords(telemetry: Telemetry): readonly LlmRecord[] {
  const { recorder } = getParts(telemetry).engine;
  return telemetry.spans.flatMap((span) => {
    const leaf = recorder.leaf(span);
    return leaf ? [toRecord(span, leaf.costUsd)] : [];
  });
}

function toRecord(span: ReadableSpan, costUsd: number | undefined): LlmRecord {
  const { attributes } = span;
  // Without `legacyAttributes` there are those of the conventions alone.
  const text = (...names: string[]) =>
    names.map((name) => attributes[name]).find((value) => value !== undefined) as string | undefined;
  const number = (name: string) => attributes[name] as number | undefined;
  return {
    name: span.name,
    provider: text('llm.provider', 'gen_ai.provider.name') ?? 'unknown',
    model: text('llm.model', 'gen_ai.response.model', 'gen_ai.request.model'),
    operation: text('llm.operation', 'gen_ai.operation.name') ?? 'chat',
    latencyMs: fromHrTime(span.duration),
    inputTokens: number('gen_ai.usage.input_tokens'),
    outputTokens: number('gen_ai.usage.output_tokens'),
    costUsd,
    cacheHit: attributes['llm.cache_hit'] as LlmRecord['cacheHit'],
    toolCalls: number('llm.tool_calls'),
    status: span.status.code === statusError ? 'error' : 'ok',
    errorType: text('llm.error_type', 'error.type'),
    timestamp: new Date(fromHrTime(span.startTime)),
  };
}
