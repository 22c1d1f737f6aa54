import type { Attributes, Context } from '@opentelemetry/api';
import { ignore } from '../errors.ts';
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
  /** The beginning of the prompt, where somebody around wants to see it. */
  readonly preview?: string | undefined;
}

/** A stretch of work that wants to know of the model calls in it. They are counted where they are made, never here. */
export interface Frame {
  readonly outer: Frame | undefined;
  /** Characters of the prompt that are wanted. */
  readonly preview?: number;
  add(call: FramedCall): void;
  /** An attempt inside has repeated an earlier one. */
  retry?(): void;
}

const frameKey = /* @__PURE__ */ createContextKey('edgespan frame');

export function getFrame(context: Context): Frame | undefined {
  return context.getValue(frameKey) as Frame | undefined;
}

export function setFrame(context: Context, frame: Frame): Context {
  return context.setValue(frameKey, frame);
}

/** The longest beginning of the prompt that anybody around a call wants to see. */
export function previewLength(context: Context): number {
  let longest = 0;
  for (let frame = getFrame(context); frame; frame = frame.outer) longest = Math.max(longest, frame.preview ?? 0);
  return longest;
}

/** Tells all frames around an attempt that it repeats an earlier one. */
export function addRetry(context: Context): void {
  for (let frame = getFrame(context); frame; frame = frame.outer) frame.retry?.();
}

/** Tells all frames around a call of it. */
export function addToFrames(context: Context, call: FramedCall): void {
  for (let frame = getFrame(context); frame; frame = frame.outer) frame.add(call);
}

/** Who is asked, as labels and attributes call it. */
export interface ModelRef {
  readonly provider: string;
  readonly model: string;
  readonly semconvProvider: string;
}

/**
 * Tells the agent around a call whom it asks, since its tools may run while the answer still comes. The function that
 * it returns is for what the answer knows better.
 */
export function noteCall(context: Context, asked: ModelRef): (answered: ModelRef) => void {
  const agent = findAgent(context);
  if (!agent) return ignore;
  const call = { ...asked };
  if (asked.model) agent.latest = call;
  return (answered) => {
    Object.assign(call, answered);
    if (!asked.model) agent.latest = call;
  };
}

/** The latest model call of the agent around, and of no agent inside of that; `undefined` where there was none yet. */
export function latestCall(context: Context): ModelRef | undefined {
  return findAgent(context)?.latest;
}

/** Tells the agent around that it has run a tool. */
export function addToolRun(context: Context): void {
  const agent = findAgent(context);
  if (agent) agent.toolCalls++;
}

/** The frame of the agent around. */
export function findAgent(context: Context): AgentFrame | undefined {
  for (let frame = getFrame(context); frame; frame = frame.outer) if (frame instanceof AgentFrame) return frame;
  return undefined;
}

/** What the model calls inside of a span come to. */
export class SpanFrame implements Frame {
  readonly outer: Frame | undefined;
  #calls = 0;
  #inputTokens = 0;
  #outputTokens = 0;
  #costUsd = 0;
  #retries = 0;

  constructor(outer: Frame | undefined) {
    this.outer = outer;
  }

  add({ usage, cost }: FramedCall): void {
    this.#calls++;
    this.#inputTokens += usage?.input ?? 0;
    this.#outputTokens += usage?.output ?? 0;
    this.#costUsd += cost?.totalUsd ?? 0;
  }

  retry(): void {
    this.#retries++;
  }

  /** Under names of their own: a backend that sums up `gen_ai.usage.*` must not find the same tokens twice. */
  attributes(): Attributes {
    const retries = this.#retries > 0 ? { 'edgespan.retry.count': this.#retries } : {};
    if (this.#calls === 0) return retries;
    return {
      ...retries,
      'edgespan.aggregated.model_calls': this.#calls,
      'edgespan.aggregated.input_tokens': this.#inputTokens,
      'edgespan.aggregated.output_tokens': this.#outputTokens,
      'edgespan.aggregated.cost_usd': round(this.#costUsd, 8),
    };
  }
}

/**
 * An agent's: what it knows of its model calls is inherited by its tools and retrievals. Counts what it does itself, and
 * no agent inside of it.
 */
export class AgentFrame extends SpanFrame {
  latest: ModelRef | undefined;
  inferenceCalls = 0;
  toolCalls = 0;
}
