import type { Attributes, Context } from '@opentelemetry/api';
import type { Cost } from '../pricing/price.ts';
import { createContextKey } from '../trace/otel-context.ts';
import type { LlmUsage } from './provider.ts';
import { round } from './response.ts';

/** A model call that has been recorded, for those around it. */
export interface FramedCall {
  readonly provider: string;
  readonly model: string;
  readonly usage: LlmUsage | undefined;
  readonly cost: Cost | undefined;
  readonly seconds: number;
}

/** A stretch of work that wants to know of the model calls in it. They are counted where they are made, never here. */
export interface Frame {
  readonly outer: Frame | undefined;
  add(call: FramedCall): void;
}

const frameKey = /* @__PURE__ */ createContextKey('edgespan frame');

export function getFrame(context: Context): Frame | undefined {
  return context.getValue(frameKey) as Frame | undefined;
}

export function setFrame(context: Context, frame: Frame): Context {
  return context.setValue(frameKey, frame);
}

/** Tells all frames around a call of it. */
export function addToFrames(context: Context, call: FramedCall): void {
  for (let frame = getFrame(context); frame; frame = frame.outer) frame.add(call);
}

/** What the model calls inside of a span come to. */
export class SpanFrame implements Frame {
  readonly outer: Frame | undefined;
  #calls = 0;
  #inputTokens = 0;
  #outputTokens = 0;
  #costUsd = 0;

  constructor(outer: Frame | undefined) {
    this.outer = outer;
  }

  add({ usage, cost }: FramedCall): void {
    this.#calls++;
    this.#inputTokens += usage?.input ?? 0;
    this.#outputTokens += usage?.output ?? 0;
    this.#costUsd += cost?.totalUsd ?? 0;
  }

  /** Under names of their own: a backend that sums up `gen_ai.usage.*` must not find the same tokens twice. */
  attributes(): Attributes {
    if (this.#calls === 0) return {};
    return {
      'edgespan.aggregated.model_calls': this.#calls,
      'edgespan.aggregated.input_tokens': this.#inputTokens,
      'edgespan.aggregated.output_tokens': this.#outputTokens,
      'edgespan.aggregated.cost_usd': round(this.#costUsd, 8),
    };
  }
}
