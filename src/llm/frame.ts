import type { Attributes, Context } from '@opentelemetry/api';
import type { Cost } from '../pricing/price.ts';
import { createContextKey } from '../trace/otel-context.ts';
import type { LlmUsage } from './provider.ts';
import { round } from './response.ts';

/** What the model calls inside of a span come to. They are counted where they are made, never here again. */
export interface Frame {
  readonly outer: Frame | undefined;
  modelCalls: number;
  inputTokens: number;
  outputTokens: number;
  costUsd: number;
}

const frameKey = /* @__PURE__ */ createContextKey('edgespan frame');

function getFrame(context: Context): Frame | undefined {
  return context.getValue(frameKey) as Frame | undefined;
}

/** A context whose model calls are also summed up here. */
export function openFrame(context: Context): { context: Context; frame: Frame } {
  const frame: Frame = { outer: getFrame(context), modelCalls: 0, inputTokens: 0, outputTokens: 0, costUsd: 0 };
  return { context: context.setValue(frameKey, frame), frame };
}

/** Adds a call to all spans around it. */
export function addToFrames(context: Context, usage: LlmUsage | undefined, cost: Cost | undefined): void {
  for (let frame = getFrame(context); frame; frame = frame.outer) {
    frame.modelCalls++;
    frame.inputTokens += usage?.input ?? 0;
    frame.outputTokens += usage?.output ?? 0;
    frame.costUsd += cost?.totalUsd ?? 0;
  }
}

/** Under names of their own: a backend that sums up `gen_ai.usage.*` must not find the same tokens twice. */
export function frameAttributes({ modelCalls, inputTokens, outputTokens, costUsd }: Frame): Attributes {
  if (modelCalls === 0) return {};
  return {
    'edgespan.aggregated.model_calls': modelCalls,
    'edgespan.aggregated.input_tokens': inputTokens,
    'edgespan.aggregated.output_tokens': outputTokens,
    'edgespan.aggregated.cost_usd': round(costUsd, 8),
  };
}
