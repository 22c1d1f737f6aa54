import type { Attributes } from '@opentelemetry/api';
import type { TraceRef } from '../metrics/instrument.ts';
import type { Registry } from '../metrics/registry.ts';
import type { Cost } from '../pricing/price.ts';
import type { ErrorClass } from './error-class.ts';
import { createGuardrailMetrics, type Verdict, type VerdictLabels } from './guardrail.ts';
import type { CacheHit, LlmUsage } from './provider.ts';
import { durationBuckets, operationLabel, type SemconvNames, tokenBuckets } from './semconv.ts';

/** Everything that metrics say about one model call, as plain data. */
export interface CallOutcome {
  readonly provider: string;
  readonly model: string;
  /** `chat`, `stream`, `embed` or what a user named. */
  readonly operation: string;
  readonly agent: string;
  readonly error: ErrorClass | undefined;
  readonly aborted: boolean;
  readonly seconds: number;
  /** Until the first token of a stream. */
  readonly firstTokenSeconds: number | undefined;
  readonly usage: LlmUsage | undefined;
  readonly cost: Cost | undefined;
  /** What the application's or a gateway's response cache said. */
  readonly cacheHit: CacheHit | undefined;
  readonly toolNames: readonly string[];
  /** What a guardrail or a content filter did. */
  readonly verdict: Verdict | undefined;
  /** What the GenAI conventions put on their metrics, `error.type` left out. */
  readonly attributes: Attributes;
  readonly errorType: string | undefined;
  /** The sampled span, for exemplars. */
  readonly trace: TraceRef | null;
  /** The call was counted with an earlier attempt: only what that did not know yet is new. */
  readonly counted: boolean;
}

/** The metric families of model calls, agents and tools, and how an outcome is written to them. */
export interface LlmInstruments {
  call(outcome: CallOutcome): void;
  /** `attributes` are the same object for all chunks of a call. */
  chunk(seconds: number, attributes: Attributes, trace: TraceRef | null): void;
  /** An agent, tool, retrieval or other span that is no model call. */
  span(done: {
    type: string;
    seconds: number;
    agent: string;
    error: ErrorClass | undefined;
    tool?: string;
    /** Whom the agent around has asked last; empty where nobody was. */
    provider: string;
    model: string;
    trace: TraceRef | null;
  }): void;
  guardrail(verdict: Verdict, labels: VerdictLabels, trace: TraceRef | null): void;
  parseError(provider: string): void;
  cacheLookup(type: 'exact' | 'semantic', hit: boolean, agent: string): void;
  costAlert(provider: string, model: string, agent: string): void;
}

/** Bounds of the like families of Rastir. */
const tokensPerCall = [10, 50, 100, 250, 500, 1000, 2000, 4000, 8000, 16_000, 32_000];
const dollarsPerCall = [0.0001, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100];
const requestSeconds = [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60];
const firstTokenBuckets = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10];
const perTokenBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

