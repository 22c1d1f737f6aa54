import type { Attributes, Context } from '@opentelemetry/api';
import type { TraceRef } from '../metrics/instrument.ts';
import type { PriceBook } from '../pricing/book.ts';
import { priceUsage } from '../pricing/cost.ts';
import type { Cost } from '../pricing/price.ts';
import type { Attempt, Attempts } from './attempts.ts';
import type { CallFailure } from './failure.ts';
import { addToFrames, findAgent } from './frame.ts';
import type { Verdict } from './guardrail.ts';
import type { CallOutcome } from './instruments.ts';
import type { LlmRequest, LlmResponse } from './provider.ts';
import { isInference, llmOperation } from './semconv.ts';
import { readServiceTier } from './service-tier.ts';

/** A model call that is over, whoever has seen it. */
export interface CallFacts {
  readonly request: LlmRequest;
  /** As `readResponse` leaves it. */
  readonly response: LlmResponse;
  readonly cost: Cost | undefined;
  readonly agent: string;
  readonly failure: CallFailure | undefined;
  readonly aborted: boolean;
  readonly seconds: number;
  readonly firstTokenSeconds: number | undefined;
  /** What the GenAI conventions put on metrics, the response's model and `error.type` left out. */
  readonly attributes: Attributes;
  readonly verdict: Verdict | undefined;
  readonly trace: TraceRef | null;
  /** The beginning of the prompt, for sessions that show it. */
  readonly preview?: string | undefined;
  /** The call was counted with an earlier attempt. */
  readonly counted?: boolean;
}

/** Whom a call asked, as far as the answer tells, for whom, and the answer's id. */
export function calledOf({ request, response, agent }: CallFacts) {
  const provider = response.provider ?? request.provider;
  return { provider, model: response.model ?? request.model ?? '', agent, responseId: response.id };
}

export interface CallBookOptions {
  readonly attempts: Attempts;
  readonly prices: PriceBook;
  /** Told of every cost. */
  readonly onCost: (outcome: CallOutcome, cost: Cost) => void;
}

/** What a model call costs, and the one way by which it comes to the metrics and to those around it. */
export interface CallBook {
  /** As `priceCall` tells it. */
  price(request: LlmRequest, response: LlmResponse): Cost | undefined;
  /** An attempt that `waits` for its repetition counts as soon as none comes. */
  count(facts: CallFacts, context: Context, attempt?: Attempt, waits?: boolean): void;
}

export function createCallBook({ attempts, prices, onCost }: CallBookOptions): CallBook {
  return {
    price: (request, response) => priceCall(request, response, prices),
    count(facts, context, attempt, waits = false) {
      const outcome = toOutcome(facts);
      attempts.finish(attempt, outcome, waits);
      if (!waits) addToFrames(context, { ...outcome, preview: facts.preview });
      const agent = findAgent(context);
      if (agent && !attempt?.number && isInference(facts.attributes['gen_ai.operation.name'])) agent.inferenceCalls++;
      if (facts.cost) onCost(outcome, facts.cost);
    },
  };
}

/** What the response says, else what the prices do; `undefined` where nobody knows. */
export function priceCall(request: LlmRequest, response: LlmResponse, prices: PriceBook): Cost | undefined {
  if (response.costUsd !== undefined) return { inputUsd: 0, outputUsd: 0, totalUsd: response.costUsd };
  if (!response.usage) return undefined;
  const provider = response.provider ?? request.provider;
  // A model that another one stood in for is priced as that one.
  const serving = response.attributes?.['edgespan.pricing.model'];
  for (const model of typeof serving === 'string' ? [serving] : [response.model, request.model]) {
    const found = model === undefined ? undefined : prices.find(model, provider);
    if (found) return priceUsage(response.usage, found, readServiceTier(request, response));
  }
  return undefined;
}

function toOutcome(facts: CallFacts): CallOutcome {
  const { request, response, failure, attributes, counted = false } = facts;
  return {
    provider: response.provider ?? request.provider,
    model: response.model ?? request.model ?? '',
    // A wrapper learns only from the first item that its function streams.
    operation: llmOperation(request.operation, request.stream),
    agent: facts.agent,
    error: failure?.class,
    aborted: facts.aborted,
    seconds: facts.seconds,
    firstTokenSeconds: facts.firstTokenSeconds,
    usage: response.usage,
    cost: facts.cost,
    cacheHit: response.cacheHit,
    toolNames: response.toolCalls?.map(({ name }) => name) ?? [],
    verdict: facts.verdict,
    attributes: response.model ? { ...attributes, 'gen_ai.response.model': response.model } : attributes,
    errorType: failure?.type,
    trace: facts.trace,
    counted,
  };
}