export function createLlmInstruments(
  registry: Registry,
  semconv: SemconvNames,
  options: {
    namespace: string;
    buckets: Readonly<Record<string, readonly number[]>>;
    /** A label of the costs, where it is given. */
    pricingProfile?: string | undefined;
  },
): LlmInstruments {
  const { buckets, pricingProfile } = options;
  const profile = pricingProfile === undefined ? {} : { pricing_profile: pricingProfile };
  const costed = (labels: string) => [labels, ...Object.keys(profile)].join(' ');

  function counter(name: string, labels: string, help: string) {
    return registry.define(`${options.namespace}_${name}`, 'counter', labels.split(' '), { help });
  }
  function histogram(suffix: string, labels: string, bounds: readonly number[], help: string) {
    const name = `${options.namespace}_${suffix}`;
    return registry.defineHistogram(name, labels.split(' '), { help, buckets: buckets[name] ?? bounds });
  }
  function standard(name: string, unit: string, bounds: readonly number[], help: string) {
    return registry.defineHistogram(name, [], { help, unit, buckets: buckets[name] ?? bounds });
  }

  const of = 'provider model agent';
  const requests = counter('requests_total', 'provider model operation status agent', 'Model calls.');
  const duration = histogram(
    'request_duration_seconds',
    'provider model operation agent',
    requestSeconds,
    'Seconds from call to last byte.',
  );
  const firstToken = histogram('time_to_first_token_seconds', of, firstTokenBuckets, 'Seconds to the first token.');
  const perToken = histogram(
    'time_per_output_token_seconds',
    of,
    perTokenBuckets,
    'Seconds per token after the first.',
  );
  const tokens = counter('tokens_total', 'provider model token_type agent', 'Tokens, all of a kind.');
  const details = counter(
    'token_details_total',
    'provider model token_type agent',
    'Tokens that tokens_total includes.',
  );
  const perRequest = histogram('tokens_per_request', of, tokensPerCall, 'Input and output tokens of a call.');
  const dollars = counter('cost_usd_total', costed(of), 'Cost in US dollars.');
  const dollarsPerRequest = histogram(
    'cost_per_request_usd',
    costed('model agent'),
    dollarsPerCall,
    'US dollars of a call.',
  );
  const unpriced = counter('unpriced_requests_total', of, 'Calls with usage and no known price.');
  const cacheHits = counter('cache_hits_total', 'cache_type agent', 'Answers from a response cache.');
  const cacheMisses = counter(
    'cache_misses_total',
    'cache_type agent',
    'Looks into a response cache that found nothing.',
  );
  const costAlerts = counter('cost_alerts_total', of, 'Calls dearer than the option costAlert says.');
  const toolCalls = counter('tool_calls_total', 'tool_name agent', 'Tool calls that a model asked for.');
  const aborted = counter('streams_aborted_total', of, 'Calls whose caller left before the end.');
  const errors = counter('errors_total', 'span_type error_type provider model agent', 'Errors by class.');
  const spanSeconds = histogram(
    'span_duration_seconds',
    'span_type agent',
    [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60],
    'Seconds of agents, tools, retrievals and other spans.',
  );
  const toolRuns = counter('tool_executions_total', 'tool_name status agent', 'Tools that were run.');
  const guardrail = createGuardrailMetrics(counter);
  const retrievals = counter('retrievals_total', 'agent', 'Retrievals.');
  const parseErrors = registry.define('edgespan_parse_errors_total', 'counter', ['provider'], {
    help: 'Replies that could not be read.',
  });
  const callSeconds = standard(semconv.callDuration, 's', durationBuckets, 'GenAI operation duration.');
  const firstChunk = standard(semconv.timeToFirstChunk, 's', durationBuckets, 'Time to the first chunk.');
  const perChunk = standard(semconv.timePerOutputChunk, 's', durationBuckets, 'Time per chunk after the first.');
  const chunkRecorders = new WeakMap<Attributes, ReturnType<typeof perChunk.bind>>();
  const inputTokens = standard(semconv.inputTokens, '{token}', tokenBuckets, 'Tokens used.');
  const outputTokens = standard(semconv.outputTokens, '{token}', tokenBuckets, 'Tokens used.');

  function cacheLookup(cache_type: 'exact' | 'semantic', hit: boolean, agent: string): void {
    (hit ? cacheHits : cacheMisses).add(1, { cache_type, agent });
  }

  function usage(outcome: CallOutcome, used: LlmUsage): void {
    const { provider, model, agent, trace, attributes } = outcome;
    const { input, output } = used;
    const kind = (token_type: string) => ({ provider, model, token_type, agent });
    if (input !== undefined) tokens.add(input, kind('input'), trace);
    if (output !== undefined) tokens.add(output, kind('output'), trace);
    if (used.cacheRead) details.add(used.cacheRead, kind('cache_read'), trace);
    if (used.cacheWrite) details.add(used.cacheWrite, kind('cache_write'), trace);
    if (used.reasoning) details.add(used.reasoning, kind('reasoning'), trace);
    if (input !== undefined || output !== undefined) {
      perRequest.record((input ?? 0) + (output ?? 0), { provider, model, agent }, trace);
    }
    const typed = (type: string) => (semconv.tokenType ? { ...attributes, 'gen_ai.token.type': type } : attributes);
    if (input !== undefined) inputTokens.recordTo(input, typed('input'), trace);
    if (output !== undefined) outputTokens.recordTo(output, typed('output'), trace);
  }

  function timing(outcome: CallOutcome, labels: { provider: string; model: string; agent: string }): void {
    const { seconds, firstTokenSeconds, trace, usage } = outcome;
    if (firstTokenSeconds === undefined) return;
    firstToken.record(firstTokenSeconds, labels, trace);
    firstChunk.recordTo(firstTokenSeconds, outcome.attributes, trace);
    const after = (usage?.output ?? 0) - 1;
    // The clock may have stood still, as it does on Workers: then there is no rate to tell.
    if (after > 0 && seconds > firstTokenSeconds) perToken.record((seconds - firstTokenSeconds) / after, labels, trace);
  }

  function count(outcome: CallOutcome): void {
    const { provider, model, agent, error, trace, errorType } = outcome;
    const labels = { provider, model, agent };
    const operation = operationLabel(outcome.operation);
    requests.add(1, { ...labels, operation, status: error ? 'error' : 'ok' }, trace);
    duration.record(outcome.seconds, { ...labels, operation }, trace);
    callSeconds.recordTo(
      outcome.seconds,
      errorType ? { ...outcome.attributes, 'error.type': errorType } : outcome.attributes,
      trace,
    );
    if (error) errors.add(1, { ...labels, span_type: 'llm', error_type: error }, trace);
    if (outcome.aborted) aborted.add(1, labels, trace);
  }

  return {
    call(outcome) {
      const { provider, model, agent, trace, cost } = outcome;
      const labels = { provider, model, agent };
      if (!outcome.counted) count(outcome);
      timing(outcome, labels);
      if (outcome.usage) usage(outcome, outcome.usage);
      if (cost) {
        dollars.add(cost.totalUsd, { ...labels, ...profile }, trace);
        dollarsPerRequest.record(cost.totalUsd, { model, agent, ...profile }, trace);
      } else if (outcome.usage) unpriced.add(1, labels, trace);
      // Who only says that it missed, missed the cache that every application has first.
      if (outcome.cacheHit)
        cacheLookup(outcome.cacheHit === 'miss' ? 'exact' : outcome.cacheHit, outcome.cacheHit !== 'miss', agent);
      if (outcome.verdict) guardrail(outcome.verdict, labels, trace);
      for (const tool_name of outcome.toolNames) toolCalls.add(1, { tool_name, agent }, trace);
    },
    chunk(seconds, attributes, trace) {
      let record = chunkRecorders.get(attributes);
      if (!record) {
        record = perChunk.bind(attributes);
        chunkRecorders.set(attributes, record);
      }
      record(seconds, trace);
    },
    span({ type, seconds, agent, error, tool, provider, model, trace }) {
      if (type !== 'llm') spanSeconds.record(seconds, { span_type: type, agent }, trace);
      if (type === 'tool') toolRuns.add(1, { tool_name: tool, status: error ? 'error' : 'ok', agent }, trace);
      if (type === 'retrieval') retrievals.add(1, { agent }, trace);
      if (error) errors.add(1, { span_type: type, error_type: error, provider, model, agent }, trace);
    },
    parseError: (provider) => parseErrors.add(1, { provider }, null),
    cacheLookup,
    guardrail,
    costAlert: (provider, model, agent) => costAlerts.add(1, { provider, model, agent }),
  };
}
